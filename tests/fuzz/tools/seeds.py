#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the scripts that the fuzzers of whole transfers begin with: seeds.py. See peer_fuzz.h.

Those called right-* end with success: tests/unit/tools/peer_seeds_test.c.
"""
import pathlib
import struct

HELLO, OFFER, ACCEPT, DATA, ZERO, ACK, END, RESULT, BYE, ABORT, KEEPALIVE, UNREADABLE = (
    1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14)
CLOSE, MUTE = b"\x03", b"\x06"
SLOT, LACKS = 8, 4


def record(kind, payload=b"", bits=0):
    return struct.pack("<BBBH", 0, kind, bits, len(payload)) + payload


def raw(data):
    return struct.pack("<BH", 1, len(data)) + data


def cut(size):
    return struct.pack("<BH", 2, size)


def wait(kind):
    return struct.pack("<BB", 4, kind)


def damage(what):
    return struct.pack("<BB", 5, what)


# What a sender says of its own.
def offer(size, chunk=0, disk=1, group=0, text=b""):
    return struct.pack("<BHBBBH", 7, size // 64, chunk, disk, group, len(text)) + text


def data(index, fill, flags=0, size=0):
    return struct.pack("<BHBHB", 8, index, flags, size, fill)


def zero(index, count, flags=1):
    return struct.pack("<BHHB", 9, index, count, flags)


def unreadable(count, first=8, size=1, gap=8):
    return struct.pack("<BBHHH", 10, count, first, size, gap)


def end(twist=0):
    return struct.pack("<BB", 11, twist)


# What a receiver says of its own.
def accept(bits=0, first=0, have_first=0, have=0, wrong=0, flags=0):
    return struct.pack("<BBBBBBB", 7, bits, first, have_first, have, wrong, flags)


def result(status=0, twist=0):
    return struct.pack("<BBB", 8, status, twist)


def ack(chunks):
    return struct.pack("<BH", 9, chunks)


FILE, RAW, IMAGE, TARGET, FOLDER = range(5)
MEND, AGAIN, READ_BACK, RECHECK, SEVERAL = 1, 2, 4, 8, 16
SIZE = 5 * 4096 + 64
BEGIN = offer(SIZE) + wait(ACCEPT)
CHUNKS = data(0, 7) + zero(1, 2) + data(3, 9) + data(4, 7) + data(5, 1)
FINISH = end() + wait(RESULT) + record(BYE)


# 17 chunks of 4 MiB: a CHECKPOINT stands behind the 16th.
LARGE = offer((17 << 22) >> 5, 0x40 | 10) + wait(ACCEPT)


def recv(kind, bits, script):
    return bytes((kind, bits)) + script


RECV = {
    "right-file": recv(FILE, 0, BEGIN + CHUNKS + FINISH),
    "right-raw": recv(RAW, 0, BEGIN + CHUNKS + FINISH),
    "right-image": recv(IMAGE, MEND, BEGIN + CHUNKS + FINISH),
    "right-target": recv(TARGET, READ_BACK, BEGIN + CHUNKS + FINISH),
    "right-disks": recv(FOLDER, MEND, b"".join(
        offer(SIZE, 0, 1 + i, 0x13 + 16 * i) + wait(ACCEPT) + CHUNKS + end() + wait(RESULT)
        for i in range(3)) + record(BYE)),
    "right-stream": recv(RAW, 0, offer(0, 0x80) + wait(ACCEPT) + data(0, 1) + zero(1, 1) +
                         data(2, 2, size=100) + FINISH),
    "right-broken": recv(FILE, MEND, BEGIN + data(0, 7) + zero(1, 2) + CLOSE + BEGIN +
                         data(3, 9) + data(4, 7) + data(5, 1) + FINISH),
    "right-cut": recv(IMAGE, MEND, BEGIN + data(0, 7) + cut(60) + data(1, 3) + BEGIN +
                      zero(1, 2) + data(3, 9) + data(4, 7) + data(5, 1) + FINISH),
    "right-result-lost": recv(TARGET, MEND, BEGIN + CHUNKS + end() + wait(RESULT) + CLOSE +
                              BEGIN + FINISH),
    "right-rescue": recv(FILE, MEND, BEGIN + data(0, 7) + data(1, 0, SLOT | LACKS) +
                         data(2, 0, SLOT | LACKS) + zero(3, 1) + data(4, 7, LACKS) + data(5, 1) +
                         data(1, 5, SLOT) + data(2, 5, SLOT | LACKS) + data(2, 6, SLOT) +
                         unreadable(1, 32, 1, 0) + FINISH),
    "right-rescue-broken": recv(FILE, MEND, BEGIN + data(0, 7) + data(1, 0, SLOT | LACKS) +
                                CLOSE + BEGIN + zero(2, 3) + data(5, 1) + data(1, 5, SLOT) +
                                unreadable(0) + FINISH),
    "right-several": recv(FILE, MEND | SEVERAL, BEGIN + data(0, 7) + data(1, 0, SLOT | LACKS) +
                          CLOSE + BEGIN + zero(2, 3) + data(5, 1) + data(1, 5, SLOT) +
                          unreadable(0) + FINISH),
    "right-several-cut": recv(IMAGE, MEND | SEVERAL, BEGIN + data(0, 7) + cut(60) + data(1, 3) +
                              BEGIN + zero(1, 2) + data(3, 9) + data(4, 7) + data(5, 1) + FINISH),
    "right-again": recv(FILE, AGAIN, LARGE + zero(0, 16) + data(16, 3) +
                        record(ABORT, b"no more") + CLOSE + LARGE + data(16, 3) + FINISH),
    "right-rechecked": recv(FILE, AGAIN | RECHECK, LARGE + data(0, 4) + zero(1, 15) +
                            data(16, 3) + record(ABORT, b"no more") + CLOSE + LARGE +
                            data(16, 3) + FINISH),
    "again": recv(FILE, AGAIN, BEGIN + data(0, 7) + zero(1, 2) + record(ABORT, b"no more") +
                  CLOSE + BEGIN + CHUNKS + FINISH),
    "missing": recv(RAW, 0, offer(SIZE, text=b'{"unreadable":[[4096,512],[0,512]],'
                                             b'"partitions":[{"start":0,"size":9000}]}') +
                    wait(ACCEPT) + CHUNKS + FINISH),
    "too-large": recv(TARGET, 0, offer(65535 * 64, 10) + wait(ACCEPT) + CHUNKS + FINISH),
    "refused-set": recv(FILE, 0, offer(SIZE, 0, 1, 0x12) + wait(ACCEPT)),
    "wrong-root": recv(FILE, MEND, BEGIN + CHUNKS + end(3) + wait(RESULT)),
    "wrong-size": recv(RAW, 0, BEGIN + CHUNKS + end(2)),
    "no-zeros": recv(TARGET, 0, BEGIN + data(0, 7, 1) + zero(1, 2) + data(3, 9) + data(4, 7) +
                     data(5, 1) + FINISH),
    "twice": recv(IMAGE, 0, BEGIN + CHUNKS + data(2, 3) + FINISH),
    "gap": recv(IMAGE, 0, BEGIN + data(0, 7) + data(2, 3)),
    "damage": recv(RAW, MEND, BEGIN + data(0, 7) + damage(0) + data(1, 1) + CLOSE + BEGIN +
                   damage(1) + data(1, 1) + CLOSE + BEGIN + damage(4) + data(1, 1)),
    "foreign": recv(RAW, MEND, MUTE + raw(b"SSH-2.0-") + CLOSE + BEGIN),
    "other-disk": recv(FILE, MEND, BEGIN + data(0, 7) + CLOSE + offer(SIZE, 0, 9)),
    "raw-data": recv(RAW, 0, BEGIN + record(DATA, bytes(40) + b"\x28\xb5\x2f\xfd\x20\x00", 2) +
                     record(ZERO, struct.pack("<QQII", 0, 6, 1, 0)) + FINISH),
    "types": recv(FOLDER, 0, b"".join(record(t, b"x") for t in (0x90, 13, 6, 1, 7, 12))),
}

DISK_IMAGE, DISK, RESCUED, STREAM = range(4)
FIRST = wait(OFFER) + accept()
LAST = wait(END) + result() + wait(BYE)


def send(kind, bits, script):
    return bytes((kind, bits)) + script


SEND = {
    "right-image": send(DISK_IMAGE, 0, FIRST + ack(3) + LAST),
    "right-disk": send(DISK, MEND, FIRST + LAST),
    "right-rescued": send(RESCUED, MEND, wait(OFFER) + accept(4) + LAST),
    "right-stream": send(STREAM, 0, FIRST + LAST),
    "right-resume": send(DISK_IMAGE, MEND, wait(OFFER) + accept(0, 3, 0, 3) + LAST),
    "right-parts": send(DISK_IMAGE, 2, wait(OFFER) + accept(2, 5, 0, 2) + accept(0, 5, 2, 3) +
                        LAST),
    "right-all-there": send(DISK, MEND, wait(OFFER) + accept(0, 3, 0, 3) + LAST),
    "right-broken": send(DISK_IMAGE, MEND, FIRST + wait(DATA) + CLOSE + wait(OFFER) +
                         accept(0, 2, 0, 2) + LAST),
    "right-again": send(RESCUED, MEND, wait(OFFER) + accept(12, 3, 0, 3, 0, 12) + LAST),
    "changed": send(DISK_IMAGE, MEND, wait(OFFER) + accept(0, 3, 0, 3, 2)),
    "rechecked": send(DISK, 2, wait(OFFER) + accept(0, 2, 0, 2) + LAST),
    "refused": send(DISK_IMAGE, MEND, wait(OFFER) + accept(1)),
    "too-far": send(DISK_IMAGE, 0, wait(OFFER) + accept(0, 99)),
    "failed": send(DISK_IMAGE, 0, FIRST + wait(END) + result(3)),
    "other-root": send(DISK_IMAGE, 0, FIRST + wait(END) + result(0, 1)),
    "early-result": send(DISK_IMAGE, MEND, wait(OFFER) + result() + CLOSE + FIRST + result()),
    "partial": send(STREAM, MEND, FIRST + wait(END) + result(2) + wait(BYE)),
    "acks": send(DISK_IMAGE, 0, FIRST + ack(65535) + ack(1) + record(ACK, b"x")),
    "abort": send(DISK_IMAGE, MEND, FIRST + record(ABORT, b"no room")),
    "silent": send(STREAM, 0, MUTE + raw(b"TBS1 no record at all, but it begins as one does")),
}


def main():
    here = pathlib.Path(__file__).parent / "corpus"
    for name, seeds in (("recv", RECV), ("send", SEND)):
        (here / name).mkdir(parents=True, exist_ok=True)
        for seed, script in seeds.items():
            (here / name / seed).write_bytes(script)


main()

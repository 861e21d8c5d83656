#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A peer that would have the other side take memory or time without end.

    hostile.py recv CASE SOCKET   to a receiver that listens: objects, ranges (a manifest of 1 MiB),
                                  hellos, unknown (many, of the largest that can be), length (one
                                  whose last byte does not come)
    hostile.py send CASE SOCKET   to a sender that connects, of 2^16 chunks of zeros, all of which
                                  it claims to have: parts (a digest each), digests; acks, hellos
    hostile.py json CASE SIZE     objects, numbers or ranges, to be added to an image's manifest
"""

import functools
import itertools
import socket
import struct
import sys
import threading

import image_parts
import proxy

HELLO, OFFER, ACCEPT, ACK, UNKNOWN = 1, 2, 3, 6, 0x90
CHUNK = 4 << 20
COUNT = 1 << 16  # the chunks of the source
MOST = 40 + (4 << 20) + (4 << 20 >> 8) + 64  # bytes of a payload
MANY = 2000


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


@functools.lru_cache
def hashed(payload):
    return int.from_bytes(image_parts.xxhsum(1, payload), "big")


def header(kind, sequence, length, digest):
    head = struct.pack("<4sBBH4xIQQ12x", b"TBS1", 1, kind, 0, length, sequence, digest)
    return head + struct.pack("<I", crc32c(head))


def records(kind, payloads):
    """Of one kind, behind HELLO."""
    for sequence, payload in enumerate(payloads, 1):
        yield header(kind, sequence, len(payload), hashed(payload)) + payload


def hello(role):
    return struct.pack("<BBBBI16s8s64s32s128x", role, 1, 1, 0, 1, bytes(16), b"", b"peer", b"fuzz")


def objects(size):
    return b'"x":[' + b",".join([b"{}"] * (size // 3)) + b"]"


def numbers(size):
    return b'"x":[' + b",".join([b"0"] * (size // 2)) + b"]"


def ranges(size):
    """In reverse, and none touches another."""
    return b'"unreadable":[' + b",".join(
        b"[%d,1]" % (2 * i) for i in range(size // 12, 0, -1)) + b"]"


def offer(more):
    identity = b'{"path":"/dev/x"}'
    body = struct.pack("<4sBBH16sQQIIII", b"TBSI", 1, 1, 0, b"\1" * 16, (1 << 26) * CHUNK, 1,
                       CHUNK, 0, 0, len(identity)) + identity
    body += image_parts.xxhsum(3, body)[::-1]
    return struct.pack("<II", 0x184d2a5b, len(body)) + body + b"{" + more + b"}"


def accept(first, have_first, digests, more):
    return struct.pack("<BBHIQQ", 2 if more else 0, 0, 0, len(digests) // 16, first,
                       have_first) + digests


def to_receiver(case):
    if case == "objects":
        return records(OFFER, [offer(objects((1 << 20) - 100))])
    if case == "ranges":
        return records(OFFER, [offer(ranges((1 << 20) - 100))])
    if case == "hellos":
        return records(HELLO, [hello(1)] * MANY)
    if case == "unknown":
        return records(UNKNOWN, [bytes(MOST)] * 50)
    return [header(OFFER, 1, MOST, 0) + bytes(MOST - 1)]


def to_sender(case):
    if case == "hellos":
        return records(HELLO, [hello(2)] * MANY)
    if case == "acks":
        return records(ACK, [struct.pack("<Q", 1)] * MANY)
    digest = image_parts.xxhsum(2, bytes(CHUNK))
    once = 1 if case == "parts" else 1 << 14
    parts = (accept(COUNT, i, digest * once, i + once < COUNT) for i in range(0, COUNT, once))
    return records(ACCEPT, itertools.islice(parts, MANY))


def listened(path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(1)
        return listener.accept()[0]


def drain(peer):
    while True:
        try:
            if not peer.recv(1 << 20):
                return
        except OSError:
            return


def play(side, case, path):
    receiver = side == "recv"
    peer = (proxy.connect if receiver else listened)(path)
    threading.Thread(target=drain, args=[peer], daemon=True).start()
    greeting = hello(1 if receiver else 2)
    try:
        peer.sendall(header(HELLO, 0, len(greeting), hashed(greeting)) + greeting)
        for record in (to_receiver if receiver else to_sender)(case):
            peer.sendall(record)
        peer.shutdown(socket.SHUT_WR)
    except OSError:
        print("the other side had enough")


def main(what, *rest):
    if what == "json":
        case, size = rest
        large = {"objects": objects, "numbers": numbers, "ranges": ranges}[case]
        sys.stdout.buffer.write(b"," + large(int(size)))
    else:
        play(what, *rest)


main(*sys.argv[1:])

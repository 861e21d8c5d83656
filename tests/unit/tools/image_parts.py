#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Looks into an image and changes it, by docs/image-format.md and with nothing of the tools.

image_parts.py frame IMAGE N            offset and length of frame N, as the seek table has it
image_parts.py chunk IMAGE N            the same of the data frame of chunk N
image_parts.py flip IMAGE OFFSET        one bit of the byte there
image_parts.py swap IMAGE N M           the frames of chunks N and M, N + 1 = M, change places
image_parts.py text IMAGE OLD NEW       in HEAD and manifest, of one length; all sums are made right
image_parts.py add IMAGE                standard input at the manifest's end, sums as above
image_parts.py clean                    whether standard input has no control character but newlines
image_parts.py most COMMAND...          runs it; the most memory that it had, in KiB
"""

import pathlib
import resource
import struct
import subprocess
import sys
import unicodedata


def xxhsum(kind, data):
    out = subprocess.run(["xxhsum", f"-H{kind}"], input=data, stdout=subprocess.PIPE, check=True)
    words = out.stdout.decode().split()
    return bytes.fromhex(words[-1] if kind == 3 else words[0])


def frames(data):
    """(offset, length, length of the content) of every frame before the seek table."""
    count, = struct.unpack("<I", data[-9:-5])
    table = data[len(data) - 9 - 8 * count:-9]
    at, found = 0, []
    for stored, content in struct.iter_unpack("<II", table):
        found.append((at, stored, content))
        at += stored
    return found


def chunks(data):
    return [frame for frame in frames(data) if frame[2]]


def text(data, old, new):
    data = bytearray(data.replace(old, new))
    at, length, _ = frames(data)[1]
    hashed = bytes(data[at + 8:at + length - 8])
    data[at + length - 8:at + length] = xxhsum(3, hashed)[::-1]
    at, length, _ = frames(data)[-1]
    trailer, = struct.unpack("<Q", data[at + 24:at + 32])
    data[at + 40:at + 56] = bytes(16)
    data[at + 40:at + 56] = xxhsum(2, bytes(data[-trailer:]))
    return data


def add(data, more):
    places = frames(data)
    (at, length, _), (end, _, _) = places[-2], places[-1]
    place = len(data) - 9 - 8 * len(places) + 8 * (len(places) - 2)
    data = bytearray(data)
    struct.pack_into("<I", data, at + 4, length - 8 + len(more))
    struct.pack_into("<I", data, place, length + len(more))
    for number in 16, 24:
        old, = struct.unpack_from("<Q", data, end + number)
        struct.pack_into("<Q", data, end + number, old + len(more))
    data[at + length - 1:at + length - 1] = more
    return text(bytes(data), b"", b"")


def swap(data, first, second):
    (a, a_len, _), (b, b_len, _) = chunks(data)[first], chunks(data)[second]
    assert a + a_len == b
    return data[:a] + data[b:b + b_len] + data[a:b] + data[b + b_len:]


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def clean():
    got = sys.stdin.buffer.read().decode()
    bad = {c for c in got if unicodedata.category(c) == "Cc" and c != "\n"}
    sys.exit(f"control characters: {bad!r}" if bad or not got else 0)


def most(command):
    code = subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    sys.exit(code)


def main(what, *rest):
    if what == "clean":
        clean()
    if what == "most":
        most(rest)
    image = pathlib.Path(rest[0])
    data, args = image.read_bytes(), rest[1:]
    if what == "frame":
        print(*frames(data)[int(args[0])][:2])
    elif what == "chunk":
        print(*chunks(data)[int(args[0])][:2])
    elif what == "flip":
        image.write_bytes(flip(data, int(args[0])))
    elif what == "add":
        image.write_bytes(add(data, sys.stdin.buffer.read()))
    elif what == "swap":
        image.write_bytes(swap(data, int(args[0]), int(args[1])))
    else:
        image.write_bytes(text(data, args[0].encode(), args[1].encode()))


if __name__ == "__main__":
    main(*sys.argv[1:])

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Has an unfinished image be as if power had gone while something in it was written over.

    tear.py PART OFFSET LENGTH

What stands there is in a REDO at the file's end, as docs/image-format.md describes it, and in its
own place is nonsense.
"""

import struct
import subprocess
import sys


def hash64(data):
    out = subprocess.run(["xxhsum", "-H3"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return int(out.split()[-1], 16)


def head_id(image):
    at = image.index(b"TBSI\x01\x01\0\0")
    return image[at + 8:at + 24]


def redo(image, at, length):
    body = b"TBSI\x07\x01\0\0" + head_id(image) + struct.pack("<II", 1, 0)
    body += struct.pack("<QII", at, length, 0) + image[at:at + length]
    body += struct.pack("<Q", 8 + len(body) + 16)
    return struct.pack("<II", 0x184d2a5b, len(body) + 8) + body + struct.pack("<Q", hash64(body))


def main():
    path, at, length = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with open(path, "r+b") as f:
        image = f.read()
        f.write(redo(image, at, length))
        f.seek(at)
        f.write(b"Z" * length)


main()

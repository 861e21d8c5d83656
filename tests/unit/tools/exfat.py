#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Files in the root of an exFAT file system, for which Debian has no program but the kernel.

    exfat.py put IMAGE FILE...   writes them, in pieces that do not lie together
    exfat.py rm IMAGE NAME...
    exfat.py get IMAGE DIR       all of them

Names are of capitals and digits, so that they are their own upper case.
"""

import os
import struct
import sys

FILE, STREAM, NAME, BITMAP = 0x85, 0xC0, 0xC1, 0x81
END = 0xFFFFFFFF


class Exfat:
    def __init__(self, path):
        self.file = open(path, "r+b", buffering=0)
        boot = self.at(0, 512)
        fat, _, heap, self.clusters, root = struct.unpack_from("<5I", boot, 80)
        sector = 1 << boot[108]
        self.fat, self.heap, self.size = fat * sector, heap * sector, sector << boot[109]
        self.root = self.chain(root)
        for offset in self.entries():
            entry = self.at(offset, 32)
            if entry[0] == BITMAP:
                self.bitmap, = struct.unpack_from("<I", entry, 20)
        self.bits = self.where(self.bitmap)

    def at(self, offset, length):
        return os.pread(self.file.fileno(), length, offset)

    def put(self, offset, data):
        os.pwrite(self.file.fileno(), data, offset)

    def where(self, cluster):
        return self.heap + (cluster - 2) * self.size

    def chain(self, cluster):
        found = []
        while cluster != END:
            found.append(cluster)
            cluster, = struct.unpack("<I", self.at(self.fat + 4 * cluster, 4))
        return found

    def link(self, clusters):
        for one, behind in zip(clusters, clusters[1:] + [END]):
            self.put(self.fat + 4 * one, struct.pack("<I", behind))

    def entries(self):
        for cluster in self.root:
            for i in range(0, self.size, 32):
                yield self.where(cluster) + i

    def mark(self, cluster, used):
        offset = self.bits + (cluster - 2) // 8
        byte, bit = self.at(offset, 1)[0], 1 << (cluster - 2) % 8
        self.put(offset, bytes([byte | bit if used else byte & ~bit]))

    def take(self, count):
        """Free clusters, every other one as long as there are enough."""
        bits = self.at(self.bits, (self.clusters + 7) // 8)
        free = [n + 2 for n in range(self.clusters) if not bits[n // 8] >> n % 8 & 1]
        taken = sorted((free[::2] + free[1::2])[:count])
        for cluster in taken:
            self.mark(cluster, True)
        return taken

    def files(self):
        """Name, offset of the entries, their number, first cluster, length."""
        offsets = iter(list(self.entries()))
        for offset in offsets:
            entry = self.at(offset, 32)
            if entry[0] != FILE:
                continue
            more = [self.at(next(offsets), 32) for _ in range(entry[1])]
            first, length = struct.unpack_from("<IQ", more[0], 20)
            name = b"".join(e[2:] for e in more[1:])[: 2 * more[0][3]].decode("utf-16-le")
            yield name, offset, 1 + len(more), first, length


def write(fs, path):
    data, name = open(path, "rb").read(), os.path.basename(path)
    clusters = fs.take(-(-len(data) // fs.size))
    fs.link(clusters)
    for i, cluster in enumerate(clusters):
        fs.put(fs.where(cluster), data[i * fs.size : (i + 1) * fs.size])
    wide, total = name.encode("utf-16-le"), 0
    for byte in wide:
        total = ((total << 15 | total >> 1) + byte) & 0xFFFF
    entries = bytearray(96)
    entries[0:2] = FILE, 2
    entries[4] = 0x20
    for at in 8, 12, 16:
        struct.pack_into("<I", entries, at, 0x5A210000)
    entries[32:36] = STREAM, 1, 0, len(name)
    struct.pack_into("<HxxQxxxxIQ", entries, 36, total, len(data), clusters[0], len(data))
    entries[64] = NAME
    entries[66 : 66 + len(wide)] = wide
    total = 0
    for i, byte in enumerate(entries):
        if i not in (2, 3):
            total = ((total << 15 | total >> 1) + byte) & 0xFFFF
    struct.pack_into("<H", entries, 2, total)
    free = next(o for o in fs.entries() if fs.at(o, 1) == b"\0")
    fs.put(free, bytes(entries))


def remove(fs, gone):
    for name, offset, count, first, _ in list(fs.files()):
        if name not in gone:
            continue
        for i in range(count):
            kind = fs.at(offset + 32 * i, 1)[0]
            fs.put(offset + 32 * i, bytes([kind & 0x7F]))
        for cluster in fs.chain(first):
            fs.mark(cluster, False)


def main():
    command, image, *rest = sys.argv[1:]
    fs = Exfat(image)
    if command == "put":
        for path in rest:
            write(fs, path)
    elif command == "rm":
        remove(fs, rest)
    else:
        for name, _, _, first, length in fs.files():
            data = b"".join(fs.at(fs.where(c), fs.size) for c in fs.chain(first))[:length]
            with open(os.path.join(rest[0], name), "wb") as file:
                file.write(data)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What is free on btrfs by what its own program prints of its trees: btrfs.py IMAGE.

Prints a range a line, START LENGTH in bytes, of 16 KiB at least: all but what the extent tree has,
at every place that the chunk tree gives it, the first MiB, and the copies of the superblock.
"""
import re
import subprocess
import sys

LEAST = 16384
KEPT = [(0, 1 << 20), (64 << 20, (64 << 20) + 65536)]


def dump(image, tree):
    return subprocess.run(["btrfs", "inspect-internal", "dump-tree", "-t", tree, image],
                          check=True, capture_output=True, text=True).stdout


def chunks_of(text):
    """Chunks as (logical, length, places)."""
    chunks = []
    for line in text.splitlines():
        if match := re.search(r"CHUNK_ITEM (\d+)\)", line):
            chunks.append((int(match[1]), 0, []))
        elif match := re.match(r"\s+length (\d+) owner", line):
            chunks[-1] = (chunks[-1][0], int(match[1]), [])
        elif match := re.match(r"\s+stripe \d+ devid 1 offset (\d+)", line):
            chunks[-1][2].append(int(match[1]))
    return chunks


def main():
    image = sys.argv[1]
    text = dump(image, "chunk")
    size = int(re.search(r"devid 1 total_bytes (\d+)", text)[1])
    node = int(re.search(r"nodesize\s+(\d+)", subprocess.run(
        ["btrfs", "inspect-internal", "dump-super", image],
        check=True, capture_output=True, text=True).stdout)[1])
    chunks = chunks_of(text)
    # +1 where something begins to be in use, -1 where it ends; of a chunk what is free in it.
    edges = [(edge, step) for start, end in KEPT for edge, step in ((start, 1), (end, -1))]
    for match in re.finditer(r"key \((\d+) (EXTENT_ITEM|METADATA_ITEM) (\d+)\)",
                             dump(image, "extent")):
        at, length = int(match[1]), node if match[2][0] == "M" else int(match[3])
        logical, _, places = next(c for c in chunks if c[0] <= at and at + length <= c[0] + c[1])
        for place in places:
            edges += [(place + at - logical, 1), (place + at - logical + length, -1)]
    depth, start = 0, 0
    for edge, step in sorted(edges + [(size, 1)]):
        if depth == 0 and edge - start >= LEAST:
            print(start, edge - start)
        depth += step
        start = edge


if __name__ == "__main__":
    main()

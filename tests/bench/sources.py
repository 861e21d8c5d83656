# SPDX-License-Identifier: GPL-2.0-or-later
"""What is backed up in `make bench`: built once, kept in the rig's cache folder.

first   2 GiB, an ext4 about 65 % full of this machine's own files, its free space zeros
second  the same, its free space full of what deleted files leave behind
noise   1 GiB that does not compress
sparse  64 GiB, a hole but for 1 GiB in 64 places
alone   that 1 GiB alone

All but `sparse` are without holes, as a disk is.
"""

import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import stat
import subprocess

from rig import cache

GIB = 1 << 30
BLOCK = 4096
FULL = 0.65
# Inode tables, journal and maps of an ext4 of that size.
OVERHEAD = 0.05
POOL = "/usr"
LARGEST = 64 << 20  # of a file: one alone must not fill the disk
PIECES = 64


class Sources:
    """Paths by name, and what is known of them. `scale`: a fraction of the sizes above."""

    def __init__(self, scale=1.0):
        self.scale = scale
        recipe = pathlib.Path(__file__).read_bytes() + str(scale).encode()
        self.folder = cache.entry(f"bench-{hashlib.sha256(recipe).hexdigest()[:12]}", self._build)
        self.facts = json.loads((self.folder / "facts.json").read_text())

    def path(self, name):
        return self.folder / name

    def size(self, name):
        return self.path(name).stat().st_size

    def _build(self, folder):
        print(f"bench: building the sources out of {POOL}: about a minute", flush=True)
        pool = pool_list()
        if not pool:
            raise RuntimeError(f"{POOL} has no files to fill a disk with")
        size = int(2 * GIB * self.scale)
        taken = first_build(folder, pool, size)
        free = free_ranges(folder / "first")
        stale = Stale(pool, taken)
        shutil.copyfile(folder / "first", folder / "second")
        with open(folder / "second", "r+b") as disk:
            for start, count in free:
                disk.seek(start * BLOCK)
                stale.write(disk, count * BLOCK)
        noise = random.Random(7)
        with open(folder / "noise", "wb") as disk:
            for _ in range(int(GIB * self.scale) >> 20):
                disk.write(noise.randbytes(1 << 20))
        sparse_build(folder, stale, int(64 * GIB * self.scale), int(GIB * self.scale))
        blocks = size // BLOCK
        facts = {"pool": POOL, "files": taken, "copies": -(-taken // len(pool)),
                 "used": 1 - sum(count for _, count in free) / blocks}
        (folder / "facts.json").write_text(json.dumps(facts))
        for path in folder.iterdir():
            with open(path, "rb") as file:
                os.fdatasync(file.fileno())


def pool_list():
    """Regular files of the pool, each once, in an order that mixes folders and is always the
    same."""
    found, seen = [], set()
    for folder, _, names in os.walk(POOL):
        for name in names:
            path = os.path.join(folder, name)
            info = os.lstat(path)
            if not stat.S_ISREG(info.st_mode) or not 0 < info.st_size <= LARGEST or \
                    info.st_ino in seen or not os.access(path, os.R_OK):
                continue
            seen.add(info.st_ino)
            found.append((hashlib.sha1(os.fsencode(path)).digest(), path, info.st_size))
    return [(path, size) for _, path, size in sorted(found)]


def first_build(folder, pool, size):
    """Writes `first`; how many files it has. A small pool is copied as often as need be."""
    tree = folder / "tree"
    left = int(size * (FULL - OVERHEAD))
    taken = 0
    while left > 0:
        path, length = pool[taken % len(pool)]
        target = tree / str(taken // len(pool)) / os.path.relpath(path, POOL)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        left -= -(-length // BLOCK) * BLOCK
        taken += 1
    holed = folder / "holed"
    tools_run("mke2fs", "-q", "-F", "-t", "ext4", "-b", BLOCK, "-U",
              "62656e63-6800-4000-8000-000000000001", "-E",
              "hash_seed=62656e63-6800-4000-8000-000000000002", "-d", tree, holed, f"{size >> 10}k")
    cache.tree_remove(tree)
    with open(holed, "rb") as source, open(folder / "first", "wb") as disk:
        while data := source.read(1 << 20):
            disk.write(data)
    holed.unlink()
    return taken


def free_ranges(disk):
    """(first, count) of blocks that no file has, as e2fsprogs see it."""
    ranges = []
    for line in tools_run("dumpe2fs", disk).splitlines():
        # "Free blocks: 4-7, 9": indented, where the superblock's own line is not.
        found = re.match(r"\s+Free blocks: (.+)", line)
        for words in found[1].split(", ") if found else ():
            start, _, end = words.partition("-")
            ranges.append((int(start), int(end or start) - int(start) + 1))
    return ranges


class Stale:
    """What files leave behind that were deleted: the pool's next ones, each from a block's start,
    and again from the first where there are no more."""

    def __init__(self, pool, start):
        self.pool = pool
        self.next = start
        self.data = b""

    def write(self, disk, size):
        while size:
            if not self.data:
                path, _ = self.pool[self.next % len(self.pool)]
                self.next += 1
                self.data = memoryview(pathlib.Path(path).read_bytes())
            part = self.data[:size]
            disk.write(part)
            size -= len(part)
            self.data = self.data[len(part):]
            rest = -len(part) % BLOCK
            disk.write(bytes(rest))
            size -= rest


def sparse_build(folder, stale, size, data):
    """Writes `sparse` and `alone`: the same pieces, far from each other and side by side."""
    piece = data // PIECES
    with open(folder / "alone", "w+b") as alone, open(folder / "sparse", "wb") as sparse:
        stale.write(alone, piece * PIECES)
        alone.seek(0)
        for number in range(PIECES):
            sparse.seek(number * (size // PIECES))
            sparse.write(alone.read(piece))
        sparse.truncate(size)


def tools_run(*argv):
    """A command's output; e2fsprogs are in sbin, which users may not have in PATH."""
    env = dict(os.environ, LC_ALL="C", PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    result = subprocess.run(list(map(str, argv)), capture_output=True, text=True, env=env)
    if result.returncode:
        raise RuntimeError(f"{argv[0]} failed: {result.stderr.strip()}")
    return result.stdout

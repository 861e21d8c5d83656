# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks of the machines with tables and file systems, made and looked at on this machine, by a
sysroot's programs: no root needed.

    disks.table_write(place, path, (1 * MIB, 15 * MIB), (16 * MIB, 24 * MIB))
    disks.put(path, 1 * MIB, data)
"""

import subprocess

from . import check


def run_tool(place, program, *words, text=None):
    """A program of the sysroot; what it said."""
    done = subprocess.run(place.argv(program) + [str(word) for word in words], input=text,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    check.equal(done.returncode, 0, f"exit code of {program} {words}, which said {done.stdout}")
    return done.stdout


def put(path, offset, data):
    """Write bytes into a disk."""
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def get(path, offset, size):
    """Bytes of a disk."""
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read(size)


def table_write(place, path, *parts):
    """A GPT with partitions of these starts and sizes, in bytes."""
    rows = [f"start={start // 512}, size={size // 512}" for start, size in parts]
    run_tool(place, "sfdisk", "-q", path, text="label: gpt\n" + "\n".join(rows) + "\n")


def ext4_make(place, path, label, tree):
    """Make the image file PATH an ext4 with what is in the folder TREE; its bytes."""
    # Under its own name: what a link of another name means is lost on the way through the loader.
    run_tool(place, "mke2fs", "-q", "-t", "ext4", "-L", label, "-d", tree, path)
    return path.read_bytes()

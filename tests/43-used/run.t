#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""tbsend --used of file systems that a kernel has filled and emptied.

    a machine fills disks of random bytes, and deletes; outside: tbsend --used, tbrecv onto other
    disks of random bytes, and the file systems' own programs; a machine reads every file of those

A block that was left out and had something in it is a file that differs.
"""

import json
import os
import pathlib
import random
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, keeper, machine  # noqa: E402

MIB = 1 << 20
BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"
NOISE = random.Random(43)

# What is mounted, how it is made and looked through: "{}" is the disk; its MiB.
KINDS = {
    "ext4": ("mkfs.ext4 -q -F -E nodiscard {}", "e2fsck -fn {}", 64),
    "xfs": ("mkfs.xfs -q -f --unsupported {}", "xfs_repair -f -n -o force_geometry {}", 64),
    "btrfs": ("mkfs.btrfs -q -f -K {}", "btrfs check --check-data-csum {}", 160),
    "ntfs": ("mkntfs -q -Q -F {}", "ntfsfix -n {}", 64),
    "vfat": ("mkfs.vfat -F 32 -s 1 {}", "fsck.vfat -n {}", 64),
    "exfat": ("mkfs.exfat -c 4096 {}", "fsck.exfat -n {}", 64),
}

# Files come and go, so that what is free lies between and has been used before.
FILL = """set -e
cd /mnt
mkdir keep gone
i=0
while [ $i -lt 40 ]; do
    for folder in keep gone; do
        { echo $folder $i; head -c $((i * 9000)) /run/pool; } > $folder/$i
    done
    i=$((i + 1))
done
sync
rm -r gone
mkdir after
i=0
while [ $i -lt 9 ]; do
    { echo after $i; head -c $((i * 70000)) /run/pool; } > after/$i
    i=$((i + 1))
done
rm keep/*5
"""
SUMS = "cd /mnt && find . -type f | sort | xargs sha256sum"


def tool(line, path):
    """A program of a file system, on a disk that is a file."""
    done = subprocess.run(line.format(path).split(), stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False,
                          env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin"))
    check.equal(done.returncode, 0, f"`{line}`, which says {done.stdout[-500:]}")


def noise(_number):
    return NOISE.randbytes(MIB)


def disks_make(test):
    """{kind: its disk}: an empty file system in random bytes."""
    made = {}
    for kind, (line, _, size) in KINDS.items():
        made[kind] = test.disk(f"{kind}.img", size * MIB, noise)
        tool(line, made[kind])
    return made


def boot(test, name, disks):
    """A machine with these disks, and no cable."""
    guest = {"load": keeper.DISKS + keeper.FILE_SYSTEMS + ("xfs", "btrfs", "ntfs", "exfat"),
             "present": ()}
    pc = test.keeper(name, guest, disks=[machine.Disk(disk) for disk in disks.values()])
    pc.start()
    pc.agent.wait_ready()
    for kind, letter in zip(disks, "abcdef"):
        pc.agent.run(f"ln -s vd{letter} /dev/disk-{kind}")
    return pc


def mounted(agent, kind, options, script):
    """Runs it in /mnt, where the disk of a kind is; what it prints."""
    agent.run(f"mount -t {kind} -o {options} /dev/disk-{kind} /mnt")
    text = agent.run(script, 120)
    agent.run("cd / && umount /mnt", 60)
    return text


def fill(test, disks):
    """{kind: what a kernel says of every file} after it has filled them."""
    found = {}
    pc = boot(test, "filler", disks)
    pc.agent.run("head -c 700000 /dev/urandom > /run/pool", 60)
    for kind in KINDS:
        with test.behaviour(f"{kind}: the kernel fills it, and deletes"):
            mounted(pc.agent, kind, "rw", FILL)
            found[kind] = mounted(pc.agent, kind, "ro", SUMS)
    pc.agent.run("sync")
    pc.kill()
    return found


def clone(test, kind, disk):
    """Onto another disk, by an image of what is in use."""
    image = test.folder / f"{kind}.zst"
    size = disk.stat().st_size
    other = test.disk(f"{kind}-other.img", size, noise)
    with open(image, "wb") as file:
        subprocess.run([BUILD / "tbsend", "-q", "--plain", "--used", disk], stdout=file,
                       check=True)
    with open(image, "rb") as file:
        subprocess.run([BUILD / "tbrecv", "-q", "--plain", "--force", "-s", "-", other],
                       stdin=file, check=True)
    info = json.loads(subprocess.run([BUILD / "tbstream", "info", "--json", image], check=True,
                                     stdout=subprocess.PIPE).stdout)
    left_out = sum(length for _, length in info.get("unallocated", []))
    check.diagnose(f"{kind}: {left_out >> 20} MiB of {size >> 20} left out")
    check.true(left_out > size // 5, f"only {left_out} bytes of {kind} were left out")
    return other


def run(test):
    for line, look, _ in KINDS.values():
        check.requires(line.split()[0])
        check.requires(look.split()[0])
    disks = disks_make(test)
    wanted = fill(test, disks)
    others = {}
    for kind, disk in disks.items():
        with test.behaviour(f"{kind}: what is in use goes to another disk, and is whole there"):
            others[kind] = clone(test, kind, disk)
            tool(KINDS[kind][1], others[kind])
    pc = boot(test, "reader", others)
    for kind in KINDS:
        with test.behaviour(f"{kind}: there the kernel finds every file as it was"):
            check.equal(mounted(pc.agent, kind, "ro", SUMS), wanted[kind], "names and hashes")
    pc.kill()


check.main(run, seconds=400)

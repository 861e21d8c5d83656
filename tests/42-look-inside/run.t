#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Looks into an image where it lies: by tbstream mount, ls and cp, and by the kernel's own client.

    laptop, tbsend /dev/vda  ==== USB4 cable ====  keeper, tbrecv -o laptop.zst, nbdkit, nbdfuse;
                                                   what it sees goes to a scratch disk, as tar

Which files those are is judged outside: they are held against the files that the disk was made of.
"""

import hashlib
import json
import os
import pathlib
import random
import stat
import subprocess
import sys
import tarfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, disks, look, machine  # noqa: E402

MIB = 1 << 20
EFI, ROOT = (1 * MIB, 16 * MIB), (17 * MIB, 112 * MIB)  # partitions: start, size
SIZE = 130 * MIB
IMAGE = "/run/laptop.zst"
SERVERS_MOST = 64 << 10  # kB
NOISE = random.Random(42)

# Where on the scratch disk each archive begins, in MiB.
SLOTS = {"root": 0, "efi": 128, "copied": 144, "nbd": 160}
SCRATCH = 176 * MIB

# What a careless program would stumble over: each is a name in home/.
ODD = ("line\nbreak", "tab\tand \x1b[31mescape", " blanks at both ends ", "-rf", "'\"`$(reboot)`\\",
       "gr\u00f6\u00dfe \u6587\u4ef6", os.fsdecode(b"\xff\xfe no UTF-8"), "*", "n" * 255)


def root_tree(folder):
    """The files of the laptop's root: one larger than the server's memory, odd ones, empty ones."""
    home = folder / "home"
    (home / "deep" / "er").mkdir(parents=True)
    for number, name in enumerate(ODD):
        (home / name).write_bytes(NOISE.randbytes(number * 1000))
    (home / "deep" / "er" / "noise").write_bytes(NOISE.randbytes(5 * MIB + 1))
    (home / "set-user-id").write_bytes(b"#!/bin/sh\n")
    (home / "set-user-id").chmod(0o4755)
    (home / "link").symlink_to("/etc/passwd")
    with open(home / "hole", "wb") as file:
        file.truncate(3 * MIB)
        file.seek(2 * MIB)
        file.write(b"an island")
    (folder / "large").write_bytes(b"".join(NOISE.randbytes(4096) * 256 for _ in range(80)))
    return folder


def efi_tree(folder):
    (folder / "EFI" / "BOOT").mkdir(parents=True)
    (folder / "EFI" / "BOOT" / "BOOTX64.EFI").write_bytes(NOISE.randbytes(3 * MIB))
    (folder / "A long name, with blanks.txt").write_bytes(b"long\r\n")
    (folder / "gr\u00f6\u00dfer.txt").write_bytes(b"wide\r\n")
    (folder / "empty").write_bytes(b"")
    return folder


def laptop_make(test, root, efi):
    """Its disk: GPT, an EFI partition, and an ext4 that was in use when the power went."""
    place, path = test.place(), test.disk("laptop.img", SIZE)
    disks.table_write(place, path, EFI, ROOT)
    image = test.disk("efi.img", EFI[1])
    disks.run_tool(place, "mkfs.vfat", "-n", "EFI", image)
    subprocess.run(["mcopy", "-s", "-i", image, *efi.iterdir(), "::"], check=True,
                   env=dict(os.environ, LC_ALL="C.UTF-8", MTOOLS_SKIP_CHECK="1"))
    disks.put(path, EFI[0], image.read_bytes())
    image = test.disk("root.img", ROOT[1])
    disks.ext4_make(place, image, "root", root)
    disks.run_tool(place, "debugfs", "-w", "-R", "feature needs_recovery", image)
    disks.put(path, ROOT[0], image.read_bytes())
    return path


def tree_of(folder):
    """{name: what it is} of a folder of this machine; contents as hashes."""
    found = {}
    for path in folder.rglob("*"):
        name, mode = str(path.relative_to(folder)), path.lstat().st_mode
        if path.is_symlink():
            found[name] = ("link", os.readlink(path))
        elif stat.S_ISDIR(mode):
            found[name] = ("folder", "")
        else:
            found[name] = (oct(mode & 0o7777), hashlib.sha256(path.read_bytes()).hexdigest())
    return found


def tree_kept(scratch, slot):
    """The same of what the keeper has put on the scratch disk."""
    found = {}
    with open(scratch, "rb") as file:
        file.seek(SLOTS[slot] * MIB)
        with tarfile.open(fileobj=file, mode="r:", encoding="utf-8") as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                if member.isdir():
                    found[name] = ("folder", "")
                elif member.issym():
                    found[name] = ("link", member.linkname)
                else:
                    data = archive.extractfile(member).read()
                    found[name] = (oct(member.mode), hashlib.sha256(data).hexdigest())
    for name in (".", "lost+found"):
        found.pop(name, None)
    return found


def tree_same(got, wanted):
    """In a sentence about the names that differ, for there are many."""
    wrong = sorted(name for name in got.keys() | wanted.keys()
                   if got.get(name) != wanted.get(name))
    check.equal([(name, got.get(name), wanted.get(name)) for name in wrong[:3]], [],
                f"what differs, the first of {len(wrong)}: name, got, wanted")


def keep(agent, folder, slot):
    """What the guest sees of a folder, as tar on the scratch disk."""
    agent.run(f"tar -C {folder} -cf - . | dd of=/dev/vda bs=64k oflag=seek_bytes "
              f"seek={SLOTS[slot] * MIB} conv=notrunc status=none", 120)


def refused(agent, *commands):
    """Each of them fails, whoever tries it: there is nothing that can be written."""
    for command in commands:
        check.true(agent.code(command) != 0, f"this was done: {command}")


def memory_of(agent):
    """The most memory that each server has ever had, in kB."""
    text = agent.run("for p in $(pidof nbdkit nbdfuse); do "
                     "grep -E '^(Name|VmHWM)' /proc/$p/status; done")
    words = text.split()
    names = [words[at + 1] for at, word in enumerate(words) if word == "Name:"]
    sizes = [int(words[at + 1]) for at, word in enumerate(words) if word == "VmHWM:"]
    check.equal(len(names), len(sizes), "servers and their sizes")
    return list(zip(names, sizes))


def memory_small(agent, servers):
    found = memory_of(agent)
    check.diagnose(f"servers: {found}")
    check.equal(sorted(name for name, _ in found), servers, "servers that run")
    check.true(max(size for _, size in found) < SERVERS_MOST, f"too much memory: {found}")


def names_listed(text):
    """The paths below /home that `tbstream ls --json` names."""
    rows = [json.loads(line) for line in text.splitlines()]
    paths = [os.fsdecode(bytes.fromhex(row["path_hex"])) if "path_hex" in row else row["path"]
             for row in rows]
    return sorted(path.removeprefix("/home/") for path in paths)


def run_without_mount(test, agent, root):
    with test.behaviour("tbstream ls: both partitions, and every name of a folder"):
        text = agent.run(f"tbstream ls {IMAGE}")
        check.true("vfat" in text and "ext4" in text, f"not both file systems: {text}")
        listed = names_listed(agent.run(f"tbstream ls -R --json {IMAGE}:2:/home"))
        check.equal(listed, sorted(tree_of(root / "home")), "the names in /home")

    with test.behaviour("tbstream cp -r: a folder"):
        agent.run(f"tbstream cp -q -r {IMAGE}:2:/home /run/copied", 60)
        keep(agent, "/run/copied", "copied")
        agent.run("rm -r /run/copied")


def run_mount(test, agent):
    with test.behaviour("tbstream mount: ext4, without the replay that its journal wants"):
        agent.run(f"mkdir /run/root && tbstream mount {IMAGE} /run/root --partition 2", 60)
        keep(agent, "/run/root", "root")

    with test.behaviour("and FAT, at the same time"):
        agent.run(f"mkdir /run/efi && tbstream mount {IMAGE} /run/efi --partition 1", 60)
        keep(agent, "/run/efi", "efi")

    with test.behaviour("nothing can be written: not to the files, the mount, nbdfuse's file nor "
                        "the loop device"):
        refused(agent, "touch /run/root/new", "echo x >> /run/root/home/set-user-id",
                "rm /run/root/large", "touch /run/efi/new", "mount -o remount,rw /run/root",
                "mount -o remount,rw /run/efi")
        loops = agent.run("cd /sys/block && grep -l /run/tbstream loop*/loop/backing_file").split()
        check.equal(len(loops), 2, "loop devices")
        agent.run("[ $(ls /run/tbstream/mount-*/disk/nbd | wc -l) = 2 ]")
        for path in [f"/dev/{loop.split('/')[0]}" for loop in loops] + [
                "/run/tbstream/mount-*/disk/nbd"]:
            refused(agent, f"for f in {path}; do dd if=/dev/zero of=$f bs=4k count=1 "
                           "conv=notrunc,fsync && exit; done; false")

    with test.behaviour("no server has taken 64 MB, though more than that was read of the image"):
        memory_small(agent, ["nbdfuse", "nbdfuse", "nbdkit", "nbdkit"])

    with test.behaviour("tbstream umount: nothing is left of it"):
        agent.run("tbstream umount /run/root && tbstream umount /run/efi", 60)
        agent.run("while pidof nbdkit nbdfuse; do usleep 20000; done")
        agent.run("! grep -E 'loop|nbd' /proc/mounts && ! test -e /run/tbstream && "
                  "! grep -s . /sys/block/loop*/loop/backing_file")


def run_kernel_client(test, agent):
    with test.behaviour("nbdkit and the kernel's client: partitions that mount"):
        agent.run(f"nbdkit -U /run/nbd.sock -P /run/nbd.pid tbimage {IMAGE} && "
                  "modprobe nbd max_part=16 && nbd-client -unix /run/nbd.sock /dev/nbd0", 60)
        # Whoever opens it first has the kernel look for partitions; elsewhere that is udev.
        agent.run("blockdev --getsize64 /dev/nbd0")
        agent.wait_path("/dev/nbd0p2")
        agent.run("mount -o ro,noload /dev/nbd0p2 /mnt")
        keep(agent, "/mnt/home", "nbd")
        agent.run("mount -t vfat -o ro /dev/nbd0p1 /run/efi && ls /run/efi/EFI/BOOT && "
                  "umount /run/efi && cat /mnt/large > /dev/null", 60)

    with test.behaviour("nothing can be written to those either"):
        refused(agent, "touch /mnt/new", "mount -o remount,rw /mnt",
                *(f"dd if=/dev/zero of={node} bs=4k count=1 conv=notrunc,fsync"
                  for node in ("/dev/nbd0", "/dev/nbd0p2")))
        check.equal(agent.run("cat /sys/block/nbd0/ro"), "1", "/sys/block/nbd0/ro")

    with test.behaviour("this server too stays below 64 MB"):
        memory_small(agent, ["nbdkit"])
        agent.run("umount /mnt && nbd-client -d /dev/nbd0 && kill $(cat /run/nbd.pid)")


def run_proof(test, scratch, root, efi):
    wanted = tree_of(root)
    with test.behaviour("outside: the mounted root has the laptop's files, every byte and mode"):
        tree_same(tree_kept(scratch, "root"), wanted)

    with test.behaviour("outside: so has the EFI partition, long names and all"):
        # FAT knows no modes: those are the mount's.
        tree_same({name: what[1] for name, what in tree_kept(scratch, "efi").items()},
                  {name: what[1] for name, what in tree_of(efi).items()})

    wanted = tree_of(root / "home")
    for slot, sentence in (("copied", "what cp has copied"), ("nbd", "what the kernel's client has "
                           "shown")):
        with test.behaviour(f"outside: so has {sentence}"):
            tree_same(tree_kept(scratch, slot), wanted)


def run(test):
    check.requires("mcopy")
    root, efi = root_tree(test.folder / "root"), efi_tree(test.folder / "efi")
    laptop = laptop_make(test, root, efi)
    scratch = test.disk("scratch.img", SCRATCH)
    left, right = test.pair({"guest": {"ours": True}, "disks": [machine.Disk(laptop)]},
                            {"guest": look.guest(test.place("look")), "memory": 512,
                             "disks": [machine.Disk(scratch)]})
    agent = right.agent
    with test.behaviour("the laptop's disk becomes an image on the keeper"):
        receiving = agent.spawn(f"exec tbrecv -t 40 -o {IMAGE}")
        left.agent.run("tbsend -t 40 /dev/vda", 120)
        receiving.check(60)
    left.kill()
    before = agent.run(f"sha256sum {IMAGE}", 60)

    run_without_mount(test, agent, root)
    run_mount(test, agent)
    run_kernel_client(test, agent)
    with test.behaviour("the image is as it was, by its hash"):
        check.equal(agent.run(f"sha256sum {IMAGE}", 60), before, "its hash")
    agent.run("sync")
    right.kill()
    run_proof(test, scratch, root, efi)


check.main(run, seconds=400)

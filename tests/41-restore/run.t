#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Restores onto disks of other sizes and onto a partition, and onto what must not be overwritten.

    keeper, tbsend laptop.zst  ==== USB4 cable ====  laptop, tbrecv: disks, known by their
                                                     serial numbers

One of them becomes a clone of the keeper's disk, without an image between. What is on the disks is
judged outside, when the machines are off, by sgdisk, sfdisk and e2fsck.
"""

import pathlib
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, disks, keeper, machine  # noqa: E402

MIB = 1 << 20
SIZE = 64 * MIB
FIRST, ROOT = (1 * MIB, 15 * MIB), (16 * MIB, 24 * MIB)  # partitions: start, size
CLONE = 80 * MIB
IMAGE = "/run/laptop.zst"
NOISE = random.Random(41)


def ext4_make(test, size, label, content=b""):
    """The bytes of a file system with one file in it."""
    tree = test.folder / label
    tree.mkdir()
    (tree / "file").write_bytes(content)
    return disks.ext4_make(test.place(), test.disk(f"{label}.ext4", size), label, tree)


def source_make(test, content):
    """The disk that is restored: something in each of two partitions."""
    path = test.disk("source.img", SIZE)
    disks.table_write(test.place(), path, FIRST, ROOT)
    disks.put(path, FIRST[0], NOISE.randbytes(MIB))
    disks.put(path, ROOT[0], ext4_make(test, ROOT[1], "root", content))
    return path


def used_make(test):
    """A disk with a file system, swap and a place for md."""
    path = test.disk("used.img", 96 * MIB)
    disks.table_write(test.place(), path, (1 * MIB, 16 * MIB), (17 * MIB, 8 * MIB),
                      (25 * MIB, 8 * MIB))
    disks.put(path, 1 * MIB, ext4_make(test, 16 * MIB, "used", b"used"))
    swap = test.disk("swap.img", 8 * MIB)
    disks.run_tool(test.place(), "mkswap", swap)
    disks.put(path, 17 * MIB, swap.read_bytes())
    return path


def targets_make(test):
    """The laptop's disks, vda to vdf, by name. Each holds something."""
    larger = test.disk("larger.img", 96 * MIB)
    disks.put(larger, 0, ext4_make(test, 16 * MIB, "old"))
    smaller = test.disk("smaller.img", 48 * MIB, lambda n: NOISE.randbytes(MIB) if n == 20 else
                        bytes(MIB))
    tiny = test.disk("tiny.img", 40 * MIB, lambda n: bytes([n + 1]) * MIB)
    parts = test.disk("parts.img", 64 * MIB, lambda _: b"\xee" * MIB)
    disks.put(parts, 0, bytes(MIB))
    disks.put(parts, 63 * MIB, bytes(MIB))
    disks.table_write(test.place(), parts, (4 * MIB, ROOT[1]), (40 * MIB, 8 * MIB))
    clone = test.disk("clone.img", CLONE, lambda _: b"\xee" * MIB)
    return {"larger": larger, "smaller": smaller, "tiny": tiny, "parts": parts,
            "used": used_make(test), "clone": clone}


class Pair:
    """Who sends and who receives."""

    def __init__(self, sender, receiver):
        self.sender = sender.agent
        self.receiver = receiver.agent

    def transfer(self, arguments, send=IMAGE, codes=(0, 0), answer=None):
        """Both ends; what each of them said."""
        receiving = self.receiver.spawn(f"exec tbrecv -t 40 {arguments}", pty=answer is not None)
        sending = self.sender.spawn(f"exec tbsend -t 40 {send}")
        if answer:
            receiving.expect(r"To go on, type .*: ", 40)
            receiving.send(answer + b"\n")
        ended = sending.wait(60), receiving.wait(60)
        said = sending.all_text(), receiving.all_text()
        check.equal(ended, codes, "exit codes of tbsend and tbrecv, which said\n"
                    + "\n".join(said))
        return said

    def refused(self, arguments, sentence):
        """Refused at the offer: both sides say why."""
        for text in self.transfer(arguments, codes=(1, 1)):
            says(text, sentence)

    def refused_alone(self, arguments, sentence):
        """Refused before anything is sent: it needs no peer for that."""
        job = self.receiver.spawn(f"exec tbrecv {arguments}")
        check.equal(job.wait(20), 1, f"exit code of tbrecv, which said {job.all_text()}")
        says(job.all_text(), sentence)


def says(text, sentence):
    check.true(sentence in text, f"'{sentence}' is not in: {text}")


def run_sizes(test, pair, wanted):
    with test.behaviour("a larger disk without --fit: the summary says where the backup GPT is"):
        _, text = pair.transfer("--confirm=LARGE0001 /dev/vda")
        says(text, "the backup of its GPT is not at its end: `sgdisk -e /dev/vda` moves it")

    with test.behaviour("the question says what is there and what comes, and wants the serial "
                        "number's end: another is no answer"):
        _, text = pair.transfer("--fit /dev/vda", codes=(1, 1), answer=b"yes")
        for part in ("serial number LARGE0001, 96.0 MiB) holds GPT",
                     "overwritten with /dev/vda (64.0 MiB) of left",
                     "the last 4 characters of its serial number", "left as it is"):
            says(text, part)

    with test.behaviour("with it and --fit the larger disk's GPT fits, and was read back"):
        _, text = pair.transfer("--fit --verify /dev/vda", answer=b"0001")
        says(text, "read back and compared")
        says(text, "its backup is at its end")

    with test.behaviour("its partitions are there at once, and mount"):
        pair.receiver.wait_path("/dev/vda2", 10)
        got = pair.receiver.run("mount -o ro,noload /dev/vda2 /mnt && sha256sum < /mnt/file && "
                                "umount /mnt")
        check.equal(got.split()[0], wanted, "the hash of the file in it")

    with test.behaviour("a smaller disk without --fit is refused, in numbers; both sides say so"):
        pair.refused("--force /dev/vdb", "its last partition ends at 40.0 MiB")

    with test.behaviour("with --fit it is taken where all partitions fit"):
        pair.transfer("--fit --verify --discard --confirm=SMALL0002 /dev/vdb")

    with test.behaviour("a disk that cuts the last partition's end is refused"):
        pair.refused("--fit --force /dev/vdc", "Choose a larger disk")

    with test.behaviour("one partition of the image goes onto a partition"):
        pair.transfer("--verify --confirm=0004 /dev/vdd1", send=f"--partition=2 {IMAGE}")

    with test.behaviour("a clone: from a disk onto a larger one, without an image"):
        _, text = pair.transfer("--fit --confirm=CLONE0006 /dev/vdf", send="/dev/vda")
        says(text, "its backup is at its end")


def md_take(agent, device, number):
    """Makes it a part of an array, by sysfs alone. False where this kernel cannot."""
    return agent.code(f"""
        modprobe raid1 && echo md7 > /sys/module/md_mod/parameters/new_array &&
        cd /sys/block/md7/md && echo raid1 > level && echo 2 > raid_disks &&
        cat /sys/block/{device}/{device}{number}/dev > new_dev &&
        ls /sys/block/{device}/{device}{number}/holders/md7""") == 0


def run_refusals(test, pair):
    agent = pair.receiver
    with test.behaviour("another disk's serial number confirms nothing; the peer is told"):
        pair.refused("--confirm=LARGE0001 /dev/vde", "is not confirmed by the serial number")

    with test.behaviour("a disk of which a partition is mounted is refused"):
        agent.run("mount -o ro,noload /dev/vde1 /mnt")
        pair.refused_alone("--force /dev/vde", "in use (mounted read-only on /mnt)")
        agent.run("umount /mnt")

    with test.behaviour("a disk with swap in use is refused"):
        agent.run("swapon /dev/vde2")
        pair.refused_alone("--force /dev/vde", "in use (swap)")
        agent.run("swapoff /dev/vde2")

    taken = md_take(agent, "vde", 3)
    skipped = "" if taken else " # SKIP md cannot be set up by hand here"
    with test.behaviour(f"a disk that md holds a partition of is refused{skipped}"):
        if taken:
            pair.refused_alone("--force /dev/vde", "in use (held by md7)")

    with test.behaviour("the disk that rd.tbstream.exclude names is refused"):
        agent.run("mkdir -p /run/tbstream/param && "
                  "echo serial:TINY0003 > /run/tbstream/param/exclude")
        pair.refused_alone("--force /dev/vdc", "is the rescue stick")
        agent.run("rm /run/tbstream/param/exclude")


def table_sound(test, path):
    """Nothing is wrong with its GPT, not even what they would put right by themselves."""
    text = disks.run_tool(test.place(), "sgdisk", "-v", path)
    says(text, "No problems found")
    text += disks.run_tool(test.place(), "sfdisk", "--verify", path)
    text += disks.run_tool(test.place(), "sfdisk", "-l", path)
    for word in ("caution", "mismatch", "corrupt", "not on the end"):
        check.true(word not in text.lower(), f"'{word}' is in: {text}")


def root_sound(test, path, start, source):
    """The partition at START is the source's second one, and its file system is well."""
    data = disks.get(path, start, ROOT[1])
    check.true(data == disks.get(source, *ROOT),
               f"{path.name}: not the bytes of the source's partition")
    part = test.folder / "part.img"
    part.write_bytes(data)
    disks.run_tool(test.place(), "e2fsck", "-fn", part)


def run_proof(test, source, paths, before):
    for name in ("larger", "smaller"):
        with test.behaviour(f"outside: the {name} disk's GPT is sound, its partitions are whole"):
            table_sound(test, paths[name])
            root_sound(test, paths[name], ROOT[0], source)
            check.true(disks.get(paths[name], *FIRST) == disks.get(source, *FIRST),
                       "the first partition")

    with test.behaviour("outside: the clone's GPT is sound, and between the tables it has the "
                        "source's bytes"):
        table_sound(test, paths["clone"])
        root_sound(test, paths["clone"], ROOT[0], source)
        between = MIB, SIZE - 2 * MIB
        check.true(disks.get(paths["clone"], *between) == disks.get(source, *between),
                   "the bytes between the tables")
        # What knows a disk by its end, such as md, was wiped off there.
        kept = CLONE - SIZE - 4 * MIB
        check.true(disks.get(paths["clone"], SIZE, kept) == b"\xee" * kept,
                   "what is behind the source's end was written")

    with test.behaviour("outside: the partition is the image's, and nothing beside it was written"):
        root_sound(test, paths["parts"], 4 * MIB, source)
        disks.put(paths["parts"], 4 * MIB, b"\xee" * ROOT[1])
        check.equal(check.sha256(paths["parts"]), before["parts"], "hash of the rest")

    with test.behaviour("outside: no refusal has written a byte, and the source is as it was"):
        for name in ("tiny", "used"):
            check.equal(check.sha256(paths[name]), before[name], f"hash of the disk {name}")
        check.equal(check.sha256(source), before["source"], "hash of the source")


def run(test):
    content = NOISE.randbytes(2 * MIB)
    source, paths = source_make(test, content), targets_make(test)
    before = {name: check.sha256(path) for name, path in [*paths.items(), ("source", source)]}
    serials = ("LARGE0001", "SMALL0002", "TINY0003", "PARTS0004", "USED0005",
               "CLONE0006")
    drives = [machine.Disk(path, "virtio", serial) for path, serial in
              zip(paths.values(), serials)]
    present = keeper.STREAM + keeper.OTHER_DISKS + ("loop", "raid1")
    left, right = test.pair({"guest": {"ours": True}, "disks": [machine.Disk(source)]},
                            {"guest": {"ours": True, "present": present}, "disks": drives})
    left.agent.run(f"tbsend -q --plain /dev/vda > {IMAGE}", 60)
    pair = Pair(left, right)

    (test.folder / "file").write_bytes(content)
    run_sizes(test, pair, check.sha256(test.folder / "file"))
    run_refusals(test, pair)
    right.agent.run("sync")
    for side in (left, right):
        side.kill()
    run_proof(test, source, paths, before)


check.main(run, seconds=300)

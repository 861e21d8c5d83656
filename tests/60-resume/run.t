#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever breaks a transfer, it goes on: a cable, a program, a machine.

    laptop, tbsend /dev/vda  ==== USB4 cable, pulled ====  keeper, tbrecv -o on an ext4 of its own;
    tbrecv --force /dev/vdb                                tbsend IMAGE

Both disks are judged outside, when the machines are off. DRIVERS="7.3+6.12 ..." takes other drivers
than the kernel's own.
"""

import os
import pathlib
import random
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, disks, keeper, machine, stream  # noqa: E402

MIB = 1 << 20
SIZE = 192 * MIB  # 48 chunks, of which the image's first CHECKPOINT has 16
PAIRS = [pair.split("+") for pair in os.environ.get("DRIVERS", "in-tree+in-tree").split()]
# Frames of 4 KiB with data, behind which a cable is pulled: some 70 and 30 MiB.
FAR, NEAR = 18000, 8000
# 64 MiB are safe, and so a CHECKPOINT, and the end is more than a second away.
BEYOND = r'"done":(6[8-9]|[7-9]\d|1[0-4]\d)\d{6}'
IMAGES = ("pulled", "receiver", "sender", "laptop", "keeper")


class Pair:
    """The two machines and what goes between them."""

    def __init__(self, test, drivers, source):
        self.source = source
        self.restored = test.disk("restored.img", SIZE)
        self.kept = test.disk("kept.img", 1200 * MIB)
        disks.run_tool(test.place(), "mke2fs", "-q", "-t", "ext4", self.kept)
        guest = {"ours": True, "load": keeper.DISKS + keeper.FILE_SYSTEMS + keeper.STREAM}
        self.left, self.right = test.pair(
            {"driver": drivers[0], "guest": guest,
             "disks": [machine.Disk(source), machine.Disk(self.restored)]},
            {"driver": drivers[1], "guest": guest, "disks": [machine.Disk(self.kept)]})
        self.fabric = test.cables[-1]
        self.mount()

    def mount(self):
        self.right.agent.run("mount -t ext4 /dev/vda /mnt")

    def receive(self, name):
        return self.right.agent.spawn(f"exec tbrecv -t 60 -o /mnt/{name}.zst")

    def send(self):
        return self.left.agent.spawn("exec tbsend -t 60 --progress=json /dev/vda")


def ended(*jobs):
    for job in jobs:
        check.equal(job.wait(90), 0, f"exit code of {job}, which said {job.all_text()}")


def goes_on(job, least):
    """It says so, at chunk LEAST or behind it."""
    found = job.expect(r"going on at chunk (\d+) of 48")
    check.true(int(found[1]) >= least, f"{job} says {found[0]}")


def pulled(pair, jobs):
    """The cable is gone, and comes again when both sides wait."""
    for job in jobs:
        job.expect("plug the cable in again", 90)
    pair.fabric.plug()
    ended(*jobs)


def sweep(side):
    """What a killed program left is used again, but nobody takes it for his own to remove."""
    side.agent.run(f"cd {stream.CONFIG} && rmdir -p */backup")


def run_cable(pair):
    with pair.behaviour("the cable is pulled, and put back: both sides go on by themselves"):
        pair.fabric.fault(f"unplug pdf=2 at=+{FAR}")
        jobs = [pair.receive("pulled"), pair.send()]
        pulled(pair, jobs)
        for job in jobs:
            goes_on(job, 1)

    with pair.behaviour("the same in a restore onto a disk"):
        pair.fabric.fault(f"unplug pdf=2 at=+{NEAR}")
        jobs = [pair.left.agent.spawn("exec tbrecv -t 60 --force /dev/vdb"),
                pair.right.agent.spawn("exec tbsend -t 60 /mnt/pulled.zst")]
        pulled(pair, jobs)
        goes_on(jobs[0], 1)


def run_programs(pair):
    with pair.behaviour("tbrecv is killed, and started again: behind its last CHECKPOINT"):
        receiving, sending = pair.receive("receiver"), pair.send()
        sending.expect(BEYOND, 90)
        receiving.kill(9)
        receiving.wait()
        again = pair.receive("receiver")
        ended(again, sending)
        goes_on(again, 16)
        sweep(pair.right)

    with pair.behaviour("tbsend is killed, and started again: nothing is sent twice that came"):
        receiving, sending = pair.receive("sender"), pair.send()
        sending.expect(BEYOND, 90)
        sending.kill(9)
        sending.wait()
        again = pair.send()
        ended(receiving, again)
        goes_on(again, 16)
        sweep(pair.left)


def run_machine(pair):
    with pair.behaviour("the laptop loses its power in mid-transfer, and boots again"):
        receiving, sending = pair.receive("laptop"), pair.send()
        sending.expect(BEYOND, 90)
        pair.left.kill()
        receiving.expect("start tbsend again", 60)
        pair.left.start()
        pair.left.agent.wait_ready()
        sending = pair.send()
        ended(receiving, sending)
        goes_on(receiving, 16)

    with pair.behaviour("the keeper loses its power in mid-transfer, and boots again"):
        receiving, sending = pair.receive("keeper"), pair.send()
        sending.expect(BEYOND, 90)
        pair.right.kill()
        sending.expect("start tbrecv again", 60)
        pair.right.start()
        pair.right.agent.wait_ready()
        pair.mount()
        receiving = pair.receive("keeper")
        ended(receiving, sending)
        goes_on(receiving, 16)

    with pair.behaviour("nothing of the streams is left in configfs"):
        for side in pair.left, pair.right:
            check.equal(side.agent.run(f"ls {stream.CONFIG}"), "", f"what is left on {side.name}")


def run_proof(test, pair):
    for side in pair.left, pair.right:
        side.kill()
    wanted = check.sha256(pair.source)
    with pair.behaviour("outside: the restored disk is the source, by its hash"):
        check.equal(check.sha256(pair.restored), wanted, "its hash")

    # The machine was off at once, so the journal has to be replayed.
    subprocess.run(test.place().argv("e2fsck") + ["-fy", pair.kept], stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    for name in IMAGES:
        with pair.behaviour(f"outside: {name}.zst is whole, verifies, and is the source"):
            image = test.folder / f"{name}.zst"
            disks.run_tool(test.place(), "debugfs", "-R", f"dump /{name}.zst {image}", pair.kept)
            disks.run_tool(test.place(), "zstd", "-q", "-d", "-f", image, "-o", f"{image}.raw")
            check.equal(check.sha256(f"{image}.raw"), wanted, "the hash of what is in it")
            verified = subprocess.run([keeper.built("tbstream"), "verify", image],
                                      stderr=subprocess.PIPE, text=True)
            check.equal(verified.returncode, 0, f"tbstream verify, which said {verified.stderr}")


def run(test):
    noise = random.Random(60)
    source = test.disk("source.img", SIZE, lambda _: noise.randbytes(MIB))
    for drivers in PAIRS:
        pair = Pair(test, drivers, source)
        prefix = "" if len(PAIRS) == 1 else f"{'+'.join(drivers)}: "
        pair.behaviour = lambda text, prefix=prefix: test.behaviour(prefix + text)
        run_cable(pair)
        run_programs(pair)
        run_machine(pair)
        run_proof(test, pair)


check.main(run, seconds=600 * len(PAIRS))

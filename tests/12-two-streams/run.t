#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Two streams at once on one cable, one of them used in both directions at the same time."""

import pathlib
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, machine, stream  # noqa: E402

SIZE = 16 << 20

# One open file for both directions, held until both are done: CLOSE has no direction.
DUPLEX = """exec 3<>{device}
echo open
read go
head -c {size} <&3 | dd of=/dev/{target} bs=256k iflag=fullblock &
dd if=/dev/{source} bs=256k >&3
wait $!
echo done
read go
"""


def run(test):
    noise = random.Random(12)
    images = [test.disk(f"source{number}.img", SIZE, lambda _: noise.randbytes(1 << 20))
              for number in range(3)]
    targets = [test.disk(f"target{number}.img", SIZE) for number in range(3)]
    left, right = test.pair(
        {"disks": [machine.Disk(images[0]), machine.Disk(images[1]), machine.Disk(targets[2])]},
        {"disks": [machine.Disk(images[2]), machine.Disk(targets[0]), machine.Disk(targets[1])]})

    with test.behaviour("two streams on one cable have devices and HopIDs of their own"):
        bulk = stream.create(right.agent, "bulk"), stream.follow(left.agent, "bulk")
        both = stream.create(left.agent, "both"), stream.follow(right.agent, "both")
        for one, other in zip(bulk, reversed(both)):
            check.true(one.device != other.device, f"{one.agent.name}: one device for both")
            shared = [pair for pair in zip(one.hopids(), other.hopids()) if pair[0] == pair[1]]
            check.equal(shared, [], f"{one.agent.name}: HopIDs in use twice")

    with test.behaviour("both carry data at once, one of them in both directions"):
        receiver = right.agent.spawn(f"dd if={bulk[0].device} of=/dev/vdb bs=256k")
        bulk[0].wait_open()
        duplex = [left.agent.spawn(DUPLEX.format(device=both[0].device, size=SIZE, source="vdb",
                                                 target="vdc")),
                  right.agent.spawn(DUPLEX.format(device=both[1].device, size=SIZE, source="vda",
                                                  target="vdc"))]
        for job in duplex:
            job.expect("^open$")
        sender = left.agent.spawn(f"dd if=/dev/vda of={bulk[1].device} bs=256k")
        for job in duplex:
            job.send(b"go\n")
        for job in duplex:
            job.expect("^done$", 60)
        sender.check(60)
        receiver.check(60)
        for job in duplex:
            job.send(b"go\n")
        for job in duplex:
            job.check()

    for number, what in enumerate(("the one-way stream", "the two-way stream, there",
                                   "the two-way stream, back")):
        with test.behaviour(f"{what}: equal hashes"):
            check.equal(check.sha256(targets[number]), check.sha256(images[number]), what)


check.main(run, seconds=120)

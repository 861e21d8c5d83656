#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A reader that is slow: the stock driver loses the tail and the CLOSE, our tools lose nothing.

First the driver's faults are provoked by dd, so that what our tools are held against is known to
be there; then the same slowness between tbsend and tbrecv.
"""

import pathlib
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, machine, stream  # noqa: E402

SIZE = 24 << 20
# More than a receive ring holds (256 frames of 4 KiB), less than both rings: all of it is accepted
# by write() before the reader has taken anything.
TAIL = 1600 << 10
PAUSE = 4  # seconds that a reader stands still; below the 10 that our tools take for silence


def dd_loses_the_tail(left, right):
    reader = right.agent.spawn(f"exec 3< /dev/tbstream0; sleep {PAUSE}; "
                               "timeout 10 cat <&3 | wc -c")
    right.stream.wait_open()
    left.agent.run(f"head -c {TAIL} /dev/vda | dd of=/dev/tbstream0 bs=4k", 30)
    reader.wait(40)
    return int(reader.text())


def hash_of(agent, command):
    return agent.run(f"{command} | sha256sum", 60).split()[0]


def run(test):
    noise = random.Random(40)
    source = test.disk("source.img", SIZE, lambda _: noise.randbytes(1 << 20))
    target = test.disk("target.img", SIZE)
    left, right = test.pair({"guest": {"ours": True}, "disks": [machine.Disk(source)]},
                            {"guest": {"ours": True}, "disks": [machine.Disk(target)]})
    wanted = check.sha256(source)

    with test.behaviour("provoked: dd reports success, and a slow reader never sees the tail"):
        right.stream = stream.create(right.agent, "tail")
        left.stream = stream.follow(left.agent, "tail")
        got = dd_loses_the_tail(left, right)
        check.true(got < TAIL, f"the reader got all {got} bytes: the fault is not there")
        for side in (left, right):
            side.stream.remove()

    with test.behaviour("tbrecv into a pipe whose reader pauses: the image is whole"):
        receiver = right.agent.spawn(f"tbrecv | (sleep {PAUSE}; cat > /run/image.zst)")
        left.agent.run("tbsend /dev/vda", 60)
        receiver.check(30)
        check.equal(hash_of(right.agent, "zstd -q -d < /run/image.zst"), wanted, "the hash")

    with test.behaviour("tbrecv that is stopped in mid-transfer and goes on: the image is whole"):
        receiver = right.agent.spawn("tbrecv -o /run/stopped.zst")
        sender = left.agent.spawn("tbsend /dev/vda")
        receiver.expect("receiving from", 30)
        right.agent.run(f"kill -STOP $(pidof tbrecv); sleep {PAUSE}; kill -CONT $(pidof tbrecv)")
        sender.check(60)
        receiver.check(30)
        check.equal(hash_of(right.agent, "zstd -q -d < /run/stopped.zst"), wanted, "the hash")

    with test.behaviour("tbsend that is stopped in mid-transfer and goes on: the disk is whole"):
        receiver = right.agent.spawn("tbrecv --force /dev/vda")
        sender = left.agent.spawn("tbsend /dev/vda")
        sender.expect("sending /dev/vda", 30)
        left.agent.run(f"kill -STOP $(pidof tbsend); sleep {PAUSE}; kill -CONT $(pidof tbsend)")
        sender.check(60)
        receiver.check(30)

    with test.behaviour("nothing of the streams is left in configfs"):
        for side in (left, right):
            check.equal(side.agent.run(f"ls {stream.CONFIG}"), "", "what is left")
        for side in (left, right):
            side.kill()
        check.equal(check.sha256(target), wanted, "the hash of the restored disk, read outside")


check.main(run, seconds=240)

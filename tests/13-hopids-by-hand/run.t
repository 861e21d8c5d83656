#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""HopIDs given by hand on both sides of a bare stream."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, stream  # noqa: E402


def run(test):
    left, right = test.pair()

    with test.behaviour("HopIDs written by hand are taken as they are"):
        left.stream = stream.create(left.agent, "byhand", 13, 12)
        right.stream = stream.create(right.agent, "byhand", 12, 13)
        check.equal(left.stream.hopids(), (13, 12), "HopIDs on the left")
        check.equal(right.stream.hopids(), (12, 13), "HopIDs on the right")

    with test.behaviour("data arrive over them"):
        receiver = right.agent.spawn(f"sha256sum < {right.stream.device}")
        right.stream.wait_open()
        sent = left.agent.run(f"head -c 5000000 /dev/urandom > /tmp/data && "
                              f"cat /tmp/data > {left.stream.device} && sha256sum < /tmp/data")
        check.equal(receiver.check(), sent, "hash of what came")

    with test.behaviour("HopIDs cannot be changed while the device is open"):
        holder = right.agent.spawn(f"exec 3<>{right.stream.device}; echo open; read go")
        holder.expect("^open$")
        job = right.agent.spawn(f"echo 14 > {right.stream.config}/in_hopid")
        check.true(job.wait() != 0, "the write was accepted")
        check.true("busy" in job.all_text(), f"the refusal is {job.all_text()!r}")
        holder.send_end()
        holder.wait()

    with test.behaviour("a HopID that another stream uses is refused"):
        right.agent.run(f"mkdir {stream.CONFIG}/{right.stream.service}/second")
        job = right.agent.spawn(
            f"echo 12 > {stream.CONFIG}/{right.stream.service}/second/in_hopid")
        check.true(job.wait() != 0, "the write was accepted")


check.main(run, seconds=90)

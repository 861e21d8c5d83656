#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Our driver again and again: opened and closed, unplugged in mid-transfer, streams made and removed.

CYCLES and PULLS say how often; `make check-vm-driver` runs 200 and 50, on each of two kernels.
"""

import os
import pathlib
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, klog, stream  # noqa: E402

DRIVERS = os.environ.get("DRIVERS", "6.12+7.3").split()
CYCLES = int(os.environ.get("CYCLES", "20"))
PULLS = int(os.environ.get("PULLS", "4"))
MIB = 1 << 20


def sides(left, right):
    right.stream = stream.create(right.agent, "endure")
    left.stream = stream.follow(left.agent, "endure")
    for side in (left, right):
        side.said = len(klog.loud(side.agent))


def run_cycles(left, right):
    """Each time 1 MiB, other bytes each time."""
    left.agent.run(f"rm -f /run/sent; head -c {MIB + CYCLES} /dev/urandom > /run/data")
    right.agent.run("rm -f /run/got")
    sender = left.agent.spawn(
        f"for i in $(seq {CYCLES}); do tail -c +$i /run/data | head -c {MIB} > /run/now; "
        f"sha256sum < /run/now >> /run/sent; cat /run/now > {left.stream.device} || exit 1; done")
    receiver = right.agent.spawn(
        f"for i in $(seq {CYCLES}); do sha256sum < {right.stream.device} >> /run/got; done")
    sender.check(20 + 2 * CYCLES)
    receiver.check(30)
    check.equal(right.agent.run("cat /run/got"), left.agent.run("cat /run/sent"), "the hashes")


def run_pulls(test, left, right):
    """The cable goes at any frame. Delivered is what write() and close() had reported as such: the
    reader has all of it, and nothing else."""
    noise = random.Random(55)
    cable = test.cables[0]
    left.agent.run("head -c 16777216 /dev/urandom > /run/data", 120)
    for number in range(PULLS):
        # Other bytes each time.
        left.agent.run("(tail -c +1000 /run/data; head -c 999 /run/data) > /run/next && "
                       "mv /run/next /run/data")
        receiver = right.agent.spawn(f"cat {right.stream.device} > /run/got")
        cable.fault(f"unplug pdf=2 at=+{noise.randrange(1, 4000)}")
        sender = left.agent.spawn(f"dd if=/run/data of={left.stream.device} bs=64k")
        check.true(sender.wait(60) != 0, "dd reported success over a pulled cable")
        check.true(receiver.wait(60) != 0, "the reader was told of an end of file")
        got = int(right.agent.run("stat -c %s /run/got"))
        check.equal(right.agent.run("sha256sum < /run/got", 90),
                    left.agent.run(f"head -c {got} /run/data | sha256sum", 90),
                    f"pull {number}: the {got} bytes that came")
        cable.command("fault clear")
        for side in (left, right):
            side.agent.wait_until(f"! test -e /sys/bus/thunderbolt/devices/{side.stream.service}")
        cable.plug()
        for side in (left, right):
            check.equal(stream.service_wait(side.agent), side.stream.service, "the service")


def run_complaints(left, right):
    for side in (left, right):
        check.equal(klog.loud(side.agent)[side.said:], [], f"the log of {side.name}")


def run_driver(test, name):
    drivers = name.split("+")
    left, right = test.pair({"driver": drivers[0]}, {"driver": drivers[-1]})
    sides(left, right)
    with test.behaviour(f"{name}: {CYCLES} times open, 1 MiB, close: every byte, every time"):
        run_cycles(left, right)
    with test.behaviour(f"{name}: {PULLS} times the cable is pulled in mid-transfer"):
        run_pulls(test, left, right)
    with test.behaviour(f"{name}: after that it works as before, and the module can be unloaded"):
        run_cycles(left, right)
        for side in (left, right):
            side.stream.remove()
            side.agent.run("rmmod tbstream")
    with test.behaviour(f"{name}: no complaint in the kernels' logs"):
        run_complaints(left, right)
    for made in (left, right, *test.cables):
        made.kill()
    test.cables.clear()


def run(test):
    for name in DRIVERS:
        run_driver(test, name)


check.main(run, seconds=(90 + 6 * CYCLES + 20 * PULLS) * len(DRIVERS))

# SPDX-License-Identifier: GPL-2.0-or-later
"""What is done to the driver under its streams: the cable goes, the driver, the controller."""

import os
import random
import time

from rig import check
from rig.scenario import plug, unplug

from work import SECONDS, LIMIT, Busy, make, open_only, remove, settle, transfer

CYCLES = int(os.environ.get("CYCLES", "20"))
PULLS = int(os.environ.get("PULLS", "6"))

# Frames of USB4STREAM, by the PDF of their end.
DATA, CLOSE = 2, 3

DEVICES = "/sys/bus/thunderbolt/devices"
DRIVER = "/sys/bus/thunderbolt/drivers/tbstream"
CONTROLLER = "/sys/bus/pci/drivers/thunderbolt"


def cycles(left, right, _cable):
    for number in range(CYCLES):
        transfer(*((left, right) if number % 2 else (right, left)), "1M")


def _again(left, right, cable):
    """The cable back in, and all is well."""
    plug(left, right, cable)
    transfer(left, right)


def pull_by_time(left, right, cable):
    """While both sides begin: at moments of the half second from the first open() on."""
    for ms in sorted(random.Random(60).sample(range(500), PULLS)):
        busy = Busy(left, right)
        busy.wrote.result("open", SECONDS)
        time.sleep(ms / 1000)
        unplug(left, right, cable)
        plug(left, right, cable)
        busy.stopped()
        transfer(left, right)


def pull_at_open(left, right, cable):
    """While paths are being enabled: the moments after an open(), by the first side and by the
    second one."""
    for number in range(PULLS):
        early = open_only(left, "rw") if number % 2 else None
        script = open_only(right, "r")
        time.sleep(number * 0.02)
        unplug(left, right, cable)
        for one in filter(None, (early, script)):
            one.go()
            one.end(SECONDS)
        _again(left, right, cable)


def pull_by_frame(left, right, cable):
    """With a frame of each kind: the first, one amid others, CLOSE and its reply."""
    incoming, outgoing = left.stream.hopids()
    for rule in (f"dir=ab hop={outgoing} at=+0", f"dir=ab hop={outgoing} pdf={DATA} at=+300",
                 f"dir=ab hop={outgoing} pdf={CLOSE}", f"dir=ba hop={incoming} pdf={CLOSE}"):
        # The last stream's frames are not meant.
        for side in (left, right):
            settle(side)
        cable.fault(f"unplug {rule}")
        read = right.exercise(LIMIT, "open:@:r", "drain", "close")
        wrote = left.exercise(LIMIT, "open:@:w", "write:2M", "close")
        wrote.end(SECONDS)
        if "at=+0" not in rule:
            # With the first frame the reader may not have begun, and waits for the next peer.
            read.end(SECONDS)
        for side in (left, right):
            side.lost()
        cable.command("fault clear")
        plug(left, right, cable)
        for side in (left, right):
            side.stop()
        for side in (left, right):
            settle(side)
        transfer(left, right)


def unbind_service(left, right, _cable):
    """The driver loses the service of a peer that is there."""
    for one, other in ((left, right), (right, left)):
        busy = Busy(left, right).flows()
        one.agent.run(f"echo {one.service} > {DRIVER}/unbind", SECONDS)
        try:
            busy.broken(f"unbound on {one.name}")
        finally:
            one.agent.run(f"echo {one.service} > {DRIVER}/bind", SECONDS)
        transfer(other, one)


def unbind_controller(left, right, _cable):
    """The whole host controller goes, as it does with `rmmod thunderbolt`; False where the core
    does not let it come back. Linux 7.3 calls no .remove and leaves the XDomain on the bus, its
    parents freed: streams end all the same, and that is all that can be asked for."""
    for one, other in ((left, right), (right, left)):
        busy = Busy(left, right).flows()
        device = one.agent.run(f"cd {CONTROLLER} && ls -d 0000:*")
        one.agent.run(f"echo {device} > {CONTROLLER}/unbind", SECONDS)
        busy.broken(f"the controller of {one.name} unbound", one)
        if one.agent.run(f"ls {DEVICES}"):
            return False
        one.agent.run(f"echo {device} > {CONTROLLER}/bind", SECONDS)
        busy.broken(f"the controller of {one.name} unbound")
        for side in (one, other):
            side.found()
        transfer(other, one)
    return True


def removed_while_open(left, right, _cable):
    for one in (left, right):
        busy = Busy(left, right).flows()
        one.agent.run(f"rmdir {one.stream.config}", SECONDS)
        busy.broken(f"removed on {one.name}")
        for side in {left, right} - {one}:
            side.agent.run(f"rmdir {side.stream.config}", SECONDS)
        make(left, right, f"removed{one.name[0]}")
        transfer(left, right)


def module_refuses(left, right, cable):
    for one in (left, right):
        script = open_only(one, "r")
        check.true(one.agent.code("rmmod tbstream", SECONDS) != 0,
                   "rmmod took the module of an open device")
        script.go()
        script.end(SECONDS)


def module_again(left, right, _cable):
    """Not at the same time: each side sees the other's driver go, with streams that stay."""
    remove(left, right)
    for one, other in ((left, right), (right, left)):
        make(left, right, f"again{one.name[0]}")
        transfer(left, right)
        one.stream.remove()
        one.agent.run("rmmod tbstream && ! [ -e /sys/module/tbstream ]", SECONDS)
        other.lost()
        one.agent.run("modprobe tbstream", SECONDS)
        other.found()
        other.stream.remove()
    make(left, right, "again")
    transfer(left, right)


# A machine whose agent's line may wake it, and what it does then.
SLEEP = ("echo enabled > /sys/class/tty/ttyS1/power/wakeup; "
         "echo 1 > /sys/module/suspend/parameters/pm_test_delay; "
         "echo {pm_test} > /sys/power/pm_test; "
         "for try in 1 2 3; do echo {state} > /sys/power/state && code=0 && break; done; "
         "echo none > /sys/power/pm_test; exit ${{code-1}}")


def _sleep(side, state, pm_test):
    """Sleep, as deep as the test's name says, and wake up."""
    job = side.agent.spawn(SLEEP.format(state=state, pm_test=pm_test))
    for _ in range(SECONDS // 5 if pm_test == "none" else 0):
        # What comes while it falls asleep keeps it from that, or is not seen.
        time.sleep(5)
        side.agent.spawn("true")
        if not job.running():
            break
    job.check(SECONDS)


def sleep(left, right, state, pm_test):
    """Suspend the left machine, with a stream that is idle and with one at work. Streams end, and
    new ones begin."""
    idle = left.exercise(LIMIT, "open:@:rw", "drain", "close")
    peer = open_only(right, "rw")
    idle.result("open", SECONDS)
    _sleep(left, state, pm_test)
    idle.result("drain", SECONDS).want("an idle stream after sleep", 0, "ENXIO")
    idle.end(SECONDS)
    peer.go()
    peer.end(SECONDS)
    for side in (left, right):
        side.found()
    busy = Busy(left, right).flows()
    _sleep(left, state, pm_test)
    busy.broken(f"sleep to {state}, {pm_test}")
    for side in (left, right):
        side.found()
    transfer(left, right)


def sleep_devices(left, right, _cable):
    sleep(left, right, "mem", "devices")
    sleep(right, left, "mem", "devices")


def sleep_idle(left, right, _cable):
    sleep(left, right, "freeze", "none")

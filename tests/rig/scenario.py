# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios for a stream's driver. Ours must pass them; in-tree, the fault that a scenario is about
must show, so that it is known to be able to fail.

    def slow_reader(left, right, cable):
        reader = right.exercise("open:@:r", "wait", "drain", "close")
        ...

    scenario.main(
        Scenario("close() loses nothing", slow_reader, fault="the slow reader: .*TIMEOUT"),
        seconds=60)

DRIVERS names the drivers that are tested, one pair of machines after the other: see kernel.py, and
"6.12+7.3" for a left and a right one. `make check-vm-driver` takes "6.12 7.3 in-tree".
"""

import contextlib
import dataclasses
import itertools
import os
import re

from . import check, exercise, klog, stream

DRIVERS = os.environ.get("DRIVERS", "6.12+7.3").split()
STOCK = "in-tree"

# HopIDs of the scenarios' streams, from the left to the right and back.
THERE, BACK = 13, 12

_numbers = itertools.count(1)


@dataclasses.dataclass(frozen=True)
class Scenario:
    """`run` gets left, right and the cable, and ends with check.Failure where the sentence is not
    true. `fault`: a pattern of the failure that the stock driver shows; without one the scenario is
    for our driver alone, and with "" the stock driver has to pass it too. `streams`: it wants
    left.stream and right.stream, and a cable that is plugged in. `excused`: a pattern of what the
    kernels themselves say of it, which nothing that a driver does could spare them."""
    sentence: str
    run: object
    fault: str = None
    streams: bool = True
    excused: str = None


class Side:
    """One of the two machines, and its end of the scenario's stream."""

    def __init__(self, made):
        self.name = made.name
        self.agent = made.agent
        self.service = None
        self.stream = None
        self.said = 0

    def exercise(self, *steps):
        """Start a script of the program exercise; "@" in it is the stream's device."""
        device = self.stream.device if self.stream else "@"
        return exercise.Exercise(self.agent, *(step.replace("@", device) for step in steps))

    def do(self, *steps, seconds=30):
        """Run a script to its end; its results."""
        script = self.exercise(*steps)
        script.end(seconds)
        return script.seen_all()

    def stop(self):
        """Kill the scripts that still run, and their children, and wait for their end."""
        self.agent.run("while killall -9 exercise 2>/dev/null; do usleep 20000; done", 20)

    def lost(self):
        """Wait until the peer is gone from sight."""
        self.agent.wait_until(f"! test -e /sys/bus/thunderbolt/devices/{self.service}")

    def found(self):
        """Wait until the peer is in sight."""
        self.service = stream.service_wait(self.agent)


def unplug(left, right, cable):
    """Pull the cable, and wait until both sides have noticed."""
    cable.unplug()
    left.lost()
    right.lost()


def plug(left, right, cable):
    """Plug it in, and wait until both sides have found each other."""
    cable.plug()
    left.found()
    right.found()


def boot(test, drivers, plugged=True):
    """The two machines and the cable, plugged in or not."""
    cable = test.cable({"left": "lanes=1", "right": "lanes=1"},
                       ["left:right" + ("" if plugged else ",unplugged")])
    made = [test.keeper(name, driver=driver, fabric=cable.socket(name))
            for name, driver in zip(("left", "right"), drivers)]
    for one in made:
        one.start()
    for one in made:
        one.agent.wait_ready()
    left, right = map(Side, made)
    for side in (left, right):
        if plugged:
            side.found()
        side.said = len(klog.loud(side.agent))
    return left, right, cable


def _clean(left, right, cable):
    """As it was before the scenario, whatever that has left behind."""
    cable.command("fault clear")
    for side in (left, right):
        side.stop()
    if "unplugged" in cable.command("status"):
        plug(left, right, cable)
    for side in (left, right):
        side.agent.run(f"cd {stream.CONFIG}; rmdir */* * 2>/dev/null; rmdir * 2>/dev/null; "
                       "[ -z \"$(ls)\" ]")
        side.stream = None


def _streams(left, right):
    """A stream with HopIDs by hand, under a name that no peer can remember; both sides have it
    before one of them announces it."""
    name = f"t{next(_numbers)}"
    for side in (left, right):
        side.found()
        side.agent.run(f"mkdir -p {stream.CONFIG}/{side.service}/{name}")
        side.stream = stream.Stream(side.agent, side.service, name)
    for side, in_hopid, out_hopid in ((left, BACK, THERE), (right, THERE, BACK)):
        side.agent.run(f"echo {in_hopid} > {side.stream.config}/in_hopid && "
                       f"echo {out_hopid} > {side.stream.config}/out_hopid")


def _run(scenario, left, right, cable):
    if scenario.streams:
        _streams(left, right)
    scenario.run(left, right, cable)


def _provoke(scenario, sides):
    """The stock driver: it shows the fault, and no other."""
    try:
        _run(scenario, *sides)
    except (check.Failure, TimeoutError) as failure:
        if not scenario.fault or not re.search(scenario.fault, str(failure)):
            raise check.Failure(f"not the fault /{scenario.fault}/, but: {failure}") from None
        if os.environ.get("V"):
            check.diagnose(str(failure))
        return
    if scenario.fault:
        raise check.Failure(f"/{scenario.fault}/ did not show: the driver is right, or the "
                            "scenario cannot fail")


def _run_stock(test, scenarios, plugged):
    """What it has to pass first, on one pair; then a pair for each fault, which may leave processes
    that nothing ends, or a machine that has ended."""
    drivers = (STOCK, STOCK)
    wanted = [scenario for scenario in scenarios if scenario.fault == ""]
    if wanted:
        with _pair(test, drivers, plugged) as sides:
            for scenario in wanted:
                with test.behaviour(f"{STOCK}, as well: {scenario.sentence}"):
                    _provoke(scenario, sides)
                _clean(*sides)
    for scenario in scenarios:
        if scenario.fault:
            with _pair(test, drivers) as sides:
                with test.behaviour(f"{STOCK}, provoked, that it is not so: {scenario.sentence}"):
                    _provoke(scenario, sides)


def _run_ours(test, name, scenarios, plugged):
    drivers = name.split("+")
    with _pair(test, (drivers[0], drivers[-1]), plugged) as sides:
        for scenario in scenarios:
            with test.behaviour(f"{name}: {scenario.sentence}"):
                _run(scenario, *sides)
            _clean(*sides)
        excused = "|".join(scenario.excused for scenario in scenarios if scenario.excused)
        with test.behaviour(f"{name}: there is no complaint in the kernels' logs"):
            for side in sides[:2]:
                lines = [line for line in klog.loud(side.agent)[side.said:]
                         if not excused or not re.search(excused, line)]
                check.equal(lines, [], f"the log of {side.name}")


@contextlib.contextmanager
def _pair(test, drivers, plugged=True):
    """boot(), until the block ends. The test's report is about the pairs that have failed."""
    failed = test.failed
    yield boot(test, drivers, plugged)
    for made in test.machines + test.cables:
        made.kill()
    if test.failed == failed:
        test.machines.clear()
        test.cables.clear()


def main(*scenarios, seconds, plugged=True):
    """Run them and exit. `seconds`: the time limit for a pair of machines; a pair that shows one
    fault takes a minute at most. `plugged`: whether there is a cable when the first one begins."""
    limit = sum(seconds + 60 * sum(bool(scenario.fault) for scenario in scenarios)
                if name == STOCK else seconds for name in DRIVERS)

    def run(test):
        for name in DRIVERS:
            if name == STOCK:
                _run_stock(test, scenarios, plugged)
            else:
                _run_ours(test, name, scenarios, plugged)

    check.main(run, seconds=limit)

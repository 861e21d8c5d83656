# SPDX-License-Identifier: GPL-2.0-or-later
"""Our driver on two joined machines whose kernels watch themselves: everything that can be done to
it, and at the end not one line in the log. main() is the test for one kernel."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import agent, check, klog, scenario  # noqa: E402

import faults  # noqa: E402
import hostile  # noqa: E402
from work import SECONDS, make, remove, settle  # noqa: E402

# The suites of kernel/compat/test.c.
SUITES = "tbstream", "tbstream_announce"

BOOT = 240
LIMIT = 45 * 60

SCENES = (
    (f"{faults.CYCLES} times open, 1 MiB, close, in turns", faults.cycles),
    ("the cable is pulled while both sides begin", faults.pull_by_time),
    ("the cable is pulled while one of them opens", faults.pull_at_open),
    ("the cable is pulled with a frame of each kind", faults.pull_by_frame),
    ("the driver is unbound from the service in mid-transfer", faults.unbind_service),
    ("a stream is removed while it is open", faults.removed_while_open),
    ("rmmod is refused while the device is open", faults.module_refuses),
    ("rmmod and modprobe, one side after the other", faults.module_again),
    ("sleep as far as devices go, idle and in mid-transfer", faults.sleep_devices),
    ("sleep until the machine is woken", faults.sleep_idle),
)


def boot(test, driver):
    """Two machines, joined, with a hostile.ko in reach."""
    cable = test.cable({"left": "lanes=1", "right": "lanes=1"}, ["left:right"])
    files = {hostile.INSIDE: hostile.build(driver)}
    made = [test.keeper(name, driver=driver, fabric=cable.socket(name), guest={"files": files})
            for name in ("left", "right")]
    for one in made:
        one.start()
    for one in made:
        one.agent.wait_ready(BOOT)
        klog.prepare(one.agent)
    sides = [scenario.Side(one) for one in made]
    for side in sides:
        side.found()
    return *sides, cable


def clean(left, right, cable):
    """As it was before the scene, whatever that has left behind."""
    cable.command("fault clear")
    for side in (left, right):
        side.stop()
    if "unplugged" in cable.command("status"):
        scenario.plug(left, right, cable)
    try:
        for side in (left, right):
            settle(side)
    except agent.CommandFailed:
        # A CLOSE that the peer does not take: after a failure only.
        scenario.unplug(left, right, cable)
        scenario.plug(left, right, cable)


def unload(sides):
    for side in sides:
        side.agent.run("rmmod tbstream", SECONDS)


def run_unbound(test, driver):
    """On machines of their own, which on some kernels are good for nothing after it."""
    left, right, cable = boot(test, driver)
    make(left, right, "unbound")
    with test.behaviour("the controller is unbound in mid-transfer"):
        if not faults.unbind_controller(left, right, cable):
            check.diagnose("the core keeps XDomains without a router: it is not bound again")
    for side in (left, right):
        with test.behaviour(f"the kernel of {side.name} has no complaint of that"):
            klog.log_check(side.agent)


def run_scenes(test, driver, only):
    left, right, cable = boot(test, driver)
    with test.behaviour("the module's KUnit tests pass"):
        for side in (left, right):
            for suite in SUITES:
                klog.kunit(side.agent, suite)
    make(left, right, "debug")
    for sentence, scene in SCENES:
        if only and scene.__name__ not in only:
            continue
        with test.behaviour(sentence):
            scene(left, right, cable)
        clean(left, right, cable)
    if not only or "hostile" in only:
        hostile.run(test, left, right, cable)
    remove(left, right)
    for when, do in (("while the module is there", lambda: None),
                     ("after it has gone", lambda: unload((left, right)))):
        for side in (left, right):
            with test.behaviour(f"the kernel of {side.name} has no complaint {when}"):
                do() if side is left else None
                klog.log_check(side.agent)
    for made in test.machines + test.cables:
        made.kill()
    if not test.failed:
        # The report is about those that have failed.
        test.machines.clear()
        test.cables.clear()


def run(test, driver):
    only = os.environ.get("ONLY", "").split()
    if only != ["unbind_controller"]:
        run_scenes(test, driver, only)
    if not only or "unbind_controller" in only:
        run_unbound(test, driver)


def main(driver):
    check.main(lambda test: run(test, driver), seconds=LIMIT)

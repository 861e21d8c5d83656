#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernels that watch themselves see is seen by klog.py: each of planted.c's faults."""

import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, debug, klog, module  # noqa: E402

SOURCE = pathlib.Path(__file__).with_name("planted")
INSIDE = "/usr/lib/planted.ko"

# In this order: after a report of lockdep's or KASAN's lockdep is off.
FAULTS = {
    "leak": r"(?s)unreferenced object.*\[tbstream\]",
    "lock-order": r"(?s)possible circular locking.*lockdep does not watch",
    "after-free": "KASAN: .*use-after-free in after_free",
    "timer-freed": "ODEBUG: free active .*timer",
    "list-twice": "list_add double add",
    "sleep-locked": "sleeping function called from invalid context",
    "warning": r"WARNING: .*\[tbstream\]|WARNING: .*planted",
}


def seen(agent, fault):
    """The watching fails with a text that says what it was."""
    agent.run("dmesg -c > /dev/null")
    agent.run(f"insmod {INSIDE} fault={fault}", 60)
    try:
        klog.log_check(agent, scan=fault == "leak")
    except check.Failure as failure:
        check.true(re.search(FAULTS[fault], str(failure)),
                   f"/{FAULTS[fault]}/ is not in what was seen:\n{failure}")
    else:
        raise check.Failure("nothing was seen")
    finally:
        agent.run(f"rmmod tbstream; echo clear > {klog.DEBUG}/kmemleak", 60)


def run_kernel(test, name):
    planted = module.build(name, SOURCE, module.OUT / "planted" / name / "planted.ko")
    guest = test.keeper(name, driver=name, guest={"files": {INSIDE: planted}}).start()
    guest.agent.wait_ready(240)
    with test.behaviour(f"{name}: a kernel with nothing planted has no complaint"):
        klog.log_check(guest.agent)
    guest.agent.run("rmmod tbstream", 60)
    for fault in FAULTS:
        with test.behaviour(f"{name}: the fault {fault} is seen"):
            seen(guest.agent, fault)
    guest.kill()


def run(test):
    for name in debug.KERNELS:
        run_kernel(test, name)


check.main(run, seconds=30 * 60)

# SPDX-License-Identifier: GPL-2.0-or-later
"""What a kernel says loudly, and what one that watches itself has seen: nothing, or the test
fails."""

import re

from . import check

# What a complaint begins with, whoever makes it. Not every one taints the kernel.
COMPLAINT = re.compile(
    r"\bBUG|WARNING:|Oops|INFO: |UBSAN|ODEBUG|DMA-API|refcount_t|ida_free"
    r"|list_(add|del) (corruption|double)"
    r"|unreferenced object|kmemleak: .*disabled|general protection"
    r"|possible circular locking|inconsistent lock state|suspicious RCU|lock held when returning"
    r"|scheduling while atomic|sleeping function|soft lockup|blocked for more than"
    r"|already (exists|registered|in use|free)|cannot create duplicate|not ok \d|Call Trace:")

# What a kernel says of itself without having been hurt.
WELL = re.compile(r"DMA-API: preallocated|DMA-API: debugging enabled|WARNING: .*(TCG|emulat)"
                  r"|kmemleak: Kernel memory leak detector")

# Lines that are shown from a complaint on.
SHOWN = 40

# /proc/sys/kernel/tainted: a module from outside, unsigned, KUnit's tests have run.
TAINTS_WELL = 1 << 12 | 1 << 13 | 1 << 18

# What is said loudly and asks nothing of anybody. A person has to know of numbers that are taken,
# a host may have no time for its guest, modules of ours are not signed. The rest is the thunderbolt
# core's, 6.1 to 7.3, with any driver; it goes on by itself: a peer that wants the second piece of
# properties which have become shorter is refused and begins anew, and a request whose answer was
# taken for the answer to another packet (tb_xdomain_match() compares no sequence) is sent again
# after a second.
LOUD_WELL = re.compile(
    r"HopID \d+ cannot be had|hrtimer: interrupt took|clocksource:|module verification failed"
    r"|failed to send XDomain response for 0x3|failed to send properties changed notification")

DEBUG = "/sys/kernel/debug"


def loud(agent):
    """The lines of the kernel's log that are at least a warning."""
    lines = agent.run("dmesg -r | grep -E '^<[0-4]>'; true").splitlines()
    return [line for line in lines if not LOUD_WELL.search(line)]


def prepare(agent):
    """Make the kernel's own files of that kind visible."""
    agent.run(f"grep -q {DEBUG} /proc/mounts || mount -t debugfs debugfs {DEBUG}")


def log_check(agent, scan=True):
    """check.Failure with what the kernel has complained of since it booted, also leaks if they are
    to be scanned for, which takes most of a minute."""
    prepare(agent)
    found = [f"{agent.name}: {text}" for text in
             (complaints(agent.run("dmesg", 60)), taints(agent), lockdep(agent),
              scan and leaks(agent)) if text]
    if found:
        raise check.Failure("\n".join(found))


def complaints(log):
    """The first complaint in a log, with what follows it; "" for none."""
    lines = log.splitlines()
    for number, line in enumerate(lines):
        if COMPLAINT.search(line) and not WELL.search(line):
            return "\n".join(lines[number:number + SHOWN])
    return ""


def taints(agent):
    bits = int(agent.run("cat /proc/sys/kernel/tainted")) & ~TAINTS_WELL
    return bits and f"the kernel is tainted: {bits:#x}"


def lockdep(agent):
    """It stops watching after its first report, or when it has no memory left."""
    watching = agent.run("sed -n 's/ *debug_locks: *//p' /proc/lockdep_stats")
    return "" if watching == "1" else "lockdep does not watch any more"


# Linux 6.12's own KUnit test tb_test_tunnel_3dp() leaves a tunnel behind.
LEAKS_WELL = re.compile(r"^ +tb_test_\w+\+", re.MULTILINE)


def leaks(agent):
    """What kmemleak finds. An object counts from its sixth second on, and when two scans have seen
    it unchanged."""
    file = f"{DEBUG}/kmemleak"
    agent.run(f"sleep 6; for i in 1 2 3; do echo scan > {file}; done", 180)
    found = re.split(r"^(?=unreferenced object)", agent.run(f"cat {file}", 60), flags=re.MULTILINE)
    return "".join(text for text in found if not LEAKS_WELL.search(text))


def kunit(agent, suite):
    """The names of a KUnit suite's tests, which must have run and passed."""
    prepare(agent)
    text = agent.run(f"cat {DEBUG}/kunit/{suite}/results")
    bad = [line for line in text.splitlines() if line.strip().startswith("not ok")]
    passed = re.findall(r"^ +ok \d+ (\w+)", text, re.MULTILINE)
    check.equal(bad, [], f"{agent.name}: {suite}")
    check.true(passed, f"{agent.name}: no test of {suite} has run:\n{text}")
    return passed

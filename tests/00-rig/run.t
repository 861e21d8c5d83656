#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What every other test relies on: the rig itself keeps its promises."""

import os
import pathlib
import select
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from rig import cache, check, enter  # noqa: E402

HEAD = f"import os, sys, time; sys.dont_write_bytecode = True; sys.path.insert(0, {str(TESTS)!r})\n"

# Builds an entry and says so; "hold" makes it stay in the middle until it is killed.
BUILDER = HEAD + """
from rig import cache
def build(folder):
    (folder / "half").write_text("x")
    print("building", flush=True)
    if sys.argv[1] == "hold":
        sys.stdin.read()
    (folder / "whole").write_text("x")
path = cache.entry("thing", build)
print("has", sorted(file.name for file in path.iterdir()), flush=True)
sys.stdin.read()
"""

MACHINE = HEAD + """
from rig import machine, process, sysroot
process.setup()
pc = machine.Machine("pc", sysroot.Sysroot(), sys.argv[1]).start()
print(pc.process.popen.pid, flush=True)
sys.stdin.read()
"""

FAILING = HEAD + """
from rig import check
def run(test):
    pc = test.keeper("pc").start()
    pc.agent.wait_ready()
    print("# process", pc.process.popen.pid)
    with test.behaviour("one is two"):
        pc.agent.run("echo said on the console > /dev/console")
        check.equal(1, 2, "one")
    with test.behaviour("a command that hangs is given up"):
        pc.agent.run("sleep 1000", 1)
    with test.behaviour("the test goes on after a failure"):
        pc.agent.run("true")
    pc.agent.run("sleep 1000", 1000)
check.main(run, seconds=40)
"""


def python(script, *arguments, **options):
    return subprocess.Popen([sys.executable, "-c", script, *map(str, arguments)], text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)


def process_wait_end(pid, seconds):
    """Wait for the end of a process that is not our child."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = select.select([fd], [], [], seconds)[0]
    os.close(fd)
    check.true(ended, f"process {pid} still runs")


def run_cache(test):
    folder = test.folder / "cache"
    options = {"env": dict(os.environ, TBSTREAM_CACHE=str(folder)), "stderr": subprocess.DEVNULL}

    with test.behaviour("an interrupted build leaves nothing that looks finished"):
        first = python(BUILDER, "hold", **options)
        check.equal(first.stdout.readline(), "building\n", "the first builder")
        second = python(BUILDER, "go", **options)
        first.kill()
        first.wait()
        check.true(not (folder / "thing").exists(), "half an entry is in place")
        check.equal(second.stdout.readline(), "building\n", "the second builder")
        check.equal(second.stdout.readline(), "has ['half', 'whole']\n", "what it built")

    with test.behaviour("a third process uses what is there"):
        third = python(BUILDER, "go", **options)
        check.equal(third.stdout.readline(), "has ['half', 'whole']\n", "what it found")
        third.communicate()

    with test.behaviour("old entries are removed, but not from under those who use them"):
        old = time.time() - 2 * cache.UNUSED_SECONDS
        for name in ("thing", "unused"):
            (folder / name).mkdir(exist_ok=True)
            (folder / f"{name}.lock").touch()
            os.utime(folder / name, (old, old))
        other = python(BUILDER.replace('"thing"', '"other"'), "go", **options)
        check.equal(other.stdout.readline(), "building\n", "the other builder")
        other.communicate()
        check.true((folder / "thing").is_dir(), "an entry in use was removed")
        check.true(not (folder / "unused").exists(), "an unused entry was kept")
        second.communicate()


def run_enter(test):
    place = test.place()
    with test.behaviour("two commands run inside a sysroot at once, which stays as it is"):
        (test.folder / "out").mkdir()
        script = "echo $0 > /etc/mark; echo ready; read line; cat /etc/mark > /out/$0"
        jobs = [subprocess.Popen(enter.enter_argv(place, ["sh", "-c", script, name],
                                                  [(test.folder / "out", "/out", "rw")]),
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                for name in ("one", "two")]
        for job in jobs:
            check.equal(job.stdout.readline(), "ready\n", "the command inside")
        for job in jobs:
            job.communicate("go\n", timeout=20)
            check.equal(job.returncode, 0, "its exit code")
        check.true(not (place.path / "etc/mark").exists(), "the sysroot was changed")
        for name in ("one", "two"):
            check.equal((test.folder / "out" / name).read_text(), f"{name}\n", "its own file")

    with test.behaviour("a read-only bind cannot be written, and an exit code comes through"):
        result = enter.enter(place, ["sh", "-c", "echo > /out/three; exit 7"],
                             [(test.folder / "out", "/out", "ro")], stderr=subprocess.DEVNULL)
        check.equal(result.returncode, 7, "exit code")
        check.true(not (test.folder / "out/three").exists(), "the file was made")


def run_agent(test):
    pc = test.keeper("pc").start()
    pc.agent.wait_ready()
    with test.behaviour("a command that blocks in the guest does not block the next"):
        blocked = pc.agent.spawn("sleep 1000")
        check.equal(pc.agent.code("exit 3"), 3, "exit code of the next")
        blocked.kill()
        check.equal(blocked.wait(), 128 + signal.SIGKILL, "exit code of the killed")

    with test.behaviour("every byte passes, in and out"):
        data = bytes(range(256)) * 20
        pc.agent.write("/tmp/data", data)
        job = pc.agent.spawn("cat /tmp/data")
        job.check()
        check.equal(job.out, data, "what came back")

    with test.behaviour("a command may have a terminal to ask at"):
        job = pc.agent.spawn("tty; read answer; echo \"said $answer\"", pty=True)
        job.expect("/dev/pts")
        job.send(b"yes\n")
        job.expect("said yes")
        check.equal(job.wait(), 0, "exit code")

    with test.behaviour("a machine that panics ends the wait for it"):
        job = pc.agent.spawn("echo c > /proc/sysrq-trigger")
        start = time.monotonic()
        try:
            job.wait(60)
        except Exception as error:  # noqa: BLE001 - which one is the check
            check.equal(type(error).__name__, "Ended", "how the wait ended")
        check.true(time.monotonic() - start < 30, "the wait lasted to its limit")


def run_ends(test):
    with test.behaviour("machines end with the rig, also when it is killed"):
        rig = python(MACHINE, test.folder)
        pid = int(rig.stdout.readline())
        rig.kill()
        rig.communicate()
        process_wait_end(pid, 10)

    with test.behaviour("a failing test says what, shows the consoles and how to repeat it"):
        folder = test.folder / "90-failing"
        folder.mkdir()
        (folder / "run.t").write_text(FAILING)
        reasons = test.folder / "reasons"
        environment = dict(os.environ, TMPDIR=str(folder), FAILURES=str(reasons))
        failing = subprocess.run([sys.executable, folder / "run.t"], text=True, timeout=120,
                                 env=environment, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT)
        check.equal(failing.returncode, 1, "its exit code")
        for text in ("not ok 1 - one is two\n# one: got 1, wanted 2\n",
                     "not ok 2 - a command that hangs is given up\n",
                     "ok 3 - the test goes on after a failure\n",
                     "not ok 4 - the test ends within 40 s\n", "said on the console",
                     'make check-vm TESTS="90"', "\n1..4\n"):
            check.true(text in failing.stdout, f"no {text!r} in its output:\n{failing.stdout}")
        check.true("90-failing: not ok 1 - one is two\n    one: got 1, wanted 2\n"
                   in reasons.read_text(), f"the reasons for make: {reasons.read_text()}")
        pid = int(failing.stdout.split("# process ")[1].split()[0])
        process_wait_end(pid, 10)
        check.equal([path.name for path in folder.iterdir()], ["run.t"], "files left behind")


def run(test):
    run_cache(test)
    run_enter(test)
    run_agent(test)
    run_ends(test)


check.main(run, seconds=300)

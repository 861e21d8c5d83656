# SPDX-License-Identifier: GPL-2.0-or-later
"""Copies of the source tree in which mutants are built, and the tests run, each within bounds."""

import glob
import hashlib
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass

PARTS = ("Makefile", "tools", "dracut-module", "hooks", "tests/unit", "tests/fuzz",
         "tests/golden", "tests/rescue", "tests/power", "tests/faults", "tests/fabric")
TARGETS = ("tools/codec/*.c", "tools/io/*.c", "tools/send/*.c", "tools/recv/*.c")
# Of these a mutant's object is made, and has to be made good again.
FLAVORS = ("asan", "release", "plugin")
# What a mutant may take longer than the code that it was made of.
PATIENCE, PATIENCE_LEAST = 6, 60
PLUGIN = "build/nbdkit-tbimage-plugin.so"
SOAK = "tests/faults/soak.py"
# A build that counts how often each line is executed, also in a child that ends by _exit().
COUNTING = ("FLAVOR=plain", "CFLAGS=-g0 --coverage -D_exit=exit", "FLAVOR_CFLAGS_plain=-O0",
            "WARN=", "LDFLAGS=--coverage")


@dataclass(frozen=True)
class Test:
    name: str
    kind: str  # unit, fuzz, shell or soak

    def command(self, flavor):
        stem = os.path.splitext(self.name)[0]
        if self.kind == "unit":
            return ["tests/unit/run", f"build/{flavor}/{stem}"]
        if self.kind == "fuzz":
            corpus = os.path.join(os.path.dirname(stem), "corpus", os.path.basename(stem)[:-5])
            return [f"build/{flavor}/{stem}", corpus]
        if self.kind == "soak":
            return [SOAK, "--rounds", "25", "--seed", "1"]
        return [self.name]


def files(top):
    for part in PARTS:
        path = os.path.join(top, part)
        if os.path.isfile(path):
            yield part
        for folder, folders, names in os.walk(path):
            folders[:] = [name for name in folders if name != "__pycache__"]
            for name in names:
                yield os.path.relpath(os.path.join(folder, name), top)


def digest(top):
    """A number of all that a verdict depends on."""
    state = hashlib.sha256()
    for path in sorted(files(top)):
        state.update(path.encode() + b"\0")
        with open(os.path.join(top, path), "rb") as f:
            state.update(hashlib.sha256(f.read()).digest())
    return state.hexdigest()[:16]


def sources(top):
    found = {}
    for path in sorted(p for pattern in TARGETS for p in glob.glob(os.path.join(top, pattern))):
        with open(path, encoding="utf-8") as f:
            found[os.path.relpath(path, top)] = f.read()
    return found


def tests(top):
    """All that can tell a mutant from the code. The fabric has none of the code in it."""
    def names(pattern):
        return sorted(os.path.relpath(p, top) for p in glob.glob(os.path.join(top, pattern)))

    found = [Test(p, "unit") for p in names("tests/unit/*/*.c")]
    found += [Test(p, "fuzz") for p in names("tests/fuzz/*/*_fuzz.c")]
    found = [test for test in found if "/fabric/" not in test.name]
    found += [Test(p, "shell") for p in names("tests/unit/*/*_test.sh") + names("tests/rescue/*.t")]
    return found + [Test(p, "soak") for p in names(SOAK)]


def fenced():
    """A prefix for commands: what they start ends with them, and a mutant's kill() finds nobody
    else."""
    fence = ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child",
             "--mount-proc"]
    if os.getuid():
        fence.append("--map-root-user")
    if subprocess.run(fence + ["true"], check=False, capture_output=True).returncode:
        raise SystemExit("mutants: unshare cannot make a process namespace here, and a mutant's "
                         "kill() must not find other programs: run it as root, or allow user "
                         "namespaces")
    # The first process of a namespace has a way of its own with signals: that is the shell.
    return fence + ["sh", "-c", '"$@"; exit "$?"', "sh"]


def clean_environment(**more):
    """Not what make tells the programs that it starts."""
    ours = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "FLAGS_NOW", "SEED")
    return {**{name: value for name, value in os.environ.items() if name not in ours}, **more}


class Tree:
    def __init__(self, top, fence, tmp=None):
        self.top = top
        self.fence = fence
        self.tmp = tmp or top + ".tmp"

    def copy(self, source):
        for path in files(source):
            os.makedirs(os.path.dirname(os.path.join(self.top, path)), exist_ok=True)
            shutil.copy2(os.path.join(source, path), os.path.join(self.top, path))

    def make(self, *arguments):
        """Whether it could be made, and what was said."""
        done = subprocess.run(["make", *arguments], cwd=self.top, check=False, text=True,
                              env=clean_environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        return done.returncode == 0, done.stdout

    def run(self, test, flavor="asan", limit=900, environment=None):
        """Returns (how it ended, seconds): "passed", "failed" or "timed out"."""
        shutil.rmtree(self.tmp, ignore_errors=True)
        os.makedirs(self.tmp)
        # ASan itself writes, as a thread ends, where it then finds an overflow.
        env = clean_environment(TMPDIR=self.tmp, ASAN_OPTIONS="use_sigaltstack=0",
                                **(environment or {}))
        begun = time.monotonic()
        with open(os.path.join(self.tmp, "output"), "wb") as output:
            child = subprocess.Popen(self.fence + test.command(flavor), cwd=self.top, env=env,
                                     stdin=subprocess.DEVNULL, stdout=output,
                                     stderr=subprocess.STDOUT, start_new_session=True)
            how = self.await_end(child, os.path.join(self.tmp, "output"), begun + limit,
                                 test.kind == "shell")
        return how, time.monotonic() - begun

    def run_again(self, test, *arguments):
        """A failure has to come twice: a busy machine alone can make one."""
        how, seconds = self.run(test, *arguments)
        return self.run(test, *arguments) if how == "failed" else (how, seconds)

    def await_end(self, child, output, deadline, early):
        """The first failure of a shell test is its verdict: the rest of it is not waited for."""
        while True:
            try:
                return "passed" if child.wait(0.2 if early else 5) == 0 else "failed"
            except subprocess.TimeoutExpired:
                how = "timed out" if time.monotonic() > deadline else None
            if early and not how:
                with open(output, "rb") as f:
                    how = "failed" if b"\nnot ok" in b"\n" + f.read() else None
            if how:
                self.end(child)
                return how

    def end(self, child):
        """First politely: tests undo their mounts and loop devices."""
        os.killpg(child.pid, signal.SIGTERM)
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


class Worker(Tree):
    """A copy of the base tree, built, in which one line at a time is another."""

    def __init__(self, top, base, fence):
        super().__init__(top, fence)
        self.base = base
        shutil.rmtree(top, ignore_errors=True)
        subprocess.run(["cp", "-a", base, top], check=True)

    def apply(self, mutant):
        path = os.path.join(self.top, mutant.path)
        with open(path, encoding="utf-8") as f:
            lines = f.read().split("\n")
        assert lines[mutant.line - 1] == mutant.before
        lines[mutant.line - 1] = mutant.after
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(lines))

    def restore(self, mutant):
        """Objects too, so that nothing of the file is compiled again before the next mutant."""
        shutil.copy2(os.path.join(self.base, mutant.path), os.path.join(self.top, mutant.path))
        for flavor in FLAVORS:
            path = f"build/{flavor}/{mutant.path[:-2]}.o"
            if os.path.exists(os.path.join(self.base, path)):
                shutil.copyfile(os.path.join(self.base, path), os.path.join(self.top, path))
                os.utime(os.path.join(self.top, path))

    def prepare(self, test):
        """Makes what the test runs, and nothing else. Whether it could be made."""
        if test.kind in ("unit", "fuzz"):
            return self.make("FLAVOR=asan", f"build/asan/{os.path.splitext(test.name)[0]}")[0]
        plugin = ["plugin"] if os.path.exists(os.path.join(self.base, PLUGIN)) else []
        return self.make("programs", *plugin)[0]

    def bare_object(self, path):
        """The object code of a source without debug information, or None if it does not compile."""
        target = f"build/mutants/{path[:-2]}.o"
        made, _ = self.make("O=build/mutants", "CFLAGS=-O2 -g0", target)
        if not made:
            return None
        with open(os.path.join(self.top, target), "rb") as f:
            return f.read()

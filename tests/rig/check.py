# SPDX-License-Identifier: GPL-2.0-or-later
"""A recovery test: its TAP lines, its time limit, its machines and its failure report.

    def run(test):
        left, right = test.pair()
        with test.behaviour("a file arrives bit for bit"):
            ...
            check.equal(got, wanted, "the hash at the other end")

    check.main(run, seconds=120)
"""

import contextlib
import hashlib
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import traceback

from . import cable, cache, keeper, kernel, machine, process, recipe, stream, sysroot


# What make is to be told for tests whose folder has no number.
AGAIN = {"debug": "check-vm-debug", "module": "check-module check-dkms"}

# Where make wants to read why behaviours failed, to say it once more behind all that tests print.
FAILURES = os.environ.get("FAILURES", os.devnull)


class Failure(Exception):
    """Something is not as the test wants it."""


class TimeLimit(BaseException):
    """The whole test has taken too long. No behaviour may go on after it."""


class Skip(Exception):
    """This machine cannot run the test."""


def equal(got, wanted, what):
    if got != wanted:
        raise Failure(f"{what}: got {got!r}, wanted {wanted!r}")


def true(condition, what):
    if not condition:
        raise Failure(what)


def sha256(path, size=None):
    """The hash of a file, or of its first `size` bytes, as sha256sum prints it."""
    digest = hashlib.sha256()
    left = size if size is not None else os.path.getsize(path)
    with open(path, "rb") as file:
        while left:
            data = file.read(min(left, 1 << 20))
            if not data:
                raise Failure(f"{path} is shorter than {size} bytes")
            digest.update(data)
            left -= len(data)
    return digest.hexdigest()


class Test:
    """What a test's run() gets. `folder` is for its files."""

    def __init__(self, name, folder):
        self.name = name
        self.folder = folder
        self.count = 0
        self.failed = 0
        self.machines = []
        self.cables = []

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        for made in self.machines + self.cables:
            made.kill()

    def place(self, name="trixie"):
        """A sysroot; skips the test where it would have to be built and cannot."""
        if not (cache.folder() / recipe.RECIPES[name].key()).is_dir():
            requires("mmdebstrap")
        return sysroot.Sysroot(name)

    def machine(self, name, **options):
        """A machine, not started yet: machine.Machine's options. It ends with the test."""
        options.setdefault("folder", self.folder)
        options.setdefault("place", self.place())
        made = machine.Machine(name, **options)
        self.machines.append(made)
        return made

    def keeper(self, name, guest=None, driver="in-tree", **options):
        """A machine that boots keeper.make()'s root, with its options in `guest`, on the kernel
        that `driver` names: see kernel.py."""
        initrd = self.folder / f"{name}.cpio"
        chosen = kernel.choose(driver, self.place)
        guest = dict({"ours": False, "place": self.place(), "kernel": chosen}, name=name,
                     **(guest or {}))
        keeper.make(initrd, **guest)
        return self.machine(name, **{"initrd": (initrd,), "kernel": chosen.image,
                                       **chosen.machine, **options})

    def cable(self, hosts, cables, seed=None):
        """A fabric; it ends with the test."""
        made = cable.Cable(self.folder, hosts, cables, seed)
        self.cables.append(made)
        return made

    def pair(self, left=None, right=None, lanes=1):
        """Two keepers joined by a cable, booted, each with the other in sight. `left`, `right`:
        options of keeper(), such as {"driver": "6.1"}. One lane spares the seconds of bonding."""
        fabric = self.cable({"left": f"lanes={lanes}", "right": f"lanes={lanes}"}, ["left:right"])
        pair = [self.keeper(name, fabric=fabric.socket(name), **(options or {}))
                for name, options in (("left", left), ("right", right))]
        for made in pair:
            made.start()
        for made in pair:
            made.agent.wait_ready()
        for made in pair:
            stream.service_wait(made.agent)
        return pair

    def disk(self, name, size, content=None):
        """An image file of `size` bytes: a hole, or what content(number) gives for each MiB."""
        path = self.folder / name
        with open(path, "wb") as file:
            for number in range(size >> 20 if content else 0):
                file.write(content(number))
            file.truncate(size)
        return path

    @contextlib.contextmanager
    def behaviour(self, sentence):
        """One named TAP line; an exception inside makes it "not ok", and the test goes on."""
        start = time.monotonic()
        self.count += 1
        try:
            yield
        except TimeLimit:
            self.failed += 1
            print(f"not ok {self.count} - {sentence}", flush=True)
            raise
        except Exception as error:  # noqa: BLE001 - whatever went wrong is the report
            self.failed += 1
            print(f"not ok {self.count} - {sentence}", flush=True)
            diagnose(str(error) or type(error).__name__)
            self.note(sentence, str(error) or type(error).__name__)
            if not isinstance(error, Failure):
                diagnose("".join(traceback.format_tb(error.__traceback__)[-3:]))
        else:
            print(f"ok {self.count} - {sentence}", flush=True)
        if os.environ.get("V"):
            diagnose(f"{time.monotonic() - start:.1f} s")

    def note(self, sentence, reason):
        """Keep the first lines of a reason for the end of all tests."""
        with open(FAILURES, "a", encoding="utf-8") as file:
            file.write(f"{self.name}: not ok {self.count} - {sentence}\n")
            file.writelines(f"    {row[:300]}\n" for row in reason.split("\n")[:6])

    def report(self):
        """The last lines of everything that ran, and how to run this test again."""
        for made in self.machines:
            state = "runs" if made.running() else "has ended"
            diagnose(f"---- {made.name}: console ({state})")
            if made.console:
                diagnose("\n".join(made.console.tail()))
                diagnose(f"---- {made.name}: agent")
                diagnose("\n".join(made.agent.line.tail(12)))
            for path in made.logs():
                if ".qemu." in path.name and path.stat().st_size:
                    diagnose(f"---- {path.name}")
                    diagnose("\n".join(path.read_text(errors="replace").splitlines()[-8:]))
        for made in self.cables:
            diagnose("---- fabric")
            diagnose("\n".join(made.tail()))
        number = self.name.split("-")[0]
        again = (f"check-vm TESTS=\"{number}\"" if number.isdigit()
                 else AGAIN.get(self.name, self.name))
        diagnose(f"To repeat: make {again}    (KEEP=1 keeps the files, V=1 shows times)")


def diagnose(text):
    """Lines for the person who reads: prove shows only what comes on standard error."""
    for row in text.rstrip("\n").split("\n"):
        print(f"# {row}", file=sys.stderr, flush=True)


def requires(program):
    """Skip where the machine lacks a program; where CI is set that is a failure."""
    if shutil.which(program) is None:
        raise Skip(f"{program} is not installed")


def _alarm(_number, _frame):
    raise TimeLimit


def _run(run, test, seconds):
    signal.signal(signal.SIGALRM, _alarm)
    signal.alarm(seconds)
    try:
        run(test)
    except Skip as reason:
        signal.alarm(0)
        if not os.environ.get("CI") and not test.count:
            print(f"1..0 # SKIP {reason}")
            return None
        test.failed += 1
        print(f"not ok {test.count + 1} - this machine can run the test\n# {reason}")
        test.count += 1
    except TimeLimit:
        test.failed += 1
        test.count += 1
        print(f"not ok {test.count} - the test ends within {seconds} s")
        test.note(f"the test ends within {seconds} s", traceback.format_exc(-1))
        diagnose(traceback.format_exc())
    except Exception:  # noqa: BLE001
        test.failed += 1
        test.count += 1
        print(f"not ok {test.count} - the test gets to its end")
        test.note("the test gets to its end", traceback.format_exc(-1))
        diagnose(traceback.format_exc())
    signal.alarm(0)
    if test.failed:
        test.report()
    print(f"1..{test.count}", flush=True)
    return test.failed == 0


@contextlib.contextmanager
def alone():
    """Time is measured: no other test runs meanwhile. The wait for that is not the test's."""
    left = signal.alarm(0)
    cache.turn(alone=True)
    signal.alarm(left)
    try:
        yield
    finally:
        cache.turn_share()


def main(run, seconds):
    """Run one test and exit."""
    process.setup()
    cache.turn()
    name = pathlib.Path(sys.argv[0]).resolve().parent.name
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"tbstream-{name}-"))
    good = False
    try:
        with Test(name, folder) as test:
            good = _run(run, test, seconds)
    finally:
        process.kill_all()
        if os.environ.get("KEEP") == "1" and good is False:
            diagnose(f"its files are in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if good is False else 0)

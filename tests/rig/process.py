# SPDX-License-Identifier: GPL-2.0-or-later
"""Child processes that never outlive the rig, however it ends."""

import atexit
import os
import signal
import subprocess

_children = []


def with_parent(argv, number=signal.SIGKILL):
    """A command line that gets this signal when the thread that starts it ends, even by SIGKILL.
    So children are started by the main thread."""
    name = signal.Signals(number).name.removeprefix("SIG")
    return ["setpriv", "--pdeathsig", name, "--", *map(str, argv)]


class Child:
    """A process in a group of its own, its output in a file."""

    def __init__(self, name, argv, log, pass_fds=(), stdout=None, env=None):
        self.name = name
        self.log = log
        with open(log, "ab") as output:
            self.popen = subprocess.Popen(
                with_parent(argv), stdin=subprocess.DEVNULL, stdout=stdout or output,
                stderr=output, pass_fds=pass_fds, env=dict(os.environ, **(env or {})),
                start_new_session=True)
        _children.append(self)

    def running(self):
        return self.popen.poll() is None

    def wait(self, seconds):
        """Its exit code, or None if it still runs after that time."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def kill(self):
        """End it and all it has started. Twice is fine."""
        if self not in _children:
            return
        _children.remove(self)
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.popen.wait()
        if self.popen.stdout:
            self.popen.stdout.close()


def kill_all():
    """End every child, the last first."""
    for child in reversed(list(_children)):
        child.kill()


def _exit_on_signal(number, _frame):
    raise SystemExit(128 + number)


def setup():
    """For a program's main: children end when it ends, also on a signal."""
    atexit.register(kill_all)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, _exit_on_signal)

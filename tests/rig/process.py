# SPDX-License-Identifier: GPL-2.0-or-later
"""Child processes that never outlive the rig, however it ends."""

import atexit
import ctypes
import os
import signal
import subprocess

PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)
_children = []


def die_with_parent(number=signal.SIGKILL):
    """For a child between fork and exec: be killed when the thread that started us ends. So
    children are started by the main thread."""
    _libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


def stop_with_parent():
    """The same for a child that has something to clean up."""
    die_with_parent(signal.SIGTERM)


def _child_setup():
    os.setsid()
    die_with_parent()


class Child:
    """A process in a group of its own, its output in a file."""

    def __init__(self, name, argv, log, pass_fds=(), stdout=None, env=None):
        self.name = name
        self.log = log
        with open(log, "ab") as output:
            self.popen = subprocess.Popen(
                [str(word) for word in argv], stdin=subprocess.DEVNULL,
                stdout=stdout or output, stderr=output, pass_fds=pass_fds,
                env=dict(os.environ, **(env or {})), preexec_fn=_child_setup)
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
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _exit_on_signal)

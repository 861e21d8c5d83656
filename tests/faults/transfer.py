# SPDX-License-Identifier: GPL-2.0-or-later
"""One round: both programs over a cable that fails, until both have ended."""

import os
import select
import signal
import subprocess
import time

from cable import Cable
from plan import SIDES

TIMEOUT = 15  # seconds that a program waits for the other one
LOOK = 0.1  # seconds, between two looks at what a receiver says that may linger
LINGERS = b"is complete here: waiting"  # tbrecv, for a sender that may not know it


class Program:
    """tbsend or tbrecv, with all that it said in all its runs."""

    def __init__(self, name, argv, log, env):
        self.name, self.argv, self.log, self.env = name, argv, log, env
        self.process = self.pidfd = self.code = self.due = None
        self.killed = []  # the phases
        self.asked = False

    def start(self):
        self.due = self.code = None
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env=self.env, start_new_session=True)
        self.pidfd = os.pidfd_open(self.process.pid)

    def signal(self, number):
        if self.process and self.process.returncode is None:
            os.killpg(self.process.pid, number)

    def kill(self, fault):
        """As by kill -9; the same command follows after up to 0.3 s."""
        self.killed.append(fault.phase)
        self.signal(signal.SIGKILL)
        self.process.wait()
        self.gone()
        self.due = time.monotonic() + 0.3 * fault.inner

    def gone(self):
        if self.pidfd is not None:
            os.close(self.pidfd)
            self.pidfd = None

    def ended(self):
        return self.pidfd is None and self.due is None

    def watched(self, poll):
        if self.pidfd is not None:
            poll.register(self.pidfd, select.POLLIN)
        return None if self.due is None else max(self.due - time.monotonic(), 0)

    def step(self, ready):
        if self.pidfd is not None and self.pidfd in ready:
            self.code = self.process.wait()
            self.gone()
        if self.due is not None and time.monotonic() >= self.due:
            self.start()

    def said(self):
        with open(self.log, "rb") as log:
            return log.read()

    def last(self):
        lines = self.said().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""


class Transfer:
    """FLOW is backup or restore; files and sockets are in FOLDER, the source is SOURCE."""

    def __init__(self, folder, programs, plan, source, output):
        self.output = os.path.join(folder, output)
        near, far = (os.path.join(folder, name) for name in ("near", "far"))
        common = ["-t", str(TIMEOUT), "-s"]
        into = ["-o", self.output] if plan.flow == "backup" else ["--force", self.output]
        # A sanitizer's finding is no refusal.
        env = dict(os.environ, ASAN_OPTIONS="exitcode=99", UBSAN_OPTIONS="exitcode=99",
                   TSAN_OPTIONS="exitcode=99")
        self.send = Program("tbsend", [f"{programs}/tbsend", *common, f"unix:{near}", source],
                            os.path.join(folder, "send.log"), env)
        self.recv = Program("tbrecv", [f"{programs}/tbrecv", *common, f"unix:{far}", *into],
                            os.path.join(folder, "recv.log"), env)
        self.both = (self.send, self.recv)
        self.cable = Cable(near, far, plan.faults, self.kill)

    def kill(self, fault):
        program, = (p for p in self.both if p.name == SIDES[fault.way])
        program.kill(fault)

    def run(self, bound):
        """Whether both ended within BOUND seconds."""
        end = time.monotonic() + bound
        try:
            for program in self.both:
                program.start()
            while not all(program.ended() for program in self.both):
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self.step(left)
                self.hurry()
            return True
        finally:
            for program in self.both:
                program.signal(signal.SIGKILL)
                program.gone()
                if program.process:
                    program.process.wait()
            self.cable.close()

    def step(self, left):
        poll = select.poll()
        parts = (*self.both, self.cable)
        waits = [part.watched(poll) for part in parts]
        wait = min([left] + [w for w in waits if w is not None])
        if self.send.ended():
            wait = min(wait, LOOK)
        ready = dict(poll.poll(wait * 1000 + 1))
        for part in parts:
            part.step(ready)

    def hurry(self):
        """As a user does, who has seen the sender end: Ctrl-C to a receiver that has it all."""
        if self.send.ended() and not self.recv.ended() and not self.recv.asked \
                and LINGERS in self.recv.said():
            self.recv.asked = True
            self.recv.signal(signal.SIGTERM)

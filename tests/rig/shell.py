# SPDX-License-Identifier: GPL-2.0-or-later
"""Two joined machines under a person's hands: `rig shell`."""

import contextlib
import os
import select
import sys
import termios
import tty

SWITCH = b"\x1d"  # Ctrl-]


@contextlib.contextmanager
def terminal_raw():
    """Every key goes to the guest."""
    before = termios.tcgetattr(sys.stdin)
    tty.setraw(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def say(text):
    sys.stdout.write(f"\r\n[{text}]\r\n")
    sys.stdout.flush()


def talk(machines):
    """A shell on each machine, one of them at the terminal; Ctrl-] goes to the next. Ends when a
    shell does."""
    jobs = [machine.agent.spawn("cd; exec sh -i", pty=True) for machine in machines]
    shown = [0] * len(jobs)
    now = 0
    say(f"{machines[now].name}; Ctrl-] switches, exit ends both")
    jobs[now].send(b"\r")
    with terminal_raw():
        while all(job.running() for job in jobs):
            text = jobs[now].out[shown[now]:]
            shown[now] += len(text)
            sys.stdout.buffer.write(text)
            sys.stdout.flush()
            # The machine's line is read by a thread: look at it often enough for a person.
            if not select.select([sys.stdin], [], [], 0.03)[0]:
                continue
            keys = os.read(sys.stdin.fileno(), 1024)
            before, found, after = keys.partition(SWITCH)
            jobs[now].send(before)
            if found:
                now = (now + 1) % len(jobs)
                say(machines[now].name)
                jobs[now].send(after or b"\r")
    print()

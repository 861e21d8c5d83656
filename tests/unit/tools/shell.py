#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What shell_test.sh cannot do in shell: somebody at a terminal who runs tbstream shell.

    shell.py SCENARIO SOCKET [SERVER-PID]

The shell at the other end has "there# " as its prompt. However a scenario ends, the terminal has to
be what it was.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

PROMPT = "there# "
SECONDS = 20


class Terminal:
    """A terminal of 33 lines, and tbstream shell in it."""

    def __init__(self, socket):
        self.master, self.slave = pty.openpty()
        self.resize(33, 77)
        self.before = termios.tcgetattr(self.slave)
        self.said = ""
        self.at = 0
        self.process = subprocess.Popen(
            ["tbstream", "shell", "-t", "20", "-s", socket], stdin=self.slave, stdout=self.slave,
            stderr=self.slave, start_new_session=True, env=dict(os.environ, TERM="vt220"),
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.expect(r"Ctrl-\] and then \. leaves it")
        self.expect(PROMPT)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode())

    def expect(self, pattern):
        end = time.monotonic() + SECONDS
        while not (match := re.compile(pattern, re.MULTILINE).search(self.said, self.at)):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                sys.exit(f"no /{pattern}/ behind {self.said[-300:]!r}")
            self.said += os.read(self.master, 65536).decode(errors="replace").replace("\r", "")
        self.at = match.end()

    def run(self, command, pattern):
        self.type(command + "\r")
        self.expect(pattern)
        self.expect(PROMPT)

    def ended(self, code):
        got = self.process.wait(SECONDS)
        if got != code:
            sys.exit(f"it ended with {got}, not {code}: {self.said[-300:]!r}")
        if termios.tcgetattr(self.slave) != self.before:
            sys.exit("the terminal is not what it was")


def size(terminal):
    terminal.run("stty size; echo $TERM", "^33 77\nvt220$")
    terminal.resize(44, 99)
    terminal.run("stty size", "^44 99$")
    leave(terminal)


def interrupt(terminal):
    terminal.type("sh -c 'echo sleeping; exec sleep 1000'\r")
    terminal.expect("^sleeping")
    terminal.type("\x03")
    terminal.expect(PROMPT)
    terminal.type("yes\r")
    terminal.expect("^y\ny\ny\n")
    terminal.type("\x03")
    terminal.expect(PROMPT)
    terminal.run("echo $((6 * 7))", "^42$")
    terminal.type("exit 5\r")
    terminal.expect("has ended")
    terminal.ended(5)


def keys(terminal):
    """Every byte of a keyboard but the lines' ends, and the detach key doubled."""
    terminal.type("stty raw -echo; echo ready; head -c 254 | od -An -v -tu1 | tr -s ' \\n' '  '; "
                  "stty sane\r")
    terminal.expect("^ready")
    typed = [byte for byte in range(256) if byte not in (10, 13, 0x1d)]
    os.write(terminal.master, bytes(typed) + b"\x1d\x1d")
    terminal.expect(" ".join(str(byte) for byte in typed + [0x1d]))
    leave(terminal)


def leave(terminal):
    terminal.type("\x1d.")
    terminal.expect("left the shell of")
    terminal.ended(0)


def stop(terminal):
    """As a user of job control does from another terminal: it is raw again when it goes on."""
    terminal.process.send_signal(signal.SIGSTOP)
    os.waitpid(terminal.process.pid, os.WUNTRACED)
    termios.tcsetattr(terminal.slave, termios.TCSANOW, terminal.before)
    terminal.resize(10, 20)
    terminal.process.send_signal(signal.SIGCONT)
    terminal.run("stty size", "^10 20$")
    leave(terminal)


def term(terminal):
    terminal.process.send_signal(signal.SIGTERM)
    terminal.ended(1)


def quit_(terminal):
    terminal.process.send_signal(signal.SIGQUIT)
    terminal.ended(-signal.SIGQUIT)


def hangup(terminal):
    os.close(terminal.master)
    terminal.process.wait(SECONDS)


def gone(terminal):
    os.kill(int(sys.argv[3]), signal.SIGKILL)
    terminal.expect("the other side ended, or the cable was pulled")
    terminal.ended(1)


if __name__ == "__main__":
    {"size": size, "interrupt": interrupt, "keys": keys, "leave": leave, "stop": stop, "term": term,
     "quit": quit_, "hangup": hangup, "gone": gone}[sys.argv[1]](Terminal(sys.argv[2]))

# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands inside a guest. The messages are described in agent/main.c."""

import re
import shlex
import time

from . import line


class CommandFailed(Exception):
    """A command in a guest ended otherwise than it should."""


def _escape(data):
    return "".join(chr(byte) if 32 <= byte <= 126 and byte != 92 else f"\\{byte:02x}"
                   for byte in data)


def _unescape(text):
    return re.sub(r"\\([0-9a-f]{2})", lambda match: chr(int(match[1], 16)), text).encode("latin-1")


class Job:
    """A command that runs, or has run, in the guest."""

    def __init__(self, agent, number, command):
        self.agent = agent
        self.number = number
        self.command = command
        self.out = b""
        self.err = b""
        self.status = None

    def __str__(self):
        return f"{self.agent.name}# {self.command}"

    def text(self):
        """Its standard output as text without the last newline."""
        return self.out.decode(errors="replace").rstrip("\n")

    def _wait(self, condition, seconds, complaint):
        try:
            self.agent.wait(condition, seconds, f"{self} {complaint}")
        except TimeoutError as error:
            raise TimeoutError(f"{error}, and said: {self.all_text()}") from None

    def wait(self, seconds=30):
        """Wait for its end; returns its exit code."""
        self._wait(lambda: self.status is not None, seconds, "did not end")
        return self.status

    def check(self, seconds=30):
        """Wait for its end, which must be 0; returns its text."""
        if self.wait(seconds) != 0:
            raise CommandFailed(f"{self}\nexit code {self.status}\n{self.all_text()}".rstrip())
        return self.text()

    def expect(self, pattern, seconds=30):
        """Wait until a pattern stands in what it printed, on whichever output."""
        expression = re.compile(pattern, re.MULTILINE)
        self._wait(lambda: expression.search(self.all_text()) or self.status is not None,
                   seconds, f"did not say /{pattern}/")
        if not expression.search(self.all_text()):
            raise CommandFailed(f"{self} ended ({self.status}) without /{pattern}/\n"
                                f"{self.all_text()}".rstrip())
        return expression.search(self.all_text())

    def all_text(self):
        """Both outputs."""
        return (self.out + self.err).decode(errors="replace")

    def running(self):
        """Whether it has not ended, as far as the guest has told."""
        self.agent.poll()
        return self.status is None

    def send(self, data):
        """Data for its standard input."""
        for start in range(0, len(data), 1024):
            self.agent.send(f"in {self.number} {_escape(data[start:start + 1024])}")

    def send_end(self):
        """End of its standard input."""
        self.agent.send(f"eof {self.number}")

    def kill(self, number=9):
        """A signal to it and all it has started."""
        self.agent.send(f"kill {self.number} {number}")


class Agent:
    """The agent of one guest, at the end of its second serial line."""

    def __init__(self, name, serial):
        self.name = name
        self.line = serial
        self.events = []
        self._jobs = {}
        self._ready = False
        self._count = 0

    def send(self, message):
        self.line.send(message + "\n")

    def _handle(self, message):
        verb, _, rest = message.partition(" ")
        if verb == "ready":
            self._ready = True
        elif verb == "event":
            self.events.append(_unescape(rest).decode(errors="replace"))
        elif verb in ("out", "err", "exit"):
            number, _, data = rest.partition(" ")
            job = self._jobs[int(number)]
            if verb == "exit":
                job.status = int(data)
            else:
                setattr(job, verb, getattr(job, verb) + _unescape(data))
        else:
            raise CommandFailed(f"{self.name}: the agent says {message!r}")

    def _take(self, seconds):
        """One message more."""
        def parse(text, position):
            end = text.find("\n", position)
            return None if end < 0 else (text[position:end].rstrip("\r"), end + 1)
        self._handle(self.line.take(seconds, parse))

    def poll(self):
        """Take what has come already."""
        try:
            while True:
                self._take(0)
        except TimeoutError:
            pass

    def wait(self, condition, seconds, complaint):
        """Take messages until condition() holds."""
        limit = time.monotonic() + seconds
        try:
            while not condition():
                self._take(max(0, limit - time.monotonic()))
        except TimeoutError:
            raise TimeoutError(f"{complaint} within {seconds} s") from None
        except line.Ended as error:
            raise line.Ended(f"{complaint}: {error}") from None

    def wait_ready(self, seconds=180):
        """Wait until the guest has booted."""
        self.wait(lambda: self._ready, seconds, f"{self.name}: the agent was not ready")

    def forget(self):
        """The machine was reset: nothing runs in it, and it will say ready again."""
        self._ready = False
        self._jobs.clear()

    def spawn(self, command, pty=False):
        """Start a shell command and go on."""
        self._count += 1
        job = self._jobs[self._count] = Job(self, self._count, command)
        mode = "pty" if pty else "pipe"
        self.send(f"run {job.number} {mode} {_escape(command.encode())}")
        return job

    def run(self, command, seconds=30):
        """Run a shell command to its end, which must be good; returns what it printed."""
        return self.spawn(command).check(seconds)

    def code(self, command, seconds=30):
        """Run a shell command to its end; returns its exit code."""
        return self.spawn(command).wait(seconds)

    def wait_until(self, command, seconds=30, event=""):
        """Run a shell command at every uevent that has `event` in it, until it succeeds; returns
        what it printed. A command that causes events itself has to name another."""
        limit = time.monotonic() + seconds
        while True:
            seen = len(self.events)
            job = self.spawn(command)
            if job.wait(max(1, limit - time.monotonic())) == 0:
                return job.text()
            self.wait(lambda: any(event in text for text in self.events[seen:]),
                      max(0, limit - time.monotonic()),
                      f"{job} did not succeed, and no event came,")

    def wait_path(self, pattern, seconds=30):
        """Wait until a path, a pattern perhaps, exists; returns it."""
        return self.wait_until(f"ls -d {pattern} 2>/dev/null", seconds)

    def write(self, path, data, mode=0o644):
        """A small file in the guest."""
        quoted = shlex.quote(path)
        job = self.spawn(f"cat > {quoted} && chmod {mode:o} {quoted}")
        job.send(data)
        job.send_end()
        job.check()

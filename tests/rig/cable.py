# SPDX-License-Identifier: GPL-2.0-or-later
"""The emulated USB4 cable: the fabric process and its control socket."""

import pathlib
import select
import shutil
import socket
import subprocess
import tempfile
import time

from . import keeper, process


class Cable:
    """A fabric with hosts and the cables between them. `hosts`: {name: options}, an options text
    such as "lanes=1" or "". `cables`: "A:B" or "A:B,unplugged", numbered from 0."""

    def __init__(self, folder, hosts, cables, seed=None):
        self.folder = pathlib.Path(folder)
        self.hosts = hosts
        self.log = self.folder / "fabric.log"
        self._control = self._replies = None
        # A socket's path has at most 107 bytes, and a work folder may be deep.
        self._sockets = pathlib.Path(tempfile.mkdtemp(prefix="fabric-"))
        argv = [keeper.built("fabric"), "--control", self._sockets / "control"]
        if seed is not None:
            argv += ["--seed", seed]
        for name, options in hosts.items():
            argv += ["--host", f"{name}={self.socket(name)}" + (options and f",{options}")]
        for cable in cables:
            argv += ["--cable", cable]
        self.process = process.Child("the fabric", argv, self.log, stdout=subprocess.PIPE)
        try:
            self._wait_ready(10)
        except OSError as error:
            self.kill()
            raise RuntimeError(f"the fabric did not start: {error}\n"
                               + self.log.read_text(errors="replace")) from None

    def _wait_ready(self, seconds):
        limit = time.monotonic() + seconds
        output = self.process.popen.stdout
        line = b""
        while not line.endswith(b"\n"):
            if not select.select([output], [], [], max(0, limit - time.monotonic()))[0]:
                raise TimeoutError(f"no line of its own in {seconds} s")
            byte = output.read1(1)
            if not byte:
                raise ConnectionError("it ended")
            line += byte
        if line.strip() != b"ready":
            raise ConnectionError(f"it said {line!r}")

    def socket(self, host):
        """The path of the socket that a host's machine connects to."""
        return self._sockets / host

    def command(self, text):
        """One command to the control socket; what follows "ok" in the reply."""
        if self._control is None:
            self._control = socket.socket(socket.AF_UNIX)
            self._control.settimeout(10)
            self._control.connect(str(self._sockets / "control"))
            self._replies = self._control.makefile("r")
        self._control.sendall(text.encode() + b"\n")
        reply = self._replies.readline()
        word, _, rest = reply.strip().partition(" ")
        if word != "ok":
            raise RuntimeError(f"fabric: {text}: {reply.strip() or 'it ended'}")
        return rest

    def plug(self, number=0):
        self.command(f"plug {number}")

    def unplug(self, number=0):
        self.command(f"unplug {number}")

    def fault(self, rule):
        """Add a fault, as "drop dir=ab pdf=2 at=+10"; its number."""
        return self.command(f"fault add {rule}")

    def taken(self, number):
        """How many frames have run into the fault with this number."""
        rule = self.command("fault list").split()[int(number) - 1]
        return int(rule.partition("taken=")[2])

    def tail(self, lines=20):
        return self.log.read_text(errors="replace").splitlines()[-lines:]

    def kill(self):
        if self._control:
            self._control.close()
        self.process.kill()
        shutil.rmtree(self._sockets, ignore_errors=True)

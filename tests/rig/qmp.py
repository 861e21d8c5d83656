# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's control socket."""

import json
import socket
import time


class Qmp:
    """One end of a socket pair; QEMU has the other."""

    def __init__(self):
        self.ours, self.theirs = socket.socketpair()
        self.events = []
        self._buffer = b""

    def start(self, seconds=30):
        """QEMU has its end now: greet it."""
        self.theirs.close()
        self._take(time.monotonic() + seconds)
        self.execute("qmp_capabilities")

    def _take(self, limit):
        while b"\n" not in self._buffer:
            self.ours.settimeout(max(0.001, limit - time.monotonic()))
            data = self.ours.recv(65536)
            if not data:
                raise ConnectionError("QEMU has ended")
            self._buffer += data
        text, self._buffer = self._buffer.split(b"\n", 1)
        return json.loads(text)

    def execute(self, command, seconds=30, **arguments):
        """Run a command; its result. Underscores of argument names stand for dashes."""
        request = {"execute": command}
        if arguments:
            request["arguments"] = {name.replace("_", "-"): value
                                    for name, value in arguments.items()}
        self.ours.sendall(json.dumps(request).encode() + b"\n")
        limit = time.monotonic() + seconds
        while True:
            reply = self._take(limit)
            if "event" in reply:
                self.events.append(reply["event"])
            elif "error" in reply:
                raise RuntimeError(f"QEMU: {command}: {reply['error']['desc']}")
            else:
                return reply["return"]

    def wait_event(self, name, seconds=30):
        """Wait for an event that was not waited for yet."""
        limit = time.monotonic() + seconds
        while name not in self.events:
            reply = self._take(limit)
            if "event" in reply:
                self.events.append(reply["event"])
        self.events.remove(name)

    def close(self):
        self.ours.close()
        self.theirs.close()

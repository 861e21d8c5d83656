# SPDX-License-Identifier: GPL-2.0-or-later
"""A serial line of a machine: all it has said, and waiting for what it says next."""

import re
import socket
import threading
import time


# Rows of a failure report are cut here.
COLUMNS = 160


class Ended(Exception):
    """The other end of the line is gone: the machine has ended."""


class Line:
    """One end of a socket pair; the machine has the other. A thread of its own reads it, so that
    the machine never stands still because nobody listens."""

    def __init__(self, name):
        self.name = name
        self.ours, self.theirs = socket.socketpair()
        self.text = ""
        self.ended = False
        self._position = 0
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, name=name, daemon=True)

    def start(self):
        """The machine has its end now."""
        self.theirs.close()
        self._thread.start()

    def _read(self):
        while True:
            try:
                data = self.ours.recv(65536)
            except OSError:
                data = b""
            with self._changed:
                # One character a byte: a character that is cut in two must not be lost.
                self.text += data.decode("latin-1")
                self.ended = not data
                self._changed.notify_all()
            if not data:
                return

    def send(self, text):
        """Type a text; "\\r" is the enter key."""
        try:
            self.ours.sendall(text.encode())
        except OSError as error:
            raise Ended(f"{self.name}: {error.strerror}") from None

    def take(self, seconds, parse):
        """Wait until parse(text, position) returns something: (result, new position). Text before
        the position is what earlier waits have consumed."""
        limit = time.monotonic() + seconds
        with self._changed:
            while True:
                found = parse(self.text, self._position)
                if found is not None:
                    result, self._position = found
                    return result
                if self.ended:
                    raise Ended(f"{self.name}: the machine has ended")
                left = limit - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                self._changed.wait(left)

    def expect(self, pattern, seconds):
        """Wait for a pattern after what was found last; returns the match."""
        expression = re.compile(pattern, re.MULTILINE)

        def parse(text, position):
            match = expression.search(text, position)
            return match and (match, match.end())
        try:
            return self.take(seconds, parse)
        except TimeoutError:
            raise TimeoutError(f"{self.name}: /{pattern}/ did not come in {seconds} s") from None
        except Ended:
            raise Ended(f"{self.name}: the machine ended before /{pattern}/ came") from None

    def seen(self, pattern):
        """Whether a pattern stands anywhere in all that was said so far."""
        with self._changed:
            return re.search(pattern, self.text, re.MULTILINE) is not None

    def tail(self, lines=20):
        """The last lines, printable."""
        with self._changed:
            rows = self.text.replace("\r", "").rstrip("\n").split("\n")[-lines:]
        return [re.sub(r"[^ -~\t]", "?", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", row))[:COLUMNS]
                for row in rows]

    def close(self):
        self.ours.close()
        self.theirs.close()

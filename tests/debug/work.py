# SPDX-License-Identifier: GPL-2.0-or-later
"""Streams between the two machines, and work on them that is cut short."""

from rig import check, exercise, stream

# A guest whose kernel watches itself is slow, and the more so beside other tests.
SECONDS = 90
LIMIT = f"limit:{1000 * SECONDS}"

# What a transfer may end with when the cable, the peer or the driver goes away under it.
GONE = ("ENXIO", "EPIPE", "EIO")


def make(left, right, name):
    """A stream made by one of the two and followed by the other."""
    for side in (left, right):
        side.found()
    left.stream = stream.create(left.agent, name)
    right.stream = stream.follow(right.agent, name, SECONDS)


def remove(left, right):
    for side in (left, right):
        side.stream.remove()
        side.stream = None


def transfer(writer, reader, size="64K"):
    """One stream of bytes, from open to end of file."""
    read = reader.exercise(LIMIT, "open:@:r", f"read:{size}", "drain", "close")
    wrote = writer.exercise(LIMIT, "open:@:w", f"write:{size}", "close")
    amount = wrote.result("write", SECONDS).want(f"the writer {writer.name}").value
    read.result("read", SECONDS).got(f"the reader {reader.name}", amount, "enough")
    read.result("drain", SECONDS).got(f"the end on {reader.name}", 0)
    read.result("close", SECONDS).want(f"close() on {reader.name}", 0)
    wrote.result("close", SECONDS).want(f"close() on {writer.name}", 0)
    for script in (read, wrote):
        script.end(SECONDS)


def settle(side):
    """Wait until the last stream has come to its end: one that is opened now would meet that end.
    An attribute can be written then, and not before."""
    path = f"{side.stream.config}/ring_size"
    side.agent.run(f"for i in 1 2 3 4 5; do cat {path} > {path} && exit; done; exit 1", SECONDS)


class Busy:
    """A writer and a reader without an end of their own."""

    def __init__(self, writer, reader):
        self.sides = writer, reader
        self.read = reader.exercise(LIMIT, "open:@:r", "read:64K", "drain", "close")
        self.wrote = writer.exercise(LIMIT, "open:@:w", "write:4G", "close")

    def opened(self):
        for script in (self.wrote, self.read):
            script.result("open", SECONDS).want("open()", 0)
        return self

    def flows(self):
        """Wait until bytes have come."""
        self.read.result("read", SECONDS).got("the reader", 64 << 10, "enough")
        return self

    def broken(self, what, side=None):
        """Both end by themselves, or the one on that side, and know why."""
        for here, script, step in zip(self.sides, (self.wrote, self.read), ("write", "drain")):
            if here is (side or here):
                found = script.result(step, SECONDS)
                check.true(found.error in GONE, f"{what}: one of {GONE} was wanted: {found.line}")
                script.end(SECONDS)

    def stopped(self):
        """Who had not begun when the cable was pulled goes on when it is back; he is killed."""
        for side in self.sides:
            side.stop()
        for script in (self.wrote, self.read):
            script.job.wait(SECONDS)
        for side in self.sides:
            settle(side)


def open_only(side, flags):
    """A script that has the device open until it is told to go on."""
    script = exercise.Exercise(side.agent, LIMIT, f"open:{side.stream.device}:{flags}", "wait",
                               "close")
    script.result("open", SECONDS).want("open()", 0)
    return script

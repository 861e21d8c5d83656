#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a cable does to a stream: it is pulled out, and frames are spoilt, lost or doubled."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, scenario  # noqa: E402
from rig.scenario import Scenario, THERE  # noqa: E402

FRAME = 4096
DATA, CLOSE = 2, 3  # PDFs
BAD = 10  # the number of the frame that is damaged, from 0
SIZE = 64 * FRAME


def there(cable, kind, at=0, pdf=DATA):
    """A fault on the way from the left to the right, at that frame of the stream."""
    cable.fault(f"{kind} dir=ab hop={THERE} pdf={pdf} at=+{at}")


def reader_start(side, *steps):
    reader = side.exercise("limit:3000", *steps)
    reader.result("open").want("the reader's open()", 0)
    return reader


def works_again(left, right, what):
    """A new stream on the same devices."""
    reader = right.exercise("open:@:r", "limit:10000", "pattern:1G", "drain", "close")
    writer = left.exercise("open:@:w", "pattern:1G", f"write:{SIZE}", "close")
    reader.result("drain").got(what, SIZE)
    writer.result("close").want("close()", 0)


def unplugged_before_read(left, right, cable):
    """The reader comes back to its descriptor when all is over."""
    reader = reader_start(right, "open:@:r", "wait", "poll:in:0", "drain", "readonce:1",
                          "poll:in:0", "wait", "readonce:1", "poll:in:0", "close")
    there(cable, "unplug", at=128)
    writer = left.exercise("open:@:w", "write:16M:16M", "poll:out:0", "wait", "writeonce:1",
                           "close")
    writer.result("write").want("the writer of an unplugged stream", error="ENXIO")
    for side in (left, right):
        side.lost()
    reader.go()
    polled = reader.result("poll").value.split("|")
    reader.result("drain").got("the reader of an unplugged stream", 128 * FRAME, "ENXIO")
    check.true("IN" in polled and "HUP" in polled, f"poll() before reading said {polled}")
    reader.result("readonce").want("the next read()", 0, "ENXIO")
    polled = reader.result("poll.2").value
    check.true("HUP" in polled.split("|"), f"poll() after reading said {polled}")
    polled = writer.result("poll").value
    check.true("HUP" in polled.split("|"), f"poll() of the writer said {polled}")

    scenario.plug(left, right, cable)
    for script in (reader, writer):
        script.go()
    reader.result("readonce.2").want("read() after the replug", 0, "ENXIO")
    writer.result("writeonce").want("write() after the replug", 0, "ENXIO")
    check.true("HUP" in reader.result("poll.3").value.split("|"), "poll() has lost its HUP")
    writer.result("close").want("the writer's close()", -1, "ENXIO")
    works_again(left, right, "the reader after the replug")


def unplugged_while_reading(left, right, cable):
    """Then both open again at once: the new stream begins when the cable is back."""
    again = "open:@:{}", "pattern:1G"
    there(cable, "unplug", at=1000)
    reader = reader_start(right, "open:@:r", "drain", "close", "limit:60000",
                          *(step.format("r") for step in again), "drain", "close")
    writer = left.exercise("open:@:w", "pump", "close", *(step.format("w") for step in again),
                           f"write:{SIZE}", "close")
    reader.result("drain").got("the reader when the cable is pulled", 1000 * FRAME, "ENXIO")
    pumped = writer.result("pump").want("the writer", error="ENXIO")
    check.true(pumped.value >= 1000 * FRAME, f"less was written than was read: {pumped.line}")
    writer.result("close").want("the writer's close()", -1, "ENXIO")
    for side in (left, right):
        side.lost()
    scenario.plug(left, right, cable)
    reader.result("drain.2", 60).got("the reader after the replug", SIZE)
    writer.result("close.2").want("close() after the replug", 0)


def unplugged_while_waiting(left, right, cable):
    reader = reader_start(right, "open:@:rw", "thread", "poll:in:3000", "end", "drain", "join",
                          "writeonce:1", "close")
    left_reader = reader_start(left, "open:@:r", "drain", "close")
    check.true(reader.comes("drain", 0.3) is None, "the reader does not wait")
    cable.unplug()
    reader.result("drain").got("a reader that waits", 0, "ENXIO")
    left_reader.result("drain").got("a reader that waits", 0, "ENXIO")
    check.true("HUP" in reader.result("poll").value, "poll() waits on")
    reader.result("writeonce").want("write() to an unplugged stream", 0, "ENXIO")


def crc_error(left, right, cable):
    there(cable, "crc", at=BAD)
    reader = reader_start(right, "open:@:rw", "wait", "poll:in:0", "drain", "readonce:1",
                          "writeonce:1", "poll:in:0", "close")
    writer = left.exercise("open:@:w", "limit:5000", "write:16M:16M", "writeonce:1", "close")
    writer.comes("write", 1)
    reader.go()
    reader.result("drain").got("the reader of a spoilt frame", BAD * FRAME, "EIO")
    reader.result("readonce").want("read() after a spoilt frame", 0, "EIO")
    reader.result("writeonce").want("write() after a spoilt frame", 0, "EIO")
    reader.result("close")
    writer.result("write").want("the writer of a spoilt frame", error="EPIPE", sigpipe=1)
    writer.result("writeonce").want("its next write()", 0, "EPIPE")
    writer.result("close").want("close() of what did not arrive", -1, error=None)
    works_again(left, right, "the reader of a new stream")


def crc_error_in_close(left, right, cable):
    there(cable, "crc", pdf=CLOSE)
    reader = reader_start(right, "open:@:r", "drain", "readonce:1", "close")
    writer = left.exercise("open:@:w", f"write:{SIZE}", "close")
    reader.result("drain").got("the reader of a spoilt CLOSE", SIZE, "EIO")
    reader.result("readonce").want("read() after a spoilt CLOSE", 0, "EIO")
    reader.result("close")
    writer.result("close")
    works_again(left, right, "the reader of a new stream")


def _counted(left, right, cable, kind, arrived):
    there(cable, kind, at=BAD)
    reader = reader_start(right, "open:@:r", "drain", "readonce:1", "close")
    writer = left.exercise("open:@:w", f"write:{SIZE}", "close")
    reader.result("drain").want(f"the end of a stream after a {kind}", arrived, "EIO",
                                wrong=(BAD + (kind == "duplicate")) * FRAME)
    reader.result("readonce").want("read() after that", 0, "EIO")
    reader.result("close")
    writer.result("close")
    works_again(left, right, "the reader of a new stream")


def frame_lost(left, right, cable):
    _counted(left, right, cable, "drop", SIZE - FRAME)


def frame_doubled(left, right, cable):
    _counted(left, right, cable, "duplicate", SIZE + FRAME)


scenario.main(
    Scenario("after an unplug the reader gets what had arrived, then ENXIO", unplugged_before_read,
             fault="the reader of an unplugged stream: .*result=0 error=ENXIO"),
    Scenario("a reader at work loses nothing that had arrived", unplugged_while_reading,
             fault="when the cable is pulled|after the replug"),
    Scenario("who waits for data is told that the cable is gone", unplugged_while_waiting,
             fault=""),
    Scenario("a frame with a CRC error is not data: EIO, until the stream is opened anew",
             crc_error, fault="the reader of a spoilt frame: .* wrong=4"),
    Scenario("a CLOSE with a CRC error is no end of file", crc_error_in_close,
             fault="the reader of a spoilt CLOSE: .*TIMEOUT"),
    Scenario("a lost frame is noticed at the end", frame_lost,
             fault="after a drop: .*error=- "),
    Scenario("a doubled frame is noticed at the end", frame_doubled,
             fault="after a duplicate: .*error=- "),
    seconds=180)

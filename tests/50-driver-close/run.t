#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The end of a stream: close() of the writer, of the reader, and what kills them."""

import pathlib
import statistics
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, scenario  # noqa: E402
from rig.scenario import Scenario  # noqa: E402

# More than a receive ring holds (256 frames of 4 KiB), less than both rings: all of it is accepted
# by write() before the reader has taken anything.
TAIL = 1600 << 10
RING = 256 << 12

# A reader that has opened the device and reads when it is told to.
PATIENT = "open:@:r", "limit:3000", "wait", "drain", "close"

LINGER = "/sys/module/tbstream/parameters/linger"


def reader_start(side, *steps):
    reader = side.exercise(*(steps or PATIENT))
    reader.result("open").want("the reader's open()", 0)
    return reader


def got_some(result, most, what="the reader"):
    """Whole frames that arrived before the rest was given up, and an error after them."""
    check.true(0 < result.value < most and result.value % 4096 == 0,
               f"{what}: wanted frames, but less than {most} bytes; seen: {result.line}")
    result.got(what, result.value, "EIO")


def slow_reader(left, right, _cable):
    reader = reader_start(right)
    writer = left.exercise("open:@:w", f"write:{TAIL}", "close")
    writer.result("write").want("the writer", TAIL)
    early = writer.comes("close", 1.5)
    reader.go()
    reader.result("drain").got("the slow reader", TAIL)
    check.true(early is None, f"close() came back before the reader read: {early}")
    writer.result("close").want("close()", 0)


def full_ring(left, right, _cable):
    reader = reader_start(right)
    writer = left.exercise("open:@:w,nonblock", "fill", "mark:full", "close")
    writer.result("mark")
    reader.go()
    accepted = writer.result("fill").want("the writer").value
    check.true(accepted > RING, f"the rings took {accepted} bytes only")
    reader.result("drain").got("the reader after a full ring", accepted)
    writer.result("close").want("close()", 0)


def quick_close(left, right, _cable):
    took = []
    for _ in range(5):
        reader = reader_start(right, "open:@:r", "read:64K", "drain", "close")
        writer = left.exercise("open:@:w", "write:64K", "wait", "close")
        reader.result("read").got("the reader", 64 << 10, "enough")
        writer.go()
        took.append(writer.result("close").want("the writer's close()", 0).ms)
        reader.result("drain").got("the reader", 0)
        took.append(reader.result("close").want("the reader's close()", 0).ms)
    alone = left.do("open:@:rw", "close")[-1].want("close() of an unused stream", 0)
    took.append(alone.ms)
    check.true(statistics.median(took) < 50, f"close() took {took} ms")


def killed_in_close(left, right, _cable):
    reader = reader_start(right)
    writer = left.exercise("child", "open:@:w", f"write:{TAIL}", "signal:300:KILL", "close", "end",
                           "reap")
    wrote = writer.result("write").want("the writer", TAIL)
    reaped = writer.result("reap").want("the writer in close()", "signal:9")
    spare = reaped.ms - writer.result("open").ms - wrote.ms - 300
    reader.go()
    got_some(reader.result("drain"), TAIL)
    check.true(spare < 500, f"the killed writer lived {spare:.0f} ms longer in close()")


def killed_in_write(left, right, _cable):
    reader = reader_start(right)
    writer = left.exercise("child", "open:@:w", "signal:1000:KILL", "write:16M:64K", "end",
                           "reap")
    writer.result("reap").want("the writer in write()", "signal:9")
    reader.go()
    got_some(reader.result("drain"), 16 << 20)


def killed_after_delivery(left, right, _cable):
    reader = reader_start(right, "open:@:r", "limit:3000", "read:64K", "drain", "close")
    writer = left.exercise("child", "open:@:w", "write:64K", "signal:300:KILL", "sleep:5000",
                           "end", "reap")
    reader.result("read").got("the reader", 64 << 10, "enough")
    writer.result("reap").want("the writer", "signal:9")
    reader.result("drain").got("the reader of a killed writer", 0)


def exit_without_close(left, right, _cable):
    reader = reader_start(right)
    writer = left.exercise("child", "open:@:w", f"write:{TAIL}", "end", "reap")
    writer.result("reap").want("the writer", "exit:0")
    reader.go()
    reader.result("drain").got("the reader of a writer that has exited", TAIL)


def lost_peer(left, right, cable):
    both = "open:@:rw", f"write:{TAIL}"
    closer, syncer = left.exercise(*both, "close"), right.exercise(*both, "fsync", "close")
    for script in (closer, syncer):
        script.result("write").want("the writer", TAIL)
    cable.unplug()
    closer.result("close").want("close() when the peer is lost", -1, "ENXIO")
    syncer.result("fsync").want("fsync() when the peer is lost", -1, "ENXIO")
    syncer.result("close").want("close() after that", -1, "ENXIO")


def lingering(left, right, _cable):
    left.agent.run(f"echo 1 > {LINGER}")
    try:
        reader = reader_start(right)
        writer = left.exercise("open:@:w", f"write:{TAIL}", "close")
        closed = writer.result("close").want("close() after its linger", -1, "ETIMEDOUT")
        check.true(900 < closed.ms < 2500, f"it lingered for {closed.ms} ms instead of 1000")
        reader.go()
        got_some(reader.result("drain"), TAIL)
    finally:
        left.agent.run(f"echo -1 > {LINGER}")


def broken_pipe(left, right, _cable):
    reader = reader_start(right, "open:@:r", "read:64K", "close")
    writer = left.exercise("open:@:w", "limit:3000", "write:16M:16M", "write:1", "poll:out:0",
                           "sigpipe:ignore", "write:1", "close")
    reader.result("close").want("the reader's close()", 0)
    wrote = writer.result("write").want("the writer", error="EPIPE", sigpipe=1)
    check.true(wrote.value < 16 << 20, f"more was written than the rings hold: {wrote.line}")
    writer.result("write.2").want("the next write()", 0, "EPIPE", sigpipe=1)
    polled = writer.result("poll").value
    check.true("HUP" in polled.split("|"), f"poll() of the writer said {polled}")
    writer.result("write.3").want("write() without the signal", 0, "EPIPE", sigpipe=None)
    check.true("sigpipe" not in writer.result("write.3").more, "SIGPIPE came though ignored")


def killed_by_sigpipe(left, right, _cable):
    reader = reader_start(right, "open:@:r", "read:64K", "close")
    writer = left.exercise("limit:5000", "child", "sigpipe:default", "open:@:w", "write:16M", "end",
                           "reap")
    reader.result("close").want("the reader's close()", 0)
    writer.result("reap").want("the writer", "signal:13")


def later_reader(left, right, _cable):
    """The writer of the old stream is still there, and stays at its end."""
    reader = reader_start(right, "open:@:r", "read:64K", "close", "open:@:r", "pattern:1G",
                          "poll:in:1000", "drain", "close")
    old = left.exercise("open:@:w", "limit:10000", "write:16M:16M", "wait", "write:4K", "close")
    reader.result("poll").want("the later reader's poll() with no new writer", "none")
    old.result("write").want("the old writer", error="EPIPE")
    new = left.exercise("open:@:w", "pattern:1G", "write:512K", "close")
    new.result("close").want("the new writer's close()", 0)
    reader.result("drain").got("the later reader", 512 << 10)
    old.go()
    old.result("write.2").want("the old writer beside the new one", 0, "EPIPE")


def later_writer(left, right, _cable):
    """The writer begins anew before there is a new reader."""
    reader = reader_start(right, "open:@:r", "read:64K", "close", "wait", "open:@:r", "pattern:1G",
                          "limit:3000", "drain", "close")
    old = left.exercise("open:@:w", "limit:10000", "write:16M:16M", "close")
    old.result("write").want("the old writer", error="EPIPE")
    new = left.exercise("open:@:w", "pattern:1G", "write:512K", "close")
    new.result("write").want("the new writer", 512 << 10)
    reader.go()
    reader.result("drain").got("the later reader", 512 << 10)
    new.result("close").want("the new writer's close()", 0)


def stays_at_end(left, right, _cable):
    """An old descriptor beside a new stream: one that was read, and one that was not."""
    reader = reader_start(right, "open:@:r", "drain", "poll:in,rdhup:0", "use:1", "open:@:r",
                          "pattern:1G", "mark:new", "wait", "use:2", "open:@:r", "limit:3000",
                          "pattern:2G", "drain", "use:1", "drain", "use:0", "drain")
    left.do("open:@:w", "write:64K", "close")
    reader.result("drain").got("the first reader", 64 << 10)
    reader.result("poll").want("poll() at the end", "IN|RDHUP|HUP")
    reader.result("mark")
    left.do("open:@:w", "pattern:1G", "write:32K", "close")
    new = left.exercise("open:@:w", "pattern:2G", "write:16K", "close")
    new.result("write").want("the third writer", 16 << 10)
    reader.go()
    reader.result("drain.2").got("the third reader", 16 << 10)
    reader.result("drain.3").got("the second reader, who comes late", 32 << 10)
    reader.result("drain.4").got("the first reader, again", 0)


def many_streams(left, right, _cable):
    """One after the other, without a word between the two sides."""
    rounds = 20
    steps = [("open:@:r", f"pattern:{number}G", "drain", "close") for number in range(rounds)]
    reader = reader_start(right, *sum(steps, ()))
    steps = [("open:@:w", f"pattern:{number}G", "write:256K", "close") for number in range(rounds)]
    writer = left.exercise(*sum(steps, ()))
    writer.end(60)
    reader.end(60)
    for result in writer.seen_all():
        result.want("the writer")
    for number in range(1, rounds + 1):
        reader.result(f"drain.{number}").got(f"the reader of stream {number}", 256 << 10)


scenario.main(
    Scenario("close() loses nothing, however slow the reader is", slow_reader,
             fault="slow reader: .*TIMEOUT"),
    Scenario("CLOSE is sent when the ring is full", full_ring,
             fault="the reader after a full ring: .*TIMEOUT"),
    Scenario("close() takes less than 50 ms where nothing is outstanding", quick_close,
             fault="close.. took"),
    Scenario("a writer that is killed in close() ends, and its reader gets EIO", killed_in_close,
             fault="TIMEOUT"),
    Scenario("a writer that is killed in write() ends, and its reader gets EIO", killed_in_write,
             fault="the reader: (wanted frames|.*TIMEOUT)"),
    Scenario("a writer that is killed with nothing outstanding leaves an end of file",
             killed_after_delivery, fault=""),
    Scenario("what a program wrote arrives though it exits without close()", exit_without_close,
             fault="the reader of a writer that has exited: .*TIMEOUT"),
    Scenario("close() and fsync() tell that the peer was lost", lost_peer,
             fault="close.. when the peer is lost: .*result=0"),
    Scenario("close() gives up after its linger, with ETIMEDOUT", lingering),
    Scenario("when the reader closes, the writer gets EPIPE and SIGPIPE", broken_pipe,
             fault="the writer: .*TIMEOUT"),
    Scenario("SIGPIPE kills who does not care for it", killed_by_sigpipe,
             fault="the writer: .*TIMEOUT"),
    Scenario("a later reader starts a new stream", later_reader,
             fault="poll.. with no new writer: .*result=IN"),
    Scenario("a later writer starts a new stream", later_writer,
             fault="the old writer: .*TIMEOUT"),
    Scenario("20 streams one after the other do not mix", many_streams),
    Scenario("an old descriptor stays at its end beside a new stream", stays_at_end),
    seconds=180)

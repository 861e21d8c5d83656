#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The beginning of a stream: who opens first, and open() where there is no peer."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, scenario, stream  # noqa: E402
from rig.scenario import Scenario  # noqa: E402

SIZE = 256 << 10
ROUNDS = 10
QUICK = 100  # ms; what waits waits for seconds

# A misc device that every kernel has.
OTHER = "/dev/cpu_dma_latency"

NO_PEER = "999-1.1"


def early_writer(left, right, _cable):
    """More than once: what is provoked depends on when the first frames come."""
    for _ in range(ROUNDS):
        writer = left.exercise("open:@:w", f"write:{SIZE}", "wait", "close")
        writer.result("write").want("the early writer", SIZE)
        reader = right.exercise("open:@:r", "limit:3000", f"read:{SIZE}", "drain", "close")
        reader.result("read").got("the reader behind an early writer", SIZE, "enough")
        writer.go()
        reader.result("drain").got("the reader", 0)
        for script in (writer, reader):
            script.end()


def early_close(left, right, _cable):
    writer = left.exercise("open:@:w", f"write:{SIZE}", "close")
    writer.result("write").want("the early writer", SIZE)
    early = writer.comes("close", 1.5)
    reader = right.exercise("open:@:r", "limit:3000", "drain", "close")
    reader.result("drain").got("the reader behind a writer that closes", SIZE)
    check.true(early is None, f"close() came back before there was a reader: {early}")
    writer.result("close").want("close()", 0)


def blocked_writer(left, right, _cable):
    """The writer has filled all there is before the reader opens."""
    writer = left.exercise("open:@:w", "write:8M:8M", "close")
    check.true(writer.comes("write", 0.5) is None, "8 MiB were accepted with no reader")
    reader = right.exercise("open:@:r", "limit:3000", "drain", "close")
    reader.result("drain").got("the reader behind a blocked writer", 8 << 20)
    writer.result("write").want("the writer", 8 << 20, short=0)
    writer.result("close").want("close()", 0)


def early_reader(left, right, _cable):
    reader = right.exercise("open:@:r", "limit:10000", "drain", "close")
    check.true(reader.comes("drain", 1) is None, "the reader did not wait")
    left.do("open:@:w", f"write:{SIZE}", "close")
    reader.result("drain").got("the early reader", SIZE)


def both_at_once(left, right, _cable):
    both = ("open:@:rw", "limit:3000", "thread", f"read:{SIZE}", "end", f"write:{SIZE}", "join",
            "wait", "close")
    for _ in range(ROUNDS):
        scripts = left.exercise(*both), right.exercise(*both)
        for script in scripts:
            script.result("write").want("a writer of both", SIZE)
            script.result("read").got("a reader of both", SIZE, "enough")
        for script in scripts:
            script.go()
        for script in scripts:
            script.end()


def no_peer(left, right, cable):
    scenario.unplug(left, right, cable)
    for flags in ("r", "w", "rw", "r,nonblock", "w,nonblock", "rw,nonblock"):
        script = left.exercise("limit:2000", f"open:@:{flags}", "poll:in,out:100", "limit:300",
                               "close")
        opened = script.result("open").want(f"open() for {flags} without a peer", 0)
        check.true(opened.ms < QUICK, f"open() without a peer took long: {opened.line}")
        script.result("poll").want("poll() without a peer", "none")
        closed = script.result("close").want("close() without a peer", 0)
        check.true(closed.ms < QUICK, f"close() without a peer took long: {closed.line}")
    results = left.do("open:@:rw,nonblock", "readonce:1", "writeonce:1", "close")
    for result in results[1:3]:
        result.want("without a peer and with O_NONBLOCK", 0, "EAGAIN")
    results = left.do("limit:300", "open:@:rw", "readonce:1", "writeonce:1", "close")
    for result in results[2:4]:
        result.want("without a peer", 0, "TIMEOUT")


def waits_for_peer(left, right, cable):
    scenario.unplug(left, right, cable)
    reader = right.exercise("open:@:r", "thread", "poll:in:20000", "end", "drain", "join", "close")
    writer = left.exercise("open:@:w", "thread", "poll:out:20000", "end", "write:4M", "join",
                           "close")
    for script in (reader, writer):
        script.result("open").want("open() without a peer", 0)
    check.true(reader.comes("drain", 0.5) is None and writer.seen("write") is None,
               "they did not wait for the peer")
    cable.plug()
    writer.result("write").want("the writer that was there before the peer", 4 << 20)
    reader.result("drain").got("the reader that was there before the peer", 4 << 20)
    reader.result("poll").want("poll() of the reader", "IN")
    writer.result("poll").want("poll() of the writer", "OUT")
    writer.result("close").want("close()", 0)


def others_open(left, right, cable):
    """While open() has no peer to wait for, the machine's other misc devices can be opened."""
    left.agent.run(f"mkdir -p {stream.CONFIG}/{NO_PEER}/second")
    second = stream.Stream(left.agent, NO_PEER, "second").device
    scenario.unplug(left, right, cable)
    waiting = left.exercise("limit:3000", "mark:opens", "open:@:rw", "limit:2000", "readonce:1",
                            "close")
    waiting.result("mark")
    for device in (OTHER, second):
        other = left.exercise("limit:5000", f"open:{device}:rw", "close").result("open")
        check.true(other.error == "" and other.ms < QUICK, "beside an open() without a peer, "
                   f"another open() took long: {other.line}")
    waiting.result("open").want("open() without a peer", 0)


scenario.main(
    Scenario("a writer may open first, and write", early_writer,
             fault="the reader behind an early writer: .*TIMEOUT"),
    Scenario("a writer may open first, write and close", early_close,
             fault="the reader behind a writer that closes: .*TIMEOUT"),
    Scenario("a writer may open first and fill the rings", blocked_writer,
             fault="TIMEOUT|8 MiB"),
    Scenario("a reader may open first", early_reader, fault=""),
    Scenario("both may open at once", both_at_once),
    Scenario("open() succeeds at once without a peer; read, write and poll wait", no_peer,
             fault="without a peer: .*(TIMEOUT|ENXIO)"),
    Scenario("who opened without a peer begins when it comes", waits_for_peer),
    Scenario("open() without a peer keeps no other misc device waiting", others_open,
             fault="another open.. took long"),
    seconds=180)

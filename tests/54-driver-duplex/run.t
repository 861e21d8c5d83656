#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Both directions of a stream beside each other, and what read(), write(), splice() and poll()
return."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, scenario  # noqa: E402
from rig.scenario import Scenario  # noqa: E402

BIG = 16 << 20
SOME = 4 << 20  # more than the rings of both sides hold, and soon made
PIECE = 64 << 10
ODD = 1, 4095, 4096, 4097, 100001
PASSED = (4 << 20) + 1234  # no multiple of a frame, a page or a pipe

FAULT = 1500  # ms that a page takes to come
QUICK = 500  # ms; who waits for such a page takes longer
INTERRUPT = 1000  # ms until a signal; by then the rings are full

FILE = "/run/passed"


def start(side, *steps, flags="rw"):
    script = side.exercise(f"open:@:{flags}", *steps)
    script.result("open").want(f"open() for {flags}", 0)
    return script


def read_beside(left, right, _cable):
    """A thread waits in read(), with one descriptor for both directions, or with two."""
    for own in ((), ("use:1", "open:@:rw")):
        peer = start(left, f"read:{PIECE}", f"write:{PIECE}", "wait", "close")
        both = start(right, "thread", f"read:{PIECE}", "end", "wait", *own, f"write:{PIECE}",
                     "join")
        check.true(both.comes("read", 0.2) is None, "the reader does not wait")
        both.go()
        wrote = both.result("write").want("write() beside a read() that waits", PIECE)
        check.true(wrote.ms < QUICK, f"write() beside a read() took long: {wrote.line}")
        peer.result("read").got("the peer's reader", PIECE, "enough")
        both.result("read").got("the reader that waited", PIECE, "enough")
        peer.go()
        for script in (both, peer):
            script.end()


def write_beside(left, right, _cable):
    """A thread waits in write(), since the peer reads nothing yet."""
    peer = start(left, "poll:in:10000", "wait", f"write:{PIECE}", "wait", f"read:{SOME}", "wait",
                 "close")
    both = start(right, "thread", f"write:{SOME}:{SOME}", "end", "wait", f"read:{PIECE}", "drain")
    peer.result("poll").want("the peer of a write() that waits", "IN")
    both.go()
    check.true(both.comes("write", 0.2) is None, f"{SOME} bytes were accepted without a reader")
    peer.go()
    both.result("read").got("the reader beside a write() that waits", PIECE, "enough")
    check.true(both.seen("write") is None, "the writer did not wait")
    peer.go()
    both.result("write").want("the writer that waited", SOME)
    peer.result("read").got("the peer's reader", SOME, "enough")
    peer.go()
    both.result("drain").got("the reader at the end", 0)


def both_ways(left, right, _cable):
    """CLOSE ends both directions, so the one who closes cannot see an end of file: each in turn."""
    work = "wait", "thread", f"read:{BIG}", "end", f"write:{BIG}", "join"
    for one, other in ((left, right), (right, left)):
        scripts = start(one, *work, "wait", "close"), start(other, *work, "drain", "close")
        for script in scripts:
            script.go()
        for script in scripts:
            script.result("write").want("a writer of both ways", BIG)
            script.result("read").got("a reader of both ways", BIG, "enough")
        scripts[0].go()
        scripts[1].result("drain").got("the one who does not close", 0)
        for script in scripts:
            script.result("close").want("close()", 0)


def closed_beside(left, right, _cable):
    """The peer closes while one thread is in read() and another one in write()."""
    peer = start(left, "wait", f"write:{PIECE}", "wait", f"write:{PIECE}", "close")
    both = start(right, "thread", "limit:3000", f"write:{SOME}:{SOME}", "writeonce:1", "end",
                 f"read:{PIECE}", "drain", "readonce:1", "join", "sigpipe:ignore", "writeonce:1",
                 "close")
    peer.go()
    both.result("read").got("the reader", PIECE, "enough")
    check.true(both.comes("drain", 0.3) is None, "the reader does not wait")
    peer.go()
    both.result("drain").got("the reader when the peer closes", PIECE)
    both.result("readonce").got("the reader after the end", 0)
    # What was accepted first, and no signal for that; it comes with the next call.
    wrote = both.result("write").want("the writer when the peer closes", error="EPIPE", calls=2,
                                      short=1, sigpipe=1)
    check.true(0 < wrote.value < SOME, f"the writer's count: {wrote.line}")
    both.result("writeonce").want("the next write()", 0, "EPIPE", sigpipe=1)
    last = both.result("writeonce.2").want("write() without the signal", 0, "EPIPE")
    check.true("sigpipe" not in last.more, f"SIGPIPE came though ignored: {last.line}")


def fault_in_write(left, right, _cable):
    """The kernel waits for a page of what is written; data for the reader is there."""
    both = start(right, "poll:in:5000", "thread", f"slowwrite:{FAULT}", "end", "sleep:200",
                 f"read:{PIECE}", "join", "wait", "close")
    peer = start(left, f"write:{PIECE}", "read:4K", "drain")
    done = both.result("read").got("the reader", PIECE, "enough")
    check.true(done.ms < QUICK, f"read() beside a page fault in write() took long: {done.line}")
    slow = both.result("slowwrite").want("the write() with a page fault", 4096)
    check.true(slow.ms >= FAULT, f"there was no page fault: {slow.line}")
    peer.result("read").got("the peer", 4096, "enough")
    both.go()
    peer.result("drain").got("the peer at the end", 0)


def fault_in_read(left, right, _cable):
    both = start(right, "poll:in:5000", "thread", f"slowread:{FAULT}", "end", "sleep:200",
                 f"write:{PIECE}", "join", "wait", "close")
    peer = start(left, "write:4K", f"read:{PIECE}", "drain")
    wrote = both.result("write").want("the writer", PIECE)
    check.true(wrote.ms < QUICK, f"write() beside a page fault in read() took long: {wrote.line}")
    peer.result("read").got("the peer", PIECE, "enough")
    slow = both.result("slowread").want("the read() with a page fault", 4096)
    check.true(slow.ms >= FAULT and "wrong" not in slow.more,
               f"there was no page fault, or wrong bytes: {slow.line}")
    both.go()
    peer.result("drain").got("the peer at the end", 0)


def long_write(left, right, _cable):
    reader = start(right, "drain", flags="r")
    writer = start(left, f"writeonce:{BIG}", "close", flags="w")
    writer.result("writeonce").want("one write()", BIG, short=0)
    reader.result("drain").got("the reader", BIG)


def interrupted_write(left, right, _cable):
    reader = start(right, "wait", "drain", flags="r")
    writer = start(left, f"signal:{INTERRUPT}:USR1", f"writeonce:{SOME}", "close", flags="w")
    wrote = writer.result("writeonce").want("the interrupted write()", short=1)
    check.true(0 < wrote.value < SOME, f"the interrupted write(): {wrote.line}")
    check.true(wrote.ms > INTERRUPT / 2, f"write() was short before the signal: {wrote.line}")
    reader.go()
    reader.result("drain").got("the reader", wrote.value)
    writer.result("close").want("close()", 0)


def interrupted_early(left, right, _cable):
    """Before any byte, since there is none, or no room. The other descriptor's all arrive."""
    reader = start(right, "signal:300:USR1", "readonce:1", "wait", "drain", flags="r")
    reader.result("readonce").want("read() with a signal", 0, "EINTR")
    writer = start(left, "poll:out:5000", "fill", "use:1", "open:@:w", "signal:300:USR1",
                   "writeonce:1", "use:0", "poll:out:10000", "close", "use:1", "close",
                   flags="w,nonblock")
    writer.result("writeonce").want("write() with a signal", 0, "EINTR")
    reader.go()
    reader.result("drain").got("the reader", writer.result("fill").value)


def no_waiting(left, right, _cable):
    """O_NONBLOCK. The rings are full only once all has moved on into the peer's."""
    reader = start(right, "readonce:1", "use:1", "open:@:r", "wait", "drain", flags="r,nonblock")
    reader.result("readonce").want("read() of an empty stream", 0, "EAGAIN")
    writer = start(left, "poll:out:5000", f"writeonce:{SOME}", "fill", "writeonce:1",
                   "poll:out:10000", "close", flags="w,nonblock")
    first = writer.result("writeonce").want("the first write()", short=1)
    check.true(0 < first.value < SOME, f"the first write(): {first.line}")
    filled = writer.result("fill").want("the writer that fills the rings")
    writer.result("writeonce.2").want("write() without room", 0, "EAGAIN")
    reader.go()
    reader.result("drain").got("the reader", first.value + filled.value)


def what_is_there(left, right, _cable):
    """Each write() is a frame of its own, and the reader is never a call ahead."""
    reader = start(right, "readonce:64K", "wait", "readonce:40", "readonce:64K", flags="r")
    writer = start(left, "writeonce:100", "wait", "writeonce:100", "wait", flags="w")
    reader.result("readonce").got("read() of more than there is", 100, "enough")
    reader.go()
    check.true(reader.comes("readonce.2", 0.2) is None, "read() did not wait for any byte")
    writer.go()
    reader.result("readonce.2").got("read() of less than there is", 40, "enough")
    reader.result("readonce.3").got("read() of the rest", 60, "enough")


def nothing(left, right, _cable):
    """Nothing to read yet, and no room to write, so that only those of no length can return."""
    reader = start(right, "limit:2000", "readonce:0", "limit:20000", "wait", "drain",
                   flags="r")
    reader.result("readonce").got("read() of nothing", 0)
    writer = start(left, "writeonce:0", "poll:out:5000", "use:1", "open:@:w,nonblock", "fill",
                   "limit:2000", "writeonce:0", "use:0", "writeonce:0", "limit:20000", "close",
                   "use:1", "close", flags="w")
    for name in ("writeonce", "writeonce.2", "writeonce.3"):
        writer.result(name).want("write() of nothing", 0, short=0)
    reader.go()
    # The second descriptor's bytes count from 0, and they are all.
    reader.result("drain").got("the reader", writer.result("fill").value)


def passed_in(left, right, _cable):
    left.do(f"open:{FILE}:w,create", f"write:{PASSED}", "close")
    for verb in ("sendfile-from", "splice-from"):
        reader = start(right, "drain", "close", flags="r")
        writer = start(left, f"{verb}:{FILE}:{PASSED}", "close", flags="w")
        writer.result(verb).want("into the device", PASSED)
        reader.result("drain").got(f"the reader of {verb}", PASSED)
        for script in (reader, writer):
            script.end()


def passed_out(left, right, _cable):
    """It is asked for more than there is, and ends with the stream."""
    for verb in ("sendfile-to", "splice-to"):
        reader = start(right, f"{verb}:{FILE}:{2 * PASSED}", "close", f"open:{FILE}:r", "drain",
                       flags="r")
        writer = start(left, f"write:{PASSED}", "close", flags="w")
        reader.result(verb).want("out of the device", PASSED)
        reader.result("drain").got(f"the file of {verb}", PASSED)
        for script in (reader, writer):
            script.end()


def odd_sizes(left, right, _cable):
    """In pieces that have nothing to do with frames, on either side."""
    for size in ODD:
        reader = start(right, f"drain:{size if size > 1 else 7}", flags="r")
        writer = start(left, *(f"write:{odd}" for odd in ODD * 3), "close", flags="w")
        reader.result("drain").got(f"the reader of pieces of {size}", 3 * sum(ODD))
        for script in (reader, writer):
            script.end()


def polling(left, right, _cable):
    reader = start(right, "poll:in,out:1000", "poll:in:0", "poll:in:5000", "poll:in,out:0", "wait",
                   "read:1", "poll:in:0", f"read:{PIECE - 1}", "poll:in:0", "wait", "drain")
    reader.result("poll").want("poll() of a new stream", "OUT")
    reader.result("poll.2").want("poll() for data that has not come", "none")
    check.true(reader.comes("poll.3", 0.2) is None, "poll() did not wait for data")
    writer = start(left, "poll:out:1000", f"write:{PIECE}", "wait", "fill", "poll:out:0",
                   "poll:out:5000", "writeonce:1", "wait", "close", flags="w,nonblock")
    writer.result("poll").want("poll() of a new writer", "OUT")
    reader.result("poll.3").want("poll() that has waited for data", "IN")
    reader.result("poll.4").want("poll() of both", "IN|OUT")
    reader.go()
    reader.result("read").got("the reader", 1, "enough")
    reader.result("poll.5").want("poll() in mid-frame", "IN")
    reader.result("read.2").got("the reader", PIECE - 1, "enough")
    reader.result("poll.6").want("poll() when all is read", "none")
    writer.go()
    filled = writer.result("fill").want("the writer that fills the rings")
    writer.result("poll.2").want("poll() without room", "none")
    check.true(writer.comes("poll.3", 0.2) is None, "poll() did not wait for room")
    reader.go()
    writer.result("poll.3").want("poll() that has waited for room", "OUT")
    writer.result("writeonce").want("write() after poll() said OUT", 1)
    writer.go()
    reader.result("drain").got("the reader", filled.value + 1)


scenario.main(
    Scenario("read() that waits does not keep write() waiting", read_beside, fault=""),
    Scenario("write() that waits does not keep read() waiting", write_beside, fault=""),
    Scenario(f"{BIG >> 20} MiB each way at once, and an end of file", both_ways, fault=""),
    Scenario("CLOSE ends both ways: what arrived and EOF, EPIPE and SIGPIPE", closed_beside,
             fault="the writer when the peer closes: .*(ENXIO|TIMEOUT)"),
    Scenario("a page fault in write() does not keep read() waiting", fault_in_write,
             fault="beside a page fault in write.. took long"),
    Scenario("a page fault in read() does not keep write() waiting", fault_in_read,
             fault="beside a page fault in read.. took long"),
    Scenario(f"one write() of {BIG >> 20} MiB returns all of it", long_write,
             fault="one write.*short=1"),
    Scenario("a signal makes write() short", interrupted_write),
    Scenario("a signal before any byte is EINTR", interrupted_early, fault=""),
    Scenario("O_NONBLOCK: a short count, then EAGAIN", no_waiting, fault=""),
    Scenario("read() returns what is there", what_is_there, fault=""),
    Scenario("read() and write() of no length return 0 at once", nothing,
             fault="of nothing: .*TIMEOUT"),
    Scenario("sendfile() and splice() into the device", passed_in,
             fault="into the device: .*EINVAL"),
    Scenario("sendfile() and splice() out of the device", passed_out,
             fault="out of the device: .*EINVAL"),
    Scenario("writes and reads of odd sizes", odd_sizes, fault=""),
    Scenario("poll() says OUT where there is room, IN where there is data", polling, fault=""),
    seconds=180)

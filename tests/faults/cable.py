# SPDX-License-Identifier: GPL-2.0-or-later
"""A cable between two unix: sockets, with the faults of a plan.

It takes what each side writes as the frames that a real one has: 4096 bytes at most, none with
parts of two records. From the records' headers it knows the phase of the transfer.
"""

import select
import socket
import struct
import time

from plan import PHASES

FRAME = 4096
HEADER = 48
ONCE = 262144
RETRY = 0.02

HELLO, OFFER, ACCEPT, DATA, ZERO, END, RESULT, BYE, UNREADABLE = 1, 2, 3, 4, 5, 9, 10, 11, 14
PHASE_OF = {HELLO: "hello", OFFER: "offer", ACCEPT: "accept", DATA: "data", ZERO: "data",
            UNREADABLE: "data", END: "end", RESULT: "result", BYE: "result"}
# What each phase begins with is what the other side's words are held back for.
OPENS = {"offer": (OFFER,), "accept": (ACCEPT,), "data": (DATA, ZERO), "end": (END,),
         "result": (RESULT,)}


class Way:
    """One direction: bytes come in, frames go out."""

    def __init__(self, cable, name, source, sink):
        self.cable, self.name, self.source, self.sink = cable, name, source, sink
        self.pending = bytearray()  # came, and is no whole frame yet or has to wait
        self.out = bytearray()
        self.left = self.frames = self.number = 0  # of the record: bytes, frames, which is next
        self.type = None
        self.counts = {}  # records by type
        self.swapped = None  # a frame that waits for the next one
        self.ended = False

    def record(self):
        """Begins with the next record, if its header is here."""
        if len(self.pending) < HEADER:
            return False
        if self.pending[:4] != b"TBS1":
            raise ValueError(f"no record where one was due: {bytes(self.pending[:HEADER])}")
        self.type = self.pending[5]
        self.left = HEADER + struct.unpack_from("<I", self.pending, 12)[0]
        self.frames, self.number = -(-self.left // FRAME), 0
        self.counts[self.type] = self.counts.get(self.type, 0) + 1
        self.cable.enter(PHASE_OF.get(self.type))
        return True

    def chunks(self):
        return self.counts.get(DATA, 0) + self.counts.get(ZERO, 0)

    def pass_on(self):
        """Lets through what may go now."""
        while not self.cable.over and not self.cable.stalled:
            if not self.left and not self.record():
                break
            size = min(FRAME, self.left)
            if self.cable.holds(self) or len(self.pending) < size:
                break
            frame = bytes(self.pending[:size])
            del self.pending[:size]
            self.left -= size
            self.frame(frame)
            self.number += 1
        if self.ended and not self.cable.over:
            self.rest()

    def rest(self):
        """What is here when the writer is gone, in the midst of a frame perhaps."""
        self.out += self.pending
        self.pending.clear()

    def frame(self, frame):
        fault = self.cable.fault()
        if self.swapped:
            self.out += frame + self.swapped
            self.swapped = None
            self.cable.effect()
        elif fault and fault.way == self.name and self.cable.hits(self, fault):
            getattr(self, f"make_{fault.kind}")(fault, frame)
        else:
            self.out += frame

    def make_drop(self, _fault, _frame):
        self.cable.effect()

    def make_double(self, _fault, frame):
        self.out += frame + frame
        self.cable.effect()

    def make_flip(self, fault, frame):
        bit = int(fault.inner * len(frame) * 8)
        frame = bytearray(frame)
        frame[bit // 8] ^= 1 << bit % 8
        self.out += frame
        self.cable.effect()

    def make_swap(self, _fault, frame):
        self.swapped = frame

    def make_truncate(self, fault, frame):
        self.out += frame[:1 + int(fault.inner * (len(frame) - 1))]
        self.cable.effect()

    def make_stall(self, _fault, _frame):
        self.cable.effect()
        self.cable.stalled = True

    def make_close(self, fault, frame):
        if fault.passes:
            self.out += frame
        self.cable.effect()
        self.cable.over = True

    def make_kill(self, fault, frame):
        if fault.passes:
            self.out += frame
        self.cable.effect()
        self.cable.kill(fault)


class Cable:
    """The sender connects to LISTEN, the receiver listens at CONNECT. KILL: who makes a kill."""

    def __init__(self, listen, connect, faults, kill):
        self.listen, self.to, self.kill = listen, connect, kill
        self.faults = list(faults)
        self.effects = []  # (kind, phase, way)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(listen)
        self.server.listen(1)
        self.near = self.far = None
        self.ways = []
        self.reset()

    def reset(self):
        """Both ends are closed."""
        if any(way.swapped for way in self.ways):
            self.effect("drop")  # nothing came to change places with
        for end in self.near, self.far:
            if end:
                end.close()
        self.near = self.far = None
        self.ways = []
        self.phase = "hello"
        self.over = False  # the connection is to be closed, once what goes out is out
        self.stalled = False
        self.gone = set()  # of the ends of a cable that is stalled
        self.retry = 0

    def close(self):
        self.reset()
        self.server.close()

    def fault(self):
        return self.faults[0] if self.faults else None

    def effect(self, kind=None):
        fault = self.faults.pop(0)
        self.effects.append((kind or fault.kind, fault.phase, fault.way))

    def enter(self, phase):
        if phase and PHASES.index(phase) > PHASES.index(self.phase):
            self.phase = phase

    def waits(self, way, fault):
        """Whether WAY is at the record that is kept back for FAULT."""
        return (fault.held and fault.way != way.name and way.left and not way.number
                and way.type in OPENS[fault.phase]
                and (fault.phase != "data" or way.chunks() > fault.chunk))

    def holds(self, way):
        fault = self.fault()
        return not way.ended and fault is not None and self.waits(way, fault)

    def hits(self, way, fault):
        """Whether the frame that WAY has now is the one of FAULT."""
        if fault.held:
            return any(self.waits(other, fault) for other in self.ways)
        if PHASE_OF.get(way.type) != fault.phase:
            return False
        if fault.phase == "hello":
            return way.counts[HELLO] > fault.again
        if fault.phase == "data" and way.chunks() <= fault.chunk:
            return False
        return way.number >= int(fault.frame * way.frames)

    def watched(self, poll):
        """Registers what there is to wait for; returns by when to look again, in seconds."""
        if not self.near:
            poll.register(self.server, select.POLLIN)
            return None
        if not self.far:
            poll.register(self.near, select.POLLRDHUP)
            return max(self.retry - time.monotonic(), 0)
        for end, events in self.events().items():
            poll.register(end, events)
        return None

    def events(self):
        if self.stalled:
            return {end: select.POLLRDHUP for end in (self.near, self.far) if end not in self.gone}
        events = {self.near: 0, self.far: 0}
        for way in self.ways:
            if not way.ended and len(way.pending) + len(way.out) < ONCE:
                events[way.source] |= select.POLLIN
            if way.out:
                events[way.sink] |= select.POLLOUT
        return events

    def step(self, ready):
        """What came about: events by file descriptor."""
        if not self.near:
            if self.server.fileno() in ready:
                self.near = self.server.accept()[0]
                self.near.setblocking(False)
        elif not self.far:
            if self.near.fileno() in ready:
                self.reset()
        elif self.stalled:
            self.gone |= {end for end in (self.near, self.far) if end.fileno() in ready}
            if len(self.gone) == 2:
                self.reset()
        else:
            self.carry(ready)
        if self.near and not self.far and time.monotonic() >= self.retry:
            self.reach()

    def reach(self):
        self.retry = time.monotonic() + RETRY
        far = socket.socket(socket.AF_UNIX)
        try:
            far.connect(self.to)
        except (FileNotFoundError, ConnectionRefusedError):
            far.close()
            return
        far.setblocking(False)
        self.far = far
        self.ways = [Way(self, ">", self.near, far), Way(self, "<", far, self.near)]

    def carry(self, ready):
        for way in self.ways:
            if ready.get(way.source.fileno(), 0) & ~select.POLLOUT and not way.ended:
                self.read(way)
        # What one way lets through may be what the other one waits for.
        for way in self.ways + self.ways[:1]:
            way.pass_on()
            self.write(way)
        done = all(not way.out for way in self.ways if way.ended or self.over)
        if done and (self.over or any(way.ended for way in self.ways)):
            self.reset()

    def read(self, way):
        try:
            data = way.source.recv(ONCE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        way.pending += data
        way.ended = not data

    def write(self, way):
        while way.out:
            try:
                del way.out[:way.sink.send(way.out)]
            except BlockingIOError:
                return
            except OSError:
                way.out.clear()  # nobody is there any more

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A cable between two unix: sockets that fails where it is told to.

    proxy.py LISTEN CONNECT FAULT...

tbsend connects to LISTEN, tbrecv listens at CONNECT. Each connection of the sender gets the next
FAULT, and those behind the last one none:

    ok              nothing goes wrong
    cut:N           both ends see the end after N bytes from the sender
    flip:N          byte N from the sender is another one
    drop:N:M        M bytes from the sender, from byte N on, are lost
    stall:N         nothing goes through any more after N bytes, either way, until both ends are gone
    hold:N          the same, until one of the ends is gone
    cut-back:N      as cut, flip, drop, counted in what comes from the receiver
    flip-back:N
    drop-back:N:M
    result:cut      the end comes in place of the receiver's RESULT
    result:stall    nothing goes through any more, either way, from RESULT on
    result:end      the end, as before, and nobody carries anything after that

What took effect is said on standard output, a line each.
"""

import os
import select
import socket
import struct
import sys
import time

ONCE = 65536
RESULT = 10
HEADER = 48


def connect(path):
    while True:
        peer = socket.socket(socket.AF_UNIX)
        try:
            peer.connect(path)
            return peer
        except (FileNotFoundError, ConnectionRefusedError):
            peer.close()
            time.sleep(0.02)


class Way:
    """One direction: what comes out of it, and when it is at its end."""

    def __init__(self, fault, back):
        kind, *numbers = fault.split(":")
        self.mine = kind == "result" or kind.endswith("-back")
        self.mine = self.mine == back and kind != "ok"
        self.kind = kind.removesuffix("-back") if self.mine else "ok"
        self.numbers = [int(n) for n in numbers if n.isdigit()]
        self.fault = fault
        self.at = 0
        self.left = 0  # of the record that goes through
        self.held = b""  # of its header, until it is whole
        self.done = False

    def effect(self):
        if not self.done:
            print(self.fault, flush=True)
        self.done = True

    def records(self, data):
        """What of DATA comes before RESULT, and whether RESULT came."""
        data, self.held = self.held + data, b""
        at = 0
        while at < len(data):
            if not self.left:
                if len(data) - at < HEADER:
                    self.held = data[at:]
                    break
                if data[at + 5] == RESULT:
                    self.effect()
                    return data[:at], True
                self.left = HEADER + struct.unpack_from("<I", data, at + 12)[0]
            step = min(self.left, len(data) - at)
            self.left -= step
            at += step
        return data[:at], False

    def pass_on(self, data):
        """What is left of DATA, and whether that is all for now and ever."""
        start, self.at = self.at, self.at + len(data)
        if self.kind == "result":
            return self.records(data)
        if self.kind == "ok" or self.at <= self.numbers[0]:
            return data, False
        at = max(self.numbers[0] - start, 0)
        if self.kind in ("cut", "stall", "hold"):
            self.effect()
            return data[:at], True
        if self.kind == "flip" and start <= self.numbers[0]:
            self.effect()
            return data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1:], False
        if self.kind == "drop" and start < sum(self.numbers):
            self.effect()
            return data[:at] + data[max(sum(self.numbers) - start, 0):], False
        return data, False


def gone(ends):
    """Waits until one of the ends is, taking nothing from them."""
    poll = select.poll()
    for end in ends:
        poll.register(end, select.POLLHUP | select.POLLRDHUP)
    poll.poll()


def carry(sender, receiver, fault):
    ways = {sender: (receiver, Way(fault, False)), receiver: (sender, Way(fault, True))}
    while True:
        for end in select.select(list(ways), [], [])[0]:
            other, way = ways[end]
            try:
                data = end.recv(ONCE)
                data, ended = way.pass_on(data) if data else (data, True)
                other.sendall(data)
            except OSError:
                return
            if ended and way.done and (way.kind == "stall" or fault == "result:stall"):
                gone([end])
                gone([other])
            if ended and way.done and way.kind == "hold":
                gone(ways)
            if ended:
                return


def main():
    listen, to, *faults = sys.argv[1:]
    server = socket.socket(socket.AF_UNIX)
    server.bind(listen + ".new")
    server.listen()
    os.rename(listen + ".new", listen)
    while True:
        sender = server.accept()[0]
        with sender, connect(to) as receiver:
            fault = faults.pop(0) if faults else "ok"
            carry(sender, receiver, fault)
        if fault == "result:end":
            break


if __name__ == "__main__":
    main()

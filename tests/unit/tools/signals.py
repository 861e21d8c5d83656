#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What signals_test.sh cannot do in shell.

    signals.py terminal PROGRAM HOW SOURCE

tbsend sends SOURCE to tbrecv -d, each in a terminal of its own. PROGRAM's goes away in mid-transfer.
HOW is hangup: both end with 1, and the other one is told; or nohup, with SIGHUP ignored: both go on
to the end, and what came is SOURCE.

    signals.py storm PID...

Stops and continues the processes, and tells them of new sizes of their windows, over and over until
one of them has ended. Says so once it has begun, and at the end how often.
"""

import fcntl
import os
import pty
import signal
import struct
import sys
import termios
import threading
import time


def bounded(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"{what} did not happen in {seconds} s")
        time.sleep(0.02)


class Program:
    """One in a terminal of its own, whose lines it keeps."""

    def __init__(self, argv, out, ignore):
        self.name = argv[0]
        self.said = b""
        self.code = None
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            if ignore:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)
            os.dup2(out, 1)
            os.execvp(argv[0], argv)
        os.set_inheritable(self.terminal, False)

    def read(self):
        try:
            while data := os.read(self.terminal, 4096):
                self.said += data
        except OSError:
            pass

    def listen(self):
        threading.Thread(target=self.read, daemon=True).start()

    def ended(self):
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code is not None


def terminal(victim, how, source):
    size = os.path.getsize(source)
    reading, out = os.pipe()
    common = ["-t", "50", "-s", "unix:sock", "--progress=human"]
    recv = Program(["tbrecv", *common, "-d"], out, how == "nohup")
    send = Program(["tbsend", *common, source], os.open(os.devnull, os.O_WRONLY), how == "nohup")
    os.close(out)
    gone, other = (recv, send) if victim == "tbrecv" else (send, recv)
    other.listen()

    def full():
        return struct.unpack("i", fcntl.ioctl(reading, termios.FIONREAD, bytes(4)))[0] >= 65536

    bounded(full, "the transfer")
    os.close(gone.terminal)
    if how == "nohup":
        with open(source, "rb") as file:
            came = bytearray()
            while data := os.read(reading, 65536):
                came += data
            same = file.read() == came
    else:
        # A receiver waits for its reader, not for the sender.
        if victim == "tbsend":
            while os.read(reading, 65536):
                pass
        same = True
    for program in recv, send:
        bounded(program.ended, f"the end of {program.name}")
    wanted = 0 if how == "nohup" else 1
    if not same or recv.code != wanted or send.code != wanted:
        sys.exit(f"tbrecv {recv.code}, tbsend {send.code}, of {size} bytes all the same: {same}\n"
                 + other.said.decode())
    if how == "hangup":
        bounded(lambda: b"gave up" in other.said, "a word of " + other.name, 5)


def storm(*pids):
    count = 0
    print("begun", flush=True)
    try:
        while True:
            for pid in pids:
                for number in signal.SIGWINCH, signal.SIGSTOP, signal.SIGCONT:
                    os.kill(int(pid), number)
                count += 1
                with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
                    if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
                        raise ProcessLookupError
                time.sleep(0.0005)
    except (ProcessLookupError, FileNotFoundError):
        print(count)


if __name__ == "__main__":
    {"terminal": terminal, "storm": storm}[sys.argv[1]](*sys.argv[2:])

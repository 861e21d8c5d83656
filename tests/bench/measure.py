# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs programs that are joined by pipes and sockets, and measures them: time, CPU, peak memory.

Memory is what the program itself had at most. GNU time asks the kernel for it: of a child of ours
the kernel would count what Python had before the exec.
"""

import dataclasses
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import threading
import time

from rig import process


@dataclasses.dataclass(frozen=True)
class Program:
    """`stdin`, `stdout`: a path ("+PATH": written over, not truncated), "|NAME" for a pipe or
    "=NAME" for a UNIX socket to another program of the same work. `extra`: a NAME of a pipe that
    it also writes to, as the path "{extra}" among its arguments."""
    name: str
    argv: tuple
    stdin: str = os.devnull
    stdout: str = os.devnull
    extra: str = ""


@dataclasses.dataclass(frozen=True)
class Work:
    """Programs that run at once; done when all have ended. `output`: the file that they make;
    `check`: a function that raises where it is not what it should be."""
    key: str
    source: str
    title: str
    programs: tuple
    output: pathlib.Path = None
    check: object = None
    keep: bool = False      # the output: it is the next run's target
    durable: bool = False   # also measure until the output is on the disk


@dataclasses.dataclass
class Run:
    """Seconds until all had ended, and until the output was durable; its size; by program's name
    CPU seconds and KiB at most."""
    seconds: float
    durable: float
    size: int
    cpu: dict
    peak: dict


class Channels:
    """The pipes and sockets of one work. Each end is given to one program and closed here."""

    def __init__(self):
        self.ends = {}

    def end(self, name, writes):
        kind = name[0]
        if name not in self.ends:
            if kind == "|":
                reading, writing = os.pipe()
            else:
                reading, writing = (end.detach() for end in socket.socketpair(socket.AF_UNIX))
            self.ends[name] = {False: reading, True: writing}
        return self.ends[name].pop(writes)

    def close(self):
        for ends in self.ends.values():
            for fd in ends.values():
                os.close(fd)


def stream_open(name, writes, channels):
    """The descriptor for one of a program's standard streams."""
    name = str(name)
    if name[0] in "|=":
        return channels.end(name, writes)
    if not writes:
        return os.open(name, os.O_RDONLY)
    if name[0] == "+":
        return os.open(name[1:], os.O_WRONLY)
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)


class Started:
    """A program that runs."""

    def __init__(self, program, channels, folder):
        self.name = program.name
        self.peak_file = folder / f"{program.name}.peak"
        self.log = folder / f"{program.name}.log"
        fds = [stream_open(program.stdin, False, channels),
               stream_open(program.stdout, True, channels)]
        extra = channels.end("|" + program.extra, True) if program.extra else None
        argv = [str(word).replace("{extra}", f"/dev/fd/{extra}") for word in program.argv]
        # Both it and GNU time end with us.
        argv = process.with_parent(["time", "-q", "-f", "%M", "-o", self.peak_file] +
                                   process.with_parent(argv))
        with open(self.log, "wb") as log:
            self.popen = subprocess.Popen(argv, stdin=fds[0], stdout=fds[1], stderr=log,
                                          pass_fds=[extra] if extra is not None else [],
                                          start_new_session=True)
        for fd in fds + ([extra] if extra is not None else []):
            os.close(fd)

    def wait(self):
        """Its exit code, after its end; sets `cpu`."""
        _, status, usage = os.wait4(self.popen.pid, 0)
        self.popen.returncode = os.waitstatus_to_exitcode(status)
        self.cpu = usage.ru_utime + usage.ru_stime
        return self.popen.returncode

    def peak(self):
        return int(self.peak_file.read_text().split()[-1])

    def kill(self):
        if self.popen.returncode is None:
            os.killpg(self.popen.pid, signal.SIGKILL)


def work_run(work, folder, limit=900):
    """Runs it once. A program that fails is an error, with what it said."""
    channels = Channels()
    started = []
    timer = threading.Timer(limit, lambda: [one.kill() for one in started])
    start = time.monotonic()
    try:
        for program in work.programs:
            started.append(Started(program, channels, folder))
        timer.start()
        channels.close()
        codes = [one.wait() for one in started]
        seconds = time.monotonic() - start
    finally:
        timer.cancel()
        for one in started:
            one.kill()
    for one, code in zip(started, codes):
        if code:
            said = one.log.read_text(errors="replace").strip()[-500:]
            raise RuntimeError(f"{work.source}, {work.title}: {one.name} ended with {code}: {said}")
    durable = seconds
    if work.durable:
        with open(work.output, "rb") as file:
            os.fdatasync(file.fileno())
        durable = time.monotonic() - start
    return Run(seconds, durable, work.output.stat().st_size if work.output else 0,
               {one.name: one.cpu for one in started}, {one.name: one.peak() for one in started})


def rounds_run(works, folder, rounds, say):
    """{key: [Run, ...]}: all works in turns, forwards and backwards. A first round warms up, and
    what it made is looked at."""
    runs = {work.key: [] for work in works}
    for number in range(rounds + 1):
        for work in works if number % 2 else reversed(works):
            run = work_run(work, folder)
            say(f"{number}/{rounds} {work.source:7} {work.title:44} {run.seconds:7.2f} s")
            if number:
                runs[work.key].append(run)
            elif work.check:
                work.check(work.output)
            if work.output and not work.keep:
                work.output.unlink()
    return runs


def summary(runs):
    """The medians of one work's runs, as they stand in the report."""
    return {
        "seconds": statistics.median(run.seconds for run in runs),
        "durable": statistics.median(run.durable for run in runs),
        "size": runs[-1].size,
        "cpu": statistics.median(sum(run.cpu.values()) for run in runs),
        "peak": {name: statistics.median_high(run.peak[name] for run in runs)
                 for name in runs[0].peak},
        "rounds": [round(run.seconds, 3) for run in runs],
    }

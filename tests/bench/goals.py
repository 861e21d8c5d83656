# SPDX-License-Identifier: GPL-2.0-or-later
"""What the figures of the local comparisons have to be, as ratios within one run.

A goal's figure is made of the medians by work, see measure.summary(). Ours have most of the output
on the disk before they end, others leave all of it to the kernel: time is until it is there.
"""

import dataclasses

from works import THREADS

GB = 1e9
PEAK = (48 << 10) + (16 << 10) * THREADS  # KiB
OURS = ("tbsend", "tbrecv")

# Why a figure falls short, by the goal's key: it stands in docs/benchmarks.md beside it.
REASONS = {
    "first-threads": "one thread never waits, since what it writes is synced meanwhile, and so all "
                     "of its time is work; two keep nine tenths of both processors busy, and the "
                     "same work takes a tenth more of their time when both are at it.",
}


@dataclasses.dataclass(frozen=True)
class Goal:
    """`figure` gets {work's key: medians}, and fails with KeyError where a work was not run."""
    key: str
    source: str
    sentence: str
    figure: object
    limit: float
    at_most: bool = False
    unit: str = "×"

    def met(self, value):
        return value <= self.limit if self.at_most else value >= self.limit


def speed(work, peer):
    """How many times as fast as its peer."""
    return lambda medians: medians[peer]["durable"] / medians[work]["durable"]


def times(work, peer, figure):
    """How many times its peer's."""
    return lambda medians: medians[work][figure] / medians[peer][figure]


def peak(name):
    """MiB at most, in any work."""
    def figure(medians):
        found = [work["peak"][name] for work in medians.values() if name in work["peak"]]
        if not found:
            raise KeyError(name)
        return max(found) / 1024
    return figure


GOALS = (
    Goal("first-P", "first", "P against `zstd -1 -T2`: speed",
         speed("first/P", "first/zstd"), 1.05),
    Goal("first-size", "first", "P against `zstd -1 -T2`: size",
         times("first/P", "first/zstd", "size"), 1.03, at_most=True),
    Goal("first-B", "first", "B against `zstd -1 -T2` alone: speed",
         speed("first/B", "first/zstd"), 0.85),
    Goal("first-B-b3sum", "first", "B against `zstd -1 -T2` with b3sum beside it: speed",
         speed("first/B", "first/zstd+b3sum"), 1.5),
    Goal("first-cpu", "first", "P at level 1 against `zstd -1 -T2`: CPU time",
         times("first/P1", "first/zstd", "cpu"), 1.05, at_most=True),
    Goal("first-threads", "first", "P at level 1 by two threads against one: speed",
         speed("first/P1", "first/P1T1"), 1.8),
    Goal("second-used", "second", "P `--used` against `partclone -a0 | zstd -1 -T2`: speed",
         speed("second/used", "second/partclone-a0"), 1.2),
    Goal("second-size", "second", "P `--used` against `zstd -1` of the whole disk: size",
         times("second/used", "second/zstd", "size"), 0.75, at_most=True),
    Goal("noise-P", "noise", "P against `zstd -1 -T2`: speed",
         speed("noise/P", "noise/zstd"), 1.0),
    Goal("noise-none", "noise", "B `--level=none` against `dd` through the same socket: speed",
         speed("noise/none", "noise/dd"), 0.8),
    Goal("sparse", "sparse", "P against P of `alone`: time",
         times("sparse/P", "alone/P", "durable"), 1.2, at_most=True),
    Goal("restore", "first", "restore against `zstd -d` into the same kind of target: speed",
         speed("first/restore", "first/zstd-d"), 1.3),
) + tuple(
    Goal(f"peak-{name}", "all", f"peak memory of {name}, {THREADS} threads", peak(name),
         PEAK / 1024, at_most=True, unit="MiB") for name in OURS)


def judge(medians):
    """A row for each goal, as it goes into the JSON; `value` is None where it was not measured."""
    rows = []
    for goal in GOALS:
        try:
            value = goal.figure(medians)
        except KeyError:
            value = None
        rows.append({"key": goal.key, "source": goal.source, "sentence": goal.sentence,
                     "limit": goal.limit, "at_most": goal.at_most, "unit": goal.unit,
                     "value": value, "met": value is not None and goal.met(value)})
    return rows

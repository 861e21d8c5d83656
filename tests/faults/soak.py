#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Backups and restores over a socket on which everything goes wrong, at random but by a seed.

    soak.py [--seed S] [--rounds N | --round K] [--quick] [--jobs N] [--programs DIR]
            [--markdown FILE] [--verbose]

A round is a transfer with at least one fault. Both programs must say success, and the bytes be
equal; or they say what is wrong, and what lies there is taken for whole by nobody. A wrong image, a
program that does not end, and a success that is none fail the soak, with the command that repeats
the round.
"""

import argparse
import concurrent.futures
import dataclasses
import os
import random
import shutil
import sys
import tempfile
import time

import judge
import plan
import source
import table
import transfer

FULL = 200  # rounds, from which on each place has to come LEAST times
LEAST = 10


@dataclasses.dataclass
class Result:
    number: int
    flow: str
    effects: list = dataclasses.field(default_factory=list)
    outcome: str = ""
    failure: str = ""
    last: tuple = ()
    seconds: float = 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(10**6)))
    parser.add_argument("--rounds", type=int, default=FULL)
    parser.add_argument("--round", type=int, help="only this one")
    parser.add_argument("--quick", action="store_true",
                        help="a small disk, and one fault a round, seen soon")
    parser.add_argument("--jobs", type=int, default=8 * os.cpu_count(), help="rounds at once")
    parser.add_argument("--programs", default="build", help="the folder of tbsend and tbrecv")
    parser.add_argument("--bound", type=int, default=60, help="seconds that a round may take")
    parser.add_argument("--markdown", help="a file for the table")
    parser.add_argument("--verbose", action="store_true", help="say what became of each round")
    return parser.parse_args()


def run_round(options, number, work):
    """Round NUMBER in a folder of its own in WORK, where disk and image are."""
    planned = plan.make(options.seed, number, options.quick)
    disk, image = os.path.join(work, "disk"), os.path.join(work, "image")
    folder = tempfile.mkdtemp(dir=work)
    result = Result(number, planned.flow)
    began = time.monotonic()
    backup = planned.flow == "backup"
    try:
        if not backup:
            with open(os.path.join(folder, "target"), "wb") as target:
                target.truncate(os.path.getsize(disk))
        moved = transfer.Transfer(folder, options.programs, planned, disk if backup else image,
                                  "image.zst" if backup else "target")
        in_time = moved.run(options.bound)
        result.effects = moved.cable.effects
        result.last = tuple(f"{p.name} ({p.code}): {p.last()}" for p in moved.both)
        if not in_time:
            raise judge.Failure(f"hang: not ended after {options.bound} s")
        result.outcome = judge.Verdict(moved, planned.flow, disk, options.programs).outcome()
        if not result.effects:
            raise judge.Failure("no fault took effect")
    except judge.Failure as failure:
        result.failure = str(failure)
    finally:
        result.seconds = time.monotonic() - began
        shutil.rmtree(folder)
    return result


def told(effects):
    return ", ".join(f"{kind} in {phase} {table.WAY_NAMES[way]}" for kind, phase, way in effects)


def complain(options, result):
    knobs = "".join(f" {name}={value}" for name, value in
                    (("SEED", options.seed), ("ROUND", result.number),
                     ("QUICK", "yes" if options.quick else ""),
                     ("PROGRAMS", options.programs if options.programs != "build" else ""))
                    if value)
    print(f"FAILED: seed {options.seed}, round {result.number}, {result.flow}: {result.failure}",
          f"  faults: {told(result.effects) or 'none'}",
          *(f"  {line}" for line in result.last),
          f"  to repeat: make check-faults{knobs}", sep="\n", file=sys.stderr, flush=True)


def soak(options, work):
    """All rounds; how many failed."""
    disk, image = os.path.join(work, "disk"), os.path.join(work, "image")
    source.make_disk(disk, options.seed, source.QUICK if options.quick else source.COUNT)
    source.make_image(image, disk, options.programs)
    numbers = [options.round] if options.round else range(1, options.rounds + 1)
    sums, failed = table.Table(), 0
    began = time.monotonic()
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        rounds = [pool.submit(run_round, options, number, work) for number in numbers]
        for done in concurrent.futures.as_completed(rounds):
            result = done.result()
            if result.failure:
                failed += 1
                complain(options, result)
                continue
            sums.add(result)
            if options.round or options.verbose:
                print(f"{result.flow} {result.number}, {result.seconds:.1f} s: {result.outcome},",
                      told(result.effects), *(f"\n  {line}" for line in result.last), flush=True)
    if not options.round:
        print(f"seed {options.seed}: {len(numbers)} rounds in {time.monotonic() - began:.0f} s,",
              f"{failed} failed")
        print(sums.text())
    if options.markdown:
        with open(options.markdown, "w", encoding="utf-8") as file:
            print(sums.markdown(), file=file)
    lacking = sums.lacks(LEAST) if len(numbers) >= FULL else []
    for what in lacking:
        print(f"FAILED: too few {what}", file=sys.stderr)
    return failed + len(lacking)


def main():
    options = arguments()
    # Whole targets are written over and over: in memory, where there is room.
    memory = "/dev/shm"
    roomy = os.path.isdir(memory) and shutil.disk_usage(memory).free > options.jobs << 29
    with tempfile.TemporaryDirectory(prefix="faults-", dir=memory if roomy else None) as work:
        sys.exit(soak(options, work) > 0)


main()

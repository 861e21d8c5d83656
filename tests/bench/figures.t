#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""That `make bench` counts right and says what falls short: with figures that are made up, and with
programs whose work is known. Prints TAP."""

import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import goals  # noqa: E402
import measure  # noqa: E402
import report  # noqa: E402
from rig import check  # noqa: E402


def medians(seconds, peak=1024):
    return {"source": "first", "title": "a program", "seconds": seconds, "durable": seconds,
            "size": 0, "cpu": 1.0, "peak": {"tbsend": peak}}


def run(test):
    with test.behaviour("a speed is the peer's time by ours, and just reaching the limit is met"):
        rows = {row["key"]: row for row in goals.judge(
            {"first/P1": medians(1), "first/P1T1": medians(1.8)})}
        check.equal(rows["first-threads"]["value"], 1.8, "two threads against one")
        check.true(rows["first-threads"]["met"], "1.8 is not 1.8")

    with test.behaviour("what is over a limit is not met, and what did not run has no figure"):
        rows = {row["key"]: row for row in goals.judge(
            {"sparse/P": medians(1.3, 81 << 10), "alone/P": medians(1)})}
        check.true(not rows["sparse"]["met"] and not rows["peak-tbsend"]["met"], "1.3 is met")
        check.equal(report.goal_row(rows["first-P"])[2], "not measured", "what did not run")
        check.equal(report.goal_row(rows["peak-tbsend"])[1:], ("at most 80 MiB", "81 MiB", "no"),
                    "what is said of memory")
        check.true("| a \\| b |" in report.table(("",), [("a | b",)]), "a bar ends a cell")

    with test.behaviour("the median of three rounds is the middle one, of memory too"):
        runs = [measure.Run(number, number, 7, {"a": number, "b": 1}, {"a": number})
                for number in (5, 1, 3)]
        summary = measure.summary(runs)
        check.equal((summary["seconds"], summary["cpu"], summary["peak"]), (3, 4, {"a": 3}),
                    "the medians")

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        output = folder / "out"
        with test.behaviour("bytes go through pipe, second reader and socket; memory is counted"):
            code = "import sys; b = b'x' * (64 << 20); sys.stdout.write('x' * 1000)"
            work = measure.Work("k", "s", "t", (
                measure.Program("python", (sys.executable, "-c", code), stdout="|a"),
                measure.Program("tee", ("tee", "{extra}"), stdin="|a", stdout="=b", extra="c"),
                measure.Program("wc", ("wc", "-c"), stdin="|c", stdout=folder / "count"),
                measure.Program("cat", ("cat",), stdin="=b", stdout=output)), output=output)
            got = measure.work_run(work, folder, 60)
            check.equal(got.size, 1000, "bytes at the end")
            check.equal((folder / "count").read_text().strip(), "1000", "bytes beside it")
            check.true(got.peak["python"] > 64 << 10 > got.peak["cat"], f"memory: {got.peak}")

        with test.behaviour("a program that fails is an error, with what it said"):
            work = measure.Work("k", "first", "a program", (
                measure.Program("sh", ("sh", "-c", "echo no room >&2; exit 3")),))
            try:
                measure.work_run(work, folder, 60)
            except RuntimeError as error:
                check.true("sh ended with 3: no room" in str(error), str(error))
            else:
                raise check.Failure("it was taken for well")


check.main(run, seconds=60)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Which test executes which line: the tests run once in a build that counts."""

import collections
import json
import os
import shutil
import subprocess

from tree import COUNTING


def build(tree, jobs):
    made, said = tree.make(f"-j{jobs}", *COUNTING, "units", "fuzzers", "programs")
    if not made:
        raise SystemExit("mutants: the tests cannot be built to count lines:\n" + said)


def counted(tree, sources, counts):
    """What one run counted, as {path: {line: times}}, of the sources."""
    found = {}
    for path in sources:
        stem = f"build/plain/{path[:-2]}"
        data = os.path.join(counts, stem + ".gcda")
        if not os.path.exists(data):
            continue
        shutil.copy2(os.path.join(tree.top, stem + ".gcno"), os.path.dirname(data))
        done = subprocess.run(["gcov", "--json-format", "--stdout", data], cwd=tree.top,
                              check=False, capture_output=True)
        # A program that was killed as it wrote leaves what cannot be read.
        for file in json.loads(done.stdout)["files"] if done.returncode == 0 else ():
            if os.path.normpath(file["file"]) == path:
                found[path] = {line["line_number"]: line["count"] for line in file["lines"]}
    return found


def measure(tree, test, sources):
    """The lines that a test executes."""
    counts = tree.tmp + ".counts"
    shutil.rmtree(counts, ignore_errors=True)
    strip = len(os.path.realpath(tree.top).strip("/").split("/"))
    tree.run(test, "plain", environment={"GCOV_PREFIX": counts, "GCOV_PREFIX_STRIP": str(strip)})
    return counted(tree, sources, counts)


class Map:
    """Kept in a file, a line of JSON for each test."""

    def __init__(self, path):
        self.path = path
        self.reached = collections.defaultdict(dict)  # path, line: names of tests
        self.tests = set()
        if os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                for name, counts in map(json.loads, f):
                    self.enter(name, counts)

    def enter(self, name, counts):
        self.tests.add(name)
        for path, lines in counts.items():
            for line, times in lines.items():
                names = self.reached[path].setdefault(int(line), [])
                if times:
                    names.append(name)

    def add(self, name, counts):
        self.enter(name, counts)
        with open(self.path, "a", encoding="utf-8") as f:
            f.write(json.dumps([name, counts]) + "\n")

    def names(self, path, line):
        """The tests that execute a line. One that continues another counts as that one."""
        lines = self.reached.get(path, {})
        known = [n for n in lines if n <= line]
        return lines[max(known)] if known else []

    def callers(self, path, line, first):
        """The tests that were in the function, which begins at FIRST: what is killed leaves no
        count of what it did last."""
        return {name for n, names in self.reached.get(path, {}).items() if first <= n <= line
                for name in names}

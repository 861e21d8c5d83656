# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of a soak: which faults took effect where, and what became of the rounds."""

import collections

from judge import OUTCOMES
from plan import KINDS, PLACES, SIDES

WAY_NAMES = {">": "to the receiver", "<": "to the sender"}


class Table:
    def __init__(self):
        self.effects = collections.Counter()  # (kind, phase, way)
        self.outcomes = collections.Counter()  # (outcome, phase, way), by the first fault's place

    def add(self, result):
        self.effects.update(result.effects)
        self.outcomes[(result.outcome, *result.effects[0][1:])] += 1

    def place(self, phase, way):
        return sum(self.effects[(kind, phase, way)] for kind in KINDS)

    def kills(self, way):
        return sum(self.effects[("kill", *place)] for place in PLACES if place[1] == way)

    def lacks(self, least):
        """What came too rarely, in words."""
        lacking = [f"faults in {phase} {WAY_NAMES[way]}" for phase, way in PLACES
                   if self.place(phase, way) < least]
        return lacking + [f"kill -9 of {SIDES[way]}" for way in SIDES if self.kills(way) < least]

    def rows(self):
        yield ["Phase", "Frames", *KINDS, "all", *OUTCOMES]
        for phase, way in PLACES:
            yield [phase, WAY_NAMES[way], *(self.effects[(kind, phase, way)] for kind in KINDS),
                   self.place(phase, way), *(self.outcomes[(o, phase, way)] for o in OUTCOMES)]
        yield ["all", "", *(self.sum(self.effects, kind) for kind in KINDS),
               sum(self.effects.values()), *(self.sum(self.outcomes, o) for o in OUTCOMES)]

    @staticmethod
    def sum(counter, first):
        return sum(n for key, n in counter.items() if key[0] == first)

    def markdown(self):
        rows = [[str(cell) for cell in row] for row in self.rows()]
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        rule = "|---|---|" + "---:|" * (len(rows[0]) - 2)
        return "\n".join([lines[0], rule, *lines[1:]])

    def text(self):
        rows = [[str(cell) for cell in row] for row in self.rows()]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        return "\n".join("  ".join(cell.ljust(width) if i < 2 else cell.rjust(width)
                                   for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
                         for row in rows)

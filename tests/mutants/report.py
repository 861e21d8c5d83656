# SPDX-License-Identifier: GPL-2.0-or-later
"""What is said about mutants: a line for each, a summary by room, the survivors as a list."""

import collections
import os

ROOMS = ("codec", "io", "send", "recv")


def line(mutant, end):
    killed = end["end"] == "killed"
    by = f"{end['how']} {end['by']}" if killed else f"{end['tests']} tests passed"
    where = f"{mutant.path}:{mutant.line}"
    what = f"{mutant.operator}: {mutant.change()}"
    return f"{end['end']:9} {where}  {what}  [{by}, {end['seconds']:g} s]"


def room(path):
    parts = path.split("/")
    return parts[1] if len(parts) > 2 else parts[1].split("_")[0].split(".")[0]


def summary(ends):
    count = collections.Counter((room(mutant.path), end["end"]) for mutant, end in ends)
    rows = [f"{'':8}{'mutants':>8}{'killed':>8}{'survived':>10}{'unreached':>11}{'killed':>10}"]
    for name in (*ROOMS, "all"):
        one = [sum(n for (where, how), n in count.items() if name in (where, "all") and how == end)
               for end in ("killed", "survived", "unreached")]
        share = f"{100 * one[0] / sum(one):.1f} %" if sum(one) else "-"
        rows.append(f"{name:8}{sum(one):8}{one[0]:8}{one[1]:10}{one[2]:11}{share:>10}")
    return "\n".join(rows)


def head(mutant):
    """What a survivor is known by; not by its line's number, which changes."""
    return (f"- `{os.path.relpath(mutant.path, 'tools')}`, {mutant.function}: "
            f"`{mutant.before.strip()}` → `{mutant.after.strip()}`: ")


def survivors(ends, known):
    """A Markdown list, with the reasons that the document KNOWN gives already."""
    lines = []
    if os.path.exists(known):
        with open(known, encoding="utf-8") as f:
            lines = f.read().splitlines()
    out = []
    for mutant, end in ends:
        if end["end"] != "killed":
            begin = head(mutant)
            reasons = [text[len(begin):] for text in lines if text.startswith(begin)]
            out.append(begin + (reasons[0] if reasons else f"({end['end']}; no reason yet)") + "\n")
    return "".join(out)

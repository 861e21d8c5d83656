# SPDX-License-Identifier: GPL-2.0-or-later
"""The figures as a table for the terminal, and as docs/benchmarks.md. Both are made of what
stands in the JSON, where parts that were measured on other days stand beside each other."""

import textwrap

import goals

HEAD = """# Benchmarks

Written by `make bench`, which measures again: ratios within one run, programs in turns, medians.
What falls short of its goal stands here too. A ratio says more than a speed, which is this
machine's.

"""

SOURCES = {
    "first": "ext4, {used:.0%} full of {files} of the machine's own files{again}, its free space "
             "zeros",
    "second": "the same, its free space full of what deleted files leave",
    "noise": "what does not compress",
    "sparse": "a hole but for the bytes of `alone`, in 64 places",
    "alone": "files one after the other",
}

METHOD = """P is the sender alone, `tbsend --plain SOURCE > image.zst`; B both ends, `tbsend` and
`tbrecv -o image.zst`, joined by a UNIX socket, on the same two cores. All run on two cores, with
checksums. The sources are in the page cache, and none but `sparse` has holes, as a disk has none;
nothing is dropped from the cache. Outputs are new files on {kind}, which takes {durable:.0f} MB/s
for good, and are removed after each run. A first round, in which what tbstream made is compared
with the source, does not count.

`tbrecv` ends when its output is on the disk, and `tbsend --plain` has most of it there; the others
leave that to the kernel. So the goals take the time of all until the output is there (an
`fdatasync` behind those that leave it). CPU time is user and system of all programs of a line, peak
memory what each has at most. partclone ends on a beat of two seconds, that of its progress: it has
done its work up to two seconds before.
"""


def goal_row(row):
    """What it is, the goal, the figure, yes or no: as words."""
    digits = "{:.0f} {}" if row["unit"] == "MiB" else "{:.2f} {}"
    limit = ("at most " if row["at_most"] else "at least ") + digits.format(row["limit"],
                                                                            row["unit"])
    if row["value"] is None:
        return row["sentence"], limit, "not measured", ""
    return (row["sentence"], limit, digits.format(row["value"], row["unit"]),
            "yes" if row["met"] else "no")


def work_row(key, work, size):
    """Title, MB/s of the source, seconds, durable, output, CPU per GB, memory."""
    gigabytes = size / goals.GB
    peaks = ", ".join(f"{name} {peak / 1024:.0f}" for name, peak in work["peak"].items())
    return (work["title"], f"{size / 1e6 / work['seconds']:.0f}", f"{work['seconds']:.2f}",
            f"{work['durable']:.2f}" if work["durable"] > work["seconds"] else "",
            f"{work['size'] / 1e6:.0f}" if work["size"] else "", f"{work['cpu'] / gigabytes:.2f}",
            peaks)


WORK_HEAD = ("Programs", "MB/s", "s", "s until durable", "Output, MB", "CPU s per GB",
             "Peak memory, MiB")


def text(disk):
    """The table of the local comparisons for a terminal."""
    rows = []
    for source, size in disk["sizes"].items():
        rows.append((f"-- {source}, {size / 1e6:.0f} MB",) + ("",) * 6)
        rows += [work_row(key, work, size) for key, work in disk["works"].items()
                 if work["source"] == source]
    return columns([WORK_HEAD] + rows) + "\n\n" + columns(
        [("Goal", "", "Measured", "Reached")] + [
            (f"{row['source']}: {goal_row(row)[0]}",) + goal_row(row)[1:]
            for row in disk["goals"]])


def columns(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
                     for row in rows)


def table(head, rows, right=()):
    """Markdown."""
    rows = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines = ["| " + " | ".join(head) + " |",
             "|" + "|".join("---:" if column in right else "---" for column in range(len(head)))
             + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def machine_markdown(about):
    machine = about["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    return "\n" + textwrap.fill(
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory']} of memory, Linux "
        f"{machine['kernel']}; {versions}.", 100) + "\n"


def when(part):
    """The date, and whether the machine had other work."""
    busy = (f" In the minute before, programs had work for {part['load']:.1f} processors: the "
            "part before this one, or a build, too."
            if part["load"] >= 0.5 else "")
    return textwrap.fill(f"Measured on {part['date']}, {part['rounds']} rounds.{busy}", 100) + "\n"


def disk_markdown(disk):
    yield "## On one machine\n\n"
    yield when(disk) + machine_markdown(disk) + "\n"
    yield METHOD.format(**disk["place"]) + "\n"
    facts = disk["facts"]
    again = f", some of them {facts['copies']} times" if facts["copies"] > 1 else ""
    yield table(("Source", "MB", "What"),
                [(f"`{name}`", f"{disk['sizes'][name] / 1e6:.0f}",
                  what.format(**facts, again=again)) for name, what in SOURCES.items()],
                right=(1,)) + "\n"
    yield table(("Source", "What", "Goal", "Measured", "Reached"),
                [(row["source"],) + goal_row(row) for row in disk["goals"]]) + "\n"
    short = [row for row in disk["goals"] if row["value"] is not None and not row["met"]
             and row["key"] in goals.REASONS]
    if short:
        yield "What falls short, and why:\n\n"
        for row in short:
            yield f"- {row['source']}, {row['sentence']}: {goals.REASONS[row['key']]}\n"
        yield "\n"
    for source, size in disk["sizes"].items():
        yield f"### `{source}`\n\n"
        yield table(WORK_HEAD, [work_row(key, work, size) for key, work in disk["works"].items()
                                if work["source"] == source], right=(1, 2, 3, 4, 5)) + "\n"


def driver_markdown(driver):
    yield "## tbstream's module beside the kernel's own driver\n\n"
    yield when(driver) + machine_markdown(driver) + "\n"
    yield ("Two pairs of virtual machines with the same kernel, `dd` of "
           f"{driver['size']} MiB from one to the other over the emulated cable.\n\n")
    rows = []
    for ring, kinds in driver["rings"].items():
        for kind, figures in kinds.items():
            rows.append((ring, kind, f"{driver['size'] / figures['seconds']:.0f}",
                         f"{figures['cpu']:.2f}"))
    yield table(("Ring", "Driver", "MiB/s", "CPU s of both machines"), rows, right=(0, 2, 3)) + "\n"


RIG = """Two pairs of virtual machines with the same kernel, one with tbstream's module ("ours") and
one with the kernel's own driver ("in-tree"), joined by the emulated cable. Each machine has one
processor{emulated}. Ratios count here, of the programs' work rather than of a cable's
speed.

"""

RIG_HEADS = {
    "backup": """### A backup

{disk} MiB of files from a disk of one machine into an image in the memory of the other.

""",
    "slow": """### A slow reader

1600 KiB that do not compress; the receiver's reader stands still for four seconds, and takes all
that comes then.

""",
    "sizes": """### Sizes of a write, a read and a ring

`dd`, {size} MiB, into nothing; MiB/s. One of the three differs from a ring of 256 frames and
256 KiB a read and a write.

"""}


def rig_tables(rig):
    """What was measured on virtual machines, as Markdown."""
    kinds = list(rig["backup"])
    yield RIG_HEADS["backup"].format(**rig)
    yield table(("Programs",) + sum(((f"{kind}: s", "CPU s of both") for kind in kinds), ()),
                [(way,) + sum(((f"{rig['backup'][kind][way]['seconds']:.1f}",
                                f"{rig['backup'][kind][way]['cpu']:.1f}") for kind in kinds), ())
                 for way in rig["backup"][kinds[0]]], right=range(1, 1 + 2 * len(kinds))) + "\n"
    yield RIG_HEADS["slow"]
    yield table(["Programs"] + kinds,
                [[way] + [slow_words(rig["slow"][kind][way]) for kind in kinds]
                 for way in rig["slow"][kinds[0]]]) + "\n"
    yield RIG_HEADS["sizes"].format(**rig)
    columns_ = [(kind, what) for what in ("write", "read", "ring") for kind in kinds]
    found = sorted({int(size) for kind, what in columns_ for size in rig["sizes"][kind][what]})
    yield table(["KiB, frames"] + [f"{what}, {kind}" for kind, what in columns_],
                [[str(size)] + [rate_words(rig["sizes"][kind][what], size)
                                for kind, what in columns_] for size in found],
                right=range(1 + len(columns_))) + "\n"


def slow_words(slow):
    sender = slow["codes"][0]
    return "all of it arrives" if slow["whole"] else (
        "**lost**, and the sender " + ("says success" if sender == 0 else f"ends with {sender}"))


def rate_words(rates, size):
    """A rate, and how many transfers lost their end. JSON has texts for keys."""
    rate, lost = rates.get(size) or rates.get(str(size)) or (0, 0)
    return (f"{rate:.0f}" if rate else "") + (f" ({lost} lost)" if lost else "")


def rig_markdown(rig):
    yield "## On the rig\n\n"
    yield when(rig) + machine_markdown(rig) + "\n"
    yield RIG.format(emulated=", which is emulated" if rig["accel"] == "tcg" else "")
    yield from rig_tables(rig)


PARTS = {"disk": disk_markdown, "driver": driver_markdown, "rig": rig_markdown}


def markdown(parts):
    """docs/benchmarks.md."""
    return HEAD + "".join(piece for name, part in PARTS.items() if name in parts
                          for piece in part(parts[name]))

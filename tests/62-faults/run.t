#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Random faults of the cable, and programs that are killed, in a backup and a restore, again and
again: each transfer ends right, or says why not and goes on when it is started again.

    laptop, tbsend /dev/vda  ==== USB4 cable, bad ====  keeper, tbrecv -o on an ext4 of its own;
    tbrecv --force /dev/vdb                             tbsend IMAGE

SEED and ROUNDS choose which faults, and how many rounds. The images, and the disk that was restored
last, are judged outside, when the machines are off.
"""

import collections
import os
import pathlib
import random
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, disks, keeper, machine, stream  # noqa: E402

MIB = 1 << 20
CHUNKS = 64
SIZE = CHUNKS * 4 * MIB
NOISY = 6  # chunks that do not compress: 6000 frames of the cable
SEED = int(os.environ.get("SEED") or 62)
ROUNDS = int(os.environ.get("ROUNDS") or 3)
KINDS = ("drop", "corrupt", "crc", "duplicate", "stall ms=4000", "unplug ms=2000")
# Where: frames of a transfer from its beginning or before its end, or a share of them.
PLACES = {"open": (0, 3), "data": (0.1, 0.9), "end": (-4, -1)}
DATA = 2  # the PDF of a stream's data frames
LIMIT = 120  # seconds that a transfer may take, faults and all


def content(number):
    """One MiB of the disk: no chunk is like another one, a few do not compress, some are zeros."""
    noise = random.Random(number)
    chunk = number // 4
    if chunk % (CHUNKS // NOISY) == 1:
        return noise.randbytes(MIB)
    return bytes(MIB) if chunk % 8 == 5 else noise.randbytes(4096).ljust(MIB, b"\0")


Fault = collections.namedtuple("Fault", "kind place against")


def faults(noise):
    """Faults without an end, every one of them before one comes again."""
    every = [Fault(kind, place, against) for kind in KINDS for place in PLACES
             for against in (False, True)]
    every += [Fault("kill", who, None) for who in ("tbsend", "tbrecv")] * 3
    while True:
        noise.shuffle(every)
        yield from every


class Way:
    """A backup, or a restore: two programs and the direction of the data."""

    def __init__(self, name, sender, receiver, send, receive):
        self.name = name
        self.sides = {"tbsend": sender.agent, "tbrecv": receiver.agent}
        self.commands = {"tbsend": f"exec tbsend -t 60 --progress=json {send}",
                         "tbrecv": f"exec tbrecv -t 60 {receive}"}
        self.direction = "ab" if sender.name == "left" else "ba"
        self.frames = {}
        self.jobs = {}

    def start(self, program):
        self.jobs[program] = self.sides[program].spawn(self.commands[program])

    def start_all(self):
        for program in "tbrecv", "tbsend":
            self.start(program)

    def end(self):
        """The exit codes."""
        return {program: job.wait(LIMIT) for program, job in self.jobs.items()}

    def said(self):
        return "\n".join(f"{job}: {job.all_text()[-800:]}" for job in self.jobs.values())

    def done(self):
        """How much of the disk the sender says is safe, bytes."""
        last = self.jobs["tbsend"].all_text().rpartition('"done":')[2]
        digits = last.partition(",")[0].partition("}")[0]
        return int(digits) if digits.isdigit() else 0


class Soak:
    """The machines, the cable, what was done to it, and what came of that."""

    def __init__(self, test):
        self.fabric = None
        self.source = test.disk("source.img", SIZE, content)
        self.restored = test.disk("restored.img", SIZE)
        self.kept = test.disk("kept.img", (64 + 32 * (ROUNDS + 1)) * MIB)
        disks.run_tool(test.place(), "mke2fs", "-q", "-t", "ext4", self.kept)
        guest = {"ours": True, "load": keeper.DISKS + keeper.FILE_SYSTEMS + keeper.STREAM}
        self.left, self.right = test.pair(
            {"guest": guest, "disks": [machine.Disk(self.source), machine.Disk(self.restored)]},
            {"guest": guest, "disks": [machine.Disk(self.kept)]})
        self.fabric = test.cables[-1]
        self.right.agent.run("mount -t ext4 /dev/vda /mnt")
        self.sum = check.sha256(self.source)
        self.noise = random.Random(SEED)
        self.faults = faults(self.noise)
        self.images = []
        self.took = collections.Counter()
        self.refused = []

    def seen(self):
        """Frames that passed, by direction."""
        rows = (word.split(",") for word in self.fabric.command("counters").split())
        return {row[1]: int(row[2].partition("=")[2]) for row in rows}

    def ways(self, number):
        image = f"/mnt/{number}.zst"
        return (Way("backup", self.left, self.right, "/dev/vda", f"-o {image}"),
                Way("restore", self.right, self.left, image, "--force /dev/vdb"))

    def clean(self, way):
        """Without a fault: how many frames it takes."""
        before = self.seen()
        way.start_all()
        check.equal(set(way.end().values()), {0}, f"exit codes; {way.said()}")
        return {name: count - before[name] for name, count in self.seen().items()}

    def plan(self, fault, frames, way):
        """The fault's rule: where it will be."""
        direction = way.direction if not fault.against else {"ab": "ba", "ba": "ab"}[way.direction]
        low, high = PLACES[fault.place]
        if isinstance(low, float):
            at = int(self.noise.uniform(low, high) * frames[direction])
        else:
            at = self.noise.randint(low, high) + (frames[direction] if low < 0 else 0)
        kind, _, more = fault.kind.partition(" ")
        return f"{kind} cable=0 dir={direction} pdf={DATA} at=+{max(at, 0)} {more}"

    def kill(self, way, program):
        """kill -9, somewhere, and the same command again."""
        least = self.noise.randrange(SIZE * 3 // 4)
        sender = way.sides["tbsend"]
        job = way.jobs[program]
        sender.wait(lambda: way.done() >= least or way.jobs["tbsend"].status is not None, LIMIT,
                    f"{way.jobs['tbsend']} got no further")
        if not job.running():
            return False
        job.kill(9)
        job.wait()
        way.start(program)
        return True

    def transfer(self, way, fault, frames):
        """One of them with one fault. Returns whether it took effect."""
        if fault.kind == "kill":
            way.start_all()
            took = self.kill(way, fault.place)
        else:
            rule = self.fabric.fault(self.plan(fault, frames, way).rstrip())
            way.start_all()
        codes = way.end()
        if fault.kind != "kill":
            took = self.fabric.taken(rule) > 0
            self.fabric.command("fault clear")
        if set(codes.values()) != {0}:
            self.again(way, fault, codes)
        return took

    def again(self, way, fault, codes):
        """It was refused: with a reason, and the same commands go on."""
        for program, code in codes.items():
            said = way.jobs[program].all_text()
            check.true(code == 0 or f"{program}: " in said.splitlines()[-1],
                       f"{program} ended with {code}, and no sentence: {way.said()}")
        self.refused.append(f"{way.name}, {fault}: {codes} {way.said()}")
        for side in way.sides.values():
            side.run(f"cd {stream.CONFIG} && {{ rmdir -p */backup 2>/dev/null; true; }}")
        way.start_all()
        check.equal(set(way.end().values()), {0}, f"exit codes, started again; {way.said()}")

    def round(self, number, frames):
        took = []
        for way in self.ways(number):
            fault = next(self.faults)
            if self.transfer(way, fault, frames[way.name]):
                took.append((way.name, *fault))
        self.images.append(number)
        restored = self.left.agent.run("sha256sum < /dev/vdb", 60).split()[0]
        check.equal(restored, self.sum, f"the hash of the restored disk, after {took}")
        self.took.update(took)
        return bool(took)


def proof(test, soak):
    """Every image, by programs that are not ours."""
    for side in soak.left, soak.right:
        side.agent.run("sync")
        side.kill()
    check.equal(check.sha256(soak.restored), soak.sum, "the hash of the restored disk")
    subprocess.run(test.place().argv("e2fsck") + ["-fy", soak.kept], stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    image = test.folder / "image.zst"
    for number in soak.images:
        disks.run_tool(test.place(), "debugfs", "-R", f"dump /{number}.zst {image}", soak.kept)
        disks.run_tool(test.place(), "zstd", "-q", "-d", "-f", image, "-o", f"{image}.raw")
        check.equal(check.sha256(f"{image}.raw"), soak.sum, f"the hash of what is in {number}.zst")
        verified = subprocess.run([keeper.built("tbstream"), "verify", image],
                                  stderr=subprocess.PIPE, text=True)
        check.equal(verified.returncode, 0, f"tbstream verify, which said {verified.stderr}")


def run(test):
    soak = Soak(test)
    with test.behaviour("without a fault: a backup, and a restore"):
        frames = {way.name: soak.clean(way) for way in soak.ways("clean")}
        soak.images.append("clean")
    for number in range(1, ROUNDS + 1):
        with test.behaviour(f"SEED={SEED}, round {number} of {ROUNDS}"):
            while not soak.round(number, frames):
                check.diagnose(f"round {number}: no fault took effect, so once more")
                soak.right.agent.run(f"rm /mnt/{number}.zst")
                soak.images.remove(number)
    with test.behaviour("outside: every image is the disk, and so is what was restored"):
        proof(test, soak)
    for fault, count in sorted(soak.took.items(), key=str):
        check.diagnose(f"{count} x {' '.join(map(str, fault))}")
    for text in soak.refused:
        check.diagnose(f"refused: {text}")


check.main(run, seconds=120 + 150 * ROUNDS)

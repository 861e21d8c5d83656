# SPDX-License-Identifier: GPL-2.0-or-later
"""Which faults a soak makes: all of it follows from the seed and the number of the round."""

import dataclasses
import random

PHASES = ("hello", "offer", "accept", "data", "end", "result")
WAYS = (">", "<")  # to the receiver, to the sender
SIDES = {">": "tbsend", "<": "tbrecv"}  # whose frames go that way
KINDS = ("drop", "double", "flip", "swap", "truncate", "stall", "close", "kill")
FLOWS = ("backup", "restore")
PLACES = tuple((phase, way) for phase in PHASES for way in WAYS)

# Of a phase's own records only one side's exist: the other side's frame is what it says meanwhile
# (KEEPALIVE, ACK), for which the record is kept waiting on the cable.
HELD = {("offer", "<"), ("accept", ">"), ("data", "<"), ("end", "<"), ("result", ">")}

# A fault in data comes before that many of its records: less than source.py's disks have.
CHUNKS = 50
CHUNKS_LATER = 8  # when the transfer goes on, or the disk is small
WORN = 6  # once more than both sides put up with where nothing gets through


@dataclasses.dataclass
class Fault:
    """At the first frame of its place that fits, once the fault before it took effect."""

    kind: str
    phase: str
    way: str
    held: bool  # whether its frame is what is said while the phase's own record waits
    chunk: int  # in data: behind so many of its records
    again: bool  # in hello: the second one
    frame: float  # which of the record's frames, from 0 to 1
    inner: float  # which of its bits, how much of it, how soon the program starts again
    passes: bool  # whether the frame of a close or a kill still gets through


@dataclasses.dataclass
class Round:
    seed: str
    number: int
    flow: str
    faults: list


def fault_at(dice, kind, phase, way, chunks):
    held = (phase, way) in HELD
    if (phase, way) == ("result", ">"):
        held = dice.random() < 0.5  # BYE goes that way, and KEEPALIVE before RESULT
    return Fault(kind, phase, way, held, dice.randrange(chunks), dice.random() < 0.5,
                 dice.random(), dice.random(), dice.random() < 0.5)


def deck(seed, kinds):
    """(flow, kind, phase, way): every place once before any comes again, in each way it can."""
    dice = random.Random(f"{seed}/deck")
    suits = {}
    for place in PLACES:
        suits[place] = [(flow, kind) for flow in FLOWS for kind in kinds]
        dice.shuffle(suits[place])
    cards = []
    for layer in range(len(FLOWS) * len(kinds)):
        places = list(PLACES)
        dice.shuffle(places)
        cards += [(*suits[place][layer], *place) for place in places]
    return cards


def make(seed, number, quick=False):
    """Round NUMBER, from 1 on. QUICK: on a small disk, without what takes ten seconds to see."""
    kinds = tuple(kind for kind in KINDS if not quick or kind != "stall")
    cards = deck(seed, kinds)
    flow, kind, phase, way = cards[(number - 1) % len(cards)]
    dice = random.Random(f"{seed}/{number}")
    faults = [fault_at(dice, kind, phase, way, CHUNKS_LATER if quick else CHUNKS)]
    if quick:
        return Round(seed, number, flow, faults)
    if kind == "close" and dice.random() < 0.3:
        faults[0].chunk = 0
        faults *= WORN
        return Round(seed, number, flow, faults)
    for _ in range(dice.choice((0, 0, 1, 1, 2))):
        kind = dice.choice([k for k in KINDS if k != "stall"])
        faults.append(fault_at(dice, kind, *dice.choice(PLACES), CHUNKS_LATER))
    return Round(seed, number, flow, faults)

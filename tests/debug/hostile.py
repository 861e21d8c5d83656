# SPDX-License-Identifier: GPL-2.0-or-later
"""A peer that keeps to no rule: hostile/hostile.c in the right machine, our driver in the left."""

import pathlib

from rig import check, module, scenario, stream

from work import LIMIT, SECONDS, make, remove, settle, transfer

SOURCE = pathlib.Path(__file__).with_name("hostile")
INSIDE = "/usr/lib/hostile.ko"

# Where it is told what to do.
DO = "/sys/module/tbstream/parameters/do"

# Names that it announces without HopIDs that could be used.
ABSURD = ("zero", "low", "high", "huge", "sign", "text", "data", "half", "deep", "empty", "number")

# Frames that it sends, and what the reader gets: DATA's bytes, and the error at the end. Frames
# whose PDFs are not USB4STREAM's do not come to the ring.
FRAMES = (
    (("wrong-start", "wrong-end", "no-end", "data-byte", "close"), 1, ""),
    (("data", "close-full"), 4096, ""),
    (("close-byte", "data", "close", "close"), 0, ""),
    (("data", "close-short", "close-reply"), 4096, ""),
    (("data", "close-reply"), 4096, "ENXIO"),
    (("data", "close-lies"), 4096, "EIO"),
    (("data",) * 40 + ("close",), 40 * 4096, ""),
)


def build(name):
    """Its path, for a kernel."""
    return module.build(name, SOURCE, module.OUT / "hostile" / name / "hostile.ko")


def _do(right, *words):
    for word in words:
        right.agent.run(f"echo {word} > {DO}", SECONDS)


def _frames(left, right, words, amount, error):
    what = f"the reader of {' '.join(words[-4:])}"
    read = left.exercise(LIMIT, "open:@:rw", "drain", "readonce:1", "close")
    read.result("open", SECONDS).want("open()", 0)
    _do(right, "start")
    # What comes after a CLOSE may find no ring that takes it.
    right.agent.run(f"for word in {' '.join(words)}; do echo $word > {DO} || exit 0; done", SECONDS)
    read.result("drain", SECONDS).want(what, amount, error)
    read.result("readonce", SECONDS).want(what, 0, error)
    read.end(SECONDS)
    # It never replies to a CLOSE.
    settle(left)
    _do(right, "stop")


def frames(left, right, _cable):
    for words, amount, error in FRAMES:
        _frames(left, right, words, amount, error)


def nobody_reads(left, right, _cable):
    """It sends for as long as there is room, and the stream is closed all the same."""
    held = left.exercise(LIMIT, "open:@:rw", "write:64K", "wait", "close")
    held.result("open", SECONDS)
    _do(right, "start")
    code = right.agent.code(f"while echo data > {DO}; do :; done 2> /run/end; "
                            "grep -q 'timed out' /run/end", SECONDS)
    check.equal(code, 0, "it could send without end")
    held.go()
    held.result("close", SECONDS).want("close()", 0)
    held.end(SECONDS)
    settle(left)
    _do(right, "stop")


def properties(left, _right, _cable):
    """Names of which nothing can be made are as names that nobody announces."""
    for name in ABSURD:
        path = f"{stream.CONFIG}/{left.service}/{name}"
        found = left.agent.run(f"mkdir -p {path}; cat {path}/in_hopid {path}/out_hopid; "
                               f"rmdir {path}").split()
        check.equal(found, ["0", "0"], f"the HopIDs of {name}")


def withdrawn(left, right, _cable):
    """The service goes under an open stream, and comes again."""
    read = left.exercise(LIMIT, "open:@:rw", "drain", "close")
    read.result("open", SECONDS)
    _do(right, "start", "data", "withdraw")
    left.lost()
    read.result("drain", SECONDS).want("the reader", 4096, "ENXIO")
    read.end(SECONDS)
    _do(right, "stop", "offer")
    left.found()
    _frames(left, right, ("data", "close"), 4096, "")


def run(test, left, right, cable):
    """Takes the right machine's driver away for as long as it lasts."""
    remove(left, right)
    right.agent.run("rmmod tbstream", SECONDS)
    left.lost()
    right.agent.run(f"insmod {INSIDE}", SECONDS)
    left.found()
    right.found()
    with test.behaviour("a hostile peer's properties are refused"):
        properties(left, right, cable)
    left.stream = stream.follow(left.agent, "good", SECONDS)
    for sentence, scene in (("a hostile peer's frames end streams, and no more", frames),
                            ("a hostile peer that floods cannot hold up close()", nobody_reads),
                            ("a hostile peer may take its service away", withdrawn)):
        with test.behaviour(sentence):
            scene(left, right, cable)
        left.stop()
        right.agent.code(f"echo stop > {DO}", SECONDS)
    right.agent.run("rmmod tbstream", SECONDS)
    left.lost()
    left.stream.remove()
    right.agent.run("modprobe tbstream", SECONDS)
    for side in (left, right):
        scenario.Side.found(side)
    make(left, right, "ours")
    with test.behaviour("after it the driver is as before"):
        transfer(left, right)
        transfer(right, left)

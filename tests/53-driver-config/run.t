#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""configfs: every attribute of the kernel's ABI, HopIDs, names and announcements."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, scenario, stream  # noqa: E402
from rig.scenario import Scenario  # noqa: E402

# What the service will be called, once there is a cable.
SERVICE = "0-1.1"

SIZE = 1 << 20
HOPIDS = range(8, 32)
TIMES = 500

# What the core says where properties that fill two packets change between them.
CHANGED_MEANWHILE = "failed to parse XDomain properties"


class Folder:
    """A stream's folder in configfs, perhaps not made yet."""

    def __init__(self, side, name, service=None):
        self.side = side
        self.path = f"{stream.CONFIG}/{service or side.service}/{name}"

    def make(self, in_hopid=None, out_hopid=None):
        self.side.agent.run(f"mkdir -p {self.path}")
        for name, value in (("in_hopid", in_hopid), ("out_hopid", out_hopid)):
            if value is not None:
                self.put(name, value).want(f"{name} {value}")
        return self

    def put(self, name, value):
        """Write an attribute; the write's result."""
        return self.side.do(f"put:{self.path}/{name}:{value}")[0]

    def refuses(self, name, error, *values):
        """Each of them is refused with that error, and nothing changes."""
        before = self.get(name)
        for result in self.side.do(*(f"put:{self.path}/{name}:{value}" for value in values)):
            result.want(f"{name} refuses", -1, error)
        check.equal(self.get(name), before, f"{name} after it was refused to change")

    def takes(self, name, *values):
        """Each of them is accepted, and can be read."""
        for value in values:
            self.put(name, value).want(f"{name} takes {value}", len(str(value)))
            check.equal(self.get(name), value, f"{name} after {value} was accepted")

    def get(self, name):
        return int(self.side.agent.run(f"cat {self.path}/{name}"))

    def hopids(self):
        return self.get("in_hopid"), self.get("out_hopid")

    def device(self):
        return f"/dev/tbstream{self.get('index')}"

    def remove(self):
        self.side.do(f"rmdir:{self.path}")[0].want("rmdir", 0)


def transfer(left, right, from_device, to_device, size=SIZE):
    reader = right.exercise(f"open:{to_device}:r", "limit:15000", "drain", "close")
    reader.result("open").want("the reader's open()", 0)
    left.exercise(f"open:{from_device}:w", f"write:{size}", "close")
    reader.result("drain").got("the reader", size)


def before_cable(left, right, cable):
    """This is the first scenario: there has never been a cable."""
    one, other = (Folder(side, "early", SERVICE) for side in (left, right))
    one.make(14, 13)
    other.make(13, 14)
    auto = Folder(left, "auto", SERVICE).make(-1, -1)
    check.equal(one.hopids(), (14, 13), "HopIDs without a peer")
    check.equal(auto.hopids(), (-1, -1), "automatic HopIDs without a peer")
    scenario.plug(left, right, cable)
    check.equal(left.service, SERVICE, "the service")
    check.equal(one.hopids(), (14, 13), "HopIDs with a peer")
    check.true(min(auto.hopids()) >= 8, f"automatic HopIDs with a peer are {auto.hopids()}")
    transfer(left, right, one.device(), other.device())


def attributes(left, _right, _cable):
    folder = Folder(left, "plain").make()
    for name, value in (("in_hopid", 0), ("out_hopid", 0), ("ring_size", 256),
                        ("throttling", 8192)):
        check.equal(folder.get(name), value, f"{name} of a new stream")
    left.agent.run(f"test -c {folder.device()}")
    folder.refuses("index", "EACCES", 5)
    folder.refuses("ring_size", "EINVAL", 31, 4097, -1, 0, "x")
    folder.takes("ring_size", 32, 4096, 1000)
    folder.refuses("throttling", "EINVAL", 16776961, -1, "x")
    folder.takes("throttling", 0, 16776960, 8191)
    for name in ("in_hopid", "out_hopid"):
        folder.refuses(name, "EINVAL", 1, 7, 32, 2048, "x")
        folder.takes(name, 8, 31, 0)


def ring_sizes(left, right, _cable):
    """Of any sort, also unequal, and with the extremes of throttling."""
    one, other = (Folder(side, "rings") for side in (left, right))
    one.make(20, 21)
    other.make(21, 20)
    for sizes in ((32, 32), (32, 4096), (4096, 32), (4096, 4096), (33, 1000)):
        for folder, size in zip((one, other), sizes):
            folder.takes("ring_size", size)
            folder.takes("throttling", 0 if size == 32 else 16776960)
        transfer(left, right, one.device(), other.device(), 8 << 20)


def busy_poll(left, right, _cable):
    """Only where the core can do without interrupts, which came with Linux 7.3."""
    one, other = (Folder(side, "spin") for side in (left, right))
    one.make(20, 21)
    other.make(21, 20)
    for folder in (one, other):
        version = folder.side.agent.run("uname -r").split(".")
        there = folder.side.agent.code(f"test -e {folder.path}/busy_poll") == 0
        check.equal(there, (int(version[0]), int(version[1])) >= (7, 3), "there is a busy_poll")
        if there:
            folder.takes("busy_poll", 1)
    transfer(left, right, one.device(), other.device(), 8 << 20)
    transfer(right, left, other.device(), one.device(), 8 << 20)


def names(left, _right, _cable):
    root, group = stream.CONFIG, f"{stream.CONFIG}/{left.service}"
    left.agent.run(f"mkdir -p {group}")
    for name in ("a", "b2345678", "no-UUID."):
        left.do(f"mkdir:{group}/{name}")[0].want(f"the name {name}", 0)
    left.do(f"mkdir:{group}/c23456789")[0].want("a name of 9 characters", -1, "ENAMETOOLONG")
    for name in ("x", "0", "0-1", "0-1.", "1.1", "a-1.1"):
        left.do(f"mkdir:{root}/{name}")[0].want(f"a group named {name}", -1, "EINVAL")
    for name in ("0-301.2", "7-1.0"):
        left.do(f"mkdir:{root}/{name}")[0].want(f"a group named {name}", 0)


def busy_while_open(left, _right, _cable):
    folder = Folder(left, "busy").make(20, 21)
    holder = left.exercise(f"open:{folder.device()}:r", "wait", "close")
    holder.result("open").want("open()", 0)
    for name, values in (("in_hopid", (20, 22, -1, 0)), ("out_hopid", (21, 22, -1, 0)),
                         ("ring_size", (256, 512)), ("throttling", (8192, 0))):
        folder.refuses(name, "EBUSY", *values)
    holder.go()
    holder.end()
    folder.takes("in_hopid", 22)
    folder.takes("ring_size", 512)


def none(left, _right, _cable):
    """Nothing could ever come: that is said at once."""
    folder = Folder(left, "none").make(20, 21)
    left.do(f"open:{folder.device()}:r", "close")[0].want("open() with HopIDs", 0)
    folder.takes("in_hopid", 0)
    folder.takes("out_hopid", 0)
    left.do(f"open:{folder.device()}:r")[0].want("open() with no HopIDs", -1, "EINVAL")
    other = Folder(left, "other").make(20, 21)
    check.equal(other.hopids(), (20, 21), "HopIDs that another stream has given back")


def keeps_when_refused(left, _right, _cable):
    """The number that it had is still its own."""
    one, two = Folder(left, "one").make(20, 20), Folder(left, "two").make(21, 21)
    third = Folder(left, "third").make()
    for name in ("in_hopid", "out_hopid"):
        two.refuses(name, "EBUSY", 20)
        third.put(name, 21).want(f"{name} 21, which another stream has kept", -1, "EBUSY")
        two.put(name, 21).want(f"{name} 21, which the stream has", 2)
    check.equal(one.hopids() + two.hopids(), (20, 20, 21, 21), "HopIDs at the end")


def taken_at_attach(left, right, cable):
    """Both want the same number, and none is there yet who could refuse it."""
    scenario.unplug(left, right, cable)
    folders = [Folder(left, name).make(20, 20) for name in ("one", "two")]
    scenario.plug(left, right, cable)
    having = [folder for folder in folders if folder.hopids() == (20, 20)]
    check.equal(len(having), 1, "streams that have HopID 20")
    third = Folder(left, "third").make()
    for folder in folders:
        if folder not in having:
            folder.remove()
    third.refuses("in_hopid", "EBUSY", 20)
    third.refuses("out_hopid", "EBUSY", 20)
    having[0].remove()
    third.takes("in_hopid", 20)


def exact_over_replug(left, right, cable):
    one, auto = Folder(left, "one").make(20, 21), Folder(left, "auto").make(-1, -1)
    chosen = auto.hopids()
    holder = left.exercise(f"open:{one.device()}:rw", "drain", "wait", "close")
    holder.result("open").want("open()", 0)
    for _ in range(2):
        scenario.unplug(left, right, cable)
        check.equal(one.hopids(), (20, 21), "HopIDs without a peer")
        scenario.plug(left, right, cable)
        check.equal(one.hopids() + auto.hopids(), (20, 21) + chosen, "HopIDs after a replug")
    holder.go()
    holder.end()
    other = Folder(left, "other").make()
    other.refuses("in_hopid", "EBUSY", 20, chosen[0])
    other.refuses("out_hopid", "EBUSY", 21, chosen[1])
    scenario.unplug(left, right, cable)
    one.remove()
    auto.remove()
    scenario.plug(left, right, cable)
    for name in ("in_hopid", "out_hopid"):
        other.takes(name, *HOPIDS)
        other.takes(name, 0)


def automatic(left, _right, _cable):
    """All there are, each once; one that is given back is there again."""
    folders = [Folder(left, f"auto{number}").make() for number in HOPIDS]
    more = Folder(left, "more").make()
    for name in ("in_hopid", "out_hopid"):
        for folder in folders:
            folder.put(name, -1).want(f"{name} -1")
        check.equal(sorted(folder.get(name) for folder in folders), list(HOPIDS), f"all {name}s")
        check.true(more.put(name, -1).value == -1, f"there was one more {name} than there are")
        given = folders[5].get(name)
        folders[5].put(name, 0).want(f"{name} 0")
        more.put(name, -1).want(f"{name} -1")
        check.equal(more.get(name), given, f"the {name} that was given back")
        for folder in folders + [more]:
            folder.put(name, 0)


def announcements(left, right, _cable):
    ours = stream.create(left.agent, "told")
    theirs = stream.follow(right.agent, "told")
    check.equal(theirs.hopids(), ours.hopids()[::-1], "HopIDs of the follower")
    transfer(left, right, ours.device, theirs.device)
    theirs.remove()
    left.agent.run(f"echo 0 > {ours.config}/out_hopid")
    untold(right, "told")
    left.agent.run(f"echo -1 > {ours.config}/out_hopid")
    stream.follow(right.agent, "told").remove()
    ours.remove()
    untold(right, "told")


def untold(side, name):
    """Wait until a bare mkdir finds no announcement."""
    path = Folder(side, name).path
    side.agent.wait_until(f"mkdir -p {path}; hopids=$(cat {path}/in_hopid {path}/out_hopid); "
                          f"rmdir {path}; [ \"$(echo $hopids)\" = '0 0' ]", 20)


def removed_while_open(left, right, _cable):
    waiting = left.exercise("open:@:rw", "thread", "write:1G:8M", "end", "drain", "join",
                            "poll:in:0", "wait", "close")
    peer = right.exercise("open:@:r", "limit:10000", "wait", "drain", "close")
    for script in (waiting, peer):
        script.result("open").want("open()", 0)
    check.true(waiting.comes("write", 0.5) is None, "8 MiB were accepted without a reader")
    removing = left.agent.spawn(f"rmdir {left.stream.config}")
    peer.go()
    removing.check()
    waiting.result("write").want("write() to a removed stream", error="ENXIO")
    waiting.result("drain").want("read() of a removed stream", 0, "ENXIO")
    check.true("HUP" in waiting.result("poll").value.split("|"), "poll() does not say HUP")
    left.agent.run(f"! test -e {left.stream.device}")
    ended = peer.result("drain")
    check.equal(ended.error, "EIO", f"the end of the peer's stream: {ended.line}")
    Folder(left, left.stream.name).make(scenario.BACK, scenario.THERE)
    waiting.go()
    waiting.result("close")


def beside_a_busy_one(left, right, _cable):
    """Made and removed on either side, so that announcements come and go all the time."""
    reader = right.exercise("open:@:r", "limit:300000", "drain", "close")
    reader.result("open").want("open()", 0)
    writer = left.exercise("open:@:w", "limit:300000", "pump", "close")
    writer.result("open").want("open()", 0)
    loops = []
    for side, name in ((left, "l"), (right, "r")):
        path = Folder(side, name).path
        loops.append(side.agent.spawn(
            f"for i in $(seq {TIMES // 2}); do mkdir {path} && echo -1 > {path}/in_hopid && "
            f"echo -1 > {path}/out_hopid && rmdir {path} || exit 1; done"))
    for loop in loops:
        loop.check(240)
    writer.go()
    pumped = writer.result("pump").want("the writer beside it")
    writer.result("close").want("close()", 0)
    drained = reader.result("drain").got("the reader beside it", pumped.value)
    for result in (pumped, drained):
        check.true(result.more["longest"] < 2000, f"the stream stood still: {result.line}")


def module(left, right, _cable):
    """Not while it is used; then it leaves nothing behind, and comes again."""
    holder = left.exercise("open:@:r", "wait", "close")
    holder.result("open").want("open()", 0)
    check.true(left.agent.code("rmmod tbstream") != 0, "it was unloaded while it was used")
    holder.go()
    holder.end()
    for side in (left, right):
        Folder(side, side.stream.name).remove()
        side.agent.run(f"rmdir {stream.CONFIG}/{side.service}")
        side.stream = None
    left.agent.run("rmmod tbstream && modprobe tbstream")
    for side in (left, right):
        side.found()
    one, other = Folder(left, "again").make(20, 21), Folder(right, "again").make(21, 20)
    transfer(left, right, one.device(), other.device())


scenario.main(
    Scenario("streams may be made before there is a cable", before_cable, fault="",
             streams=False),
    Scenario("attributes take what the ABI says, and refuse the rest", attributes,
             fault=""),
    Scenario("rings of any size work together", ring_sizes),
    Scenario("with busy_poll a stream works without interrupts", busy_poll),
    Scenario("names have 1 to 8 characters, and groups are named as services are", names,
             fault=""),
    Scenario("nothing can be changed while the device is open", busy_while_open, fault=""),
    Scenario("0 gives a HopID back, and without any open() says EINVAL", none, fault=""),
    Scenario("a HopID that is refused costs the old one nothing", keeps_when_refused,
             streams=False, fault="which another stream has kept: .*result=2"),
    Scenario("two streams that want one HopID: one gets it", taken_at_attach,
             streams=False, fault="streams that have HopID 20: got 2"),
    Scenario("HopIDs are the same after a replug, and all are given back", exact_over_replug,
             streams=False, fault=""),
    Scenario("automatic HopIDs are all there are, each once", automatic, streams=False),
    Scenario("announcements come and go as streams do", announcements, streams=False),
    Scenario("a stream that is open can be removed: ENXIO", removed_while_open),
    Scenario(f"{TIMES} streams that are made and removed do not stop another one",
             beside_a_busy_one, excused=CHANGED_MEANWHILE),
    Scenario("the module can be unloaded only while it is unused", module),
    seconds=480, plugged=False)

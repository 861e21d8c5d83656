#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""tbsend and tbrecv find each other by a stream's name: whoever starts first, sends, or leads; a
peer that was configured by hand; and what they say where there is nobody to find.

    west   0-0 ========== 0-0  east      the lower router UUID, which leads, is west's

    north  0-0 ========== 0-0  south     here it is south's
           1-0 ---------- 1-0            plugged in at the end
"""

import os
import pathlib
import random
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, stream  # noqa: E402

LOW, HIGH = (f"{n:08x}-0000-0000-ffff-ffffffffffff" for n in (1, 2))
OTHERS = tuple(f"{n:08x}-0000-0000-ffff-ffffffffffff" for n in (3, 4))
ROUNDS = 5  # with each pair of machines
ANSWER = 1.0  # seconds from the second side's start to its first answer, at most
SIZE = 1 << 20
# Seconds that the first side waits at least, and then nothing else is tested.
WAIT = int(os.environ.get("WAIT", "0"))
NOBODY = "a machine at the other end of a Thunderbolt/USB4 cable"


class Side:
    """One machine, and what it sends."""

    def __init__(self, made, seed):
        self.agent = made.agent
        self.name = made.name
        # A serial line takes the most of a minute for all of it where the machine is busy.
        self.agent.write("/run/eighth", random.Random(seed).randbytes(SIZE // 8))
        self.agent.run("for i in 1 2 3 4 5 6 7 8; do cat /run/eighth; done > /run/source")
        self.sum = self.agent.run("sha256sum < /run/source")

    def send(self, name="pair", options="-t 40", where=None):
        return self.agent.spawn(f"exec tbsend {options} -s {where or name} /run/source")

    def receive(self, name="pair", options="-t 40", where=None):
        """Its output is the hash of what came."""
        return self.agent.spawn(f"tbrecv -d {options} -s {where or name} > /run/{name} || exit; "
                                f"sha256sum < /run/{name}; rm /run/{name}")

    def hold(self, name="pair", options="-t 40"):
        """A receiver that a signal reaches."""
        return self.agent.spawn(f"exec tbrecv {options} -s {name} > /dev/null")


def waiting(job):
    """Wait until it tells that it waits."""
    job.expect("waiting for", 20)


def arrived(sender, sending, receiving, seconds=40):
    """Both ends say that all went well, and it did."""
    try:
        codes = sending.wait(seconds), receiving.wait(seconds)
    except TimeoutError as error:
        raise TimeoutError(f"{error}\n{receiving} said: {receiving.all_text()}") from None
    check.true(codes == (0, 0), f"exit codes of sender and receiver: {codes}\n"
               f"{sending.all_text()}\n{receiving.all_text()}")
    check.equal(receiving.text(), sender.sum, f"the hash of what {sender.name} sent")


def refused(job, part, seconds=20, code=1):
    """It ends with a code and a sentence."""
    check.equal(job.wait(seconds), code, f"exit code of {job}: {job.all_text()}")
    check.true(part in job.all_text(), f"'{part}' is not in what {job} said: {job.all_text()}")


def clean(*sides):
    """Nothing that our programs made is left, but what those have that wait the whole time."""
    for side in sides:
        left = side.agent.run(f"ls -d {stream.CONFIG}/* {stream.CONFIG}/*/* 2>/dev/null; true")
        check.true(not left or all("late" in path for path in left.split()[1:]),
                   f"{side.name}: left in configfs: {left}")


def join(test, names, *uuids):
    """Two machines joined by a cable for each pair of UUIDs; the first one is plugged in."""
    hosts, cables = {}, []
    for number, pair in enumerate(uuids):
        ends = [f"{name}{number}" for name in names]
        hosts.update((end, f"lanes=1,uuid={uuid}") for end, uuid in zip(ends, pair))
        cables.append(":".join(ends) + (",unplugged" if number else ""))
    fabric = test.cable(hosts, cables)
    made = [test.keeper(name, {"ours": True}, fabric=tuple(
        fabric.socket(host) for host in hosts if host.startswith(name))) for name in names]
    for machine in made:
        machine.start()
    for machine in made:
        machine.agent.wait_ready()
    for machine in made:
        stream.service_wait(machine.agent)
    return fabric, *(Side(machine, machine.name) for machine in made)


def rounds(test, left, right, who):
    """Every direction and every order, again and again."""
    for sender, receiver in (left, right), (right, left):
        for order in "sender first", "receiver first", "both at once":
            with test.behaviour(f"{who}; {sender.name} sends, {order}: {ROUNDS} times"):
                for _ in range(ROUNDS):
                    jobs = []
                    for start in ((sender.send, receiver.receive) if order != "receiver first"
                                  else (receiver.receive, sender.send)):
                        jobs.append(start())
                        if order != "both at once" and len(jobs) == 1:
                            waiting(jobs[0])
                    if order == "receiver first":
                        jobs.reverse()
                    arrived(sender, *jobs)
                clean(left, right)


def late(test, first, second, job, what):
    """The second side comes at last."""
    with test.behaviour(f"{what}: the first answer within a second of the second side's start"):
        check.true(job.running(), f"the first side has ended: {job.all_text()}")
        start = time.monotonic()
        receiving = second.receive(f"late{first.name[0]}")
        receiving.expect("receiving from")
        took = time.monotonic() - start
        arrived(first, job, receiving)
        check.true(took <= ANSWER, f"it took {took:.2f} s")


def by_hand(test, low, high):
    for hand, ours in (low, high), (high, low):
        who = "leads" if hand is low else "follows"
        with test.behaviour(f"a peer that {who}, configured by hand before: mkdir and echo -1"):
            for _ in range(ROUNDS):
                made = stream.create(hand.agent, "pair")
                receiving = ours.receive()
                waiting(receiving)
                arrived(hand, hand.send(where=made.device), receiving)
                remove(made)
        with test.behaviour(f"a peer that {who}, configured by hand while we wait: echo -1"):
            receiving = ours.receive()
            receiving.expect("to answer")
            made = stream.create(hand.agent, "pair")
            arrived(hand, hand.send(where=made.device), receiving)
            remove(made)
        with test.behaviour(f"a peer that {who}, configured by hand while we wait: a bare mkdir"):
            sending = ours.send()
            sending.expect("to answer")
            made = stream.follow(hand.agent, "pair")
            arrived(ours, sending, hand.receive(where=made.device))
            remove(made)
    with test.behaviour("a peer that is dd, by --plain"):
        made = stream.create(low.agent, "pair")
        dd = low.agent.spawn(f"dd if={made.device} bs=64k | zstd -dqc | sha256sum")
        made.wait_open()
        check.equal(high.send(options="--plain").wait(), 0, "exit code of tbsend --plain")
        check.equal(dd.check(), high.sum, "the hash of what dd read")
        remove(made)
    clean(low, high)


def remove(made):
    """As a person should: the driver goes on announcing a name that is removed with its HopIDs."""
    made.agent.run(f"echo 0 > {made.config}/in_hopid; echo 0 > {made.config}/out_hopid")
    made.remove()


def names(test, low, high):
    with test.behaviour("a name that the peer does not announce: a sentence and exit code 1"):
        jobs = [low.send("nobody", "-t 3"), high.send("nothing", "-t 3")]
        refused(jobs[0], "timed out waiting for an answer on nobody")
        refused(jobs[1], f"timed out waiting for {low.name} (0-1) to announce the stream nothing")
        clean(low, high)

    with test.behaviour("two names that each side made for itself: each finds its own"):
        one, two = low.send("one"), high.send("two")
        for job in one, two:
            job.expect("to answer")
        arrived(low, one, high.receive("one"))
        arrived(high, two, low.receive("two"))
        clean(low, high)

    with test.behaviour("a name with another name's HopIDs, by hand: neither is taken for the other"):
        one = low.send("one")
        one.expect("to answer")
        made = stream.create(high.agent, "two", 15, 15)
        two = high.send("two")
        two.expect("has only one so far")
        high.agent.run(f"while grep -q 15 {made.config}/in_hopid; do usleep 20000; done")
        arrived(low, one, high.receive("one"))
        arrived(high, two, low.receive("two"))
        made.remove()
        clean(low, high)

    with test.behaviour("both sides send: both are told"):
        jobs = [side.send() for side in (low, high)]
        for job in jobs:
            refused(job, "both sides want to send")

    with test.behaviour("a stream in use: the process that has it is named"):
        held = low.hold()
        held.expect("to answer")
        pid = low.agent.run("pidof tbrecv")
        refused(low.send(), f"in use by tbrecv ({pid})")
        held.kill(15)
        check.equal(held.wait(), 1, "exit code after a signal")
        clean(low, high)


def deaths(test, fabric, low, high):
    with test.behaviour("what a killed program left in configfs is used again, by either side"):
        for dead, alive in (low, high), (high, low):
            held = dead.hold()
            held.expect("to answer")
            held.kill(9)
            held.wait()
            check.true(dead.agent.run(f"ls {stream.CONFIG}/*/pair"), "nothing was left")
            sending = alive.send()
            waiting(sending)
            arrived(alive, sending, dead.receive())
            dead.agent.run(f"cd {stream.CONFIG} && rmdir -p */pair")

    with test.behaviour("a peer that is killed in mid-transfer is noticed at once"):
        killed(low, high)

    with test.behaviour("the same where its CLOSE gets lost: noticed by its silence"):
        fabric.fault("drop pdf=3 cable=0 count=1000000")
        killed(high, low)
        fabric.command("fault clear")

    with test.behaviour("a frame that gets lost: it is seen, and the transfer goes on"):
        # HELLO, HELLO, OFFER, and then some thirty frames of data from south to north.
        fabric.fault("drop pdf=2 cable=0 dir=ba at=+12 count=1")
        jobs = [low.send(), high.receive()]
        arrived(low, *jobs)
        fabric.command("fault clear")
        check.true("damaged" in jobs[1].all_text(), f"the receiver says {jobs[1].all_text()}")
        clean(low, high)

    with test.behaviour("no peer: a sentence that names the cable; and when it comes, it is found"):
        fabric.unplug(0)
        for side in low, high:
            side.agent.wait_until("! ls /sys/bus/thunderbolt/devices/0-1")
        refused(low.send(options="-t 1"), f"timed out waiting for {NOBODY}")
        jobs = [low.send(), high.receive()]
        for job in jobs:
            job.expect(f"waiting for {NOBODY}")
        fabric.plug(0)
        arrived(low, *jobs)


def killed(sender, receiver):
    """The receiver is killed while data flows, and does not come again in time."""
    sending = sender.send(options="-t 10")
    receiving = receiver.agent.spawn("tbrecv -t 40 -s pair | sleep 40")
    receiving.expect("receiving from")
    # It has the sender's HELLO by then, but its own may not have left it yet.
    sending.expect("sending ")
    receiving.kill(9)
    receiving.wait()
    refused(sending, "the other side", 40)
    receiver.agent.run(f"cd {stream.CONFIG} && rmdir -p */pair")


def several(test, fabric, low, high):
    fabric.plug(1)
    for side in low, high:
        side.agent.wait_until("grep -lx stream /sys/bus/thunderbolt/devices/1-1.*/key")
    with test.behaviour("two peers: refused with the list of them, and --peer chooses"):
        job = low.send()
        refused(job, "choose one with --peer: ")
        check.true(HIGH in job.all_text() and OTHERS[0] in job.all_text(), "not both are listed")
        peers = low.agent.run("cat /sys/bus/thunderbolt/devices/[01]-1/unique_id").split()
        hosts = low.agent.run("cat /sys/bus/thunderbolt/devices/[01]-0/unique_id").split()
        for peer, host in zip(peers, hosts):
            receiving = high.receive(options=f"-t 40 -p {host}")
            arrived(low, low.send(options=f"-t 40 -p {peer}"), receiving)
        refused(low.send(options=f"-t 1 -p {LOW}"), f"the machine {LOW} at the other end")
        clean(low, high)


def alone(test):
    """Machines that lack something."""
    modules = ("configfs", "thunderbolt")
    fabric = test.cable({"driver": ""}, [])
    lack = {"driver": test.keeper("driver", {"ours": True, "load": modules, "present": modules},
                                  fabric=fabric.socket("driver")),
            "controller": test.keeper("controller", {"ours": True})}
    for machine in lack.values():
        machine.start()
    for name, sentence in (("driver", "no driver for USB4STREAM here"),
                           ("controller", "no Thunderbolt/USB4 host controller here")):
        with test.behaviour(f"no {name}: refused at once, with a sentence"):
            lack[name].agent.wait_ready()
            for program in "tbsend /etc/passwd", "tbrecv > /run/got":
                refused(lack[name].agent.spawn(program), sentence, 5)


def end(test, *sides):
    """The machines make room for others."""
    with test.behaviour("the kernels have not complained"):
        for side in sides:
            check.equal(side.agent.run("dmesg | grep -A 20 -e 'cut here' -e 'Call Trace'; true"), "",
                        f"{side.name}'s kernel log")
    for made in test.machines + test.cables:
        made.kill()


def run(test):
    fabric, west, east = join(test, ("west", "east"), (LOW, HIGH))
    waits = west.send("latew", f"-t {WAIT + 600}"), east.send("latee", f"-t {WAIT + 600}")
    if not WAIT:
        rounds(test, west, east, "west leads")
    least = time.monotonic() + WAIT
    while time.monotonic() < least:
        check.true(waits[0].running() and waits[1].running(), "a side that waits has ended")
        time.sleep(1)
    with check.alone():
        late(test, west, east, waits[0], "a leader that waited for long")
        late(test, east, west, waits[1], "a follower that waited for long")
    end(test, west, east)
    if WAIT:
        return

    fabric, north, south = join(test, ("north", "south"), (HIGH, LOW), OTHERS)
    rounds(test, north, south, "south leads")
    by_hand(test, south, north)
    names(test, south, north)
    deaths(test, fabric, south, north)
    several(test, fabric, south, north)
    end(test, south, north)
    alone(test)


check.main(run, seconds=700 + WAIT)

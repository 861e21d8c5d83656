#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Any of the drivers with any other: the uses of a stream, one pair of machines after the other.

MATRIX names the pairs, as "6.1:7.2 in-tree:6.12"; "all" is every one (`make check-vm-matrix`).
"""

import itertools
import os
import pathlib
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, klog, machine, stream  # noqa: E402

DRIVERS = ("6.1", "6.12", "7.2", "in-tree")
# Ours with the in-tree one, both ways round; 50 to 55 have another two kernels.
SOME = "6.1:in-tree in-tree:7.2"
SIZE = 8 << 20

LIST = "cd {} && find mydir -type f -exec sha256sum {{}} + | sort"


def pairs():
    wanted = os.environ.get("MATRIX") or SOME
    if wanted == "all":
        return list(itertools.product(DRIVERS, DRIVERS))
    return [tuple(pair.split(":")) for pair in wanted.split()]


def send(source, target, command):
    """The receiver opens first: the in-tree driver miscounts what comes before."""
    receiver = target.agent.spawn(command.format(device=target.stream.device))
    target.stream.wait_open()
    return receiver


def run_dd(left, right):
    for source, target, number in ((left, right, 0), (right, left, 1)):
        receiver = send(source, target, f"dd if={{device}} of=/dev/vdb bs=256k")
        source.agent.run(f"dd if=/dev/vda of={source.stream.device} bs=256k", 60)
        receiver.check(60)
        wanted = source.agent.run("sha256sum < /dev/vda")
        check.equal(target.agent.run("sha256sum < /dev/vdb"), wanted, f"hash, way {number}")


def run_tar(left, right):
    left.agent.run("mkdir -p /root/mydir && cp -a /usr/sbin /etc /root/mydir")
    receiver = send(left, right, "cd /run && gunzip < {device} | tar xf -")
    left.agent.run(f"cd /root && tar cf - mydir | gzip > {left.stream.device}", 60)
    receiver.check(60)
    check.equal(right.agent.run(LIST.format("/run")), left.agent.run(LIST.format("/root")),
                "the files")


def run_two(left, right):
    other = stream.create(left.agent, "second"), stream.follow(right.agent, "second")
    check.true(other[0].device != left.stream.device, "one device for both streams")
    first = send(left, right, "sha256sum < {device}")
    second = left.agent.spawn(f"sha256sum < {other[0].device}")
    other[0].wait_open()
    jobs = [left.agent.spawn(f"dd if=/dev/vda of={left.stream.device} bs=256k"),
            right.agent.spawn(f"dd if=/dev/vda of={other[1].device} bs=256k")]
    for job in jobs:
        job.check(60)
    check.equal(first.check(60), left.agent.run("sha256sum < /dev/vda"), "the first stream")
    check.equal(second.check(60), right.agent.run("sha256sum < /dev/vda"), "the second stream")
    for one in other:
        one.agent.run(f"rmdir {one.config}")


def run_tools(left, right):
    for source, target in ((left, right), (right, left)):
        receiver = target.agent.spawn("rm -f /run/*.zst; tbrecv -o /run/image.zst")
        source.agent.run("tbsend /dev/vda", 90)
        receiver.check(30)
        check.equal(target.agent.run("zstd -q -d < /run/image.zst | sha256sum").split()[0],
                    source.agent.run("sha256sum < /dev/vda").split()[0], "the image's hash")


def run_pair(test, names):
    noise = random.Random(56)
    disks = []
    for side in ("left", "right"):
        source = test.disk(f"{side}.source", SIZE, lambda _: noise.randbytes(1 << 20))
        target = test.disk(f"{side}.target", SIZE)
        disks.append([machine.Disk(source), machine.Disk(target)])
    left, right = test.pair(*({"driver": name, "disks": disk, "guest": {"ours": True}}
                              for name, disk in zip(names, disks)))
    for side in (left, right):
        side.said = len(klog.loud(side.agent))
    label = " and ".join(name if name == "in-tree" else f"ours {name}" for name in names)
    with test.behaviour(f"{label}: the follower gets the leader's HopIDs"):
        right.stream = stream.create(right.agent, "first")
        left.stream = stream.follow(left.agent, "first")
        check.equal(left.stream.hopids(), right.stream.hopids()[::-1], "HopIDs")
    with test.behaviour(f"{label}: a disk by dd, there and back"):
        run_dd(left, right)
    with test.behaviour(f"{label}: a folder by tar"):
        run_tar(left, right)
    with test.behaviour(f"{label}: two streams at once"):
        run_two(left, right)
    for side in (left, right):
        side.stream.remove()
    with test.behaviour(f"{label}: tbsend and tbrecv, there and back"):
        run_tools(left, right)
    with test.behaviour(f"{label}: nothing is left, and no complaint in the kernels' logs"):
        for side in (left, right):
            check.equal(side.agent.run(f"ls {stream.CONFIG}"), "", "what is left")
            check.equal(klog.loud(side.agent)[side.said:], [], "complaints")
    for made in test.machines[-2:]:
        made.kill()
    test.cables[-1].kill()


def run(test):
    for names in pairs():
        run_pair(test, names)


check.main(run, seconds=240 * len(pairs()))

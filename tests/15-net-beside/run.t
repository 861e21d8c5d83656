#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""thunderbolt-net beside a stream: ping and TCP stay intact while it runs."""

import hashlib
import pathlib
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, machine, stream  # noqa: E402

SIZE = 4 << 20
TCP_SIZE = 8 << 20

# The same disk again and again until it is told to stop; it says how many times that was.
SENDER = """n=0
until [ -e /tmp/stop ]; do
	cat /dev/vda
	n=$((n + 1))
done > {device}
echo $n"""


def run(test):
    source = test.disk("source.img", SIZE, lambda _: random.Random(15).randbytes(1 << 20))
    left, right = test.pair({"disks": [machine.Disk(source)]})

    with test.behaviour("thunderbolt-net answers pings"):
        for side, address in ((left, "192.0.2.1"), (right, "192.0.2.2")):
            side.agent.wait_path("/sys/class/net/thunderbolt0")
            side.agent.run(f"ip address add {address}/24 dev thunderbolt0 && "
                           "ip link set thunderbolt0 up")
        left.agent.run("ping -c 3 -i 0.2 -w 20 192.0.2.2", 30)

    # The network first: automatic HopIDs take the lowest that are free, which it wants too.
    ours = stream.create(right.agent, "beside")
    theirs = stream.follow(left.agent, "beside")
    receiver = right.agent.spawn(f"sha256sum < {ours.device}")
    ours.wait_open()
    sender = left.agent.spawn(SENDER.format(device=theirs.device))
    theirs.wait_open()

    with test.behaviour("ping loses nothing while a stream runs"):
        ping = left.agent.run("ping -c 10 -i 0.2 -w 30 192.0.2.2", 40)
        check.true(" 0% packet loss" in ping, ping)

    with test.behaviour("TCP arrives intact while a stream runs"):
        server = right.agent.spawn("nc -l -p 4000 | sha256sum")
        right.agent.run("until netstat -ltn | grep -q :4000; do usleep 20000; done")
        sent = left.agent.run(f"head -c {TCP_SIZE} /dev/urandom > /tmp/data; "
                              "nc 192.0.2.2 4000 < /tmp/data; sha256sum < /tmp/data", 60)
        check.equal(server.check(30), sent, "hash of what TCP brought")

    with test.behaviour("the stream ran all the time, and its data are intact"):
        check.true(sender.running() and receiver.running(), "the stream ended early")
        left.agent.run(": > /tmp/stop")
        rounds = int(sender.check(30))
        check.true(rounds > 1, f"the stream carried the disk {rounds} times only")
        wanted = hashlib.sha256(source.read_bytes() * rounds).hexdigest()
        check.equal(receiver.check(30).split()[0], wanted, f"hash of {rounds} times the disk")

    with test.behaviour("the network still works after the stream is gone"):
        theirs.remove()
        ours.remove()
        left.agent.run("ping -c 3 -i 0.2 -w 20 192.0.2.2", 30)


check.main(run, seconds=120)

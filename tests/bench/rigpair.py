# SPDX-License-Identifier: GPL-2.0-or-later
"""Pairs of machines with the same kernel and each a driver, for what is measured on the rig."""

import time

from rig import stream

# What the report calls them, and the driver as rig/kernel.py names it.
KINDS = {"ours": "7.3", "in-tree": "in-tree"}

ADDRESSES = {"left": "192.0.2.1", "right": "192.0.2.2"}


def cpu_seconds(agent):
    """What a guest's CPUs have worked since it booted; idle and waiting for disks left out."""
    ticks = list(map(int, agent.run("head -n 1 /proc/stat").split()[1:]))
    return (sum(ticks[:8]) - ticks[3] - ticks[4]) / 100


def boot(test, kind, driver, network=False, **options):
    """Two machines, left and right, with a stream between them: `machine.stream`. With `network`
    thunderbolt-net has ADDRESSES on both."""
    folder = test.folder / kind
    folder.mkdir()
    fabric = test.cable({f"{kind}-left": "lanes=1", f"{kind}-right": "lanes=1"},
                        [f"{kind}-left:{kind}-right"])
    pair = {side: test.keeper(f"{kind}-{side}", driver=driver, folder=folder,
                              fabric=fabric.socket(f"{kind}-{side}"), **options.get(side, {}))
            for side in ("left", "right")}
    for machine in pair.values():
        machine.start()
    for machine in pair.values():
        machine.agent.wait_ready()
    # The network first: automatic HopIDs of the in-tree driver take those that it wants too.
    for side, machine in pair.items() if network else ():
        machine.agent.wait_path("/sys/class/net/thunderbolt0")
        machine.agent.run(f"ip address add {ADDRESSES[side]}/24 dev thunderbolt0 && "
                          "ip link set thunderbolt0 up")
    if network:
        # And until it is there: it takes them when both sides have said so.
        pair["left"].agent.run(f"ping -c 1 -w 30 {ADDRESSES['right']}", 40)
    pair["right"].stream = stream.create(pair["right"].agent, "bench")
    pair["left"].stream = stream.follow(pair["left"].agent, "bench")
    return pair["left"], pair["right"]


def ring_set(pair, ring):
    """Frames in flight on each side."""
    for machine in pair:
        machine.agent.run(f"echo {ring} > {machine.stream.config}/ring_size")


class Lost(Exception):
    """The receiver did not get all of it, or no end."""


def transfer(pair, size, write=256, read=256):
    """SIZE MiB by dd from left to right, so many KiB a write and a read: {seconds, cpu}. The
    reader opens first. The in-tree driver may lose the tail or the end; then Lost is raised."""
    left, right = pair
    before = sum(cpu_seconds(machine.agent) for machine in pair)
    reader = right.agent.spawn(f"dd if={right.stream.device} of=/dev/null bs={read}k")
    right.stream.wait_open()
    start = time.monotonic()
    left.agent.run(f"dd if=/dev/zero of={left.stream.device} bs={write}k "
                   f"count={(size << 10) // write}", 300)
    try:
        reader.check(60)
    except TimeoutError as error:
        reader.kill(15)
        reader.wait()
        raise Lost(str(error)) from None
    seconds = time.monotonic() - start
    if f"{size << 20} bytes" not in reader.all_text():
        raise Lost(f"the reader did not get all: {reader.all_text()}")
    return {"seconds": seconds,
            "cpu": sum(cpu_seconds(machine.agent) for machine in pair) - before}

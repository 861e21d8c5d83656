#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks with bad sectors, and one that is pulled while it is read.

    laptop, tbsend --rescue  ==== USB4 cable ====  keeper, tbrecv onto a disk, and into a file
      vda virtio and nvme0n1: sectors that QEMU's blkdebug fails; sda: usb, pulled

What arrived is compared outside, when the machines are off.
"""

import pathlib
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, machine  # noqa: E402

MIB = 1 << 20
SIZE = 32 * MIB
SECTOR = 512
NOISE = random.Random(61)
# In the first chunk, at its end, two together, a run over the border of two chunks, the last one.
BAD = (64, 8191, 20000, 20001, *range(32760, 32776), SIZE // SECTOR - 1)
SOURCES = {"virtio": "/dev/vda", "nvme": "/dev/nvme0n1"}
TARGETS = {"virtio": "/dev/vda", "nvme": "/dev/vdb"}


def says(text, sentence):
    check.true(sentence in text, f"'{sentence}' is not in: {text}")


def wanted(path):
    """What can be read of the disk, and zeros."""
    data = bytearray(path.read_bytes())
    for sector in BAD:
        data[sector * SECTOR:(sector + 1) * SECTOR] = bytes(SECTOR)
    return bytes(data)


def transfer(left, right, send, receive, codes):
    """Both ends; what each of them said."""
    receiving = right.agent.spawn(f"exec tbrecv -t 40 {receive}")
    sending = left.agent.spawn(f"exec tbsend -t 40 {send}")
    ended = sending.wait(120), receiving.wait(120)
    said = sending.all_text(), receiving.all_text()
    check.equal(ended, codes, "exit codes of tbsend and tbrecv, which said\n" + "\n".join(said))
    return said


def run_bad(test, left, right, bus):
    device = SOURCES[bus]
    amount = f"could not be read: {len(BAD) * SECTOR / 1024:.1f} KiB in 5 ranges"

    with test.behaviour(f"{bus}: without --rescue the first bad sector ends it, by its place"):
        for text in transfer(left, right, device, "-o /run/none.zst", (1, 1)):
            says(text, f"{device} cannot be read at byte {BAD[0] * SECTOR}: ")
        right.agent.run("rm -f /run/none.zst*")

    with test.behaviour(f"{bus}: with it both sides end with 3, and say how much is missing"):
        send, receive = transfer(left, right, f"--rescue --mapfile=/run/{bus}.map {device}",
                                 f"--force {TARGETS[bus]}", (3, 3))
        says(send, amount)
        says(receive, f"could not read {amount.split(': ')[1]}")

    with test.behaviour(f"{bus}: the mapfile has each of them, and no more"):
        rows = left.agent.run(f"cat /run/{bus}.map").splitlines()
        lost = [row.split() for row in rows if row.endswith("-")]
        check.equal(sum(int(row[1], 16) for row in lost), len(BAD) * SECTOR, "bytes in it")
        check.equal(len(lost), 5, "blocks in it")

    with test.behaviour(f"{bus}: an image of it is whole, and verify says what is missing"):
        transfer(left, right, f"--rescue {device}", f"-o /run/{bus}.zst", (3, 3))
        says(right.agent.run(f"tbstream verify /run/{bus}.zst 2>&1", 60), "5 ranges")
        right.agent.run(f"rm /run/{bus}.zst")


def run_pulled(left):
    agent = left.agent
    agent.wait_path("/dev/sda", 30)
    job = agent.spawn(
        "mkfifo /run/pipe && { head -c 1000000 > /dev/null; touch /run/begun; "
        "until [ -e /run/pulled ]; do sleep 0.1; done; cat > /dev/null; } < /run/pipe & "
        "until [ -e /run/pipe ]; do sleep 0.1; done; "
        "exec tbsend --plain --rescue --mapfile=/run/sda.map /dev/sda > /run/pipe")
    agent.run("until [ -e /run/begun ]; do usleep 20000; done", 60)
    left.qmp.execute("device_del", id="disk2-drive")
    agent.wait_until("! [ -e /sys/block/sda ]", 30)
    agent.run("touch /run/pulled")
    check.equal(job.wait(60), 1, f"exit code of tbsend, which said {job.all_text()}")
    says(job.all_text(), "/dev/sda has disappeared")
    check.true(" +" in agent.run("cat /run/sda.map"), "the mapfile has nothing that was read")


def run(test):
    sources = {name: test.disk(f"{name}.img", SIZE, lambda _: NOISE.randbytes(MIB))
               for name in ("virtio", "nvme", "usb")}
    targets = {name: test.disk(f"{name}-target.img", SIZE) for name in TARGETS}
    disks = [machine.Disk(sources["virtio"], "virtio", "DYING001", bad=BAD),
             machine.Disk(sources["nvme"], "nvme", "DYING002", bad=BAD),
             machine.Disk(sources["usb"], "usb", "PULLED03")]
    left, right = test.pair({"guest": {"ours": True}, "disks": disks, "memory": 512},
                            {"guest": {"ours": True}, "memory": 512,
                             "disks": [machine.Disk(path) for path in targets.values()]})
    left.agent.run("modprobe -a xhci_pci sd_mod usb_storage")
    for bus in SOURCES:
        run_bad(test, left, right, bus)

    with test.behaviour("a disk that is pulled is no bad sector: it ends at once"):
        run_pulled(left)

    right.agent.run("sync")
    for side in (left, right):
        side.kill()
    for bus in SOURCES:
        with test.behaviour(f"outside: all that could be read of the {bus} disk is there"):
            check.true(targets[bus].read_bytes() == wanted(sources[bus]), "other bytes")


check.main(run, seconds=300)

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The rescue image: its size, its banner, its menus, what it refuses; and, at the end of a cable,
what it does without a key press.

    laptop, rescue image  ==== USB4 cable ====  keeper, tbrecv and tbsend
"""

import pathlib
import random
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, enter, machine, rescue  # noqa: E402
from rig.rescue import BANNER, IMAGE, MENU, answer  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parents[2]
IMAGE_MOST = 12_000_000

# The banner must be there within 15 s on a machine where the bare kernel takes 4 s to its init.
BANNER_SECONDS, INIT_SECONDS = 15, 4

SMBIOS = ("-smbios", "type=1,manufacturer=Acme,product=Laptop 9,serial=PF3ABC")


def lines_of(line, since):
    """What a line has said from a position on, as a person reads it."""
    return line.text[since:].replace("\r", "")


def wait_screen(console, seconds=90):
    """Wait for a whole screen with the menu; returns its text."""
    start = console.expect(f"== {BANNER}", seconds).start()
    console.expect(MENU, 30)
    return lines_of(console, start)


def number_of(shown, what):
    """The number of the disk whose line says this, in the last list that was shown."""
    return re.findall(rf"^ +(\d+)  .*{what}", shown, re.MULTILINE)[-1]


def tool(test, *argv):
    """Run a program of the sysroot on a file of ours."""
    return subprocess.run(test.place().argv(argv[0]) + list(map(str, argv[1:])), check=True,
                          capture_output=True, text=True).stdout


def disks_make(test):
    """One disk a bus. On one of them is a file system whose journal waits to be replayed, on
    another a swap area: what an ordinary boot would write to."""
    root = test.disk("root.img", 64 << 20)
    tool(test, "mkfs.ext4", "-q", "-t", "ext4", "-L", "laptop-root", root)
    tool(test, "debugfs", "-w", "-R", "feature needs_recovery", root)
    swap = test.disk("virtio.img", 48 << 20)
    tool(test, "mkswap", "-q", swap)
    return [machine.Disk(root, "nvme", "NV-0001"),
            machine.Disk(test.disk("sata.img", 32 << 20), "ahci", "AH0002"),
            machine.Disk(test.disk("stick.img", 16 << 20), "usb", "US0003"),
            machine.Disk(swap, "virtio", "VD0004"),
            machine.Disk(test.disk("scsi.img", 24 << 20), "scsi", "SC0005"),
            machine.Disk(test.disk("card.img", 8 << 20), "sd")]


def run_build(test):
    with test.behaviour(f"the image has at most {IMAGE_MOST} bytes"):
        size = (IMAGE).stat().st_size
        check.true(size <= IMAGE_MOST, f"it has {size} bytes")

    with test.behaviour("built again it has the same bytes"):
        made = enter.enter(test.place(), ["/mnt/source/dracut-module/tbstream-mkrescue", "--program",
                                          "/mnt/source/build/tbstream", "/mnt/out/rescue.img"],
                           [(TOP, "/mnt/source", "ro"), (test.folder, "/mnt/out", "rw")],
                           capture_output=True, text=True)
        check.equal((made.returncode, made.stderr), (0, ""), "tbstream-mkrescue")
        check.equal(check.sha256(test.folder / "rescue.img"), check.sha256(IMAGE),
                    "hash of the second image")

    with test.behaviour("a kernel that is not there is refused, and no image appears"):
        made = enter.enter(test.place(), ["/mnt/source/dracut-module/tbstream-mkrescue", "--program",
                                          "/bin/true", "--kver", "6.1.0-none", "/mnt/out/none.img"],
                           [(TOP, "/mnt/source", "ro"), (test.folder, "/mnt/out", "rw")],
                           capture_output=True, text=True)
        check.true(made.returncode == 1 and "6.1.0-none is missing" in made.stderr, made.stderr)
        check.true(not (test.folder / "none.img").exists(), "an image was left")


def run_banner(test, disks):
    """Two consoles: the kernel's own, ttyS0, and one that the command line names."""
    pc = rescue.machine(test, "laptop", "rd.tbstream=lab rd.tbstream.console=ttyS0,ttyS1", disks,
                memory=160, extra=SMBIOS)
    with check.alone(), test.behaviour(
            f"the banner is there within {BANNER_SECONDS} s, in 160 MB of memory"):
        start = time.monotonic()
        pc.start()
        first, second = pc.console, pc.agent.line
        first.expect("Run /init as init process", 60)
        init = time.monotonic() - start
        first.expect(MENU, 120)
        seconds = time.monotonic() - start
        limit = BANNER_SECONDS * max(1, init / INIT_SECONDS)
        check.diagnose(f"init after {init:.1f} s, banner after {seconds:.1f} s")
        check.true(seconds <= limit, f"it took {seconds:.1f} s, {limit:.1f} s are allowed where "
                   f"the kernel took {init:.1f} s")

    # What is on USB or is a memory card comes late; then the list is shown again.
    for late in ("serial US0003", "mmcblk0"):
        if not first.seen(late):
            first.expect(late, 60)
            first.expect(MENU, 30)
    shown = first.text.replace("\r", "")

    for what, pattern in (
            ("the machine", r"^ Machine  Acme Laptop 9, serial PF3ABC$"),
            ("the stream", r"^ Stream   lab$"),
            ("what is wrong with the cable", r"^ Cable    .*no Thunderbolt/USB4 host controller"),
            ("the command to type for a backup", r"^ +tbrecv --stream lab -o laptop\.zst "),
            ("the command to type for a restore", r"^ +tbsend --stream lab laptop\.zst "),
            ("that nothing is written yet", r"^ Nothing is written to any disk until you confirm"),
            ("an NVMe disk and what is on it",
             r"nvme0n1 +67\.1 MB  QEMU NVMe Ctrl, serial NV-0001, nvme\n.*ext4.*laptop-root"),
            ("a SATA disk", r"sd. +33\.6 MB  QEMU HARDDISK, serial AH0002, sata$"),
            ("a USB disk", r"sd. +16\.8 MB  .*QEMU HARDDISK, serial US0003, usb$"),
            ("a virtio disk, which is swap",
             r"vda +50\.3 MB  .*serial VD0004, virtio\n.*swap"),
            ("a virtio SCSI disk", r"sd. +25\.2 MB  .*serial SC0005, "),
            ("a memory card", r"mmcblk0 +8\.4 MB  .*, mmc$")):
        with test.behaviour(f"the banner shows {what}"):
            check.true(re.search(pattern, shown, re.MULTILINE), f"/{pattern}/ is not there")

    with test.behaviour("the second console shows the same"):
        second.expect(MENU, 30)
        for word in (BANNER, "Stream   lab", "serial NV-0001"):
            check.true(second.seen(word), f"{word!r} is not there")

    run_menu(test, first, second)
    run_shell(test, first)
    run_stick(test, pc)
    with test.behaviour("a machine that is switched off from the menu is off"):
        answer(second, "4", "poweroff")
        pc.wait_end(20)


def run_menu(test, first, second):
    with test.behaviour("a number that is on no list is asked for again"):
        answer(first, "9", MENU)
        answer(first, "1", "Which disk is to be sent")
        answer(first, "99", "no disk of the list(?s:.*)Which disk is to be sent")
        nvme = number_of(lines_of(first, 0), "NV-0001")

    with test.behaviour("a transfer that cannot be says why and ends in a question"):
        answer(first, nvme, r"On the other machine type:\s+tbrecv --stream lab -o laptop.zst")
        first.expect("no Thunderbolt/USB4 host controller", 30)
        first.expect("FAILED: /dev/nvme0n1 not sent", 30)
        first.expect("then Enter: ", 10)

    with test.behaviour("the other console hears of it"):
        second.expect("Console ttyS0 has failed: send /dev/nvme0n1", 30)

    with test.behaviour("a restore asks for the disk's own serial number, and refuses another"):
        answer(first, "m", MENU)
        answer(first, "2", "Which disk is to be overwritten")
        answer(first, nvme, r"will be overwritten:\s+nvme0n1(?s:.*)laptop-root(?s:.*)Serial number")
        answer(first, "0002", f"Nothing was written(?s:.*){MENU}")
        answer(first, "2", "Which disk is to be overwritten")
        answer(first, nvme, "Serial number")
        answer(first, "0001", r"On the other machine type:\s+tbsend --stream lab laptop.zst")
        first.expect("FAILED: /dev/nvme0n1 not restored", 30)
        answer(first, "m", MENU)

    with test.behaviour("of a disk that is not full it asks whether only what is in use is to be sent"):
        answer(first, "1", "Which disk is to be sent")
        answer(first, number_of(lines_of(first, 0), "VD0004"),
               r"vda: 48\.0 MiB of 48\.0 MiB are left out(?s:.*)Type 1 or 2")
        answer(first, "m", MENU)


def run_stick(test, pc):
    """The log, onto a stick that comes late."""
    stick = test.disk("late.img", 8 << 20)
    tool(test, "mkfs.fat", stick)
    with test.behaviour("a stick that is plugged in appears in the list"):
        pc.plug_disk(machine.Disk(stick, "usb", "LATE0007"))
        pc.console.expect(rf"a change --(?s:.*)serial LATE0007, usb(?s:.*){MENU}", 30)
        shown = lines_of(pc.console, pc.console.text.rindex("a change --"))

    with test.behaviour("the log is not written to a disk of the machine itself"):
        answer(pc.console, "7", "onto a USB stick")
        answer(pc.console, "2", "Onto which one")
        answer(pc.console, number_of(shown, "NV-0001"), "REFUSED: nothing was written")
        pc.console.expect(MENU, 30)

    with test.behaviour("the log is written to the stick, and says what was done"):
        answer(pc.console, "7", "onto a USB stick")
        answer(pc.console, "2", "Onto which one")
        answer(pc.console, number_of(shown, "LATE0007"),
               r"DONE: the log is the file tbstream-\d+-\d+\.txt")
        pc.console.expect(MENU, 30)
        tool(test, "fsck.fat", "-n", stick)
        data = stick.read_bytes()
        for word in (b"send /dev/nvme0n1 ended with 1", b"no Thunderbolt/USB4 host controller",
                     b"serial PF3ABC", b"serial LATE0007", b"Linux version"):
            check.true(word in data, f"{word!r} is not in it")


def run_shell(test, console):
    with test.behaviour("Ctrl-C at a question goes back to the menu"):
        answer(console, "1", "Which disk is to be sent")
        console.send("\x03")
        console.expect(BANNER, 20)
        console.expect(MENU, 20)

    with test.behaviour("the shell answers, and Ctrl-C ends what runs in it, not the shell"):
        answer(console, "3", "rescue# ")
        answer(console, "echo $((6 * 7))x", "^42x")
        answer(console, "sh -c 'echo go; exec sleep 1000'", "^go")
        console.send("\x03")
        answer(console, "echo $((6 * 8))x", "^48x")

    with test.behaviour("no swap, RAID or volume is in use, nothing is mounted"):
        answer(console, "wc -l < /proc/swaps; grep -c ^/dev/[nsvm] /proc/mounts; "
               "ls /sys/block | grep -cE '^(dm-|md)'; echo en'd'", r"^1\s+^0\s+^0\s+^end")

    with test.behaviour("drivers and tools that a rescue needs are there"):
        answer(console, "modprobe -a thunderbolt_stream uas mmc_block && echo good-$?", "^good-0")
        answer(console, "tbsend --version && tbrecv --version && echo good-1$?", "^good-10")
        answer(console, "test -d /sys/kernel/config/thunderbolt/stream && echo good-2$?",
               "^good-20")

    with test.behaviour("an interface that dies comes again"):
        console.send("kill -9 $PPID\r")
        wait_screen(console, 20)


def run_refusals(test, disks):
    """/dev/console is not the serial line here, and the command line is full of faults."""
    pc = rescue.machine(test, "refuser", "rd.tbstream=$(reboot) rd.tbstream.mode=send "
                        "rd.tbstream.auto rd.tbstream.dev=all rd.tbstream.exclude=serial:VD0004 "
                        "rd.tbstream.exlude=x rd.tbstream.level=`reboot` console=tty0", disks,
                        display=True).start()
    with test.behaviour("bad values are warnings, nothing runs by itself, the menu comes up; "
                        "tty0 being /dev/console, the serial line shows it too"):
        shown = wait_screen(pc.console)
        for pattern in (r"rd\.tbstream=\$\(reboot\) is ignored", r"rd\.tbstream\.exlude is no",
                        r"rd\.tbstream\.level=`reboot` is ignored", r"^ Stream   backup$"):
            check.true(re.search(pattern, shown, re.MULTILINE), f"/{pattern}/ is not there")
        check.true(not pc.console.seen("Sending /dev"), "it sends")

    run_keyboard(test, pc)

    with test.behaviour("the excluded disk is marked and is not written to"):
        check.true(re.search(r" vda .*\n.*rescue stick", shown), "vda has no mark")
        answer(pc.console, "2", "Which disk is to be overwritten")
        answer(pc.console, number_of(shown, "vda"), "REFUSED: nothing was written")

    with test.behaviour("nor does tbrecv write to it, whoever calls it"):
        answer(pc.console, "s", "rescue# ")
        answer(pc.console, "tbrecv --force /dev/vda", "/dev/vda is the rescue stick")
    pc.kill()


def run_keyboard(test, pc):
    """The keyboard is on the machine's own screen, the answers come over the serial line."""
    with test.behaviour("a keyboard layout is chosen by name or number, and tried"):
        answer(pc.console, "6", r"\d de +(?s:.*)\d fr (?s:.*)Its number or name")
        for layout in ("us", "uk", "es", "it", "jp"):
            check.true(re.search(rf"\d {layout}\b", pc.console.text), f"no layout {layout}")
        answer(pc.console, "xx", "no layout of the list")
        answer(pc.console, "de", "Layout de")
        answer(pc.console, "", MENU)

    with test.behaviour("on the German layout the keys between t and u, and under a, are z and y"):
        pc.press("y", "z", "1", "ret")
        pc.console.expect("Console tty1 is being typed on", 30)
        answer(pc.console, "3", "rescue# ")
        answer(pc.console, "grep -o 'Enter: zy1' /dev/vcs1; echo en'd'", r"^Enter: zy1(?s:.*)^end")
        answer(pc.console, "exit", MENU)


def run_doubled(test):
    """Two disks with the serial number that the command line names."""
    disks = [machine.Disk(test.disk(f"twin{number}.img", 16 << 20), "virtio", "TWIN0001")
             for number in range(2)]
    before = [check.sha256(disk.path) for disk in disks]
    pc = rescue.machine(test, "twins", "rd.tbstream rd.tbstream.mode=recv "
                        "rd.tbstream.confirm=TWIN0001 console=tty0 console=ttyS0", disks,
                        display=True).start()
    with test.behaviour("a serial number that two disks have confirms nothing"):
        pc.console.expect("REFUSED: nothing was written", 90)
        pc.console.expect("More than one disk has the serial number TWIN0001", 10)
    with test.behaviour("such a disk is confirmed by its size"):
        answer(pc.console, "m", MENU)
        answer(pc.console, "2", "Which disk is to be overwritten")
        answer(pc.console, "1", "type its size in bytes: 16777216")
        answer(pc.console, "16777217", "Nothing was written")
    with test.behaviour("ttyS0 being /dev/console, the screen takes answers too, and says so"):
        pc.console.expect(MENU, 30)
        pc.press("7", "ret")
        pc.console.expect("Console tty1 is being typed on", 30)
    pc.kill()
    with test.behaviour("neither of them was written"):
        check.equal([check.sha256(disk.path) for disk in disks], before, "hashes")


def run_inert(test):
    pc = rescue.machine(test, "inert", "root=/dev/none rd.shell rd.tbstream.mode=shell").start()
    with test.behaviour("without rd.tbstream the hooks do nothing: dracut goes its own way"):
        pc.console.expect("Dropping to debug shell", 90)
        pc.console.expect("# ", 20)
        answer(pc.console, "ls -d /run/tbstream; cat /proc/[0-9]*/comm | grep -c tbstr; echo en'd'",
               r"No such file(?s:.*)^0\s+end")
        check.true(not pc.console.seen(BANNER), "it shows the banner")
    pc.kill()


def run_unattended(test):
    """Backup and restore where the command line says it all, and the machine goes off by itself."""
    noise = random.Random(20)
    source = test.disk("source.img", 24 << 20, lambda n: noise.randbytes(1 << 20) if n % 3 else
                       bytes(1 << 20))
    target = test.disk("target.img", 24 << 20)
    before = check.sha256(source)
    fabric = test.cable({"laptop": "lanes=1", "keeper": "lanes=1"}, ["laptop:keeper"])
    keeper = test.keeper("keeper", {"ours": True}, fabric=fabric.socket("keeper")).start()
    keeper.agent.wait_ready()

    def laptop(name, disk, append):
        return rescue.machine(test, name, f"rd.tbstream=lab rd.tbstream.done=poweroff {append}",
                      [machine.Disk(disk, "nvme", "NV-0001")], fabric=fabric.socket("laptop"),
                      memory=160)

    with test.behaviour("the banner names the peer, and shows how a cable goes and comes"):
        pc = rescue.machine(test, "watcher", "rd.tbstream rd.tbstream.console=ttyS0,ttyS1",
                    [machine.Disk(source, "nvme", "NV-0001")],
                    fabric=fabric.socket("laptop")).start()
        pc.console.expect("Peer: +keeper", 120)
        pc.console.expect(MENU, 30)
        fabric.unplug()
        pc.console.expect("a change --(?s:.*)No other machine is at the end of a cable", 30)
        fabric.plug()
        pc.console.expect("a change --(?s:.*)Peer: +keeper", 30)

    with test.behaviour("the host controller is kept from suspending"):
        answer(pc.console, "3", "rescue# ")
        answer(pc.console, "cat /sys/bus/pci/drivers/thunderbolt/0*/power/control", "^on")
        answer(pc.console, "exit", MENU)

    run_guard(test, pc)
    with test.behaviour("the log is sent to the peer"):
        answer(pc.console, "7", "to the other machine")
        answer(pc.console, "1", r"^ +tbrecv -d > rescue-log\.txt")
        keeper.agent.run("tbrecv -d > /run/log.txt", 60)
        pc.console.expect("DONE: the log was sent", 30)
        keeper.agent.run("grep -q 'send /dev/nvme0n1 ended with' /run/log.txt && "
                         "grep -q 'serial NV-0001' /run/log.txt", 10)
    pc.kill()

    with test.behaviour("mode=send with auto backs up without a key press, in 160 MB of memory, "
                        "then powers off"):
        pc = laptop("sender", source, "rd.tbstream.mode=send rd.tbstream.dev=serial:NV-0001 "
                    "rd.tbstream.auto").start()
        receiver = keeper.agent.spawn("tbrecv --stream lab -o /run/laptop.zst")
        pc.console.expect(r"^ Cable(?s:.*)Peer: ", 120)
        pc.console.expect("DONE: /dev/nvme0n1 sent", 120)
        receiver.check(30)
        pc.wait_end(60)
        pc.kill()
        received = keeper.agent.run("zstd -q -d < /run/laptop.zst | sha256sum", 60).split()[0]
        check.equal(received, before, "hash of what the image holds")
        check.equal(check.sha256(source), before, "hash of the disk after the backup")

    with test.behaviour("mode=recv with the disk's serial number restores likewise"):
        pc = laptop("receiver", target, "rd.tbstream.mode=recv rd.tbstream.confirm=NV-0001").start()
        sender = keeper.agent.spawn("tbsend --stream lab /run/laptop.zst")
        pc.console.expect("DONE: /dev/nvme0n1 written", 180)
        sender.check(30)
        pc.wait_end(60)
        pc.kill()
        check.equal(check.sha256(target), before, "hash of the restored disk")


def run_guard(test, pc):
    """A disk is being sent, to nobody yet, and somebody has a shell on the other console."""
    second = pc.agent.line
    state = "blockdev --getro /dev/nvme0n1"
    spoil = "dd if=/dev/zero of=/dev/nvme0n1 bs=512 count=1 conv=fsync"
    with test.behaviour("a disk that is sent is read-only: a slip in a shell cannot write to it"):
        answer(pc.console, "1", "Which disk is to be sent")
        answer(pc.console, "1", "Sending /dev/nvme0n1")
        second.expect("Console ttyS0 is busy: send /dev/nvme0n1", 30)
        answer(second, "3", "rescue# ")
        answer(second, state, "^1")
        answer(second, f"{spoil} || echo refus'ed'", "^refused")

    with test.behaviour("after that it is what it was"):
        pc.console.send("\x03")
        pc.console.expect("FAILED: /dev/nvme0n1 not sent", 30)
        answer(second, state, "^0")
        answer(second, "exit", MENU)
        pc.console.expect("then Enter: ", 30)
        answer(pc.console, "m", MENU)


def run(test):
    check.true(IMAGE.exists(), "build/rescue/rescue.img is missing: make rescue")
    run_build(test)
    disks = disks_make(test)
    before = [check.sha256(disk.path) for disk in disks]
    run_banner(test, disks)
    run_refusals(test, disks)
    with test.behaviour("none of all that has changed a disk"):
        check.equal([check.sha256(disk.path) for disk in disks], before, "hashes")
    run_doubled(test)
    run_inert(test)
    run_unattended(test)


check.main(run, seconds=700)

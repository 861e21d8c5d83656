#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The rescue interface in whatever dracut makes: three versions of it, with systemd and without,
and an everyday initramfs, where it keeps still until the command line says rd.tbstream.

MATRIX names cells, as "059:plain: 106:systemd:/dev/bogus": the version, what is in the image, and
root=; "all" is every one (`make check-vm-rescue`). Each of them has to live for 200 s.
"""

import itertools
import os
import pathlib
import random
import re
import shutil
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import archive, check, disks, enter, initramfs, machine  # noqa: E402
from rig.rescue import MENU, answer, machine_of_disk  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parents[2]
BOGUS = "/dev/disk/by-uuid/00000000-0000-4000-8000-000000000000"
KINDS = ("plain", "systemd")
SOME = [("059", "plain", ""), ("106", "systemd", BOGUS)]
IMAGE_MOST = {"plain": 12_000_000, "systemd": 13_500_000}
# Ready within these seconds on a machine where the bare kernel takes 4 s to its init.
READY_SECONDS, INIT_SECONDS = {"plain": 11, "systemd": 14}, 4
# Longer than every time-out that dracut or systemd has by itself.
LIFE_SECONDS = 200

MIB = 1 << 20

# The machine's own system: says what the initramfs has left behind, and ends.
INIT = r"""#!/bin/busybox sh
export PATH=/bin
exec > /dev/console 2>&1
echo
echo "LIVES on $(grep -c '/dev/vda / ext4' /proc/mounts) root"
ls -d /run/tbstream
for command in /proc/[0-9]*/cmdline; do tr '\0' ' ' < "$command"; echo; done | grep '[t]bstream'
echo MODULES
cut -d ' ' -f 1 /proc/modules | sort
echo UNITS
dmesg | grep -o 'systemd\[1\]: [A-Z][a-z]* .*' | sort -u
echo DONE
poweroff -f
"""


def cells():
    wanted = os.environ.get("MATRIX")
    if wanted == "all":
        return list(itertools.product(initramfs.DRACUTS, KINDS, ("", BOGUS)))
    return [tuple(cell.split(":", 2)) for cell in wanted.split()] if wanted else SOME


def boot(test, name, image, append, **options):
    """A machine with an image, of which nothing is known yet."""
    return test.machine(name, **{"initrd": (image,), "append": append, "memory": 256, **options})


def cell_boot(test, cell, more="", **options):
    """One cell's machine, on; what it is called."""
    version, kind, root = cell
    image = initramfs.rescue(version, kind == "systemd")
    name = f"dracut {version}, {kind}, {'root=bogus' if root else 'no root='}"
    append = " ".join(filter(None, ("rd.tbstream", root and f"root={root}", more)))
    pc = boot(test, f"{version}-{kind}{'-bogus' if root else ''}", image, append, **options)
    with test.behaviour(f"{name}: the image has at most {IMAGE_MOST[kind]} bytes"):
        size = image.stat().st_size
        check.diagnose(f"{size} bytes")
        check.true(size <= IMAGE_MOST[kind], f"it has {size} bytes")
    return pc, name


def wait_ready(pc, kind):
    """Its menu, in time. To be called alone."""
    start = time.monotonic()
    pc.start()
    pc.console.expect("Run /init as init process", 60)
    init = time.monotonic() - start
    pc.console.expect(MENU, 120)
    seconds = time.monotonic() - start
    limit = READY_SECONDS[kind] * max(1, init / INIT_SECONDS)
    check.diagnose(f"init after {init:.1f} s, menu after {seconds:.1f} s")
    check.true(seconds <= limit, f"it took {seconds:.1f} s, {limit:.1f} s are allowed where the "
               f"kernel took {init:.1f} s")


def run_some(test):
    """A few cells, and how long they take. The machine with systemd gives its root device up
    while a transfer runs."""
    disk = test.disk("gpt.img", 32 * MIB)
    disks.table_write(test.place(), disk, (MIB, 8 * MIB), (16 * MIB, 8 * MIB))
    for cell in cells():
        kind = cell[1]
        pc, name = cell_boot(test, cell, "rd.timeout=30" if cell == SOME[1] else "",
                             disks=[machine.Disk(disk, "nvme", "NV-0001")])
        with check.alone(), test.behaviour(f"{name}: the menu is there within "
                                           f"{READY_SECONDS[kind]} s"):
            wait_ready(pc, kind)
        if cell == SOME[1]:
            run_transfer(test, pc.console, name)
        with test.behaviour(f"{name}: it is switched off from the menu"):
            answer(pc.console, "4", "poweroff")
            pc.wait_end(20)


def run_transfer(test, console, name):
    with test.behaviour(f"{name}: a transfer outlives the wait for the root device"):
        answer(console, "3", "rescue# ")
        answer(console, "dd if=/dev/urandom of=/run/a bs=1M count=4 && echo mad''e", "^made")
        gives_up = "dmesg | grep -q 'Timed out waiting for device'"
        answer(console, "tbrecv -q -s unix:/run/s -d > /run/b & "
               f"(cat /run/a; until {gives_up}; do sleep 1; done; cat /run/a) | "
               "tbsend -q -s unix:/run/s - && wait $! && "
               "cat /run/a /run/a | cmp - /run/b && echo arrive''d", "^arrived", 120)
    with test.behaviour(f"{name}: nothing of systemd's asks for a password"):
        check.true(not re.search("emergency mode|root password|Give root", console.text,
                                 re.IGNORECASE), "the console shows an emergency shell")
        answer(console, "exit", MENU)


def run_all(test):
    """The cells of MATRIX: they come up one after the other, and live together."""
    living = []
    for cell in cells():
        pc, name = cell_boot(test, cell)
        with test.behaviour(f"{name}: the menu comes up"):
            pc.start()
            pc.console.expect(MENU, 180)
            living.append((pc, name))
    if os.environ["MATRIX"] == "all":
        living.append(run_gpt_auto(test))
    for pc, name in living:
        with test.behaviour(f"{name}: it lives after {LIFE_SECONDS} s"):
            answer(pc.console, "3", "rescue# ")
            answer(pc.console, f"until [ $(cut -d. -f1 /proc/uptime) -ge {LIFE_SECONDS} ]; do "
                   "sleep 1; done; echo alive-$?", "^alive-0", LIFE_SECONDS)
            answer(pc.console, "exit", MENU)
            answer(pc.console, "4", "poweroff")
            pc.wait_end(20)


# A disk as an installer makes it: what the firmware boots, and a root partition by its type.
UEFI_DISK = r"""
set -e
cd /mnt/out
/mnt/source/dracut-module/tbstream-mkrescue --from /mnt/image/image.img --append \
	rd.tbstream.console=ttyS0 --uki auto.efi
truncate -s 48M esp.img
mkfs.fat esp.img
mmd -i esp.img ::EFI ::EFI/BOOT
mcopy -i esp.img auto.efi ::EFI/BOOT/BOOTX64.EFI
truncate -s 80M auto.img
sgdisk -n 1:2048:+48M -t 1:ef00 -n 2:0:0 -t 2:8304 auto.img
dd if=esp.img of=auto.img bs=1M seek=1 conv=notrunc
"""


def run_gpt_auto(test):
    """UEFI, where systemd looks for a root partition by itself on the disk that was booted from,
    and gives it up after a while."""
    name = "dracut 106, systemd, UEFI and a root partition"
    image = initramfs.rescue("106", True)
    with test.behaviour(f"{name}: the menu comes up"):
        made = enter.enter(test.place("boot"), ["sh", "-c", UEFI_DISK],
                           [(TOP, "/mnt/source", "ro"), (image.parent, "/mnt/image", "ro"),
                            (test.folder, "/mnt/out", "rw")], capture_output=True, text=True)
        check.equal(made.returncode, 0, made.stderr)
        pc = machine_of_disk(test, "auto", [machine.Disk(test.folder / "auto.img", "nvme", "AU-1")],
                             "OVMF_VARS_4M.fd").start()
        pc.console.expect(MENU, 240)
    with test.behaviour(f"{name}: systemd has looked for it"):
        answer(pc.console, "3", "rescue# ")
        answer(pc.console, "grep -rls gpt-auto /run/systemd/generator* | head -n 1", "^/run/systemd/")
        answer(pc.console, "exit", MENU)
    return pc, name


def root_make(test):
    """The disk of a machine with a small system on it."""
    place, tree = test.place(), test.folder / "tree"
    for folder in ("usr/bin", "proc", "sys", "dev", "run", "etc", "tmp"):
        (tree / folder).mkdir(parents=True)
    for name, target in (("bin", "usr/bin"), ("sbin", "usr/bin"), ("lib", "usr/lib"),
                         ("lib64", "usr/lib64")):
        (tree / name).symlink_to(target)
    for name in ("usr/bin/busybox", *archive.libraries(place, place.file("usr/bin/busybox"))):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(place.file(name), tree / name)
    for name in ("ls", "tr", "grep", "cut", "sort", "dmesg", "poweroff"):
        (tree / "usr/bin" / name).symlink_to("busybox")
    # Without it systemd takes the disk for none of a system.
    (tree / "etc/os-release").write_text("ID=rig\n")
    (tree / "usr/bin/init").write_text(INIT)
    (tree / "usr/bin/init").chmod(0o755)
    path = test.disk("root.img", 24 * MIB)
    disks.ext4_make(place, path, "everyday", tree)
    return path


def boot_everyday(test, name, ours, append, disk, fabric):
    return boot(test, name, initramfs.everyday(ours=ours),
                f"root=/dev/vda systemd.log_target=kmsg printk.devkmsg=on {append}", memory=384,
                disks=[machine.Disk(disk, serial="VD0001")], fabric=fabric.socket(name)).start()


def run_everyday(test):
    """The same machine, with a host controller, by an initramfs with our module and without."""
    disk = root_make(test)
    names = ("other", "ours", "rescue")
    fabric = test.cable({name: "lanes=1" for name in names}, [])
    said = {}
    for name in names[:2]:
        with test.behaviour(f"an everyday initramfs, {name}: the machine's own system comes up"):
            pc = boot_everyday(test, name, name == "ours", "quiet", disk, fabric)
            pc.console.expect("^DONE", 180)
            pc.wait_end(20)
            said[name] = re.search(r"^LIVES.*?^DONE", pc.console.text.replace("\r", ""),
                                   re.MULTILINE | re.DOTALL)[0]
            check.true("LIVES on 1 root" in said[name], said[name])
    with test.behaviour("without rd.tbstream our module leaves nothing behind and starts nothing; "
                        "units and drivers are the same as without it"):
        check.equal(said["ours"].splitlines(), said["other"].splitlines(), "what the system finds")

    before = check.sha256(disk)
    with test.behaviour("with rd.tbstream the menu comes up; the disk is a disk like others"):
        pc = boot_everyday(test, names[2], True, "rd.tbstream=lab", disk, fabric)
        shown = pc.console.expect(f"== tbstream rescue(?s:.*?){MENU}", 180)[0]
        check.true(re.search("vda .*serial VD0001, virtio", shown), shown)
        check.true("no Thunderbolt/USB4 host controller" not in shown, shown)
    with test.behaviour("it is not mounted, would be put into no array, and nothing has failed"):
        answer(pc.console, "3", "rescue# ")
        answer(pc.console, "udevadm info -q property /dev/vda | cat", "^rd_NO_MD=1")
        answer(pc.console, "grep -c vda /proc/mounts; systemctl list-units --failed | cat",
               r"^0\s(?s:.*)^0 loaded units listed")
        answer(pc.console, "exit", MENU)
        answer(pc.console, "4", "poweroff")
        pc.wait_end(20)
    with test.behaviour("the disk is as it was"):
        check.equal(check.sha256(disk), before, "hash")


def run(test):
    if os.environ.get("MATRIX"):
        run_all(test)
    else:
        run_some(test)
        run_everyday(test)


check.main(run, seconds=2400 if os.environ.get("MATRIX") else 1200)

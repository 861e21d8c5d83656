#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What tbstream-mkrescue makes of the rescue image: a stick and a file for UEFI, and their boot.

    stick  BIOS; UEFI with Secure Boot, signed and not signed        file  UEFI, our driver in it
"""

import concurrent.futures
import os
import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, enter, machine, module  # noqa: E402
from rig.rescue import IMAGE, MENU, machine_of_disk  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = "/mnt/source/dracut-module/tbstream-mkrescue"
FROM = ("--from", "/mnt/source/build/rescue/rescue.img")
MARKED = r"serial STICK01, \w+\s+GPT: TBSTREAM vfat .*\[the rescue stick: left alone\]"

# The key that the variables of ovmf's package "snakeoil" trust.
KEY = "/usr/share/ovmf/PkKek-1-snakeoil"
TRUSTING = "OVMF_VARS_4M.snakeoil.fd"
# Where the partition of a stick lies, in MiB.
START, TAIL = 1, 1


def inside(test, command, place="boot"):
    """A command in a sysroot; /mnt/out is the test's folder."""
    return enter.enter(test.place(place), command, [(TOP, "/mnt/source", "ro"),
                                                    (test.folder, "/mnt/out", "rw")],
                       capture_output=True, text=True)


def good(test, *command, place="boot"):
    made = inside(test, list(command), place)
    check.equal((made.returncode, made.stderr), (0, ""), " ".join(command))
    return made.stdout


def refused(test, pattern, *options, code=1, place="boot", before="true"):
    """mkrescue, after the shell's command `before`, says why not, and leaves nothing behind."""
    present = sorted(os.listdir(test.folder))
    made = inside(test, ["sh", "-c", f'{before} && exec "$@"', "sh", PROGRAM, *options], place)
    check.equal(made.returncode, code, f"exit code; {made.stdout}{made.stderr}")
    check.true(re.search(pattern, made.stderr), f"/{pattern}/ is not in {made.stderr!r}")
    check.equal(sorted(os.listdir(test.folder)), present, "files")


def fat_of(test, stick):
    """The stick's partition as a file of its own."""
    fat = test.folder / "fat.img"
    with open(test.folder / stick, "rb") as disk, open(fat, "wb") as part:
        size = os.fstat(disk.fileno()).st_size - (START + TAIL << 20)
        disk.seek(START << 20)
        part.write(disk.read(size))
    return fat


def run_make(test):
    # The screen is on the serial line whatever the entry's consoles are.
    plain = ("--name", "lab", "--append", "rd.tbstream.console=ttyS0")
    with test.behaviour("a stick and a file for UEFI are made out of an image"):
        said = good(test, PROGRAM, *FROM, *plain, "--uki", "/mnt/out/plain.efi",
                    "--stick", "/mnt/out/plain.img")
        uuid = re.search(r"rescue stick ([0-9A-F]{4}-[0-9A-F]{4}), kernel \d", said)
        check.true(uuid, said)

    with test.behaviour("made again they have the same bytes"):
        names = ("plain.efi", "plain.img")
        first = [check.sha256(test.folder / name) for name in names]
        good(test, PROGRAM, *FROM, *plain, "--uki", "/mnt/out/plain.efi",
             "--stick", "/mnt/out/plain.img", "--force")
        check.equal([check.sha256(test.folder / name) for name in names], first, "hashes")

    with test.behaviour("sgdisk and fsck.fat find nothing wrong with the stick"):
        said = good(test, "sgdisk", "-v", "/mnt/out/plain.img")
        check.true("No problems found" in said, said)
        fat_of(test, "plain.img")
        said = good(test, "fsck.fat", "-n", "/mnt/out/fat.img")
        check.true(re.fullmatch(r"fsck.fat .*\n/mnt/out/fat.img: \d+ files, .*\n", said), said)

    with test.behaviour("each of its entries names the stick, for either boot loader"):
        entries = [good(test, "mtype", "-i", "/mnt/out/fat.img", f"::{path}") for path in
                   ["syslinux/syslinux.cfg"] + [f"loader/entries/{name}.conf" for name in
                                                ("normal", "serial", "safe", "shell")]]
        lines = re.findall(r"^(?:options|  APPEND) (.*)$", "".join(entries), re.MULTILINE)
        check.equal(len(lines), 8, "number of command lines")
        for line in lines:
            check.true({f"rd.tbstream.exclude=UUID={uuid[1]}", "rd.tbstream=lab"} <=
                       set(line.split()), line)

    with test.behaviour("signed ones are signed by the key that was given"):
        good(test, "sh", "-c", f"openssl rsa -in {KEY}.key -passin pass:snakeoil -out /mnt/out/key"
             " 2> /dev/null")
        good(test, PROGRAM, *FROM, "--sign-key", "/mnt/out/key", "--sign-cert", f"{KEY}.pem",
             "--uki", "/mnt/out/signed.efi", "--stick", "/mnt/out/signed.img")
        good(test, "sbverify", "--cert", f"{KEY}.pem", "/mnt/out/signed.efi")
        made = inside(test, ["sbverify", "--cert", f"{KEY}.pem", "/mnt/out/plain.efi"])
        check.true(made.returncode != 0, "the one that is not signed verifies as well")


def run_refusals(test):
    with test.behaviour("a kernel without a driver is refused, and it says how to get one"):
        refused(test, "neither thunderbolt_stream.*make module.*--module", "--program", "/bin/true",
                "--kver", "6.1.0-bare", "/mnt/out/none.img", place="trixie",
                before="mkdir /lib/modules/6.1.0-bare && : > /boot/vmlinuz-6.1.0-bare")
    with test.behaviour("a file that is no module of ours is refused, and one for another kernel"):
        refused(test, "is not the module tbstream", "--program", "/bin/true", "--module",
                "/bin/true", "/mnt/out/none.img", place="trixie")
        refused(test, "was built for kernel 6.1.0-other, not for 7.3.*make module KDIR=",
                "--program", "/bin/true", "--module", "/tmp/tb.ko", "--kver",
                test.place().kernel_release(), "/mnt/out/none.img", place="trixie",
                before="printf 'name=tbstream\\0vermagic=6.1.0-other SMP\\0' > /tmp/info && objcopy"
                " -I binary -O elf64-x86-64 --rename-section .data=.modinfo /tmp/info /tmp/tb.ko")
    with test.behaviour("a stick that exists is not replaced without --force"):
        refused(test, "exists: .*--force", *FROM, "--stick", "/mnt/out/plain.img")
    with test.behaviour("a name below /dev that is no disk is refused"):
        refused(test, "is no disk", *FROM, "--stick", "/dev/sdzz")
    for tool, package, path in (("syslinux", "syslinux", "/usr/bin/syslinux"),
                                ("linuxx64.efi.stub", "systemd-boot-efi",
                                 "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"),
                                ("sbsign", "sbsigntool", "/usr/bin/sbsign")):
        with test.behaviour(f"where {tool} is missing, its package is named"):
            refused(test, f"{tool} is missing: install the package {package}", *FROM,
                    "--sign-key", KEY + ".key", "--sign-cert", KEY + ".pem",
                    "--uki", "/mnt/out/none.efi", "--stick", "/mnt/out/none.img",
                    before=f"rm {path}")
    with test.behaviour("a wrong command line is another exit code"):
        refused(test, "nothing to make", code=2)
        refused(test, "1 to 8 of", "--name", "much too long", "/mnt/out/none.img", code=2)


def stick(test, name, bus):
    return machine.Disk(test.folder / name, bus, "STICK01", options={"bootindex": 1})


def run_bios(test):
    # By SATA, for the BIOS takes most of a minute to read it by USB.
    booted = machine_of_disk(test, "bios", [stick(test, "plain.img", "ahci")]).start()
    with test.behaviour("the BIOS boots the stick, and the entry that is chosen there"):
        booted.console.expect("only a shell", 60)
        booted.console.send("4\r")
        booted.console.expect("rescue# ", 240)
    with test.behaviour("whoever calls tbrecv, it does not overwrite the stick"):
        booted.console.send("tbrecv --force /dev/sda\r")
        booted.console.expect("/dev/sda is the rescue stick", 30)
    booted.kill()


def run_secure(test):
    booted = machine_of_disk(test, "refuser", [stick(test, "plain.img", "usb")], TRUSTING).start()
    with test.behaviour("Secure Boot refuses the stick that is not signed"):
        booted.console.expect("failed to load Boot.*STICK01.*: Access Denied", 60)
    booted.kill()

    booted = machine_of_disk(test, "secure", [stick(test, "signed.img", "usb")], TRUSTING).start()
    with test.behaviour("and boots the signed one, by the menu's entry for the serial console"):
        booted.console.expect("Boot in 10 s", 60)
        booted.console.send("2\r")
        booted.console.expect("== tbstream rescue", 240)
    with test.behaviour("the stick is marked"):
        booted.console.expect(MARKED, 60)
        booted.console.expect(MENU, 30)
    with test.behaviour("the kernel knows of Secure Boot"):
        booted.console.send("3\r")
        booted.console.expect("rescue# ", 30)
        booted.console.send("dmesg | grep -i 'secure boot'\r")
        booted.console.expect("[Ss]ecure boot enabled", 30)
    booted.kill()


def image_ours(test):
    """An image with our driver instead of the kernel's."""
    return good(test, PROGRAM, "--program", "/mnt/source/build/tbstream", "--module",
                "/mnt/source/build/module/7.3/tbstream.ko", "/mnt/out/ours.img", place="trixie")


def run_uki(test, ours):
    with test.behaviour("an image gets our driver by --module"):
        check.true(test.place().kernel_release() in ours.result(400), ours.result())
        good(test, PROGRAM, "--from", "/mnt/out/ours.img", "--name", "lab", "--append",
             "rd.tbstream.console=ttyS0", "--uki", "/mnt/out/ours.efi")
    esp = test.disk("esp.img", 40 << 20)
    good(test, "sh", "-c", "cd /mnt/out && mkfs.fat esp.img && mmd -i esp.img ::EFI ::EFI/BOOT && "
         "mcopy -i esp.img ours.efi ::EFI/BOOT/BOOTX64.EFI")
    booted = machine_of_disk(test, "uki", [machine.Disk(esp, "nvme", "ESP01")],
                             "OVMF_VARS_4M.fd").start()
    with test.behaviour("UEFI boots the file, to the menu"):
        booted.console.expect("^ Stream   lab", 240)
        booted.console.expect(r"^ +Driver: +tbstream\s", 30)
        booted.console.expect(MENU, 30)
    booted.kill()


def run(test):
    check.true(IMAGE.exists(), "build/rescue/rescue.img is missing: make rescue")
    run_make(test)
    run_refusals(test)
    module.build("7.3")
    # dracut works while the machines boot.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        ours = pool.submit(image_ours, test)
        run_bios(test)
        run_secure(test)
        run_uki(test, ours)


check.main(run, seconds=900)

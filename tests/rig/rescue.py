# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines that boot the rescue image of `make rescue`, and the talk with its interface."""

import re
import shutil

from . import keeper

FOLDER = keeper.BUILD / "rescue"
IMAGE = FOLDER / "rescue.img"
KERNEL = FOLDER / "rescue.vmlinuz"
BANNER = "tbstream rescue"
MENU = re.escape("Type 1 to 7, then Enter: ")


def machine(test, name, append, disks=(), **options):
    """Not started yet; `options` are those of machine.Machine."""
    options.setdefault("memory", 256)
    options.setdefault("initrd", (IMAGE,))
    options.setdefault("kernel", KERNEL)
    return test.machine(name, append=append, disks=list(disks), **options)


def machine_of_disk(test, name, disks, variables=None):
    """One that boots from a disk: by the BIOS, or by UEFI with these variables of ovmf's."""
    folder = test.place("boot").file("usr/share/OVMF")
    firmware = ()
    if variables:
        firmware = (folder / "OVMF_CODE_4M.secboot.fd", test.folder / f"{name}.vars")
        shutil.copy(folder / variables, firmware[1])
    return test.machine(name, kernel=None, disks=disks, firmware=firmware, memory=512)


def answer(console, text, expected, seconds=30):
    """Type an answer, wait for what must follow."""
    console.send(text + "\r")
    return console.expect(expected, seconds)

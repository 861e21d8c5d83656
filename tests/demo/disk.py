# SPDX-License-Identifier: GPL-2.0-or-later
"""The broken machine's disk: GPT, a FAT EFI partition and an ext4 partition full of real files."""

import os
import pathlib
import subprocess

MIB = 1 << 20
SIZE = 1024 * MIB
EFI = (1 * MIB, 64 * MIB)		# start, size
ROOT = (65 * MIB, SIZE - 66 * MIB)
LEAST = 300 * MIB			# of files

# Folders of the sysroot, taken until there is enough: drivers, libraries, programs.
FOLDERS = ("usr/lib/modules", "usr/lib/x86_64-linux-gnu", "usr/bin", "usr/share/qemu")


def make(path, place, folder):
    """Write it to `path`, with files from the sysroot. Returns the bytes of real files in it."""
    tree = folder / "root"
    total = _copy_files(place, tree)
    root = folder / "root.img"
    _run("truncate", "-s", ROOT[1], root)
    _run("mkfs.ext4", "-q", "-F", "-L", "laptop", "-d", tree, root)
    efi = folder / "efi.img"
    _run("truncate", "-s", EFI[1], efi)
    _run("mkfs.vfat", "-n", "EFI", efi, stdout=subprocess.DEVNULL)
    _run("mcopy", "-i", efi, place.kernel(), "::VMLINUZ")
    total += os.path.getsize(place.kernel())
    with open(path, "wb") as disk:
        disk.truncate(SIZE)
    table = (f"label: gpt\n"
             f"start={EFI[0] // 512}, size={EFI[1] // 512}, type=U, name=EFI\n"
             f"start={ROOT[0] // 512}, size={ROOT[1] // 512}, type=L, name=root\n")
    _run("sfdisk", "-q", path, input=table.encode())
    for part, (start, _) in ((efi, EFI), (root, ROOT)):
        _run("dd", f"if={part}", f"of={path}", "bs=1M", f"seek={start // MIB}",
             "conv=notrunc,sparse", "status=none")
        part.unlink()
    subprocess.run(["rm", "-rf", str(tree)], check=True)
    return total


def _copy_files(place, tree):
    total = 0
    for name in FOLDERS:
        inside = tree / name
        inside.parent.mkdir(parents=True, exist_ok=True)
        _run("cp", "-a", place.file(name), inside)
        total += sum(path.lstat().st_size for path in inside.rglob("*")
                     if path.is_file() and not path.is_symlink())
        if total >= LEAST:
            return total
    raise RuntimeError(f"the sysroot has only {total >> 20} MiB of files for the demo")


def _run(*argv, **options):
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    subprocess.run([str(word) for word in argv], check=True,
                   env=dict(os.environ, PATH=path), **options)


def extract(image, name, target):
    """Take a file out of an ext4 image, without the machine that wrote it."""
    _run("debugfs", "-R", f"dump {name} {target}", image, stderr=subprocess.DEVNULL)
    if not pathlib.Path(target).stat().st_size:
        raise RuntimeError(f"{image} has no {name}")

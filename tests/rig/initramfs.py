# SPDX-License-Identifier: GPL-2.0-or-later
"""Initramfs images by several versions of dracut, all with the machines' kernel, below build/.

    image = initramfs.rescue("dracut-112", systemd=True)
    image = initramfs.everyday(ours=False)

An image is made again when something that goes into it has changed.
"""

import contextlib
import fcntl
import hashlib
import pathlib
import subprocess

from . import enter, sysroot

TOP = pathlib.Path(__file__).resolve().parents[2]
OUT = TOP / "build" / "initramfs"

# By the version that they have: the sysroot.
DRACUTS = {"059": "dracut-059", "106": "trixie", "112": "dracut-112"}

# What dracut of a distribution makes of a machine, with the drivers of ours only. It has systemd.
EVERYDAY = r"""
set -eu
kver=$1 image=$2 add=$3
module=/usr/lib/dracut/modules.d/55tbstream
mkdir -p "$module"
cp /mnt/source/dracut-module/module-setup.sh /mnt/source/hooks/* "$module"
cp /mnt/source/build/tbstream /usr/sbin/tbstream
dracut --force --no-hostonly --no-hostonly-cmdline --no-compress \
	--drivers 'virtio_pci virtio_blk nvme ext4' ${add:+--add "$add"} \
	--kver "$kver" "$image" > /tmp/log 2>&1 ||
	{ cat /tmp/log; exit 1; }
! grep -E 'dracut\[[EF]\]|^dracut-install: ERROR' /tmp/log
"""


def rescue(version, systemd):
    """A rescue image by that version of dracut."""
    return _make(f"{version}-{'systemd' if systemd else 'plain'}", DRACUTS[version],
                 lambda kver: ["/mnt/source/dracut-module/tbstream-mkrescue", "--kver", kver,
                               "--program", "/mnt/source/build/tbstream",
                               *(["--systemd"] if systemd else []), "/mnt/out/image.img"])


def everyday(version="112", ours=True):
    """What a distribution makes for its machines, with our module or without."""
    return _make(f"{version}-everyday{'-ours' if ours else ''}", DRACUTS[version],
                 lambda kver: ["sh", "-c", EVERYDAY, "everyday", kver, "/mnt/out/image.img",
                               "tbstream" if ours else ""])


def _make(name, place, command):
    """The image NAME: made by what command(kver) gives, inside a sysroot."""
    place, machines = sysroot.Sysroot(place), sysroot.Sysroot()
    kver = machines.kernel_release()
    folder = OUT / name
    with _locked(folder):
        image, stamp = folder / "image.img", folder / "stamp"
        wanted = _hash(place, machines, command(kver))
        if not image.exists() or not stamp.exists() or stamp.read_text() != wanted:
            stamp.unlink(missing_ok=True)
            binds = [(TOP, "/mnt/source", "ro"), (folder, "/mnt/out", "rw")]
            if place.path != machines.path:
                binds += [(machines.file(f"usr/lib/modules/{kver}"), f"/usr/lib/modules/{kver}",
                           "ro"), (machines.kernel(), f"/boot/vmlinuz-{kver}", "ro")]
            made = enter.enter(place, command(kver), binds, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
            if made.returncode:
                raise RuntimeError(f"making the image {name} failed:\n{made.stdout}")
            stamp.write_text(wanted)
    return image


@contextlib.contextmanager
def _locked(folder):
    """A folder that one process works in at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _hash(place, machines, command):
    digest = hashlib.sha256(repr((place.recipe.key(), machines.recipe.key(), command)).encode())
    for folder in ("dracut-module", "hooks"):
        for path in sorted((TOP / folder).iterdir()):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    digest.update((TOP / "build" / "tbstream").read_bytes())
    return digest.hexdigest()

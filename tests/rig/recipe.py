# SPDX-License-Identifier: GPL-2.0-or-later
"""What is in a sysroot, as data. A change here builds the sysroot anew."""

import dataclasses
import hashlib


@dataclasses.dataclass(frozen=True)
class Recipe:
    """One sysroot. `suites`: the first is the base, the others are added on the same mirror.
    `pins`: packages (apt's globs) that come from another of the suites, with all they need."""
    name: str
    suites: tuple
    packages: tuple
    pins: tuple = ()
    variant: str = "essential"
    options: tuple = ()

    def key(self):
        """Name and content hash: the sysroot's name in the cache."""
        text = repr((FORMAT, dataclasses.astuple(self)))
        return f"{self.name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


# How sysroot.py lays a sysroot out: count up when that changes.
FORMAT = 1

# Programs that run in the rescue image and on the keeper, and what builds that image.
TOOLS = ("busybox", "zstd", "xz-utils", "kmod", "udev", "cpio", "dracut", "e2fsprogs", "dosfstools",
         "gdisk", "fdisk", "iproute2", "iputils-ping", "procps", "kbd", "binutils")

RECIPES = {recipe.name: recipe for recipe in (
    # The machines: QEMU with vfio-user, and the first kernel whose distribution has USB4STREAM.
    Recipe("trixie", ("trixie", "trixie-backports"),
           TOOLS + ("linux-image-amd64", "qemu-system-x86", "seabios"),
           pins=(("trixie-backports", "linux-* qemu-* seabios ipxe-qemu"),)),
    # A camera and a player, for the stream of JPEG frames. Its libraries match the machines'.
    Recipe("gstreamer", ("trixie",),
           ("busybox", "gstreamer1.0-tools", "gstreamer1.0-plugins-base",
            "gstreamer1.0-plugins-good"),
           variant="extract"),
)}

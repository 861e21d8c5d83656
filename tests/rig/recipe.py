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
         "gdisk", "fdisk", "iproute2", "iputils-ping", "procps", "kbd", "console-data", "binutils")

# Most of the size of a kernel and a compiler, and of no use to our builds and machines.
UNUSED = tuple(f"--dpkgopt=path-exclude={path}" for path in (
    *(f"*/modules/*/kernel/{folder}/*" for folder in (
        "sound", "drivers/gpu", "drivers/media", "drivers/infiniband", "drivers/iio",
        "drivers/staging", "drivers/net/ethernet", "drivers/net/wireless")),
    "/usr/libexec/gcc/*/lto1", "/usr/lib/gcc/*/lto1", "/usr/bin/*lto-dump*",
    "/usr/lib/x86_64-linux-gnu/lib*san.*", "/usr/src/*/arch/[!x]*/*", "/usr/src/*/arch/xtensa/*"))


# forky's Release file has expired.
EXPIRED = ("--aptopt=Acquire::Check-Valid-Until \"false\"",)

# What makes the rescue image, with and without systemd in it. Its kernel is the machines'.
IMAGE_TOOLS = ("busybox", "zstd", "xz-utils", "kmod", "udev", "cpio", "systemd", "dracut")


def linux(version, *suites, more=(), pins=(), options=()):
    """A kernel, and what builds a module for it: by hand and by DKMS."""
    return Recipe(f"linux-{version}", suites,
                  ("linux-image-amd64", "linux-headers-amd64", "kmod", "make", "dkms") + more,
                  pins=pins, options=UNUSED + options)


RECIPES = {recipe.name: recipe for recipe in (
    # The machines: QEMU with vfio-user, and the first kernel whose distribution has USB4STREAM.
    Recipe("trixie", ("trixie", "trixie-backports"),
           TOOLS + ("linux-image-amd64", "qemu-system-x86", "seabios"),
           pins=(("trixie-backports", "linux-* qemu-* seabios ipxe-qemu"),)),
    # Other dracuts than the machines' own, each on its own distribution.
    Recipe("dracut-059", ("bookworm",), IMAGE_TOOLS),
    Recipe("dracut-112", ("forky",), IMAGE_TOOLS + ("util-linux-extra",), options=EXPIRED),
    # A camera and a player, for the stream of JPEG frames. Its libraries match the machines'.
    Recipe("gstreamer", ("trixie",),
           ("busybox", "gstreamer1.0-tools", "gstreamer1.0-plugins-base",
            "gstreamer1.0-plugins-good"),
           variant="extract"),
    # What `tbstream mount` needs, and what its plugin is built against, by this machine's compiler.
    Recipe("look", ("trixie",),
           ("base-files", "nbdkit", "libnbd-bin", "nbd-client", "nbdkit-plugin-dev", "libc6-dev",
            "libblkid-dev", "uuid-dev", "libzstd-dev", "libxxhash-dev", "libjansson-dev"),
           variant="extract"),
    # What makes a rescue stick out of a rescue image, and the firmware that boots it.
    Recipe("boot", ("trixie",),
           ("bash", "binutils", "mtools", "dosfstools", "gdisk", "fdisk", "systemd-boot-efi",
            "syslinux", "syslinux-common", "sbsigntool", "openssl", "ovmf")),
    # The kernels that our module is built for; the last is the machines' own.
    linux("6.1", "bookworm"),
    linux("6.12", "trixie"),
    # Its sparse reads the headers of all four.
    linux("7.2", "forky", more=("sparse",), options=EXPIRED),
    linux("7.3", "trixie", "trixie-backports", pins=(("trixie-backports", "linux-*"),)),
    # Kernel sources, as the archives of their packages.
    Recipe("source-7.3", ("trixie", "trixie-backports"), ("linux-source",),
           pins=(("trixie-backports", "linux-source*"),), variant="extract"),
)}

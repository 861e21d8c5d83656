# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest root that our tests boot: busybox, real kernel modules, the agent as process 1.

It stands for any machine at the other end of the cable: a small system that loads the stock
drivers. What a test needs more is given to make().
"""

import pathlib
import shlex
import stat

from . import archive, kernel as kernels

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"

STREAM = ("configfs", "thunderbolt", "thunderbolt_net", "thunderbolt_stream")
DISKS = ("virtio_pci", "virtio_blk", "nvme")
OTHER_DISKS = ("ahci", "sd_mod", "xhci_pci", "usb_storage", "uas")
FILE_SYSTEMS = ("ext4", "vfat", "nls_cp437", "nls_ascii", "nls_iso8859_1", "nls_utf8")

PROGRAMS = ("zstd", "tar", "gzip", "dd", "sha256sum", "ip", "ping", "blkid", "sfdisk",
            "mkfs.ext4")

INIT = r"""#!/bin/sh
export PATH=/usr/sbin:/usr/bin HOME=/root TERM=linux
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /run /tmp /root /mnt
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /run
hostname "$(cat /etc/hostname)"
ip link set lo up
# A USB4 host controller that nobody holds awake suspends after 15 s without a peer.
for class in /sys/bus/pci/devices/*/class; do
	case $(cat "$class") in
	0x0c0340) echo on > "${class%class}power/control" ;;
	esac
done
while read -r module; do
	modprobe "$module"
done < /etc/modules
if [ -d /sys/kernel/config ]; then
	mount -t configfs configfs /sys/kernel/config
fi
exec /usr/sbin/agent /dev/ttyS1
"""


def make(path, place, kernel=None, name="keeper", load=DISKS + FILE_SYSTEMS + STREAM,
         present=STREAM + OTHER_DISKS + ("loop",), programs=PROGRAMS, ours=True, files=None,
         add=None):
    """Write the initramfs to `path`.

    place: the sysroot. kernel: a kernel.Kernel, or the sysroot's. load: modules that init loads in
    this order; present: more modules that are only there; thunderbolt_stream stands for the
    kernel's own driver. programs: of the sysroot. ours: tbstream's own program, under its three
    names. files: {path inside: path on this machine}. add: called with the Archive for the rest.
    """
    kernel = kernel or kernels.Kernel.of(place)
    root = archive.Archive()
    root.node("dev/console", stat.S_IFCHR, 5, 1)
    root.text("init", INIT, 0o755)
    root.text("etc/hostname", name + "\n")
    root.text("etc/passwd", "root::0:0:root:/root:/bin/sh\n")
    root.text("etc/group", "root:x:0:\n")
    there = root.modules(kernel, dict.fromkeys(kernel.names(load + present)))
    root.text("etc/modules", "".join(f"{module}\n" for module in kernel.names(load)
                                     if module in there))
    for folder in ("proc", "sys", "run", "tmp", "root", "mnt"):
        root.folder(folder)
    for inside, source in (files or {}).items():
        root.file(inside, source)
    root.file("usr/sbin/agent", built("agent"))
    root.file("usr/bin/exercise", built("exercise"))
    if ours:
        root.file("usr/bin/tbstream", built("tbstream"))
        root.link("usr/bin/tbsend", "tbstream")
        root.link("usr/bin/tbrecv", "tbstream")
    for program in programs:
        root.program(place, place.find(program))
    root.busybox(place)
    if add:
        add(root)
    root.write(path)
    return path


def built(name):
    """The path of something that `make` builds."""
    path = BUILD / name
    if not path.exists():
        raise RuntimeError(f"{path} is missing: run `make`, or the test by way of `make check-vm`")
    return path


def quote(*words):
    """Words for a guest's shell."""
    return " ".join(shlex.quote(str(word)) for word in words)

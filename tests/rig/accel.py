# SPDX-License-Identifier: GPL-2.0-or-later
"""Which accelerator QEMU uses: KVM only where it truly boots a kernel, else TCG."""

import functools
import os
import pathlib
import subprocess

from . import cache, process

PROBE_SECONDS = 20


@functools.cache
def choose(place):
    """"kvm" or "tcg"; TBSTREAM_ACCEL decides where it is set."""
    wanted = os.environ.get("TBSTREAM_ACCEL")
    if wanted:
        return wanted
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    # The verdict holds until this machine boots again.
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    verdict = cache.folder() / f"accel-{os.getuid()}"
    words = verdict.read_text().split() if verdict.exists() else []
    if words[:1] != [boot] or len(words) != 2:
        words = [boot, "kvm" if kvm_boots(place) else "tcg"]
        temporary = verdict.with_name(f"{verdict.name}.{os.getpid()}")
        temporary.write_text(" ".join(words) + "\n")
        temporary.rename(verdict)
    return words[1]


def kvm_boots(place):
    """Whether a kernel without a root gets as far as the panic about it. Nested virtualisation
    often offers a /dev/kvm that hangs."""
    share = place.path / "usr/share"
    argv = place.argv("qemu-system-x86_64") + [
        "-L", share / "qemu", "-L", share / "seabios", "-nodefaults", "-no-user-config",
        "-display", "none", "-M", "q35", "-m", "384M", "-accel", "kvm", "-no-reboot",
        "-kernel", place.kernel(), "-append", "console=ttyS0 panic=-1", "-serial", "stdio"]
    try:
        result = subprocess.run(process.with_parent(argv), stdin=subprocess.DEVNULL,
                                capture_output=True, timeout=PROBE_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return b"VFS: Unable to mount root" in result.stdout

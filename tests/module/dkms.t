#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""DKMS builds and installs the module for every kernel that has no driver of its own. `make check`
tries one of them, for build.t builds for all; DKMS=all tries all."""

import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, enter, module  # noqa: E402

# As the packages' hooks do when a kernel comes. $0: the version, $1: the kernel's release.
SCRIPT = r"""
dkms add "tbstream/$0" && dkms autoinstall -k "$1" 2>&1 || echo "failed: $?"
cat /var/lib/dkms/tbstream/*/build/make.log 2>/dev/null
dkms status
echo "installed: $(modinfo -k "$1" -F version tbstream 2>/dev/null)"
"""


def dkms(tree, name):
    """What DKMS says in the kernel's sysroot, with the installed sources of `tree`."""
    place = module.place(name)
    (folder,) = tree.glob("usr/src/tbstream-*")
    version = folder.name.partition("-")[2]
    output = enter.enter(place, ["sh", "-c", SCRIPT, version, place.kernel_release()],
                         [(folder, f"/usr/src/{folder.name}", "ro")], text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
    return version, output


def run(test):
    tree = test.folder / "tree"
    with test.behaviour("make install-module installs the sources, make uninstall removes them"):
        make = ["make", "-s", "-C", module.TOP, f"DESTDIR={tree}"]
        subprocess.run(make + ["install-module"], check=True, stdout=subprocess.DEVNULL)
        check.true((tree / "usr/lib/modules-load.d/tbstream.conf").exists(), "no modules-load.d")
        subprocess.run(make + ["uninstall"], check=True, stdout=subprocess.DEVNULL)
        check.equal([str(path) for path in tree.rglob("*") if path.is_file()], [], "what is left")
        subprocess.run(make + ["install-module"], check=True, stdout=subprocess.DEVNULL)

    for name in module.KERNELS[:-1] if os.environ.get("DKMS") == "all" else module.KERNELS[:1]:
        test.place(f"linux-{name}")
        with test.behaviour(f"DKMS builds and installs the module for Linux {name}"):
            version, output = dkms(tree, name)
            check.true(f"installed: {version}\n" in output and "failed" not in output, output)

    name = module.KERNELS[-1]
    test.place(f"linux-{name}")
    with test.behaviour(f"DKMS skips Linux {name}, which has thunderbolt_stream, without failing"):
        _version, output = dkms(tree, name)
        check.true("installed: \n" in output and "failed" not in output, output)


check.main(run, seconds=1800)

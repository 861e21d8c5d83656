# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernels that watch themselves (KASAN, lockdep, kmemleak and more), and our module for them.

They are built from Debian's kernel sources with the options of debug.config and no others, and kept
in the cache: what boots, and what a module is built against, but no object. Their log is judged by
klog.py.
"""

import os
import pathlib
import hashlib
import shutil
import subprocess
import sys

from . import cache, enter, recipe, sysroot

# Names of kernels, and what is lacking in each of debug.config, which is made for both.
KERNELS = {"debug-6.12": ("CONFIG_KUNIT_AUTORUN_ENABLED=y",),
           "debug-7.3": ("CONFIG_PROC_SYSCTL=y",)}

CONFIG = pathlib.Path(__file__).with_name("debug.config")

# What they need of a machine. A second CPU shows races that one cannot have. Only a first KASAN
# report would be printed, and after an oops the log shall still be read. A cache of slabs that is
# watched has no sheaves, whose old pointers would hide leaks (7.3).
MACHINE = {"memory": 640, "cpus": 2,
           "append": "kasan_multi_shot sysctl.kernel.panic_on_oops=0 log_buf_len=4M "
                     "slab_debug=F"}

# What is mended in both kernels: a fault of their own that would hide ours, as file, line and line.
#
# The core takes an XDomain packet that comes for the reply to a response that it is just sending,
# which wants no reply: after that the response's memory is used when it is free (KASAN, in
# tb_xdomain_match() or tb_cfg_request()), and lockdep is off. It happens where two hosts read each
# other's properties at the same time, with any service driver or with none.
MENDED = (("drivers/thunderbolt/ctl.c",
           "if (!tb_cfg_request_is_canceled(iter) && iter->match(iter, pkg)) {",
           "if (iter->response && !tb_cfg_request_is_canceled(iter) && iter->match(iter, pkg)) {"),)

# Where things are seen while a kernel or a module is built.
LINUX = "/mnt/linux"

# What a module is built against.
KEPT = ("Makefile", "Kbuild", ".config", "Module.symvers", "include", "scripts",
        "arch/x86/Makefile", "arch/x86/Makefile_32.cpu", "arch/x86/include",
        "tools/objtool/objtool")

recipe.RECIPES.update({made.name: made for made in (
    # What builds a kernel and modules for it, and nothing that runs.
    recipe.Recipe("kbuild", ("trixie",),
                  ("gcc", "libc6-dev", "make", "flex", "bison", "bc", "libelf-dev", "xz-utils"),
                  options=tuple(f"--dpkgopt=path-exclude={path}" for path in (
                      "/usr/libexec/gcc/*/lto1", "/usr/bin/*lto-dump*",
                      "/usr/lib/x86_64-linux-gnu/lib*san.*"))),
    recipe.Recipe("source-6.12", ("trixie",), ("linux-source",), variant="extract"),
)})


def build(name):
    """The cache's folder of a kernel: bzImage and linux/, what modules are built against."""
    key = repr((FORMAT, KEPT, MENDED, _source(name).key(), recipe.RECIPES["kbuild"].key(),
                CONFIG.read_text()))
    digest = hashlib.sha256(key.encode()).hexdigest()[:12]
    return cache.entry(f"{name}-{digest}", lambda folder: _build(name, folder))


# How _build() lays a kernel out: count up when that changes.
FORMAT = 1


def release(folder):
    """What `uname -r` says in such a kernel."""
    return (folder / "linux/include/config/kernel.release").read_text().strip()


def _source(name):
    return recipe.RECIPES[name.replace("debug", "source")]


def _build(name, folder):
    print(f"rig: building the kernel {name}: about ten minutes on two CPUs", file=sys.stderr)
    tree = folder / "build"
    tree.mkdir()
    (archive,) = sysroot.Sysroot(_source(name).name).file("usr/src").glob("linux-source-*.tar.xz")
    subprocess.run(["tar", "-x", "-C", tree, "--strip-components=1", "-f", archive], check=True)
    for path, old, new in MENDED:
        text = (tree / path).read_text()
        if text.count(old) != 1:
            raise RuntimeError(f"{path} of {name} has changed: {old}")
        (tree / path).write_text(text.replace(old, new))
    with open(folder.with_suffix(".log"), "w+b") as log:
        _make(tree, log, f"KCONFIG_ALLCONFIG={LINUX}.config", "allnoconfig")
        config_check(name, (tree / ".config").read_text())
        _make(tree, log, f"-j{os.cpu_count()}", "all")
    _keep(tree, folder)
    cache.tree_remove(tree)
    folder.with_suffix(".log").unlink()


def _keep(tree, folder):
    """Move what stays out of a tree that has been built."""
    for path, kept in (("arch/x86/boot/bzImage", "bzImage"),
                       *((kept, f"linux/{kept}") for kept in KEPT)):
        if (tree / path).exists():
            (folder / kept).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(tree / path, folder / kept)
    for path in (folder / "linux/scripts").rglob("*.o"):
        path.unlink()


def _make(tree, log, *arguments):
    result = enter.enter(sysroot.Sysroot("kbuild"),
                         ["make", "-s", "-C", LINUX, "ARCH=x86_64", *arguments],
                         [(tree, LINUX, "rw"), (CONFIG, f"{LINUX}.config", "ro")],
                         stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    if result.returncode:
        log.seek(0)
        tail = log.read().decode(errors="replace").splitlines()[-15:]
        raise RuntimeError(f"make {arguments[-1]} failed; the end of {log.name}:\n  "
                           + "\n  ".join(tail))


def config_check(name, config):
    """RuntimeError where a kernel's options are not as debug.config wants them: Kconfig drops
    without a word what depends on something else."""
    lines = config.splitlines()
    wanted = CONFIG.read_text().splitlines()
    lost = [line for line in wanted if line.startswith("CONFIG_")
            and line not in lines and line not in KERNELS[name]]
    lost += [line for line in wanted if line.endswith(" is not set")
             and f"{line.split()[1]}=y" in lines]
    if lost:
        raise RuntimeError(f"Kconfig has changed options of {name}: {', '.join(lost)}")

# SPDX-License-Identifier: GPL-2.0-or-later
"""Our kernel module, built for the kernels of the linux-* sysroots and checked.

A build works on a copy of the sources below build/module/NAME/, so kernel/ stays clean. It is done
anew, as a whole, when a source, the options or the sysroot has changed: then no warning is missed.
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess

from . import cache, debug, enter, sysroot

TOP = pathlib.Path(__file__).resolve().parents[2]
SOURCE = TOP / "kernel"
OUT = TOP / "build" / "module"
KERNELS = ("6.1", "6.12", "7.2", "7.3")

# Where the copy is seen inside a sysroot.
INSIDE = "/mnt/module"

# A warning of the compiler, of modpost or of sparse. Debian's kernel and its compiler may differ in
# the last digit of the version, and no sysroot has the vmlinux that BTF comes from: both are well.
WARNING = re.compile(r"warning:|error:", re.IGNORECASE)
WELL = re.compile(r"the compiler differs from the one used to build the kernel", re.IGNORECASE)


# The newest sparse, of the newest suite, reads the headers of all kernels; the others' does not.
SPARSE_FROM = "7.2"
SPARSE_INSIDE = "/mnt/sparse"


# It wants kzalloc_obj(), which is younger than most of the kernels.
CHECKPATCH_IGNORE = "ALLOC_WITH_SIZEOF"


class BuildFailed(RuntimeError):
    """The module was not built, or not without a warning."""


def place(name):
    """The sysroot of a kernel, such as "6.12"."""
    return sysroot.Sysroot(f"linux-{name}")


@dataclasses.dataclass(frozen=True)
class Target:
    """What a module is built in and against. place: the sysroot with the compiler. build: the
    kernel's build folder, as seen inside. key: another one for another kernel. binds: what else is
    to be seen inside. flags: of make's, such as that the module brings its KUnit tests."""
    place: sysroot.Sysroot
    build: str
    key: str
    binds: tuple = ()
    flags: tuple = ()


def target(name):
    """The Target of a kernel, such as "6.12" or "debug-6.12"."""
    if name in debug.KERNELS:
        folder = debug.build(name)
        # The check of comments wants a Perl that this sysroot lacks; the others' builds have it.
        return Target(sysroot.Sysroot("kbuild"), debug.LINUX, folder.name,
                      ((folder / "linux", debug.LINUX, "ro"),),
                      ("TBSTREAM_KUNIT=y", "cmd_checkdoc="))
    there = place(name)
    return Target(there, f"/usr/lib/modules/{there.kernel_release()}/build", there.recipe.key())


def build(name, source=SOURCE, out=None, flags=(), sparse=False):
    """Build the module for kernel `name` at W=1, without a warning; its path, `out` or
    build/module/NAME/tbstream.ko. `flags`: more of make's arguments, such as "TBSTREAM_KUNIT=y".
    sparse: nor a warning of that. The module with its debug information stays in src/ beside it."""
    out = pathlib.Path(out or OUT / name / "tbstream.ko")
    with _folder(out.parent) as folder:
        stamp = folder / f"{out.name}.stamp"
        wanted = [_hash(name, source, flags)] + (["sparse"] if sparse else [])
        have = stamp.read_text().split() if stamp.exists() and out.exists() else []
        if have[:len(wanted)] != wanted:
            stamp.unlink(missing_ok=True)
            complain(f"building the module for {name}", _make(name, source, folder, flags, sparse))
            _enter(name, folder, ["strip", "--strip-debug", "-o", f"{INSIDE}/{out.name}",
                                  f"{INSIDE}/src/tbstream.ko"])
            stamp.write_text(" ".join(wanted))
    return out


def checkpatch(source=SOURCE):
    """The kernel's own judge of style over the sources; BuildFailed with what it says."""
    archive = sysroot.Sysroot("source-7.3")
    scripts = cache.entry(f"checkpatch-{archive.recipe.key()}",
                          lambda folder: _unpack_scripts(archive, folder))
    result = subprocess.run(["perl", scripts / "checkpatch.pl", "--no-tree", "--strict", "--terse",
                             "--quiet", "--no-summary", "--ignore", CHECKPATCH_IGNORE, "-f",
                             *(path for path in sources(source) if path.suffix in (".c", ".h"))],
                            cwd=source, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode or result.stdout:
        raise BuildFailed(f"checkpatch ({result.returncode}):\n{result.stdout}")


def _unpack_scripts(archive, folder):
    (tar,) = archive.file("usr/src").glob("linux-source-*.tar.xz")
    top = tar.name.removesuffix(".tar.xz")
    names = ("checkpatch.pl", "const_structs.checkpatch", "spelling.txt")
    # It stops at the last of them.
    subprocess.run(["tar", "-xf", tar, "-C", folder, "--strip-components=2", "--occurrence=1",
                    *(f"{top}/scripts/{name}" for name in names)], check=True)


def complain(what, output):
    """BuildFailed with all warnings that stand in a build's output."""
    found = [line for line in output.splitlines() if WARNING.search(line) and not WELL.search(line)]
    if found:
        raise BuildFailed(f"{what}:\n  " + "\n  ".join(found))


def sources(source=SOURCE):
    """Files of the module, relative to its folder: no product of a build, no hidden file."""
    source = pathlib.Path(source)
    return sorted(path.relative_to(source) for path in source.rglob("*")
                  if path.is_file() and not any(part.startswith(".") for part in
                                                path.relative_to(source).parts)
                  and (path.suffix in (".c", ".h") and not path.name.endswith(".mod.c")
                       or path.name in ("Kbuild", "Makefile")))


@contextlib.contextmanager
def _folder(folder):
    """A folder that one process works in at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _hash(name, source, flags):
    digest = hashlib.sha256(repr((target(name).key, tuple(flags))).encode())
    for path in sources(source):
        data = (pathlib.Path(source) / path).read_bytes()
        digest.update(f"{path} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def _make(name, source, folder, flags, sparse):
    """Build a fresh copy of the sources in folder/src; what make printed."""
    cache.tree_remove(folder / "src")
    for path in sources(source):
        copy = folder / "src" / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(pathlib.Path(source) / path, copy)
    command = ["make", "-s", f"-j{os.cpu_count()}", "-C", target(name).build,
               f"M={INSIDE}/src", "W=1", *target(name).flags, *flags]
    if not sparse:
        return _enter(name, folder, command + ["modules"])
    checker = place(SPARSE_FROM)
    run = " ".join(word.replace(str(checker.path), SPARSE_INSIDE)
                   for word in checker.argv("sparse"))
    # C=2 alone will not do: Debian's newer headers lack the script that looks for sparse.
    command += ["C=2", "KBUILD_CHECKSRC=2", f"CHECK={run}", "modules"]
    return _enter(name, folder, command, [(checker.path, SPARSE_INSIDE, "ro")])


def _enter(name, folder, command, binds=()):
    within = target(name)
    result = enter.enter(within.place, command, [(folder, INSIDE, "rw"), *within.binds, *binds],
                         text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = result.stdout.replace(f"{INSIDE}/src/", "kernel/")
    if result.returncode:
        raise BuildFailed(f"for kernel {name}, {command[0]} failed ({result.returncode}):\n"
                          + output)
    return output

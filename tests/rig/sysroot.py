# SPDX-License-Identifier: GPL-2.0-or-later
"""A folder with a distribution in it, made from a recipe by mmdebstrap.

It is unpacked from mmdebstrap's tar by whoever runs the rig, so an ordinary user owns every file of
theirs and needs no subordinate user ids to read, enter or remove it.
"""

import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys

from . import cache, process, recipe

LOADER = "lib64/ld-linux-x86-64.so.2"
LIBRARIES = "usr/lib/x86_64-linux-gnu"


class Sysroot:
    """The sysroot of that name; built on first use."""

    def __init__(self, name="trixie"):
        self.recipe = recipe.RECIPES[name]
        self.path = cache.entry(self.recipe.key(), self._build)

    def _build(self, folder):
        if shutil.which("mmdebstrap") is None:
            raise RuntimeError("mmdebstrap is missing, which builds the sysroots: run `make deps`")
        print(f"rig: building the sysroot {self.recipe.name}: downloads, then a minute or two",
              file=sys.stderr)
        log = folder.with_suffix(".log")
        with open(log, "wb") as output:
            # INITRD: the kernel's and dracut's hooks build no initrd then.
            source = subprocess.Popen(
                process.with_parent(mmdebstrap_argv(self.recipe, mirror_find()), signal.SIGTERM),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=output,
                env=dict(os.environ, INITRD="No", LC_ALL="C"), start_new_session=True)
            try:
                unpack = subprocess.run(process.with_parent(
                    ["tar", "-x", "-p", "--numeric-owner", "--exclude=./dev/*", "-C", folder]),
                    stdin=source.stdout, stderr=output)
            except BaseException:
                # Its whole group, gently: so it removes its temporary files.
                os.killpg(source.pid, signal.SIGTERM)
                source.wait()
                raise
            source.stdout.close()
        if source.wait() or unpack.returncode:
            tail = log.read_text(errors="replace").splitlines()[-15:]
            raise RuntimeError(f"building the sysroot {self.recipe.name} failed; the end of {log}:"
                               "\n  " + "\n  ".join(tail))
        log.unlink()

    def file(self, name):
        """The real path of /name as it is seen inside the sysroot: absolute links stay inside."""
        path, parts = self.path, list(pathlib.PurePath("/" + str(name)).parts[1:])
        for _ in range(200):
            if not parts:
                return path
            part = parts.pop(0)
            if part == "..":
                path = path.parent if path != self.path else path
                continue
            path = path / part
            if path.is_symlink():
                target = pathlib.PurePath(os.readlink(path))
                parts[:0] = target.parts[1:] if target.is_absolute() else target.parts
                path = self.path if target.is_absolute() else path.parent
        raise RuntimeError(f"{name}: too many symbolic links")

    def find(self, program):
        """The path, as seen inside, of a program."""
        for folder in ("usr/bin", "usr/sbin"):
            if self.file(f"{folder}/{program}").exists():
                return f"{folder}/{program}"
        raise FileNotFoundError(f"the sysroot {self.recipe.name} has no program {program}")

    def argv(self, program):
        """The start of a command line that runs the sysroot's program on this machine, with the
        sysroot's own loader and libraries: neither a chroot nor root is needed."""
        return [str(self.file(LOADER)), "--inhibit-cache", "--library-path",
                str(self.path / LIBRARIES), str(self.file(self.find(program)))]

    def kernels(self):
        """Release strings of the kernels in it."""
        return sorted(path.name for path in self.file("usr/lib/modules").iterdir())

    def kernel_release(self):
        """The one kernel's release string."""
        releases = self.kernels()
        if len(releases) != 1:
            raise RuntimeError(f"the sysroot {self.recipe.name} has {len(releases)} kernels")
        return releases[0]

    def kernel(self):
        """The path of the one kernel's image."""
        return self.file(f"boot/vmlinuz-{self.kernel_release()}")


def mirror_find():
    """The mirror that this machine's own apt takes Debian from, or None."""
    if not shutil.which("apt-get"):
        return None
    result = subprocess.run(["apt-get", "indextargets", "--format", "$(SITE)",
                             "Created-By: Packages", "Origin: Debian", "Label: Debian",
                             "Component: main"], capture_output=True, text=True)
    return next(iter(result.stdout.split()), None)


def mmdebstrap_argv(wanted, mirror):
    """The command that writes a recipe's tree to standard output as a tar file. Without a mirror
    it is mmdebstrap's own choice; the other suites come from where the first one does."""
    script = ["set -e", "cd \"$1\"", "list=etc/apt/sources.list",
              "base=$(sed '/^deb /!d; q' $list)"]
    for suite in wanted.suites[1:]:
        script.append(f'echo "$base" | sed "s/ {wanted.suites[0]} / {suite} /" >> $list')
    for suite, packages in wanted.pins:
        pin = f"Package: {packages}\nPin: release n={suite}\nPin-Priority: 990\n\n"
        script.append(f"printf %s {shlex.quote(pin)} >> etc/apt/preferences.d/rig")
    argv = ["mmdebstrap", f"--variant={wanted.variant}", f"--include={','.join(wanted.packages)}",
            "--setup-hook=" + "\n".join(script)]
    for kind in ("doc", "man", "locale", "info", "lintian"):
        argv.append(f"--dpkgopt=path-exclude=/usr/share/{kind}/*")
    return argv + list(wanted.options) + [wanted.suites[0], "-"] + ([mirror] if mirror else [])

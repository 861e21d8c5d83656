# SPDX-License-Identifier: GPL-2.0-or-later
"""An initramfs (cpio, newc), written file by file: no root needed, the same bytes every time."""

import lzma
import os
import pathlib
import re
import stat
import subprocess

from . import sysroot


class Archive:
    """Entries by path. The first to put a path there wins; parent folders come by themselves."""

    def __init__(self):
        self.entries = {}
        for name in ("bin", "sbin", "lib", "lib64"):
            self.link(name, f"usr/{name}")

    def _add(self, name, mode, data, device=(0, 0)):
        name = str(name).strip("/")
        if name in self.entries:
            return
        parent = os.path.dirname(name)
        if parent and parent not in self.entries:
            self.folder(parent)
        self.entries[name] = (mode, data, device)

    def folder(self, name):
        self._add(name, stat.S_IFDIR | 0o755, b"")

    def link(self, name, target):
        self._add(name, stat.S_IFLNK | 0o777, target.encode())

    def node(self, name, kind, major, minor):
        self._add(name, kind | 0o600, b"", (major, minor))

    def text(self, name, text, mode=0o644):
        self._add(name, stat.S_IFREG | mode, text.encode())

    def file(self, name, source):
        """A file of this machine; its execute bits are kept."""
        path = pathlib.Path(source)
        executable = path.stat().st_mode & 0o111
        self._add(name, stat.S_IFREG | (0o755 if executable else 0o644), path)

    def program(self, place, name):
        """A program or library of a sysroot, by its path inside, with the libraries it needs."""
        self.file(name, place.file(name))
        for library in libraries(place, place.file(name)):
            self.file(library, place.file(library))

    def busybox(self, place):
        """busybox and a link for each of its applets."""
        self.program(place, "usr/bin/busybox")
        applets = subprocess.run(place.argv("busybox") + ["--list"], capture_output=True, text=True,
                                 check=True).stdout.split()
        for applet in applets:
            if applet != "busybox":
                self.link(f"usr/bin/{applet}", "busybox")
        # Where the kernel looks for it.
        self.link("usr/sbin/modprobe", "../bin/busybox")

    def modules(self, kernel, names):
        """Modules of a kernel.Kernel and what they depend on, unpacked, and the files that modprobe
        reads; the names of all that are there."""
        target = f"usr/lib/modules/{kernel.release}"
        ours = {module_name(path): Information(path) for path in kernel.ours}
        names = [name for name in names if name not in ours]
        for information in ours.values():
            names += information.depends
        wanted = modules_closure(kernel.modules, names) if kernel.modules else {}
        dependencies = []
        for path, needs in wanted.items():
            data = (kernel.modules / path).read_bytes()
            if path.endswith(".xz"):
                data = lzma.decompress(data)
            self._add(f"{target}/{_unpacked(path)}", stat.S_IFREG | 0o644, data)
            dependencies.append(f"{_unpacked(path)}: {' '.join(map(_unpacked, needs))}".strip())
        present = {module_name(path): _unpacked(path) for path in wanted}
        aliases, softdeps = _lines(kernel, "alias", -1, present), _lines(kernel, "softdep", 1,
                                                                         present)
        for name, information in ours.items():
            path = f"updates/{information.path.name}"
            self.file(f"{target}/{path}", information.path)
            needs = modules_closure(kernel.modules, information.depends) if kernel.modules else {}
            # The last is loaded first: what needs most comes before what it needs.
            order = sorted(needs, key=lambda need: -len(needs[need]))
            dependencies.append(f"{path}: {' '.join(map(_unpacked, order))}".strip())
            aliases += [f"alias {alias} {name}" for alias in information.values("alias")]
            softdeps += [f"softdep {name} {text}" for text in information.values("softdep")]
        for name, lines in (("dep", dependencies), ("alias", aliases), ("softdep", softdeps)):
            self.text(f"{target}/modules.{name}", "".join(line + "\n" for line in lines))
        return present.keys() | ours.keys()

    def write(self, path):
        """The archive as a file."""
        with open(path, "wb") as output:
            # Parents sort before what is in them.
            for number, name in enumerate(sorted(self.entries), 1):
                mode, data, device = self.entries[name]
                content = data.read_bytes() if isinstance(data, pathlib.Path) else data
                _write_entry(output, name, number, mode, content, device)
            _write_entry(output, "TRAILER!!!", 0, 0, b"", (0, 0))


def _write_entry(output, name, number, mode, content, device):
    encoded = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (number, mode, 0, 0, links, 0, len(content), 0, 0, *device, len(encoded), 0)
    output.write(b"070701" + b"".join(b"%08x" % field for field in fields) + encoded)
    output.write(b"\0" * (-(110 + len(encoded)) % 4))
    output.write(content + b"\0" * (-len(content) % 4))


def libraries(place, path):
    """Paths inside the sysroot of every library that an ELF file needs, the loader included."""
    listing = subprocess.run([str(place.file(sysroot.LOADER)), "--inhibit-cache", "--library-path",
                              str(place.path / sysroot.LIBRARIES), "--list", str(path)],
                             capture_output=True, text=True)
    if listing.returncode:
        return []  # a static program, or a script
    missing = re.findall(r"(\S+) => not found", listing.stdout)
    if missing:
        raise RuntimeError(f"{path} needs {', '.join(missing)}, which the sysroot does not have")
    found = re.findall(rf"=> {re.escape(str(place.path))}/(\S+) \(", listing.stdout)
    return [sysroot.LOADER.replace("lib64", "usr/lib64")] + found


class Information:
    """What a module that is no part of a kernel says of itself."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self._words = self.path.read_bytes().split(b"\0")

    def values(self, key):
        """All values of a key, such as alias."""
        start = key.encode() + b"="
        return [word[len(start):].decode() for word in self._words if word.startswith(start)]

    @property
    def depends(self):
        """Names of the modules whose symbols it uses."""
        return [name for text in self.values("depends") for name in text.split(",") if name]


def _lines(kernel, kind, position, present):
    """Lines of the kernel's modules.alias or modules.softdep about modules that are present."""
    if not kernel.modules:
        return []
    lines = (kernel.modules / f"modules.{kind}").read_text().splitlines()
    return [line for line in lines
            if not line.startswith("#") and line.split()[position] in present]


def module_name(path):
    """A module's name, of its file's."""
    return os.path.basename(path).split(".")[0].replace("-", "_")


def _unpacked(path):
    return path.removesuffix(".xz")


def modules_closure(base, names):
    """{path: paths it needs} for modules and all below them, soft dependencies included; names
    that the kernel has built in are left out."""
    needs = {}
    for line in (base / "modules.dep").read_text().splitlines():
        path, _, rest = line.partition(":")
        needs[path] = rest.split()
    by_name = {module_name(path): path for path in needs}
    builtin = {module_name(line) for line in (base / "modules.builtin").read_text().splitlines()}
    soft = {}
    for line in (base / "modules.softdep").read_text().splitlines():
        words = line.split()
        if words[:1] == ["softdep"]:
            soft[words[1]] = [word for word in words[2:] if not word.endswith(":")]
    wanted, todo = {}, list(names)
    while todo:
        name = todo.pop(0).replace("-", "_")
        if name not in by_name:
            if name not in builtin and name in map(str, names):
                raise RuntimeError(f"the kernel in {base} has no module {name}")
            continue
        path = by_name[name]
        if path not in wanted:
            wanted[path] = needs[path]
            todo += [module_name(need) for need in needs[path]] + soft.get(name, [])
    return wanted

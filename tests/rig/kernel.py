# SPDX-License-Identifier: GPL-2.0-or-later
"""Which kernel a guest boots, and which driver for USB4STREAM it has.

    "in-tree"               the machines' own kernel, with thunderbolt_stream
    "6.1" ... "7.3"         the kernel of the sysroot linux-6.1 ... with our module, and no other
    "debug-6.12", "debug-7.3"   a kernel that watches itself, with our module: see debug.py
    ("6.12", "path/to.ko")  the same with a module that was built in some other way
    a Kernel                any other
"""

import dataclasses
import pathlib

from . import debug, module, sysroot

DRIVERS = module.KERNELS + ("in-tree",)


@dataclasses.dataclass(frozen=True)
class Kernel:
    """A kernel for a guest.

    image: what QEMU boots. release: as `uname -r` says. modules: the folder with its modules, or
    None where all of it is built in. ours: modules that are put into its updates/. driver: the name
    of the module that brings USB4STREAM, or None where that is built in. machine: options of
    machine.Machine that it needs."""
    image: pathlib.Path
    release: str
    modules: pathlib.Path = None
    ours: tuple = ()
    driver: str = "thunderbolt_stream"
    machine: dict = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, place, **options):
        """The one kernel of a sysroot."""
        release = place.kernel_release()
        return cls(place.kernel(), release, place.file(f"usr/lib/modules/{release}"), **options)

    def names(self, modules):
        """A list of modules as this kernel has them: its own driver where the list says
        thunderbolt_stream."""
        named = (self.driver if name == "thunderbolt_stream" else name for name in modules)
        return tuple(name for name in named if name)


def choose(driver="in-tree", place=sysroot.Sysroot):
    """The Kernel that a test names; `place` makes a sysroot of a name."""
    if isinstance(driver, Kernel):
        return driver
    if driver == "in-tree":
        return Kernel.of(place("trixie"))
    name, path = (driver, None) if isinstance(driver, str) else driver
    if name in debug.KERNELS:
        folder = debug.build(name)
        return Kernel(folder / "bzImage", debug.release(folder), driver="tbstream",
                      ours=(pathlib.Path(path or module.build(name)),), machine=debug.MACHINE)
    if name not in module.KERNELS:
        raise ValueError(f"no driver {name!r}: {', '.join(DRIVERS)}")
    sysroot_of = place(f"linux-{name}")
    return Kernel.of(sysroot_of, ours=(pathlib.Path(path or module.build(name)),),
                     driver="tbstream")

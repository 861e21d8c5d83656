# SPDX-License-Identifier: GPL-2.0-or-later
"""What a keeper needs to look into images: nbdkit with our plugin, nbdfuse and the kernel's client.

    test.pair(None, {"guest": look.guest(test.place("look"))})
"""

import os
import pathlib
import subprocess

from . import archive, keeper

TOP = pathlib.Path(__file__).resolve().parents[2]
PLUGIN = "build/look/nbdkit-tbimage-plugin.so"

LIBRARY = "usr/lib/x86_64-linux-gnu/nbdkit"
PROGRAMS = ("nbdkit", "nbdfuse", "nbd-client")
FILTERS = ("exitlast", "offset")


def plugin_build(place):
    """nbdkit's plugin for what is in the sysroot: the path of the file."""
    # A make above has its own ideas of the variables.
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(["make", "-C", TOP, f"-j{os.cpu_count()}", "plugin", "O=build/look",
                           f"PLUGIN={PLUGIN}", "PLUGINDIR=sysroot",
                           f"CC=gcc --sysroot={place.path}"],
                          env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(f"`make plugin` failed for {place.path}:\n{done.stdout}")
    return TOP / PLUGIN


def add(root, place):
    """Put it all into a keeper's root, an archive.Archive."""
    for program in PROGRAMS:
        root.program(place, place.find(program))
    for name in FILTERS:
        root.program(place, f"{LIBRARY}/filters/nbdkit-{name}-filter.so")
    plugin = plugin_build(place)
    root.file(f"{LIBRARY}/plugins/{plugin.name}", plugin)
    for library in archive.libraries(place, plugin):
        root.file(library, place.file(library))


def guest(place):
    """keeper.make()'s options for a keeper that can do it. `place`: the sysroot "look"."""
    return {"ours": True, "add": lambda root: add(root, place),
            "load": keeper.DISKS + keeper.FILE_SYSTEMS + ("loop",) + keeper.STREAM,
            "present": keeper.STREAM + keeper.OTHER_DISKS + ("loop", "nbd"),
            "programs": keeper.PROGRAMS + ("mount", "umount")}

# SPDX-License-Identifier: GPL-2.0-or-later
"""The folder that the measured programs write into: one run at a time, and nothing is left."""

import contextlib
import fcntl
import os
import pathlib
import sys

from rig import cache

NAME = "bench-run"


@contextlib.contextmanager
def folder(where=None):
    """An empty folder in `where`, or in the rig's cache folder. What a run that was killed left
    there is removed by the next one."""
    path = pathlib.Path(where) / f"tbstream-{NAME}" if where else cache.folder() / NAME
    lock = os.open(cache.folder() / f"{NAME}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("bench: another one runs, waiting for it", file=sys.stderr)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        cache.tree_remove(path)
        path.mkdir(parents=True)
        yield path
    finally:
        cache.tree_remove(path)
        os.close(lock)

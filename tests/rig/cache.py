# SPDX-License-Identifier: GPL-2.0-or-later
"""Things that are built once and kept outside the checkout.

An entry is a folder that appears by a rename when it is complete. Its lock file beside it is held
exclusively while it is built and shared for as long as a process uses it, so two builds become
one, an interrupted one leaves nothing that looks finished, and nobody loses what they run on.
"""

import fcntl
import os
import pathlib
import shutil
import sys
import time

# An entry that nobody holds and nobody has asked for since is removed.
UNUSED_SECONDS = 3 * 86400

_held = {}


def folder():
    """The cache folder, made if need be."""
    path = os.environ.get("TBSTREAM_CACHE")
    if not path:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        path = os.path.join(base, "tbstream")
    path = pathlib.Path(path).absolute()
    path.mkdir(parents=True, exist_ok=True)
    return path


def entry(key, build):
    """The path of entry `key`; build(folder) makes it in an empty folder if it is not there.
    It stays in place until this process ends."""
    path = folder() / key
    if key not in _held:
        fd = _lock_open(path)
        _lock(fd, fcntl.LOCK_SH, key)
        if not path.is_dir():
            _lock(fd, fcntl.LOCK_EX, key)
            if not path.is_dir():
                _build(path, build)
            fcntl.flock(fd, fcntl.LOCK_SH)
        _held[key] = fd
        _remove_unused()
    os.utime(path)
    return path


def turn(alone=False):
    """Wait until this process may run machines: beside others, or ALONE because it measures time,
    until turn_share(). It may until it ends."""
    key = "machines"
    if key not in _held:
        _held[key] = _lock_open(folder() / key)
    # Nobody waits for us while we wait.
    fcntl.flock(_held[key], fcntl.LOCK_UN)
    # Whoever waits to be alone keeps the door shut: others would come in one after the other.
    door = _lock_open(folder() / f"{key}-door")
    fcntl.flock(door, fcntl.LOCK_EX)
    fcntl.flock(_held[key], fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
    os.close(door)


def turn_share():
    """Others may run machines again beside this process."""
    fcntl.flock(_held["machines"], fcntl.LOCK_SH)


def _build(path, build):
    # Under the exclusive lock a temporary folder can only be a dead builder's.
    temporary = _temporary(path)
    tree_remove(temporary)
    temporary.mkdir()
    build(temporary)
    temporary.rename(path)


def _temporary(path):
    return path.with_name(path.name + ".tmp")


def _lock_open(path):
    # Close on exec: a child that outlives us keeps no lock.
    return os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _lock_try(fd, mode):
    try:
        fcntl.flock(fd, mode | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


def _lock(fd, mode, key):
    if not _lock_try(fd, mode):
        print(f"rig: another process is building {key}, waiting for it", file=sys.stderr)
        fcntl.flock(fd, mode)


def _remove_unused():
    for lock in folder().glob("*.lock"):
        path = lock.with_suffix("")
        if path.name in _held:
            continue
        fd = _lock_open(path)
        if _lock_try(fd, fcntl.LOCK_EX):
            tree_remove(_temporary(path))
            if path.is_dir() and path.stat().st_mtime < time.time() - UNUSED_SECONDS:
                # Away under another name first: half an entry must never look like one.
                path.rename(_temporary(path))
                tree_remove(_temporary(path))
        os.close(fd)


def tree_remove(path):
    """Remove a folder, also with read-only folders inside it. One that is not there is fine."""
    def retry_writable(function, name, _error):
        os.chmod(os.path.dirname(name), 0o700)
        if function in (os.open, os.scandir):
            os.chmod(name, 0o700)
            shutil.rmtree(name)
        else:
            function(name)
    if path.exists():
        shutil.rmtree(path, onerror=retry_writable)

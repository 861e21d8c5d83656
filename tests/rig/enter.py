# SPDX-License-Identifier: GPL-2.0-or-later
"""A command inside a sysroot, which stays as it is: what is written goes to a file system in
memory that ends with the command. Root or any user with user namespaces; any number at once.
"""

import os
import subprocess

from . import cache, process

# Runs in namespaces of its own. $1 where to build the root, $2 the sysroot, $3 how many binds
# follow as source, target and mode; then the command.
SCRIPT = r"""
set -eu
top=$1 sysroot=$2 binds=$3
shift 3
mount -t tmpfs -o mode=0755 tmpfs "$top"
mkdir "$top/upper" "$top/work" "$top/root"
root=$top/root
# A relative path keeps commas and colons of the real one out of the options.
cd "$sysroot"
mount -t overlay -o "lowerdir=.,upperdir=$top/upper,workdir=$top/work" overlay "$root"
cd /
mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/tmp"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
for node in null zero full random urandom tty; do
	: > "$root/dev/$node"
	mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"
for number in 0:stdin 1:stdout 2:stderr; do
	ln -s "/proc/self/fd/${number%%:*}" "$root/dev/${number#*:}"
done
while [ "$binds" -gt 0 ]; do
	if [ -d "$1" ]; then
		mkdir -p "$root$2"
	else
		mkdir -p "$(dirname "$root$2")"
		[ -e "$root$2" ] || : > "$root$2"
	fi
	mount --bind "$1" "$root$2"
	[ "$3" = rw ] || mount -o remount,bind,ro "$root$2"
	shift 3
	binds=$((binds - 1))
done
exec env -i PATH=/usr/sbin:/usr/bin HOME=/root LC_ALL=C.UTF-8 chroot "$root" "$@"
"""


def enter_argv(sysroot, command, binds=()):
    """The command line that runs `command` inside. `binds`: (source, target, "rw" or "ro"), the
    target a path inside; it is made where it is missing."""
    top = cache.folder() / "enter"
    top.mkdir(exist_ok=True)
    argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    if os.geteuid() != 0:
        argv += ["--user", "--map-root-user"]
    argv += ["sh", "-c", SCRIPT, "enter", str(top), str(sysroot.path), str(len(binds))]
    for source, target, mode in binds:
        argv += [os.path.abspath(source), os.path.normpath("/" + target), mode]
    return process.with_parent(argv + list(command))


def enter(sysroot, command, binds=(), **options):
    """Run it and wait: subprocess.run's options and result."""
    return subprocess.run(enter_argv(sysroot, command, binds), **options)

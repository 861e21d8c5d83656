#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tbstream-mkrescue without dracut and without a disk: its command line, what it refuses to write a stick to,
# and what it writes. A file is the disk; what lsblk and blockdev say of it is told to them. TAP.
# shellcheck disable=SC2034,SC2317,SC2030,SC2031 # the functions are called by ok, in subshells

set -u
top=$(realpath "$(dirname "$0")/../..")
# shellcheck source=tests/unit/tools/tap.sh
. "$top/tests/unit/tools/tap.sh"
PATH=$PATH:/usr/sbin:/sbin
cd "${work:?}" || exit 1
mkrescue=$top/dracut-module/tbstream-mkrescue

# usage N PATTERN OPTION...: mkrescue ends with this code, and says so.
usage() {
	local wanted=$1 pattern=$2

	shift 2
	code "$wanted" "$mkrescue" "$@" > said 2>&1 && says "$pattern" said
}
narrow() { ! "$mkrescue" --help | grep -E '.{81}'; }

ok "help goes to standard output" sh -c "$mkrescue --help | grep -q '^Usage: tbstream-mkrescue'"
ok "no line of it is wider than 80 characters" narrow
ok "it knows the version of its sources" usage 0 '^tbstream-mkrescue [0-9]+\.[0-9]' --version
ok "nothing to make is wrong usage" usage 2 'nothing to make'
ok "an option that is none is wrong usage" usage 2 'unrecognized option' --nonsense
ok "two images are wrong usage" usage 2 'one IMAGE.img' a.img b.img
ok "a key without its certificate is wrong usage" usage 2 'go together' --sign-key x --stick y
ok "a name that switches the image off is wrong usage" usage 2 'switch the image off' --name off x.img
ok "a name of nine characters is wrong usage" usage 2 '1 to 8' --name ninechars x.img
ok "a keyboard map that is a path is wrong usage" usage 2 'no name of a keyboard map' -K ../x x.img
ok "two lines for the command line are wrong usage" usage 2 'one line' -a $'a\nb' x.img
ok "an image to take and a kernel to build with exclude each other" usage 2 'too late' -i x --kver y --uki z
ok "an image to take that is not there is refused" usage 1 'x.img does not exist' -i x.img --uki y

install() {
	make -s -C "$top" install DESTDIR= PREFIX="$work/usr" DRACUTDIR="$work/dracut" UDEVDIR="$work/udev" PLUGINDIR= &&
		usr/sbin/tbstream-mkrescue --version && test -s usr/share/man/man8/tbstream-mkrescue.8
}
ok "installed, it finds its parts and its version" install

# shellcheck source=/dev/null
. "$top/dracut-module/mkrescue-stick.sh"
# shellcheck source=/dev/null
. "$top/dracut-module/mkrescue-target.sh"

fail() {
	printf '%s\n' "$*" >&2
	exit 1
}
need() { :; }
target_is_disk() { [[ $1 == disk || $1 == /dev/disk ]]; }
declare -A disk
fresh() {
	disk=([TYPE]=disk [RO]=0 [RM]=1 [HOTPLUG]=0 [PKNAME]=sdz [MOUNTPOINTS]='' [TYPE,NAME]='disk sdz' [ss]=512
		[size64]=$((96 << 20)) [rereadpt]='')
	force=''
}
lsblk() {
	local column

	for column; do [[ ${disk[$column]+x} ]] && printf '%s\n' "${disk[$column]}"; done
	return 0
}
blockdev() {
	case $1 in
		--getss) echo "${disk[ss]}" ;;
		--getsize64) echo "${disk[size64]}" ;;
		--rereadpt) [[ -z ${disk[rereadpt]} ]] || { printf '%s\n' "${disk[rereadpt]}" >&2 && return 1; } ;;
	esac
}

# refuses PATTERN FUNCTION ARGUMENT... [< ANSWER]: and the disk is as it was.
refuses() {
	local pattern=$1 before

	shift
	before=$(sha256sum < disk)
	(set -euo pipefail && "$@") > said 2>&1 && echo "not refused" && return 1
	says "$pattern" said && [[ $(sha256sum < disk) == "$before" ]]
}
accepts() { (set -euo pipefail && "$@") < /dev/null; }

head -c 3000000 /dev/urandom > disk
truncate -s 96M disk
fresh && disk[TYPE]=part
ok "a partition is refused, and its disk is named" refuses 'name /dev/sdz' target_check disk
fresh && disk[TYPE]=crypt
ok "what is no disk is refused" refuses 'of the kind crypt' target_check disk
fresh && force=yes && disk[MOUNTPOINTS]=$'\n/home'
ok "a mounted disk is refused even with --force" refuses 'in use \(/home\)' target_check disk
fresh && force=yes && disk[TYPE,NAME]=$'disk sdz\npart sdz1\nlvm vg-root'
ok "so is one with a volume" refuses 'in use by vg-root' target_check disk
fresh && disk[RO]=1
ok "a disk that is read-only is refused" refuses 'read-only' target_check disk
fresh && disk[ss]=4096
ok "sectors of another size are refused" refuses 'sectors of 4096 bytes' target_check disk
fresh && disk[RM]=0
ok "a disk that is not removable is refused" refuses 'not removable.*--force' target_check disk
fresh
ok "where there is no terminal to ask at it is refused" refuses 'no terminal' target_check disk < /dev/null
fresh && force=yes && disk[RM]=0
ok "with --force it is taken" accepts target_check disk
fresh && disk[RM]=0 && disk[HOTPLUG]=1
ok "so is one that can be plugged in, once its name is typed" refuses 'no terminal' target_check disk < /dev/null
{
	declare -f target_ask fail lsblk
	printf 'declare -A disk\nforce=\ntarget_ask disk\n'
} > ask
answer() { script -qec "bash ask" /dev/null <<< "$1"; }
ok "a typed name is the way on" answer disk
wrong() { ! answer sda && answer sda | grep -q 'nothing was written'; }
ok "another name is none" wrong

truncate -s 8M fat
truncate -s 10M stick.img
{ mkfs.fat fat && sgdisk -n 1:2048:18431 stick.img; } > out || cat out
dd if=fat of=stick.img bs=1M seek=1 conv=notrunc status=none
fresh && disk[size64]=$((9 << 20))
ok "a disk that is too small is refused" refuses 'too small: it has 9 MiB, and 10 are needed' target_write stick.img disk
fresh && disk[rereadpt]='ioctl error on BLKRRPART: Device or resource busy'
ok "one that the kernel holds is refused" refuses 'in use' target_write stick.img disk
fresh && disk[MOUNTPOINTS]=/mnt
ok "one that was mounted meanwhile is refused" refuses 'in use' target_write stick.img disk
fresh
ok "a stick is written" accepts target_write stick.img disk
sound() {
	[[ $(stat -c %s disk) == $((96 << 20)) ]] && sgdisk -v disk | grep 'No problems found' &&
		cmp -n $((8 << 20)) -i 0:$((1 << 20)) fat disk
}
ok "its second GPT is at the disk's end, its partition what it was made of" sound
cmp() { return 1; }
lying() { (set -euo pipefail && target_write stick.img disk) > said 2>&1 || says 'does not give back' said; }
ok "a disk that reads otherwise than it was written is found out" lying
tap_end

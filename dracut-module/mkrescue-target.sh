#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sourced by tbstream-mkrescue: where the stick goes, a file or a disk, and what speaks against it.

# shellcheck disable=SC2154 # the options

target_is_disk() {
	[[ -b $1 ]]
}

# target_check TARGET: before anything is built.
target_check() {
	if target_is_disk "$1"; then
		need util-linux lsblk blockdev
		target_check_disk "$1"
		target_ask "$1"
		return
	fi
	[[ $1 != /dev/* ]] || fail "$1 is no disk: see lsblk for their names"
	[[ ! -e $1 || -f $1 ]] || fail "$1 is neither a disk nor a file"
	[[ ! -e $1 || $force ]] || fail "$1 exists: name another file, or replace it with --force"
}

# target_field DISK COLUMN
target_field() {
	lsblk -dno "$2" "$1" | tr -d ' '
}

target_check_disk() {
	local type

	type=$(target_field "$1" TYPE)
	case $type in
		disk | loop) ;;
		part) fail "$1 is a partition: a stick is a whole disk, name /dev/$(target_field "$1" PKNAME)" ;;
		*) fail "$1 is of the kind $type: a stick is a whole disk" ;;
	esac
	target_unused "$1"
	[[ $(target_field "$1" RO) == 0 ]] || fail "$1 is read-only: see the switch on the stick"
	[[ $(blockdev --getss "$1") == 512 ]] ||
		fail "$1 has sectors of $(blockdev --getss "$1") bytes, a stick must have 512: take another one"
	[[ $force || $(target_field "$1" RM) == 1 || $(target_field "$1" HOTPLUG) == 1 ]] ||
		fail "$1 is not removable, and may be a disk of this machine: if it is the right one, --force"
}

# target_unused DISK
target_unused() {
	local at

	at=$(lsblk -nro MOUNTPOINTS "$1" | grep -v '^$' | head -n 1) || :
	[[ -z $at ]] || fail "$1 is in use ($at): unmount it first"
	at=$(lsblk -nro TYPE,NAME "$1" | awk '$1 != "disk" && $1 != "part" && $1 != "loop" { print $2; exit }')
	[[ -z $at ]] || fail "$1 is in use by $at: stop that first"
}

# The name of the disk is what people get wrong: it is typed, not just agreed to.
target_ask() {
	local answer=''

	printf 'Everything on this disk will be overwritten:\n' >&2
	lsblk -o NAME,SIZE,TYPE,FSTYPE,LABEL,MODEL,SERIAL "$1" >&2
	[[ -z $force ]] || return 0
	[[ -t 0 ]] || fail "$1 is a disk, and there is no terminal to ask at: with --force nobody is asked"
	read -r -p "Type its name, ${1##*/}, to go on: " answer || :
	[[ $answer == "${1##*/}" ]] || fail "nothing was written"
}

# target_write IMAGE TARGET
target_write() {
	if target_is_disk "$2"; then
		target_write_disk "$1" "$2"
	else
		save "$1" "$2"
	fi
}

target_write_disk() {
	local size least held

	size=$(blockdev --getsize64 "$2")
	least=$(stat -c %s "$1")
	[[ $size -ge $least ]] ||
		fail "$2 is too small: it has $((size >> 20)) MiB, and $((least >> 20)) are needed; nothing was written"
	# Much may have happened since it was looked at. The kernel refuses where anything holds it.
	target_unused "$2"
	held=$(blockdev --rereadpt "$2" 2>&1) || :
	[[ $held != *busy* ]] || fail "$2 is in use: nothing was written"

	dd if="$1" of="$2" bs=4M conv=nocreat,notrunc,fsync status=none || fail "$2 cannot be written"
	# The second GPT belongs to the end of the disk.
	sgdisk --move-second-header "$2" > log 2>&1 || fail "sgdisk failed on $2: $(tail -n 1 log)"
	blockdev --flushbufs "$2"
	cmp -s -i $((STICK_START * 512)) -n $((least - (STICK_START + STICK_TAIL) * 512)) "$1" "$2" ||
		fail "$2 does not give back what was written to it: take another stick"
	blockdev --rereadpt "$2" 2> /dev/null || :
}

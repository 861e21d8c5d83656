#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sourced. The disks of this machine: the list that "tbstream disks" gives, what of it is the
# rescue stick, and which disk a specification of the command line means.
#
# The list is a table with tabs, a line per disk and "-" for what is empty:
#   path  model  bytes  serial  transport  contents  flags(mounted,readonly,removable,inuse,rescue)

# shellcheck disable=SC3043 # dracut too takes "local" for granted

# The one character that parts the fields.
DISKS_TAB=$(printf '\t')

# disks_load FILE: writes the table to FILE; fails where the program does.
disks_load() {
	local excluded path rest flags

	# Models and serial numbers are the disks' own words: nothing of them may steer a terminal.
	timeout 60 tbstream disks --tsv > "$1.raw" && tr -c ' -~\t\n' '?' < "$1.raw" > "$1.clean" || return 1
	excluded=$(disks_excluded "$1.clean")
	while [ -n "$excluded" ] && IFS=$DISKS_TAB read -r path rest; do
		flags=${rest##*"$DISKS_TAB"}
		case " $excluded" in
			*" $(disks_whole "$path") "*) flags=$(disks_flag "$flags" rescue) ;;
		esac
		printf '%s\t%s\t%s\n' "$path" "${rest%"$DISKS_TAB"*}" "$flags"
	done < "$1.clean" > "$1.marked"
	[ -z "$excluded" ] || mv -f -- "$1.marked" "$1.clean"
	mv -f -- "$1.clean" "$1"
	rm -f -- "$1.raw" "$1.marked"
}

# disks_excluded TABLE: the kernel's names of the disks to leave alone, on one line.
disks_excluded() {
	local spec path

	params_has exclude || return 0
	while IFS= read -r spec; do
		# A disk of the list may be so new that udev has not made the link yet by which it is known.
		[ -n "$(disks_resolve "$1" "$spec")" ] || udevadm settle --timeout=10
		disks_resolve "$1" "$spec" | while IFS= read -r path; do
			printf '%s ' "$(disks_whole "$path")"
		done
	done < "$TBSTREAM_RUN/param/exclude"
}

# disks_resolve TABLE SPEC: the paths that a specification means now, a line each; none is none.
# "all" leaves out what the table marks as the rescue stick.
disks_resolve() {
	local path serial flags

	case $2 in
		all | serial:*)
			while IFS=$DISKS_TAB read -r path _ _ serial _ _ flags; do
				case $2 in
					all) disks_flagged "$flags" rescue || printf '%s\n' "$path" ;;
					serial:-) ;;
					"serial:$serial") printf '%s\n' "$path" ;;
				esac
			done < "$1"
			;;
		/dev/*) disks_node "$2" ;;
		id:*) disks_node "/dev/disk/by-id/${2#id:}" ;;
		UUID=*) disks_node "/dev/disk/by-uuid/${2#UUID=}" ;;
		PARTUUID=*) disks_node "/dev/disk/by-partuuid/${2#PARTUUID=}" ;;
	esac
}

disks_node() {
	[ ! -b "$1" ] || readlink -f -- "$1"
}

# disks_row TABLE PATH: the table's line of the disk.
disks_row() {
	local path rest

	while IFS=$DISKS_TAB read -r path rest; do
		[ "$path" != "$2" ] || printf '%s\t%s\n' "$path" "$rest"
	done < "$1"
}

# disks_confirmable TABLE SERIAL: does this number name one disk, beyond doubt?
disks_confirmable() {
	[ "${#2}" -ge 4 ] && [ "$(disks_resolve "$1" "serial:$2" | wc -l)" -eq 1 ]
}

# disks_flag FLAGS NEW
disks_flag() {
	case $1 in
		'' | -) printf '%s\n' "$2" ;;
		*) printf '%s,%s\n' "$1" "$2" ;;
	esac
}

# disks_flagged FLAGS FLAG
disks_flagged() {
	case ,$1, in
		*,"$2",*) return 0 ;;
	esac
	return 1
}

# disks_nodes PATH: the device nodes of the disk that PATH is, or is a part of: its partitions first.
disks_nodes() {
	local whole part

	whole=$(disks_whole "$1") || return 1
	for part in "/sys/class/block/$whole"/*/partition; do
		[ -e "$part" ] || continue
		part=${part%/partition}
		printf '/dev/%s\n' "${part##*/}"
	done
	printf '/dev/%s\n' "$whole"
}

# disks_whole PATH: the kernel's name of the disk that PATH is, or is a part of.
disks_whole() {
	local dev sys

	dev=$(readlink -f -- "$1") || return 1
	dev=${dev##*/}
	if [ -e "/sys/class/block/$dev/partition" ]; then
		sys=$(readlink -f -- "/sys/class/block/$dev") || return 1
		sys=${sys%/*}
		dev=${sys##*/}
	fi
	printf '%s\n' "$dev"
}

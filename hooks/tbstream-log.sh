#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sourced by the interface. What happened, kept in memory, and saved where the user says: a machine
# that is switched off has forgotten it.

# shellcheck disable=SC3043 # busybox ash has "local"

# Every program appends to this file what it says.
export TBSTREAM_LOG="$TBSTREAM_RUN/messages"

# log_note TEXT
log_note() {
	local up

	read -r up _ < /proc/uptime
	printf '%s s: %s\n' "$up" "$1" >> "$TBSTREAM_RUN/log"
}

# log_text: all that is known.
log_text() {
	printf 'tbstream rescue log\n'
	log_part 'Machine' screen_machine
	log_part 'Program' tbstream --version
	log_part 'Kernel' uname -a
	log_part 'Command line' cat /proc/cmdline
	log_part 'Warnings about it' cat "$TBSTREAM_RUN/warnings"
	log_part 'What was done' cat "$TBSTREAM_RUN/log"
	log_part 'What the programs said' cat "$TBSTREAM_LOG"
	log_part 'Cable and disks' screen_state
	log_part 'Partitions' cat /proc/partitions
	log_part 'Messages of the kernel' dmesg
}

# log_part TITLE COMMAND...
log_part() {
	printf '\n== %s ==\n\n' "$1"
	shift
	"$@" 2>&1 || :
}

log_save() {
	printf '\n The log tells what this machine is, what was done and what was said.\n'
	printf '\n  1 to the other machine   2 onto a USB stick or a memory card\n'
	while :; do
		dialog_ask " 1 or 2, m for the menu: " || return
		case $ANSWER in
			1)
				ui_alone log_send "the log to the other machine"
				return
				;;
			2)
				dialog_disk "Onto which one? Its number, m for the menu:" || return
				log_stick "$DISK"
				return
				;;
			m) return 2 ;;
		esac
	done
}

# log_send: whatever the other machine does with it, it takes it from a pipe.
log_send() {
	local status=0 name stream=

	name=$(params_get name backup)
	[ "$name" = backup ] || stream=" --stream $name"
	printf '\n On the other machine type:\n\n     tbrecv%s -d > rescue-log.txt\n\n Ctrl-C stops it.\n\n' "$stream"
	log_text | run_program tbsend - || status=$?
	case $status in
		0) screen_result "DONE: the log was sent" "The other machine has confirmed every byte." ;;
		*) screen_result "FAILED: the log was not sent" "$(run_reason "$status")" ;;
	esac
	return "$status"
}

# log_stick PATH: a new file on the first of its file systems that takes one. Only what can be carried
# away is written to: a file on the patient's own disk would be a change of it.
log_stick() {
	local place="$UI_DIR/stick" part file

	if ! log_portable "$1"; then
		screen_result "REFUSED: nothing was written" "$1 is no USB stick and no memory card."
		return 2
	fi
	mkdir -p "$place"
	for part in $(disks_nodes "$1"); do
		log_mount "$part" "$place" || continue
		file=tbstream-$(date +%Y%m%d-%H%M%S).txt
		if log_write "$part" "$place" "$file"; then
			screen_result "DONE: the log is the file $file" "on $part."
			return 0
		fi
	done
	screen_result "FAILED: the log was not saved" \
		"$1 has no FAT or exFAT file system with room for it."
	return 1
}

log_portable() {
	local row

	row=$(disks_row "$SCREEN_DIR/disks" "$1")
	case $(printf '%s\n' "$row" | cut -f 5) in usb | mmc) return 0 ;; esac
	disks_flagged "${row##*"$DISKS_TAB"}" rescue || disks_flagged "${row##*"$DISKS_TAB"}" removable
}

log_mount() {
	mount -t vfat "$@" 2> /dev/null || mount -t exfat "$@" 2> /dev/null
}

# log_write PART PLACE FILE: what was written is read back from the medium.
log_write() {
	local status=0

	log_text > "$UI_DIR/log"
	cp "$UI_DIR/log" "$2/$3" || status=1
	umount "$2" || status=1
	[ "$status" -eq 0 ] && log_mount -r "$1" "$2" || return 1
	cmp "$UI_DIR/log" "$2/$3" || status=1
	umount "$2"
	# No event tells of a mount: a list that was made meanwhile says "mounted".
	screen_forget
	return "$status"
}

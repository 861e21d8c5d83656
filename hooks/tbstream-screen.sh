#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sourced. What a console shows: plain lines of at most 78 characters, which a VGA console, a
# serial line and a log all take.

# shellcheck disable=SC3043 # dracut too takes "local" for granted

SCREEN_RULE="=============================================================================="

# What the consoles show, kept for all of them: the table "disks", the same as text, the cable as
# text, and how often any of it has changed.
SCREEN_DIR=$TBSTREAM_RUN/screen

# The count of changes that this console has shown.
SCREEN_SEEN=

# screen_look: true where there is something that this console has not shown. What happens at disks
# and cable is an event of the kernel's, which counts them: without a new one there is nothing to
# look for, and the first console that notices one looks for all.
screen_look() {
	local events seen='' count=0

	mkdir -p "$SCREEN_DIR"
	read -r events < /sys/kernel/uevent_seqnum
	[ ! -f "$SCREEN_DIR/events" ] || read -r seen < "$SCREEN_DIR/events"
	if [ "$events" != "$seen" ]; then
		flock 8
		[ ! -f "$SCREEN_DIR/events" ] || read -r seen < "$SCREEN_DIR/events"
		if [ "$events" != "$seen" ]; then
			screen_look_again
			# Ctrl-C ends the programs that look, too: then it was no look.
			[ -n "${DIALOG_STOPPED-}" ] || printf '%s\n' "$events" > "$SCREEN_DIR/events"
		fi
		flock -u 8
	fi 8> "$TBSTREAM_RUN/screen.lock"
	[ ! -f "$SCREEN_DIR/count" ] || read -r count < "$SCREEN_DIR/count"
	[ "$count" != "$SCREEN_SEEN" ] || return 1
	SCREEN_SEEN=$count
}

# screen_forget: the next look is at everything.
screen_forget() {
	rm -f -- "$SCREEN_DIR/events"
}

screen_look_again() {
	local part count=0

	disks_load "$SCREEN_DIR/disks.new" 2> "$SCREEN_DIR/why" || : > "$SCREEN_DIR/disks.new"
	screen_disks "$SCREEN_DIR/disks.new" "$SCREEN_DIR/why" > "$SCREEN_DIR/disks.text.new"
	screen_cable > "$SCREEN_DIR/cable.text.new"
	[ ! -f "$SCREEN_DIR/count" ] || read -r count < "$SCREEN_DIR/count"
	for part in disks disks.text cable.text; do
		cmp -s "$SCREEN_DIR/$part.new" "$SCREEN_DIR/$part" || count=$((count + 1))
		mv -f -- "$SCREEN_DIR/$part.new" "$SCREEN_DIR/$part"
	done
	printf '%s\n' "$count" > "$SCREEN_DIR/count"
}

# screen_state: what changes.
screen_state() {
	cat "$SCREEN_DIR/cable.text" "$SCREEN_DIR/disks.text"
}

# screen_show: the whole of it. A VGA console has 25 lines: what matters most comes last.
screen_show() {
	cat <<-EOT

		== tbstream rescue: this machine's disks over a USB4 or Thunderbolt cable ====
		 Machine  $(screen_machine)
		 Stream   $(params_get name backup)
	EOT
	screen_state
	[ ! -s "$TBSTREAM_RUN/warnings" ] ||
		screen_field "Warning" "$(cat "$TBSTREAM_RUN/warnings"; echo "So nothing runs by itself.")"
	cat <<-EOT
		 Nothing is written to any disk until you confirm. On the other machine type
		     $(screen_command send)   to back up a disk of this machine, or
		     $(screen_command recv)   to bring an image back onto one of its disks.
	EOT
	! params_has shell || printf ' A shell is offered: tbstream shell\n'
}

# screen_field LABEL TEXT: in lines that fit, the label before the first.
screen_field() {
	local label="$1" line

	printf '%s\n' "$2" | tr -c ' -~\n' '?' | fold -s -w 68 | while IFS= read -r line; do
		printf ' %-8s %s\n' "$label" "$line"
		label=
	done
}

# screen_command DIRECTION [IMAGE]: what to type on the other machine.
screen_command() {
	local name stream=

	name=$(params_get name backup)
	[ "$name" = backup ] || stream=" --stream $name"
	case $1 in
		send) printf 'tbrecv%s -o %s.zst\n' "$stream" "${2:-laptop}" ;;
		recv) printf 'tbsend%s laptop.zst\n' "$stream" ;;
	esac
}

# The maker's words, where they are any: boards without a name say so in many ways.
screen_machine() {
	local vendor product serial

	vendor=$(screen_dmi sys_vendor)
	product=$(screen_dmi product_name)
	serial=$(screen_dmi product_serial)
	printf '%s, serial %s\n' "${vendor:+$vendor }${product:-of unknown make}" "${serial:-unknown}" |
		tr -c ' -~\n' '?'
}

screen_dmi() {
	local value=

	IFS= read -r value 2> /dev/null < "/sys/class/dmi/id/$1"
	case $value in
		'To be filled by O.E.M.' | 'To Be Filled By O.E.M.' | 'Default string' | 'Not Specified' | None | 0) value= ;;
	esac
	printf '%s\n' "$value"
}

# What the program says counts, not how it ends: it fails where there is no peer yet.
screen_cable() {
	screen_field Cable "$(timeout 10 tbstream status 2>&1 | sed 's/^tbstream: //' | head -n 12)"
}

# screen_disks TABLE REASON: the disks, numbered as dialog_disk takes them.
screen_disks() {
	if [ -s "$2" ]; then
		screen_field Disks "cannot be listed: $(cat "$2")"
	elif [ ! -s "$1" ]; then
		screen_field Disks "none found yet; one that appears is listed here"
	else
		printf ' Disks\n'
		screen_rows "$1"
	fi
}

# screen_rows TABLE: two lines for every disk, sizes as they are printed on its label.
screen_rows() {
	awk -F '\t' '
		function size(bytes,    unit) {
			for (unit = 1; bytes >= 1000 && unit < 6; unit++)
				bytes /= 1000
			return sprintf("%.1f %s", bytes, substr(" B kBMBGBTBPB", unit * 2, 2))
		}
		function either(text, none) { return text == "-" ? none : text }
		BEGIN {
			mark["rescue"] = "the rescue stick: left alone"
			mark["mounted"] = "mounted"
			mark["inuse"] = "in use"
			mark["readonly"] = "read-only"
			mark["removable"] = "removable"
		}
		{
			sub("^/dev/", "", $1)
			printf "  %2d  %-10s %9s  %s, serial %s, %s\n", NR, $1, size($3),
				either($2, "unknown model"), either($4, "unknown"), either($5, "unknown bus")
			printf "      %s", either($6, "empty, or nothing that is known")
			count = split($7, flags, ",")
			for (i = 1; i <= count; i++)
				if (flags[i] in mark)
					printf "  [%s]", mark[flags[i]]
			printf "\n"
		}' "$1"
}

# screen_result WORD SENTENCE...: an end that cannot be misread.
screen_result() {
	local word="$1" line

	shift
	printf '\n%s\n  %s\n' "$SCREEN_RULE" "$word"
	for line in "$@"; do
		printf '  %s\n' "$line"
	done
	printf '%s\n' "$SCREEN_RULE"
}

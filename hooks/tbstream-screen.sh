#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sourced. What a console shows: plain lines of at most 78 characters, which a VGA console, a
# serial line and a log all take.

# shellcheck disable=SC3043 # dracut too takes "local" for granted

SCREEN_RULE="=============================================================================="

# screen_look DIR: reads the state of disks and cable into DIR; true where it has changed.
screen_look() {
	local part changed=1

	disks_load "$1/disks.now" 2> "$1/disks.why" || : > "$1/disks.now"
	screen_disks "$1/disks.now" "$1/disks.why" > "$1/disks.shown.now"
	screen_cable > "$1/cable.shown.now"
	mv -f -- "$1/disks.now" "$1/disks"
	for part in disks cable; do
		if cmp -s "$1/$part.shown.now" "$1/$part.shown"; then
			rm -f -- "$1/$part.shown.now"
		else
			mv -f -- "$1/$part.shown.now" "$1/$part.shown"
			changed=0
		fi
	done
	return "$changed"
}

# screen_show DIR: the whole of it. A VGA console has 25 lines: what matters most comes last.
screen_show() {
	cat <<-EOT

		== tbstream rescue: this machine's disks over a USB4 or Thunderbolt cable ====
		 Machine  $(screen_machine)
		 Stream   $(params_get name backup)
	EOT
	cat "$1/cable.shown" "$1/disks.shown"
	[ ! -s "$TBSTREAM_RUN/warnings" ] ||
		screen_field "Warning" "$(cat "$TBSTREAM_RUN/warnings"; echo "So nothing runs by itself.")"
	cat <<-EOT
		 Nothing is written to any disk until you confirm. On the other machine type
		     $(screen_command send)   to back up a disk of this machine, or
		     $(screen_command recv)   to bring an image back onto one of its disks.
	EOT
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
	printf '%s, serial %s\n' "${vendor:+$vendor }${product:-of unknown make}" "${serial:-unknown}"
}

screen_dmi() {
	local value=

	IFS= read -r value 2> /dev/null < "/sys/class/dmi/id/$1"
	case $value in
		'To be filled by O.E.M.' | 'To Be Filled By O.E.M.' | 'Default string' | 'Not Specified' | None | 0) value= ;;
	esac
	printf '%s\n' "$value" | tr -c ' -~\n' '?'
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

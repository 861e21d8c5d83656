#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sourced by the interface, which runs under busybox ash. Questions and answers: digits and
# letters only, for the keyboard may have any layout.

# shellcheck disable=SC3043,SC3045 # busybox ash has "local" and "read -t"

# The last word of another console that was shown here.
DIALOG_SAID=

# dialog_ask PROMPT [SECONDS [UNTIL]]: sets ANSWER, in lower case. Shows what changes meanwhile.
# Fails with 1 where the terminal has gone, 2 at Ctrl-C, 3 after SECONDS (or inf), 4 as soon as
# the command UNTIL is true.
dialog_ask() {
	local began turn ended=0

	began=$(dialog_clock)
	DIALOG_STOPPED=
	printf '%s' "$1"
	while :; do
		turn=$(dialog_clock)
		if IFS= read -r -t 2 ANSWER; then
			ANSWER=$(dialog_plain "$ANSWER")
			dialog_take
			return 0
		fi
		[ -z "$DIALOG_STOPPED" ] || return 2
		# A time that runs out and an end of file (Ctrl-D, or a line that hangs) look alike.
		if [ "$(dialog_clock)" -eq "$turn" ]; then
			ended=$((ended + 1))
			[ "$ended" -lt 10 ] || return 1
			sleep 1
		fi
		[ -z "${3-}" ] || ! "$3" || return 4
		[ "${2-inf}" = inf ] || [ "$(($(dialog_clock) - began))" -lt "$2" ] || return 3
		dialog_news "$1"
	done
}

# dialog_take: who types has the machine, and the other consoles say so: two people may sit there.
dialog_take() {
	local taker=''

	[ ! -f "$TBSTREAM_RUN/taker" ] || IFS= read -r taker < "$TBSTREAM_RUN/taker"
	[ "$taker" != "$CONSOLE" ] || return 0
	printf '%s\n' "$CONSOLE" > "$TBSTREAM_RUN/taker"
	dialog_say "is being typed on. An answer here takes over."
}

# dialog_plain TEXT: its letters and digits, in lower case: what every keyboard can type.
dialog_plain() {
	# shellcheck disable=SC2018,SC2019 # busybox tr may be built without classes
	printf '%s' "$1" | tr -cd 'A-Za-z0-9' | tr A-Z a-z
}

dialog_clock() {
	local up

	read -r up < /proc/uptime
	printf '%s\n' "${up%%.*}"
}

# dialog_news PROMPT: shows what has changed at disks and cable, and what another console does.
dialog_news() {
	local said=''

	if screen_look; then
		printf '\n\n -- a change --\n'
		screen_state
		printf '\n%s' "$1"
	fi
	[ ! -f "$TBSTREAM_RUN/said" ] || IFS= read -r said < "$TBSTREAM_RUN/said"
	if [ "$said" != "$DIALOG_SAID" ]; then
		DIALOG_SAID=$said
		case $said in
			"$CONSOLE "*) ;;
			*) printf '\n\n Console %s\n\n%s' "$said" "$1" ;;
		esac
	fi
}

# dialog_say TEXT: tells the other consoles.
dialog_say() {
	printf '%s %s\n' "$CONSOLE" "$1" > "$TBSTREAM_RUN/said"
}

# dialog_menu: sets ANSWER to what was chosen, a word; else as dialog_ask fails.
dialog_menu() {
	printf '\n  1 send a disk (backup)   2 write a disk (restore)   3 shell   4 power off\n'
	printf '  5 reboot                 6 keyboard layout          7 save a log\n'
	while :; do
		dialog_ask " Type 1 to 7, then Enter: " || return
		case $ANSWER in
			1) ANSWER=send ;;
			2) ANSWER=recv ;;
			3) ANSWER=shell ;;
			4) ANSWER=poweroff ;;
			5) ANSWER=reboot ;;
			6) ANSWER=keys ;;
			7) ANSWER=log ;;
			*) continue ;;
		esac
		return 0
	done
}

# dialog_disk QUESTION [ALL]: sets DISK to the path of the chosen one, or to "all" where ALL allows it.
dialog_disk() {
	cat "$SCREEN_DIR/disks.text"
	while :; do
		dialog_ask " $1 " || return
		DISK=
		case $ANSWER in
			m) return 2 ;;
			a) DISK=${2-} ;;
			'' | 0* | *[!0-9]* | ????*) ;;
			*) DISK=$(sed -n "${ANSWER}s/$DISKS_TAB.*//p" "$SCREEN_DIR/disks") ;;
		esac
		[ -z "$DISK" ] || return 0
		printf ' That is no disk of the list.\n'
	done
}

# dialog_used PATHS: sets WHAT, for the caller, to "all", or to "used" where somebody wants only what
# file systems use, which is asked where that is less.
# shellcheck disable=SC2034
dialog_used() {
	local told="$UI_DIR/used"

	WHAT=all
	printf '\n Looking at what is in use ...\n'
	# shellcheck disable=SC2086 # paths of /dev, one to a word
	timeout 120 tbsend --used --dry-run $1 > "$told" 2>&1 && grep -q ' are left out' "$told" || return 0
	printf '\n  1 all of it, deleted files and unused places too\n'
	printf '  2 only what its file systems use, which is quicker and smaller:\n'
	screen_field '' "$(sed 's/^tbsend: //' "$told")"
	while :; do
		dialog_ask " Type 1 or 2, or m for the menu, then Enter: " || return
		case $ANSWER in
			1) return 0 ;;
			2)
				WHAT=used
				return 0
				;;
			m) return 2 ;;
		esac
	done
}

# dialog_overwrite PATH: true where the user names the disk by what is printed on it. A serial
# number that is empty, short or on two disks names none: then its size has to do.
dialog_overwrite() {
	local row="$UI_DIR/row" bytes serial known

	disks_row "$SCREEN_DIR/disks" "$1" > "$row"
	bytes=$(cut -f 3 "$row")
	serial=$(cut -f 4 "$row")
	known=$(dialog_plain "$serial")
	printf '\n Everything on this disk will be overwritten:\n\n'
	screen_rows "$row" | sed 's/^    *1 /    /'
	if disks_confirmable "$SCREEN_DIR/disks" "$serial" && [ "${#known}" -ge 4 ]; then
		printf '\n To confirm, type its serial number, at least the last four letters or digits.\n'
		dialog_ask " Serial number (m goes back to the menu): " || return
		case $ANSWER in
			????*) [ "${known%"$ANSWER"}" = "$known" ] || return 0 ;;
		esac
	else
		printf '\n Its serial number proves nothing. To confirm, type its size in bytes: %s\n' "$bytes"
		dialog_ask " Size (m goes back to the menu): " || return
		[ "$ANSWER" != "$bytes" ] || return 0
	fi
	printf ' That is not what this disk says. Nothing was written.\n'
	return 2
}

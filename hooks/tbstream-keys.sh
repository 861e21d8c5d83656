#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sourced by the interface. The layout of the keyboard at this machine's own screen; a serial line
# has that of the terminal at its other end.

# shellcheck disable=SC3043 # busybox ash has "local"

# keys_list: the layouts of the image, a line each.
keys_list() {
	local file

	for file in "$PARAMS_KEYMAPS"/*.bmap; do
		[ -f "$file" ] || continue
		file=${file##*/}
		printf '%s\n' "${file%.bmap}"
	done
}

# keys_choose: by number or by name, for on a wrong layout either may be out of reach.
keys_choose() {
	local list="$UI_DIR/keymaps" name

	keys_list > "$list"
	if [ ! -s "$list" ]; then
		printf '\n This image has no keyboard layouts.\n'
		return 2
	fi
	while :; do
		printf '\n Keyboard layouts\n'
		awk '{ printf "%s%4d %-4s", NR % 8 == 1 ? "\n" : "", NR, $1 } END { print "\n" }' "$list"
		dialog_ask " Its number or name, m for the menu: " || return
		[ "$ANSWER" != m ] || return 2
		name=$(awk -v answer="$ANSWER" 'NR "" == answer || $1 == answer { print $1 }' "$list")
		if [ -z "$name" ]; then
			printf ' That is no layout of the list.\n'
		elif ! loadkmap < "$PARAMS_KEYMAPS/$name.bmap"; then
			printf ' This machine has no screen of its own, or its keyboard takes no layout.\n'
			return 2
		else
			keys_try "$name" && return 0
		fi
	done
}

# keys_try NAME: a line to try it on; the terminal's own echo is what shows.
keys_try() {
	printf '\n Layout %s. Try it: y z  a q  1 2  - / _ @\n' "$1"
	while :; do
		dialog_ask " Type anything; Enter alone keeps this layout, n chooses another: " || return
		case $ANSWER in
			n) return 1 ;;
			'') return 0 ;;
		esac
	done
}

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every option of --help stands in the man page, argument and all, and every option there in --help;
# the same for the commands of tbstream; and the pages are as man(1) wants them.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317 # the functions are called by ok
. "$(dirname "$0")/../tools/tap.sh"
cd "${here:?}" || exit 1

# help_options COMMAND...: "-s, --stream=WHERE", one a line.
help_options() {
	for command in "$@"; do
		# shellcheck disable=SC2086 # a command and its argument
		$command --help
	done | sed -nE 's/^ +((-[a-zA-Z], )?--[a-z-]+(=[A-Z]+)?)( .*|$)/\1/p' | sort -u
}

# man_options PAGE: the same, of the tags of the page's OPTIONS.
man_options() {
	sed -n '/^\.SH OPTIONS/,/^\.SH EXIT/p' "$1" | sed -nE '/^\.TP/{n;s/^\.[BI]+ //p;}' |
		sed 's/["\\]//g; s/= /=/' | sort
}

# same_options PAGE COMMAND...
same_options() {
	page=$1
	shift
	help_options "$@" >"${work:?}/help"
	man_options "$page" >"$work/man"
	[ -s "$work/help" ] || {
		echo "$* --help shows no options: was the program built?"
		return 1
	}
	diff -u --label "$* --help" "$work/help" --label "$page" "$work/man"
}

same_commands() {
	tbstream --help | sed -nE '/^Commands:/,/^$/s/^  ([a-z]+) .*/\1/p' >"$work/help"
	echo help >>"$work/help"
	[ "$(wc -l <"$work/help")" -gt 1 ] || return 1
	sed -n '/^\.SH COMMANDS/,/^\.SH OPTIONS/p' tools/tbstream.8 | sed -nE '/^\.TP/{n;s/^\.B //p;}' >"$work/man"
	diff -u --label 'tbstream --help' "$work/help" --label tools/tbstream.8 "$work/man"
}

examples_first() {
	[ "$(grep -n '^\.SH EXAMPLES' "$1" | cut -d: -f1)" -lt "$(grep -n '^\.SH OPTIONS' "$1" | cut -d: -f1)" ]
}

# clean PAGE: formats without a warning.
clean() {
	LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l "$1" 2>"$work/warnings" >"$work/page" || return 1
	[ -s "$work/page" ] && ! grep . "$work/warnings"
}

ok "tbsend(8) has the options of tbsend --help" same_options tools/tbsend.8 tbsend
ok "tbrecv(8) has the options of tbrecv --help" same_options tools/tbrecv.8 tbrecv
ok "tbstream(8) has the options of its commands" \
	same_options tools/tbstream.8 "tbstream status" "tbstream disks" "tbstream verify" "tbstream info" \
	"tbstream ls" "tbstream cp" "tbstream mount" "tbstream umount" "tbstream shell"
ok "tbstream(8) has the commands of tbstream --help" same_commands
for page in tbsend.8 tbrecv.8 tbstream.8 nbdkit/nbdkit-tbimage-plugin.1; do
	ok "$page has its examples before its options" examples_first "tools/$page"
	if command -v man >/dev/null; then
		ok "$page formats without a warning" clean "tools/$page"
	else
		ok "$page formats without a warning # SKIP man is not installed" true
	fi
done

# The plugin tells of its parameters where there is nbdkit.
plugin=build/nbdkit-tbimage-plugin.so
same_parameters() {
	nbdkit "$plugin" --help | sed -nE 's/^([a-z]+=<[A-Z]+>) .*/\1/p' | tr -d '<>' | sort >"$work/help"
	[ -s "$work/help" ] || return 1
	man_options tools/nbdkit/nbdkit-tbimage-plugin.1 >"$work/man"
	diff -u --label 'nbdkit --help' "$work/help" --label man "$work/man"
}
if command -v nbdkit >/dev/null && [ -e "$plugin" ]; then
	ok "nbdkit-tbimage-plugin(1) has the plugin's parameters" same_parameters
else
	ok "nbdkit-tbimage-plugin(1) has the plugin's parameters # SKIP nbdkit or the plugin is not there" true
fi
tap_end

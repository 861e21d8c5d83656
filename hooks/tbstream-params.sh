#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sourced. What the kernel's command line says:
#
#   rd.tbstream[=NAME]                   enables the rescue interface; the stream's name, 1 to 8 of
#                                        A-Z a-z 0-9 . _ - (default: backup); 0, no or off disables
#   rd.tbstream.mode=menu|send|recv|shell   what comes first (default: menu)
#   rd.tbstream.dev=SPEC                 the disk to send or to write; may be given several times
#   rd.tbstream.exclude=SPEC             a disk to leave alone, the rescue stick itself; likewise
#   rd.tbstream.peer=UUID|any            which machine, where several are connected
#   rd.tbstream.wait=SEC|inf             how long to wait for disk and peer (default: inf)
#   rd.tbstream.level=auto|none|N        compression, 1 to 19 (default: auto)
#   rd.tbstream.used                     send only what file systems use, without deleted files
#   rd.tbstream.auto                     send without a key press
#   rd.tbstream.confirm=SERIAL           overwrite the disk with this serial number, of 4 characters
#                                        or more, without a key press
#   rd.tbstream.shell                    offer a shell to whoever is at the other end of the cable,
#                                        who attaches to it by "tbstream shell"
#   rd.tbstream.done=menu|poweroff|reboot|shell   what follows a success (default: menu)
#   rd.tbstream.console=TTY[,TTY...]     where to talk (default: every console of the kernel)
#   rd.tbstream.keymap=NAME              a keyboard map of the image
#
#   SPEC: all, /dev/..., id:NAME (of /dev/disk/by-id), serial:NUMBER, UUID=..., PARTUUID=...
#
#   rd.tbstream=lab rd.tbstream.mode=send rd.tbstream.dev=serial:S5GX1 rd.tbstream.auto
#   rd.tbstream rd.tbstream.mode=recv rd.tbstream.confirm=S5GX1 rd.tbstream.done=poweroff
#
# The last one wins, but every dev= counts, and every exclude=: a boot entry names its own stick,
# and a parameter typed behind it must not hand that stick over. One bad value, or a name that is
# none of these, is a warning, and nothing then runs without a key press: the menu comes up.
#
# A value is data: it is never evaluated, and it is kept in a file of its own.

# dracut too takes "local" for granted; dash, busybox and bash have it.
# shellcheck disable=SC3043

TBSTREAM_RUN=${TBSTREAM_RUN:-/run/tbstream}

# The keyboard maps of the image, as busybox loadkmap takes them.
PARAMS_KEYMAPS=/usr/share/tbstream/keymaps

# params_words: the command line, a word to a line. Double quotes keep spaces, as for the kernel.
params_words() {
	local part word=''

	# getcmdline is dracut's: what /etc/cmdline.d adds, then /proc/cmdline.
	getcmdline | tr -s ' \t' '\n' | while IFS= read -r part || [ -n "$part" ]; do
		word=$word$part
		case $word in
			*\"*)
				if [ "$(($(printf '%s' "$word" | tr -cd '"' | wc -c) % 2))" -eq 1 ]; then
					word="$word "
					continue
				fi
				word=$(printf '%s' "$word" | tr -d '"')
				;;
		esac
		printf '%s\n' "$word"
		word=
	done
}

# True where the command line asks for the rescue interface. Leaves no trace where it does not.
params_enabled() {
	params_words | {
		local word last=rd.tbstream=off

		while IFS= read -r word; do
			case $word in rd.tbstream | rd.tbstream=*) last=$word ;; esac
		done
		case $last in
			rd.tbstream=0 | rd.tbstream=no | rd.tbstream=off) false ;;
			*) true ;;
		esac
	}
}

# Reads the command line into files under $TBSTREAM_RUN.
params_parse() {
	local name

	rm -rf -- "$TBSTREAM_RUN/param" "$TBSTREAM_RUN/warnings"
	mkdir -p -- "$TBSTREAM_RUN/given" "$TBSTREAM_RUN/param"
	: > "$TBSTREAM_RUN/warnings"

	params_words | while IFS= read -r name; do
		params_given "$name"
	done
	for name in name mode peer wait level used auto confirm "done" console keymap shell dev exclude; do
		params_take "$name"
	done
	params_check_sense
	rm -rf -- "$TBSTREAM_RUN/given"
	if [ -s "$TBSTREAM_RUN/warnings" ]; then
		for name in mode auto confirm "done"; do
			rm -f -- "$TBSTREAM_RUN/param/$name"
		done
	fi
}

# params_given WORD: keeps what is ours, good or bad: the last of a kind, or all of it.
params_given() {
	local key="${1%%=*}" value=''

	[ "$key" = "$1" ] || value=${1#*=}
	case $key in
		rd.tbstream) printf '%s\n' "$value" > "$TBSTREAM_RUN/given/name" ;;
		rd.tbstream.mode | rd.tbstream.peer | rd.tbstream.wait | rd.tbstream.level | rd.tbstream.auto | \
			rd.tbstream.confirm | rd.tbstream.done | rd.tbstream.console | rd.tbstream.keymap | \
			rd.tbstream.shell | rd.tbstream.used)
			printf '%s\n' "$value" > "$TBSTREAM_RUN/given/${key##*.}"
			;;
		rd.tbstream.dev | rd.tbstream.exclude)
			printf '%s\n' "$value" >> "$TBSTREAM_RUN/given/${key##*.}"
			;;
		# A slip of the pen, perhaps in exclude=: it must not pass.
		rd.tbstream.*) params_warn "$key is no parameter of tbstream" ;;
	esac
}

# params_take NAME: what was given for it, as far as it is good.
params_take() {
	local value

	[ -f "$TBSTREAM_RUN/given/$1" ] || return 0
	while IFS= read -r value; do
		case $1=$value in
			name= | auto=0 | auto=no | auto=off | shell=0 | shell=no | shell=off | used=0 | used=no | used=off) ;;
			auto= | shell= | used=) params_set "$1" 1 ;;
			*)
				if params_valid "$1" "$value"; then
					params_set "$1" "$value"
				else
					params_warn "$(params_key "$1")=$value is ignored: expected $(params_expected "$1")"
				fi
				;;
		esac
	done < "$TBSTREAM_RUN/given/$1"
}

# params_get NAME [DEFAULT]: prints what was given for it.
params_get() {
	local value="${2-}"

	[ -f "$TBSTREAM_RUN/param/$1" ] && IFS= read -r value < "$TBSTREAM_RUN/param/$1"
	printf '%s\n' "$value"
}

params_has() {
	[ -f "$TBSTREAM_RUN/param/$1" ]
}

# params_keymap: the file of the keyboard map that was asked for.
params_keymap() {
	printf '%s/%s.bmap\n' "$PARAMS_KEYMAPS" "$(params_get keymap)"
}

params_set() {
	printf '%s\n' "$2" >> "$TBSTREAM_RUN/param/$1"
}

params_warn() {
	printf '%s\n' "$1" | tr -c ' -~\n' '?' >> "$TBSTREAM_RUN/warnings"
}

params_key() {
	case $1 in
		name) echo rd.tbstream ;;
		*) echo "rd.tbstream.$1" ;;
	esac
}

params_expected() {
	case $1 in
		name) echo "a stream's name, 1 to 8 of A-Z a-z 0-9 . _ -" ;;
		mode) echo "menu, send, recv or shell" ;;
		done) echo "menu, poweroff, reboot or shell" ;;
		auto | shell | used) echo "no value, or 0 or 1" ;;
		peer) echo "a UUID or any" ;;
		wait) echo "seconds, 1 or more, or inf" ;;
		level) echo "auto, none, or 1 to 19" ;;
		confirm) echo "a serial number of at least 4 characters" ;;
		console) echo "names of terminals, ttyS0 or tty1,ttyS0" ;;
		keymap) echo "the name of a keyboard map" ;;
		dev | exclude) echo "all, /dev/..., id:..., serial:..., UUID=... or PARTUUID=..." ;;
	esac
}

# params_valid NAME VALUE
params_valid() {
	case $1 in
		name) params_valid_name "$2" ;;
		mode) case $2 in menu | send | recv | shell) ;; *) return 1 ;; esac ;;
		(done) case $2 in menu | poweroff | reboot | shell) ;; *) return 1 ;; esac ;;
		auto | shell | used) case $2 in 0 | no | off | 1 | yes | on) ;; *) return 1 ;; esac ;;
		peer) [ "$2" = any ] || params_valid_uuid "$2" ;;
		wait) [ "$2" = inf ] || params_valid_number "$2" 1 9999999 ;;
		level) case $2 in auto | none) ;; *) params_valid_number "$2" 1 19 ;; esac ;;
		confirm) [ "${#2}" -ge 4 ] ;;
		console) case $2 in '' | ,* | *, | *,,* | *[!A-Za-z0-9,]*) return 1 ;; esac ;;
		keymap) case $2 in '' | .* | *[!A-Za-z0-9._-]*) return 1 ;; esac ;;
		dev | exclude) params_valid_spec "$2" ;;
	esac
}

params_valid_name() {
	case $1 in
		'' | . | .. | *[!A-Za-z0-9._-]*) return 1 ;;
	esac
	[ "${#1}" -le 8 ]
}

params_valid_number() {
	case $1 in
		'' | 0?* | *[!0-9]* | ????????*) return 1 ;;
	esac
	[ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

params_valid_uuid() {
	case $1 in
		*[!0-9A-Fa-f-]*) return 1 ;;
		????????-????-????-????-????????????) ;;
		*) return 1 ;;
	esac
	case $1 in
		*-*-*-*-*-*) return 1 ;;
	esac
}

params_valid_spec() {
	case $1 in
		all | serial:?*) ;;
		*..* | *//*) return 1 ;;
		/dev/?*) ;;
		id:?* | UUID=?* | PARTUUID=?*) case $1 in */*) return 1 ;; esac ;;
		*) return 1 ;;
	esac
}

# What is right by itself and makes no sense together.
params_check_sense() {
	local mode

	mode=$(params_get mode menu)
	if params_has auto && [ "$mode" != send ]; then
		params_warn "rd.tbstream.auto is for rd.tbstream.mode=send; an unattended recv needs rd.tbstream.confirm=SERIAL"
	elif params_has auto && ! params_has dev; then
		params_warn "rd.tbstream.auto needs rd.tbstream.dev=SPEC: which disk is to be sent?"
	fi
	if params_has confirm && [ "$mode" != recv ]; then
		params_warn "rd.tbstream.confirm is for rd.tbstream.mode=recv"
	fi
	if params_has used && [ "$mode" != send ]; then
		params_warn "rd.tbstream.used is for rd.tbstream.mode=send; the menu asks"
	fi
	if params_has keymap && [ ! -f "$(params_keymap)" ]; then
		params_warn "rd.tbstream.keymap=$(params_get keymap) is ignored: the image has no such map"
	fi
}

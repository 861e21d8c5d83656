#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sourced by the interface. Starts the programs that do the work, and says how they ended.

# shellcheck disable=SC3043 # busybox ash has "local"

# run_send all|used PATH...: sends disks of this machine, one after the other; all of them, or only what
# their file systems use.
run_send() {
	local what="$1" path image status gaps=0

	shift
	for path in "$@"; do
		image=laptop status=0
		[ "$#" -eq 1 ] || image=laptop-${path##*/}
		run_send_one "$what" "$path" "$image" || status=$?
		[ "$status" -ne 3 ] || gaps=3
		[ "$status" -eq 0 ] || [ "$status" -eq 3 ] || return "$status"
	done
	return "$gaps"
}

run_send_one() {
	local what="$1" status=0

	shift
	printf '\n Sending %s. On the other machine type:\n\n     %s\n\n' "$1" "$(screen_command send "$2")"
	printf ' Ctrl-C stops it. No disk of this machine is written.\n\n'
	run_guard "$1"
	case $what in
		used) run_program tbsend --used "$1" || status=$? ;;
		*) run_program tbsend "$1" || status=$? ;;
	esac
	run_unguard
	case $status in
		0) screen_result "DONE: $1 sent" "The other machine has confirmed every byte." ;;
		3) screen_result "DONE WITH GAPS: $1 sent" "Parts could not be read: see the lines above." ;;
		*) screen_result "FAILED: $1 not sent" "$(run_reason "$status")" \
			"Take it that the other machine has no usable image." ;;
	esac
	log_note "send $1 ended with $status"
	return "$status"
}

# run_recv PATH SERIAL [--ask-fit]: overwrites a disk of this machine. Without a SERIAL that proves
# which disk it is, the user has confirmed it otherwise. With --ask-fit somebody is there to say what
# is to be done where its size is not the image's.
run_recv() {
	local status=0

	printf '\n Waiting to overwrite %s. On the other machine type:\n\n     %s\n\n' "$1" "$(screen_command recv)"
	printf ' Ctrl-C stops it; a disk that is written only in part is then not usable.\n\n'
	if [ -n "$2" ]; then
		run_program tbrecv ${3:+"$3"} --confirm "$2" "$1" || status=$?
	else
		run_program tbrecv ${3:+"$3"} --force "$1" || status=$?
	fi
	case $status in
		0) screen_result "DONE: $1 written" "Every byte was checked and is on the disk." ;;
		3) screen_result "DONE WITH GAPS: $1 written" \
			"What its old disk could not read is missing: see the lines above." ;;
		*) screen_result "FAILED: $1 not restored" "$(run_reason "$status")" \
			"Do not use what is on this disk." ;;
	esac
	log_note "recv $1 ended with $status"
	return "$status"
}

# run_program NAME ARGUMENT...: with what the command line asked for.
run_program() {
	local program="$1" name peer wait level

	shift
	name=$(params_get name backup)
	peer=$(params_get peer any)
	wait=$(params_get wait inf)
	level=$(params_get level)
	[ "$peer" = any ] || set -- --peer "$peer" "$@"
	[ "$wait" = inf ] || set -- --timeout "$wait" "$@"
	[ -z "$level" ] || [ "$program" != tbsend ] || set -- --level "$level" "$@"
	"$program" --stream "$name" "$@"
}

run_reason() {
	if [ "$1" -gt 128 ]; then
		printf 'It was ended by signal %s.\n' "$(($1 - 128))"
	else
		printf 'The lines above say why (exit code %s).\n' "$1"
	fi
}

# run_guard PATH: while a disk is sent nothing on this machine can write to it, by mistake in a shell
# either. What is mounted there was mounted by somebody, who gets no failing file system.
run_guard() {
	local node

	disks_nodes "$1" | while IFS= read -r node; do
		grep -q "^$node " /proc/mounts && continue
		[ "$(blockdev --getro "$node")" = 0 ] || continue
		blockdev --setro "$node" && printf '%s\n' "$node" >> "$TBSTREAM_RUN/guarded"
	done
}

# run_unguard: also before a transfer, for an interface that died has left its guard.
run_unguard() {
	local node

	[ -f "$TBSTREAM_RUN/guarded" ] || return 0
	while IFS= read -r node; do
		blockdev --setrw "$node"
	done < "$TBSTREAM_RUN/guarded"
	rm -f -- "$TBSTREAM_RUN/guarded"
}

run_shell() {
	printf '\n A shell. "exit" or Ctrl-D goes back to the menu.\n'
	printf ' tbsend, tbrecv, tbstream status and tbstream disks are here.\n\n'
	# What is left running from this shell must not hold the lock.
	PS1='rescue# ' HOME=/root busybox sh -i 9>&- || :
}

# run_off poweroff|reboot
run_off() {
	printf '\n %s ...\n' "$1"
	sync
	"$1" -f
	sleep 10
	printf ' The machine does not obey. Hold its power button down.\n'
}

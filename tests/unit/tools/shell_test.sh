#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A shell over a socket: from a pipe, and at a terminal, which is left as it was however it ends.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317,SC2016 # the functions are called by ok, and sh -c expands its own
. "$(dirname "$0")/tap.sh"
cd "${work:?}" || exit 1

# offer NAME PROGRAM...: serves it at unix:NAME; its process in $server. What it announces goes to NAME.said.
offer() {
	name=$1
	shift
	PS1='there# ' tbstream shell --serve -s "unix:$name" -- "$@" >"$name.said" 2>"$name.err" &
	server=$!
}
# until_says COUNT PATTERN FILE: so many lines of it do, within 20 seconds.
until_says() {
	timeout 20 sh -c 'until [ "$(grep -cE "$1" "$2")" -ge "$0" ]; do sleep 0.02; done' "$@"
}
attach() { timeout 50 tbstream shell -t 20 -s "unix:$1" -q; }

offer sock env -u ENV dash -i
interactive=$server
offer piped dash
offer sum sha256sum

answers() { [ "$(echo 'echo $((6 * 7)); echo error >&2' | attach piped)" = "42
error" ]; }
ok "commands from a pipe are run, and what they print comes back" answers
codes() { echo 'exit 37' | code 37 attach piped; }
ok "the shell's exit code is that of tbstream shell" codes
killed() { echo 'kill -9 $$' | code 137 attach piped; }
ok "one that a signal has ended is 128 and the signal" killed
no_terminal() { [ "$(echo 'test -t 0 || test -t 1 || echo none' | attach piped)" = none ]; }
ok "without a terminal here there is none there" no_terminal
yes | head -c 10000000 >ten
much() { echo 'yes | head -c 10000000' | attach piped | cmp - ten; }
ok "ten million bytes come back bit for bit" much
head -c 10000000 /dev/urandom >noise
into() { [ "$(attach sum <noise)" = "$(sha256sum <noise)" ]; }
ok "and go there" into
# A process may hold the pipe open when the shell has ended.
behind() { [ "$(echo 'sleep 20 & echo last' | timeout 10 tbstream shell -q -s unix:piped)" = last ]; }
ok "what the shell leaves running is not waited for" behind
reader() {
	{
		echo 'yes' | attach piped 2>reader.err
		echo $? >reader.code
	} | head -c 100 >/dev/null
	[ "$(cat reader.code)" = 1 ] && says '^tbstream: standard output cannot be written' reader.err
}
ok "a reader that ends ends the shell" reader
ok "who comes and goes is announced" until_says 7 'is attached to the shell$' piped.said
ok "and that the shell has ended" until_says 7 'has gone, and its shell has ended$' piped.said

terminal() { timeout 60 "${here:?}/tests/unit/tools/shell.py" "$1" unix:sock "$interactive"; }
ok "the terminal's size and name are known there, and a new size too" terminal size
ok "Ctrl-C ends what runs in the shell, not the shell; its exit code comes back" terminal interrupt
ok "every other key reaches the shell; the detach key does when doubled" terminal keys
ok "the detach key leaves it" terminal leave
ok "who was stopped goes on, with the size that it has now" terminal stop
ok "SIGTERM leaves the terminal as it was" terminal term
ok "so does SIGQUIT" terminal quit
ok "a terminal that goes away ends the shell" terminal hangup
ok "all of which the other side has seen" until_says 8 'has gone' sock.said
ok "the other side's end leaves the terminal as it was" terminal gone

nobody() { code 1 tbstream shell -t 0 -s unix:nobody 2>nobody.err && says 'timed out waiting for the other side' nobody.err; }
ok "nobody there is said after the time-out" nobody
transfer() {
	head -c 1000 noise >small
	code 1 tbsend -q -t 20 -s unix:piped small 2>send.err && says 'wants to serve a shell over this stream' send.err
}
ok "tbsend is told that this is a shell" transfer
ok "and the shell is offered on" answers
ok "an argument is wrong usage" code 2 tbstream shell -s unix:piped ls
ok "so is --stream=-" code 2 tbstream shell -s -

offer absent ./no-such-program
absent() { code 127 attach absent </dev/null >absent.out && says 'no-such-program: it cannot be started' absent.out; }
ok "a program that is not there is said, and is 127" absent
stopped() {
	kill -TERM "$server"
	timeout 10 tail -s 0.02 --pid="$server" -f /dev/null
	wait "$server"
	[ "$?" = 1 ] && says 'no shell is offered any more' absent.err
}
ok "a signal ends the offer" stopped

tap_end

# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced behind tap.sh by the tests that run both programs: tbrecv in the background, tbsend before it.
# shellcheck shell=sh disable=SC2034 # what the tests use

# Two seconds of a real peer, or the test is broken: nothing here waits longer than a minute, and what
# runs on is killed, which is a code that nobody wants.
wait_code() {
	timeout 60 tail -s 0.05 --pid="$1" -f /dev/null || {
		echo "process $1 does not end" >&2
		kill -9 "$1"
	}
	wait "$1"
}

# against STREAM SEND-ARGUMENTS: runs tbsend and waits for the tbrecv that is $pid.
against() {
	tbsend -t 20 -s "$@" 2>send.err
	send=$?
	wait_code "$pid"
	recv=$?
}

# transfer RECV-ARGUMENTS -- SEND-ARGUMENTS: both ends; their exit codes in $recv and $send. recv's
# standard output goes to recv.out.
transfer() {
	args=
	while [ "$1" != -- ]; do
		args="$args $1"
		shift
	done
	shift
	rm -f sock
	# shellcheck disable=SC2086 # words
	tbrecv -t 20 -s "${where:-unix:sock}" $args >recv.out 2>recv.err &
	pid=$!
	against "${where:-unix:sock}" "$@" >send.out
	ended 0 0
}

# ended SEND RECV: these exit codes, or all that both said.
ended() {
	[ "$send $recv" = "$1 $2" ] || {
		echo "tbsend ended with $send:"
		cat send.err
		echo "tbrecv ended with $recv:"
		cat recv.err
		return 1
	}
}

# refused ARGUMENTS: as transfer, but both end with 1.
refused() {
	transfer "$@" >/dev/null
	ended 1 1
}

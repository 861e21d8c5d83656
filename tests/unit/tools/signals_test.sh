#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Signals to either side, in every phase of a transfer; a reader that ends, a terminal that goes away, and a
# storm of signals that mean nothing.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317,SC2016 # the functions are called by ok, and sh -c expands its own
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/unit/tools/peers.sh
. "$(dirname "$0")/peers.sh"
cd "${work:?}" || exit 1
proxy=${here:?}/tests/unit/tools/proxy.py

# A shell starts its background jobs with SIGINT ignored, which the programs leave so.
tbrecv="env --default-signal=INT,TERM,HUP tbrecv -t 50 -s unix:sock"
tbsend="env --default-signal=INT,TERM,HUP tbsend -t 50 -s unix:sock"

head -c 300000 /dev/urandom >small
head -c 40000000 /dev/urandom >large

# until_says PATTERN FILE: it does, within 20 seconds.
until_says() {
	timeout 20 sh -c 'until grep -q "$0" "$1" 2>"$1.none"; do sleep 0.02; done' "$1" "$2"
}
# stopped PID: it ends by itself, within 10 seconds; its code.
stopped() {
	timeout 10 tail -s 0.02 --pid="$1" -f /dev/null
	kill -9 "$1" 2>/dev/null
	wait "$1"
}

# waiting PROGRAM SIGNAL: nobody else is there.
waiting() {
	rm -f sock wait.err
	if [ "$1" = tbrecv ]; then
		$tbrecv >recv.out 2>wait.err &
	else
		$tbsend small 2>wait.err &
	fi
	pid=$!
	until_says waiting wait.err
	kill "-$2" "$pid"
	stopped "$pid"
	[ "$?" = 1 ] && says "^$1: interrupted" wait.err
}

# moving SOURCE: into fifo, which nobody reads: it stands still when the pipe is full.
moving() {
	rm -f sock fifo send.err recv.err
	mkfifo fifo
	exec 9<>fifo
	$tbrecv -d >fifo 2>recv.err &
	receiver=$!
	$tbsend "$1" 2>send.err &
	sender=$!
	timeout 20 python3 -c 'import fcntl, struct, time
while struct.unpack("i", fcntl.ioctl(9, 0x541b, bytes(4)))[0] < 65536: time.sleep(0.02)'
}
# ended_by SIDE SIGNAL: that side of them gets it, and both end soon. The other one is told.
ended_by() {
	if [ "$1" = receiver ]; then
		kill "-$2" "$receiver"
	else
		kill "-$2" "$sender"
		# The receiver waits for its reader, not for the sender.
		cat <fifo >/dev/null 9<&- &
	fi
	stopped "$sender"
	send=$?
	stopped "$receiver"
	recv=$?
	exec 9>&-
	ended 1 1 || return
	if [ "$1" = receiver ]; then
		says '^tbrecv: interrupted' recv.err && says '^tbsend: the other side gave up: .*(interrupted|signal)' send.err
	else
		says '^tbsend: interrupted' send.err && says '^tbrecv: the other side gave up: .*(interrupted|signal)' recv.err
	fi
}
transferring() { moving large && ended_by "$@"; }
# All of it is with the receiver, and the sender waits for its word. What the sender does then takes nothing away.
ending() {
	moving small
	if [ "$1" = receiver ]; then
		ended_by "$@"
	else
		ended_by "$@" >ended.out
		ended 1 0 && says '^tbsend: interrupted' send.err && says 'verified' recv.err && ! grep 'waiting up to' recv.err
	fi
}

for signal in INT TERM HUP; do
	for program in tbrecv tbsend; do
		ok "SIG$signal to $program, which waits alone" waiting "$program" "$signal"
	done
	for side in receiver sender; do
		ok "SIG$signal to the $side in mid-transfer" transferring "$side" "$signal"
		ok "SIG$signal to the $side at its end" ending "$side" "$signal"
	done
done

# 26 chunks of 64 KiB that do not compress, and zeros: a CHECKPOINT stands behind the 16th.
for _ in $(seq 26); do
	head -c 65536 /dev/urandom
	head -c 4128768 /dev/zero
done >disk

# The cable stands still behind chunk 16, and the receiver is told to end.
redirected() {
	rm -f near far
	python3 "$proxy" near far hold:1400000 >proxy.out &
	cable=$!
	tbrecv -t 20 -s unix:far >out.zst 2>recv.err &
	receiver=$!
	tbsend -t 20 -s unix:near disk 2>send.err &
	sender=$!
	timeout 20 sh -c 'until [ "$(wc -c <out.zst)" -gt 1300000 ]; do sleep 0.02; done'
	kill -TERM "$receiver"
	stopped "$receiver"
	recv=$?
	kill -TERM "$sender"
	stopped "$sender"
	send=$?
	kill "$cable"
	ended 1 1
}
ok "an image on standard output that is interrupted" redirected
hint=$(sed -n 's/.*it keeps what arrived: .\(tbrecv -o .*out.zst --resume\). goes on with it$/\1/p' recv.err)
ok "prints the command to go on with" test -n "$hint"
# shellcheck disable=SC2086 # words
ok "which goes on" transfer ${hint#tbrecv } -- disk
ok "behind the last CHECKPOINT" says 'going on at chunk 16 of 26' recv.err
whole() { zstd -q -d -c out.zst | cmp - disk; }
ok "to an image that is whole" whole

# pipe RECV-ARGUMENTS: the reader takes a MiB and ends.
pipe() {
	rm -f sock
	(
		tbrecv -t 20 -s unix:sock "$@" 2>recv.err
		echo $? >recv.code
	) | head -c 1000000 >head.out &
	tbsend -t 20 -s unix:sock large 2>send.err
	send=$?
	until_says . recv.code
	recv=$(cat recv.code)
	rm recv.code
	ended 1 1 && says 'the program that reads standard output has ended' recv.err && says 'gave up: .*has ended' send.err
}
ok "a reader that ends is said to both sides" pipe
ok "also with -d" pipe -d
plain_pipe() {
	{
		tbsend --plain large 2>send.err
		echo $? >send.code
	} | head -c 1000000 >head.out
	[ "$(cat send.code)" = 1 ] && says 'cannot be written: Broken pipe' send.err
}
ok "and by tbsend --plain" plain_pipe

# terminal PROGRAM HOW: both programs have terminals of their own; see signals.py.
terminal() {
	rm -f sock
	timeout 60 "$here/tests/unit/tools/signals.py" terminal "$1" "$2" large
}
for program in tbrecv tbsend; do
	ok "the terminal of $program goes away: both sides end" terminal "$program" hangup
	ok "with SIGHUP ignored they go on to the end" terminal "$program" nohup
done

storm() {
	moving large
	timeout 50 "$here/tests/unit/tools/signals.py" storm "$receiver" "$sender" >storm.out &
	storm=$!
	until_says begun storm.out
	cat <fifo >stormy 9<&- &
	reader=$!
	exec 9>&-
	wait_code "$sender"
	send=$?
	wait_code "$receiver"
	recv=$?
	wait_code "$reader"
	wait_code "$storm"
	ended 0 0 && says '^[1-9][0-9]' storm.out && cmp stormy large
}
ok "a storm of signals that mean nothing leaves the transfer right" storm

tap_end

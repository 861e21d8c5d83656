#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the programs take of memory: --memory bounds it, and where there is none left they say so and end.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317,SC2086,SC2016 # the functions are called by ok; words; sh -c expands its own
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/unit/tools/peers.sh
. "$(dirname "$0")/peers.sh"
cd "${work:?}" || exit 1

# 256 MiB, half of which compresses.
for _ in 1 2; do
	head -c 67108864 /dev/urandom
	head -c 67108864 "${here:?}/build/tbstream" | cat - /dev/zero | head -c 67108864
done >disk

# peak ARGUMENTS: the program is run; the most that it had in memory, in kB, goes to the file PROGRAM.peak.
peak() {
	python3 -c 'import os, resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
with open(sys.argv[1] + ".peak", "w") as file:
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=file)
os._exit(code)' "$@"
}
# bounded SEND-MIB RECV-MIB RECV-ARGUMENTS -- SEND-ARGUMENTS: both stay below.
bounded() {
	send_most=$1
	recv_most=$2
	shift 2
	args=
	while [ "$1" != -- ]; do
		args="$args $1"
		shift
	done
	shift
	rm -f sock
	peak tbrecv -t 20 -s unix:sock "--memory=${recv_most}M" $args 2>recv.err &
	pid=$!
	peak tbsend -t 20 -s unix:sock "--memory=${send_most}M" "$@" 2>send.err
	send=$?
	wait_code "$pid"
	recv=$?
	echo "tbsend $(cat tbsend.peak) kB of $send_most MiB, tbrecv $(cat tbrecv.peak) kB of $recv_most MiB"
	ended 0 0 && [ "$(cat tbsend.peak)" -lt $((send_most * 1024)) ] &&
		[ "$(cat tbrecv.peak)" -lt $((recv_most * 1024)) ]
}

# What they need at least is what they say.
least() { "$@" --memory=1M 2>&1 | sed -n 's/.*is too little: tb[a-z]* needs \([0-9.]*\)\.0 MiB.*/\1/p'; }
send_least=$(least tbsend disk)
recv_least=$(least tbrecv -o x)
stream_least=$(least tbsend - </dev/null)
ok "too little memory is wrong usage" code 2 sh -c 'tbsend --memory=1M disk 2>usage.err'
ok "in a sentence that says how much it takes" says 'memory of 1.0 MiB is too little: tbsend needs [0-9.]+ MiB$' usage.err
ok "tbrecv too" test "$recv_least" -gt 16 -a "$send_least" -gt 16
ok "a level of 19 takes more, which is said" sh -c \
	'tbsend -l 19 --memory=64M disk 2>&1 | grep -q "needs [0-9.]* MiB, or a lower --level$"'
ok "--memory wants a size" code 2 sh -c 'tbsend --memory=much disk 2>usage.err'
ok "in a sentence" says 'memory wants a size, such as 64M' usage.err

ok "an image is made in as little as that" bounded "$send_least" "$recv_least" -o image.zst -- disk
ok "and is right" sh -c 'zstd -q -d -c image.zst | cmp - disk'
ok "a stream takes what it keeps beside that" test "$stream_least" -gt "$send_least"
ok "and no more" bounded "$stream_least" "$recv_least" -o stream.zst -- - <disk
ok "and is right" sh -c 'zstd -q -d -c stream.zst | cmp - disk && rm stream.zst'
truncate -s 268435456 target
ok "it is restored in as little" bounded "$send_least" "$recv_least" --verify target -- image.zst
ok "and that is right" cmp disk target
rm target

# starved PROGRAM KB: it has only so much address space; it ends with 0 or with 1 and a sentence.
starved() {
	rm -f sock
	tbrecv=tbrecv tbsend=tbsend
	eval "$1=\"prlimit --as=$(($2 * 1024)) $1\""
	$tbrecv -t 5 -s unix:sock >recv.out 2>recv.err &
	pid=$!
	$tbsend -t 5 -s unix:sock small 2>send.err &
	sender=$!
	if [ "$1" = tbsend ]; then
		wait_code "$sender"
		limited=$?
		[ "$limited" = 0 ] || kill "$pid"
	else
		wait_code "$pid"
		limited=$?
		[ "$limited" = 0 ] || kill "$sender"
	fi
	wait_code "$pid"
	wait_code "$sender"
	echo "$1 with $2 kB: $limited" | tee -a starved.out
	[ "$limited" = 0 ] || { [ "$limited" = 1 ] && says "^$1: |^out of memory" "$(echo "$1" | cut -c3-).err"; }
}
head -c 30000000 /dev/urandom >small
for program in tbsend tbrecv; do
	for kb in 4500 6000 9000 13000 16000 22000 30000 42000; do
		ok "$program with $kb kB of address space ends with a sentence" starved "$program" "$kb"
	done
	ok "with 256 MB it does not" starved "$program" 256000
	ok "some of these were too little for $program, and the last was not" \
		sh -c 'grep -q "^$0 with .*: 1" starved.out && grep -q "^$0 with 256000 kB: 0" starved.out' "$program"
done

# The stacks of two threads do not fit.
ok "verify goes on with fewer threads than it wants" sh -c \
	'ulimit -s 65536 && ulimit -v 110000 && timeout -k 1 30 tbstream verify -q --threads=4 image.zst'

tap_end

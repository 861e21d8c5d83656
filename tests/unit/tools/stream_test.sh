#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What has no length before its end: `tar c ... | tbsend -`, into images, folders and pipes; what is refused;
# FAT, whose files end at 4 GiB. Every cut and every bit: tests/unit/io/open_test.c.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317,SC2016 # the functions are called by ok, and sh -c expands its own
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/unit/tools/peers.sh
. "$(dirname "$0")/peers.sh"
cd "${work:?}" || exit 1
mounted=
trap 'fat_close; tap_clean' EXIT
fat_close() {
	[ -z "$mounted" ] || umount fat
	mounted=
}

# sent FILE RECV-ARGUMENTS: FILE through a pipe.
sent() {
	file=$1
	shift
	mkfifo "$file.in"
	cat "$file" >"$file.in" &
	transfer "$@" -- - <"$file.in"
	got=$?
	rm "$file.in"
	return "$got"
}

# way FILE: over a socket as an image and as bytes, and by --plain; every reader has what was sent.
way() {
	sent "$1" -o "$1.zst" && zstd -q -d -c "$1.zst" | cmp - "$1" || return 1
	sent "$1" -d && cmp recv.out "$1" || return 1
	sh -c 'cat "$0" | tbsend -q --plain - >plain.zst' "$1" && zstd -q -d -c plain.zst | cmp - "$1" || return 1
	sh -c 'cat plain.zst | tbrecv -q --plain -d' | cmp - "$1" || return 1
	tbstream verify -q plain.zst "$1.zst" && tbstream verify -q - <plain.zst || return 1
	tbstream info --json "$1.zst" >info.out && says "^  \"size\": $(stat -c %s "$1"),?$" info.out
}
mib4=4194304
: >none
printf x >one
head -c $((mib4 - 1)) /dev/urandom >less
head -c $((mib4)) /dev/urandom >just
head -c $((mib4 + 1)) /dev/urandom >above
head -c $((3 * mib4)) /dev/urandom >three
head -c $((3 * mib4)) /dev/zero >zeros
{
	cat less
	head -c $((2 * mib4 + 70001)) /dev/zero
} >ends
for name in none one less just above three zeros ends; do
	ok "$(stat -c %s "$name") bytes ($name), everywhere" way "$name"
done
ok "the receiver says how much came" sh -c 'tbrecv -q --json --plain -d <ends.zst 2>json.err >/dev/null &&
	grep -q "\"size\": *$(stat -c %s ends)" json.err'
ok "tar to tar" sh -c 'tar c -C "$0" tools tests/unit | tbsend -q --plain - | tbrecv -q --plain -d | tar x &&
	diff -r tools "$0/tools" && diff -r tests/unit "$0/tests/unit"' "$here"
tar_socket() {
	rm -rf tools sock
	tbrecv -q -t 20 -s unix:sock -d | tar x &
	pid=$!
	tar c -C "$here" tools | tbsend -t 20 -s unix:sock - 2>send.err && wait_code "$pid" && diff -r tools "$here/tools"
}
ok "tar to tar over a socket" tar_socket
ok "the sender calls it by its name" says 'standard input: .* sent as .*verified' send.err

progress() {
	sent ends -o ends2.zst --progress=json && says '"event":"progress","done":[0-9]+,"stored"' recv.err &&
		! grep -q '"total"' recv.err && sent ends -o ends3.zst --progress=human && says 'ends3.zst  12.1 MiB  ' recv.err &&
		! grep -v ': limit: ' recv.err | grep -q '%'
}
ok "progress has no total and no percent" progress
# on_terminal ARGUMENTS: what tbsend draws on one while it makes an image of standard input.
on_terminal() { script -qec "head -c 9000000 /dev/zero | tbsend --plain $* - >terminal.zst" /dev/null </dev/null; }
on_terminals() { on_terminal "" | grep -q 'standard input  ' && on_terminal -q --progress=human | grep -q 'standard input  '; }
ok "it is drawn on a terminal" on_terminals
ok "but not with --quiet" test -z "$(on_terminal -q)"
folder() { sent one -o in/ && [ -e "in/$(uname -n | tr -c '[:alnum:]._\n-' _)-stream.zst" ]; }
ok "in a folder it has a name" folder
ok "and its size in the index" sh -c 'grep -q "\"size\": 1" in/*.json'

ok "info says what it is" sh -c 'tbstream info ends.zst >info.out && grep -q "^Source: *a stream$" info.out &&
	grep -q "^Size: *12.1 MiB (12652912 bytes)" info.out'
head -c 4500000 three.zst >cut.zst
ok "of one that was cut, that its size is not known" sh -c '! tbstream info cut.zst >info.out 2>&1 &&
	grep -q "^Size: *not known before the end of the stream$" info.out && ! grep -q "^Chunks" info.out'
ok "nor is it whole" sh -c 'tbstream verify cut.zst 2>verify.err; [ $? = 1 ] && grep -q "not complete" verify.err'
cp three.zst flip.zst
"$here/tests/unit/tools/image_parts.py" flip flip.zst 5000000
ok "verify names a damaged chunk, of a file and of a pipe" sh -c '
	! tbstream verify flip.zst 2>verify.err && grep -q "chunk 1 (device bytes 4194304 to 8388607.*) is damaged" verify.err &&
	! cat flip.zst | tbstream verify - 2>verify.err && grep -q "chunk 1 (device byte 4194304) is damaged" verify.err'
ok "ls says that nobody knows what it holds" sh -c 'tbstream ls three.zst >ls.out && grep -q "^disk *12.0 MiB *?$" ls.out'
ok "mount says that there is no file system" sh -c '! tbstream mount three.zst . 2>mount.err && [ -s mount.err ]'

ok "an image of a stream is sent with its size" transfer -o again.zst -- ends.zst
ok "and is what it was" sh -c 'zstd -q -d -c again.zst | cmp - ends && tbstream verify -q again.zst'
truncate -s 13M target
ok "and restored" transfer target -- ends.zst
ok "to the byte" cmp -n 12652912 target ends
refused_disk() {
	cat just >target
	sent just target >/dev/null
	ended 1 1 && says 'a stream, and its length is not known.*tbrecv -o' recv.err && says 'refused: what comes' send.err &&
		cmp target just
}
ok "what is still a stream is not restored onto a target, which stays as it was" refused_disk
ok "nor from a pipe" sh -c 'cat ends.zst | tbrecv --plain --force target 2>recv.err; [ $? = 1 ] &&
	grep -q "its length is not known" recv.err && cmp target just'
ok "from a file, whose end tells, it is" sh -c 'truncate -s 13M target && tbrecv -q --plain --force target <ends.zst &&
	cmp -n 12652912 target ends'

# usage PATTERN ARGUMENTS: wrong usage, in a sentence.
usage() {
	pattern=$1
	shift
	code 2 tbsend "$@" <one >usage.out 2>usage.err && says "$pattern" usage.err
}
ok "- goes alone" usage 'goes alone' - /dev/null
ok "not with --raw" usage 'as .cat. does' --raw -
ok "not with --partition" usage 'partition is for an image' --partition=1 -
ok "not where standard input is the stream" usage 'cannot be both' -s - -
ok "not from a terminal" sh -c 'script -qec "tbsend -" /dev/null >usage.out </dev/null; grep -q "standard input is a terminal.*tar c" usage.out'
read_error() {
	transfer -o bad.zst -- - <. >/dev/null
	ended 1 1 && says 'standard input cannot be read at byte 0: Is a dir' send.err && says 'cannot be read' recv.err
}
ok "what cannot be read is said to both" read_error
# waiting WHO SIGNAL: the input stands still, and one side gets the signal.
waiting() {
	rm -f sock fifo
	mkfifo fifo
	exec 9<>fifo # nobody writes any more, and it does not end
	head -c 5000000 /dev/urandom >&9 &
	tbrecv -t 20 -s unix:sock >recv.out 2>recv.err &
	receiver=$!
	tbsend -t 20 -s unix:sock - <fifo 2>send.err &
	sender=$!
	timeout 20 sh -c 'until [ -s recv.out ]; do sleep 0.05; done'
	kill "-$2" "$(if [ "$1" = receiver ]; then echo "$receiver"; else echo "$sender"; fi)"
	wait_code "$sender"
	send=$?
	wait_code "$receiver"
	recv=$?
	exec 9>&-
}
interrupted() { waiting sender TERM && ended 1 1 && says 'interrupted' send.err && says 'interrupted|signal' recv.err; }
ok "a signal ends one that waits for its input" interrupted
killed() { waiting receiver KILL && ended 1 137 && says 'tbsend: ' send.err; }
ok "so does the end of the receiver" killed

# The cable breaks: what the pipe gave is kept until the receiver has it.
proxy=${here:?}/tests/unit/tools/proxy.py
head -c 30000000 /dev/urandom >long
head -c 20000000 /dev/zero >>long
head -c 9000001 /dev/urandom >>long

# broken FAULT... -- RECV-ARGUMENTS: long through a pipe, over a cable that fails so.
broken() {
	faults=
	while [ "$1" != -- ]; do
		faults="$faults $1"
		shift
	done
	shift
	rm -f near far
	mkfifo long.in
	cat long >long.in &
	# shellcheck disable=SC2086 # words
	python3 "$proxy" near far $faults >proxy.out &
	cable=$!
	tbrecv -t 20 -s unix:far "$@" >recv.out 2>recv.err &
	pid=$!
	against unix:near - <long.in
	kill "$cable" 2>/dev/null
	rm long.in
	ended 0 0
}
# mended FAULT...: each takes effect, in an image and as bytes, and all is there.
mended() {
	broken "$@" -- -d && printf '%s\n' "$@" | diff - proxy.out && cmp recv.out long || return
	broken "$@" -- --force -o long.zst && printf '%s\n' "$@" | diff - proxy.out &&
		zstd -q -d -c long.zst | cmp - long && tbstream verify -q long.zst
}
ok "a cable that is cut, and one that is cut behind the last byte" mended cut:9000000 cut:8000000 flip:300
ok "the sender says that a restart is no way out" \
	says 'chunk [0-9]+ of standard input; waiting for tbrecv: .* only while both programs run' send.err
ok "and so does the receiver" says 'waiting for tbsend: .* only while both programs run' recv.err
ok "the sender says where it goes on" says 'standard input: going on at chunk [1-9]' send.err
ok "the image tells when it went on" \
	sh -c 'tbstream info --json long.zst | grep -q "\"resumes\""'
ok "RESULT that gets lost" mended result:cut

# stuck SIDE: the input stands still, SIDE is killed and started again; what came of that.
stuck() {
	rm -f sock fifo stuck.zst*
	mkfifo fifo
	exec 9<>fifo
	head -c 5000000 long >&9 &
	tbrecv -t 20 -s unix:sock -o stuck.zst 2>recv.err 9>&- &
	receiver=$!
	tbsend -t 20 -s unix:sock - --progress=json <fifo 2>send.err 9>&- &
	sender=$!
	timeout 20 sh -c 'until grep -q "\"done\":4194304" send.err; do sleep 0.05; done'
	if [ "$1" = sender ]; then
		kill -KILL "$sender"
		timeout 20 sh -c 'until grep -q "waiting for tbsend:" recv.err; do sleep 0.05; done'
		tbsend -t 20 -s unix:sock - <one 2>send.err 9>&- &
		sender=$!
	else
		kill -KILL "$receiver"
		timeout 20 sh -c 'until grep -q "waiting for tbrecv:" send.err; do sleep 0.05; done'
		tbrecv -t 20 -s unix:sock --restart -o stuck.zst 2>recv.err 9>&- &
		receiver=$!
	fi
	exec 9>&-
	wait_code "$sender"
	send=$?
	wait_code "$receiver"
	recv=$?
	ended 1 1 && [ ! -e stuck.zst ] &&
		says 'standard input cannot be gone on with from chunk [01]: .*start both again' send.err &&
		says 'standard input cannot be gone on with' recv.err
}
ok "nothing goes on for a sender that is started again" stuck sender
ok "nor for a receiver" stuck receiver

# Files on FAT end at 4 GiB.
truncate -s 40M fat.img
mkdir fat
if [ "$(id -u)" = 0 ] && mkfs.vfat fat.img >fat.out 2>&1 && mount -o loop fat.img fat 2>fat.err; then
	mounted=yes
	truncate -s 5G huge
	fat_refused() { refused -o fat/huge.zst -- huge && says 'fat/huge.zst is on a FAT.*--force' recv.err; }
	ok "an image that may be longer is refused on FAT" fat_refused
	ok "before a file is there" sh -c '[ -z "$(ls fat)" ]'
	ok "a short one is not" transfer -o fat/one.zst -- one
	ok "nor is a stream, of which nobody knows" sent one -o fat/stream.zst
else
	ok "FAT # SKIP no FAT can be mounted here" true
fi

tap_end

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Images that one run of tbrecv begins and another finishes. The first one is killed when the cable has brought
# so many bytes and no more, or ends by an error when its file becomes too large.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317,SC2086 # the functions are called by ok; words
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/unit/tools/peers.sh
. "$(dirname "$0")/peers.sh"
cd "${work:?}" || exit 1
proxy=${here:?}/tests/unit/tools/proxy.py

# 26 chunks of 64 KiB that do not compress, and zeros: a CHECKPOINT stands behind the 16th.
for _ in $(seq 26); do
	head -c 65536 /dev/urandom
	head -c 4128768 /dev/zero
done >disk
decoded() { zstd -q -d -c <"$1" | cmp - disk; }

# killed -o OUT: a run that is killed behind chunk 16; its sender, $sender, goes on.
killed() {
	rm -f near far
	python3 "$proxy" near far hold:1400000 >proxy.out &
	cable=$!
	tbsend -t 20 -s unix:near disk 2>send.err &
	sender=$!
	tbrecv -t 20 -s unix:far "$@" >recv.out 2>recv.err &
	pid=$!
	# shellcheck disable=SC2016 # that shell's
	timeout 20 sh -c 'until [ "$(cat "$0"*.part | wc -c)" -gt 1300000 ]; do sleep 0.02; done' "$2" 2>part.err
	kill -9 "$pid"
	wait_code "$pid"
	recv=$?
}
# began -o OUT: and its sender ends, too.
began() {
	killed "$@"
	kill "$sender"
	wait_code "$sender"
	send=$?
	kill "$cable"
	ended 1 137
}
# failed [RECV-ARGUMENTS]: a run that ends in an error there.
failed() {
	rm -f sock
	(
		ulimit -f 2600
		exec tbrecv -t 20 -s unix:sock "$@"
	) >recv.out 2>recv.err &
	pid=$!
	against unix:sock disk
	ended 1 1
}
resumed() { says "going on at chunk $1 of 26" recv.err; }
resumes() {
	tbstream info --json "$1" | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["resumes"]))' |
		grep -qx "$2"
}

ok "a receiver is killed, and its sender ends" began -o image.zst
ok "what arrived is in the part file" test -e image.zst.part -a ! -e image.zst
ok "the same commands go on" transfer -o image.zst -- disk
ok "behind the last CHECKPOINT" resumed 16
ok "the image is whole" decoded image.zst
ok "and it verifies" tbstream verify -q image.zst
ok "it tells that it was gone on with" resumes image.zst 1
ok "its part file is gone" test ! -e image.zst.part
ok "it is complete" refused --resume -o image.zst -- -t 1 disk
ok "which is said" says 'image.zst is complete already' recv.err

back() {
	rm -f image.zst
	killed -o image.zst
	tbrecv -t 20 -s unix:far -o image.zst 2>recv.err
	recv=$?
	wait_code "$sender"
	send=$?
	kill "$cable"
	ended 0 0
}
ok "the sender may stay, and goes on with the next receiver" back
ok "behind the last CHECKPOINT, too" resumed 16
ok "and that image is whole" decoded image.zst

ok "a receiver that cannot write any more" failed -o full.zst
ok "says why" says 'full.zst has become larger than its file system, or .ulimit -f., allows' recv.err
ok "and how to go on" says 'full.zst.part keeps what arrived: .tbrecv -o full.zst. goes on' recv.err
ok "the sender says it, too" says 'full.zst has become larger .*; full.zst.part keeps .*tbrecv -o full.zst. goes on' send.err
ok "--resume does" transfer --resume -o full.zst -- disk
ok "and the image is whole then" decoded full.zst

echo old >full.zst
ok "one that cannot replace an old image" failed --force -o full.zst
ok "says that this is in the way" \
	says 'full.zst.part keeps .*: move the old image away, and .tbrecv -o full.zst. goes on' recv.err
ok "the old one is still there" grep -qx old full.zst
rm full.zst
ok "and without it that goes on" transfer -o full.zst -- disk
ok "behind the last CHECKPOINT" resumed 16

to_stdout() {
	rm -f sock
	(
		ulimit -f 2600
		exec tbrecv -t 20 -s unix:sock
	) >out.zst 2>recv.err &
	pid=$!
	against unix:sock disk
	ended 1 1
}
ok "on standard output as well" to_stdout
ok "the hint is a command" says 'tbrecv -o /.*/out.zst --resume. goes on with it' recv.err
hint=$(sed -n 's/.*tbrecv \(-o .* --resume\).*/\1/p' recv.err)
ok "which works" transfer $hint -- disk
ok "behind the last CHECKPOINT, here as well" resumed 16
ok "and makes the image whole" decoded out.zst

ok "of two disks" began -o one.zst
cp one.zst.part before
head -c 20000000 /dev/zero >other
ok "the other one is refused" refused -o one.zst -- other
ok "in a sentence that names the first and the way out" \
	says 'one.zst.part holds the beginning of another disk \(disk\).*--restart' recv.err
ok "which the sender is told" says 'the receiver refused: one.zst.part holds' send.err
ok "and nothing is changed" cmp before one.zst.part
ok "--plain does not go on" code 1 sh -c "tbsend -q --plain disk | tbrecv --plain -o one.zst 2>recv.err"
ok "in a sentence" says 'one.zst.part is there from an earlier run.*--restart' recv.err

cp disk kept
printf changed | dd of=disk conv=notrunc status=none
ok "a disk that has changed is refused" refused -o one.zst -- disk
ok "with the way out" says 'changed.*--restart' send.err
mv kept disk
ok "and goes on when it is what it was" transfer -o one.zst -- disk
ok "to the same image" decoded one.zst

ok "damage that is seen" began -o rot.zst
printf x | dd of=rot.zst.part bs=1 seek=700000 conv=notrunc status=none
ok "is said where nothing is left to keep" refused --recheck -o rot.zst -- -t 1 disk
ok "with the way out, too" says 'is damaged, and nothing of it can be kept.*--restart' recv.err
ok "--restart begins anew" transfer --restart -o rot.zst -- disk
ok "and that is whole" decoded rot.zst

ok "there must be something to resume" refused --resume -o none.zst -- -t 1 disk
ok "and it says so" says 'nothing is there to resume' recv.err
for wrong in "--resume" "--resume --restart -o x" "--resume --force -o x" "--resume -o ./" "--recheck"; do
	ok "tbrecv $wrong is wrong" code 2 sh -c "tbrecv $wrong >usage.out"
done

mkdir many
ok "in a folder" began -o many/
ok "an image goes on" transfer -o many/ -- disk
ok "behind its CHECKPOINT" resumed 16
ok "and is whole" decoded many/*.zst

tap_end

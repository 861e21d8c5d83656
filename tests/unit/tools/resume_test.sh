#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Transfers whose stream breaks: cut, damaged, silent, at every stage; either program killed and started
# again; and what must not go on.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317 # the functions are called by ok
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/unit/tools/peers.sh
. "$(dirname "$0")/peers.sh"
cd "${work:?}" || exit 1
proxy=${here:?}/tests/unit/tools/proxy.py

{
	head -c 14000000 /dev/urandom
	head -c 13000000 /dev/zero
	head -c 5000001 /dev/urandom
} >disk
sum=$(sha256sum <disk)
same() { [ "$(sha256sum <"$1")" = "$sum" ]; }
decoded() { [ "$(zstd -q -d -c <"$1" | sha256sum)" = "$sum" ]; }

# broken FAULT... -- RECV-ARGUMENTS -- SEND-ARGUMENTS: a transfer over a cable that fails so. What took
# effect goes to proxy.out.
broken() {
	faults=
	while [ "$1" != -- ]; do
		faults="$faults $1"
		shift
	done
	shift
	args=
	while [ "$1" != -- ]; do
		args="$args $1"
		shift
	done
	shift
	rm -f near far
	# shellcheck disable=SC2086 # words
	python3 "$proxy" near far $faults >proxy.out &
	cable=$!
	# shellcheck disable=SC2086 # words
	tbrecv -t 20 -s unix:far $args >recv.out 2>recv.err &
	pid=$!
	against unix:near "$@"
	kill "$cable" 2>/dev/null
	ended 0 0
}

# mended FAULT...: each of them takes effect, and the image is right all the same.
mended() {
	rm -f image.zst
	broken "$@" -- -o image.zst -- disk || return
	printf '%s\n' "$@" | grep -v ok | diff - proxy.out && decoded image.zst
}

# A stream that stays open in silence takes ten seconds to be seen: meanwhile all else is tested.
# silent FOLDER FAULT: in that folder.
silent() {
	mkdir "$1"
	(
		cd "$1" && ln -s ../disk . && mended "$2" >out 2>&1
		echo $? >code
	) &
}
silent quiet stall:9000000
quiet=$!
silent unheard result:stall
unheard=$!

ok "a cable that is cut twice" mended cut:5000000 cut:9000000
ok "the sender says that it waits, and for what" \
	says 'cable was pulled, at [0-9]+ % of disk; waiting for tbrecv: plug the cable in' send.err
ok "and so does the receiver" says 'at [0-9]+ % of image.zst; waiting for tbsend: plug the cable in' recv.err
ok "the sender says where it goes on" says 'disk: going on at chunk [1-9][0-9]* of 8' send.err
ok "and that it looks whether the source is as it was" says 'looking whether disk is as it was' send.err
ok "the receiver says where it goes on" says 'image.zst: going on at chunk [1-9][0-9]* of 8' recv.err
resumes() { tbstream info --json image.zst | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["resumes"]))' | grep -qx "$1"; }
ok "the manifest has both times" resumes 2
ok "the image verifies" tbstream verify -q image.zst
ok "HELLO that is cut, either way, or damaged" mended cut:100 cut-back:300 flip:200
ok "OFFER and ACCEPT that are cut or damaged" mended cut:500 cut-back:650 flip:310 flip-back:320
ok "bytes that get lost, and one that is another" mended drop:700:8 drop-back:310:7 drop:6000000:50000 flip:8000000
ok "all sorts of it, one after the other" \
	mended flip:5000000 cut-back:400 drop:5000000:100000 cut:500 flip:5500000 cut:4500000
ok "the receiver sees the damage" says 'damaged|missing' recv.err
ok "RESULT that gets lost" mended result:cut
ok "the receiver says that all is complete" says 'image.zst is complete here: waiting up to 60 s' recv.err
ok "RESULT that gets lost twice" mended result:cut result:cut
events() {
	broken cut:9000000 -- --json --force -o image.zst -- --json disk && python3 - <<'END'
import json
for name, key in ("send.err", "source"), ("recv.err", "target"):
    resumed, = (e for e in map(json.loads, open(name)) if e["event"] == "resumed")
    assert 1 <= resumed["chunk"] <= 2 and resumed["chunks"] == 8 and resumed[key], resumed
END
}
ok "--json has an event" events
raw() { broken cut:9000000 flip:9000000 -- -d -- disk && same recv.out; }
ok "into a pipe, as bytes" raw
truncate -s "$(stat -c %s disk)" target
restored() { broken cut:9000000 flip:9000000 -- --force target -- "$@" && same target; }
ok "an image onto a target, everything compared again" restored --recheck image.zst
ok "the sender says that it compares" says 'reading again all that the receiver has of image.zst' send.err

lingers() {
	(timeout 20 sh -c 'until grep -q "complete here" recv.err; do sleep 0.05; done' && kill -TERM "$(cat recv.pid)") &
	rm -f near far
	python3 "$proxy" near far result:end >proxy.out &
	sh -c 'echo $$ >recv.pid; exec tbrecv -t 20 -s unix:far --force -o image.zst 2>recv.err' &
	pid=$!
	# The sender has little patience: the cable has to be there before it.
	timeout 20 sh -c 'until [ -S near ] && [ -S far ]; do sleep 0.05; done'
	tbsend -t 1 -s unix:near disk 2>send.err
	send=$?
	wait_code "$pid"
	recv=$?
	ended 1 0
}
: >recv.err
ok "a sender that does not hear RESULT fails; the receiver, complete, ends well at a signal" lingers
ok "what it has is right" decoded image.zst
ok "and it says so" says 'verified and synced' recv.err

tired() { broken cut:2000 cut:2000 cut:2000 cut:2000 cut:2000 cut:2000 -- -o never.zst -- disk; }
gives_up() {
	tired >tired.out
	ended 1 1
}
ok "a cable that breaks over and over is given up by both sides" gives_up
ok "the sender says why" says 'broke 5 times without one more chunk.*another cable' send.err
ok "and so does the receiver" says 'broke 5 times without one more chunk.*another cable' recv.err

# halfway SOURCE: a transfer into fifo, which stands still in its midst since nobody reads.
halfway() {
	rm -f sock fifo
	mkfifo fifo
	exec 9<>fifo
	tbrecv -t 20 -s unix:sock >fifo 2>recv.err &
	receiver=$!
	tbsend -t 20 -s unix:sock "$1" 2>send.err &
	sender=$!
	timeout 20 sh -c 'until grep -q receiving recv.err && grep -q sending send.err; do sleep 0.05; done'
	# The receiver has the first chunk when the pipe is full of it.
	timeout 20 python3 -c 'import fcntl, struct, time
while struct.unpack("i", fcntl.ioctl(9, 0x541b, bytes(4)))[0] < 65536: time.sleep(0.02)'
}
# again SOURCE: the sender is started again; both codes.
again() {
	cat fifo >recv.out 9>&- &
	reader=$!
	exec 9>&-
	tbsend -t 20 -s unix:sock "$1" 2>send.err
	send=$?
	wait_code "$receiver"
	recv=$?
	wait_code "$reader"
}
sender_killed() {
	halfway disk
	kill -9 "$sender"
	wait "$sender"
	again disk
	ended 0 0 && decoded recv.out
}
ok "a sender that is killed and started again" sender_killed
ok "goes on where the receiver is" says 'disk: going on at chunk [1-9]' send.err
changed() {
	cp disk changing
	halfway changing
	kill -9 "$sender"
	wait "$sender"
	printf 'changed!' | dd of=changing bs=1 seek=1000 conv=notrunc 2>dd.err
	again changing
	ended 1 1
}
ok "a source that has changed is refused" changed
ok "the sender says so, and the way out" says 'changing has changed at byte 0 since.*--restart' send.err
ok "and the receiver is told" says 'changing has changed at byte 0 since' recv.err
other() {
	head -c 32000001 /dev/zero >other
	halfway disk
	kill -9 "$sender"
	wait "$sender"
	again other
	ended 1 1
}
ok "another disk is refused" other
ok "the receiver says so" says 'another disk was offered than the one that broke off' recv.err
ok "and the sender is told" says 'another disk was offered .*start tbsend with SOURCE again' send.err

receiver_killed() {
	halfway disk
	kill -9 "$receiver"
	wait "$receiver"
	exec 9>&-
	timeout 20 sh -c 'until grep -q "waiting for tbrecv:" send.err; do sleep 0.05; done'
	tbrecv -t 20 -s unix:sock --force -o image.zst 2>recv.err
	recv=$?
	wait_code "$sender"
	send=$?
	ended 0 0 && decoded image.zst
}
ok "a receiver that is killed and started anew" receiver_killed
stopped() {
	halfway disk
	kill -9 "$receiver"
	wait "$receiver"
	exec 9>&-
	timeout 20 sh -c 'until grep -q "waiting for tbrecv:" send.err; do sleep 0.05; done'
	kill -TERM "$sender"
	wait_code "$sender"
	[ "$?" = 1 ]
}
ok "a signal ends the waiting" stopped

head -c 9000000 /dev/urandom >two
several() {
	rm -rf several
	broken "$@" -- -o several/ -- disk two || return
	printf '%s\n' "$@" | diff - proxy.out && decoded several/*-disk.zst &&
		zstd -q -d -c <"$(echo several/*-two.zst)" | cmp - two
}
ok "two disks, cut in the first and in the second" several cut:9000000 cut:16000000
ok "two disks, the first one's RESULT lost" several result:cut
twice() {
	rm -rf several near far
	python3 "$proxy" near far cut:23000000 >proxy.out &
	cable=$!
	tbrecv -t 20 -s unix:far -o several/ 2>recv.err &
	receiver=$!
	# The cable is cut behind the first disk; nobody mends it for this sender.
	tbsend -t 20 -s unix:near disk two 2>send.err &
	sender=$!
	timeout 20 sh -c 'until grep -q "waiting for tbsend:" recv.err; do sleep 0.02; done'
	kill -9 "$sender"
	wait "$sender"
	tbsend -t 20 -s unix:near disk two 2>send.err
	send=$?
	wait_code "$receiver"
	recv=$?
	kill "$cable"
	ended 0 0 && decoded several/*-disk.zst && zstd -q -d -c <"$(echo several/*-two.zst)" | cmp - two
}
ok "two disks, and a sender that is started again in the second" twice
ok "which is told that the first is there" says 'disk: going on at chunk 8 of 8' send.err

# Standard input and output cannot be opened again.
pipes() {
	mkfifo there short back
	head -c 3000000 <there >short &
	tbrecv -t 20 -s - -o pipes.zst <short >back 2>recv.err &
	receiver=$!
	tbsend -t 20 -s - disk >there <back 2>send.err
	send=$?
	wait_code "$receiver"
	recv=$?
	ended 1 1 && ! grep 'plug the cable' send.err recv.err
}
ok "a pipe that is cut ends both sides, which wait for nobody" pipes

silent_mended() {
	cat "$1/out"
	[ "$(cat "$1/code")" = 0 ]
}
wait_code "$quiet"
ok "a stream that stays silent" silent_mended quiet
ok "is said to be so" says 'nothing came from the other side' quiet/send.err
wait_code "$unheard"
ok "a stream that is silent from RESULT on" silent_mended unheard
ok "does not end the receiver, which waits for the sender" says 'image.zst is complete here' unheard/recv.err
tap_end

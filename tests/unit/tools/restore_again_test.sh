#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A restore whose tbrecv is killed, and that another one goes on with; and what must not go on.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317 # the functions are called by ok
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/unit/tools/peers.sh
. "$(dirname "$0")/peers.sh"
cd "${work:?}" || exit 1
proxy=${here:?}/tests/unit/tools/proxy.py
mib4=4194304

# Eight chunks: three of data, half a one, two of zeros, half a one, and one that is short.
{
	head -c 14000000 /dev/urandom
	head -c 13000000 /dev/zero
	head -c 5000001 /dev/urandom
} >disk
tbsend -q --plain disk >image.zst
target() {
	rm -rf target state
	truncate -s "${1:-32000001}" target
}
same() { cmp -n 32000001 disk target; }
nothing_kept() { [ -z "$(ls state/tbstream)" ]; }

# broken BYTES N RECV-ARGUMENTS: a cable that stops after BYTES, and a tbrecv that is killed when it knows that N
# bytes of the disk are safe in the target.
broken() {
	stall=$1
	safe=$2
	shift 2
	rm -f near far
	python3 "$proxy" near far "stall:$stall" >proxy.out &
	cable=$!
	tbrecv -t 20 -s unix:far --progress=json "$@" 2>recv.err &
	pid=$!
	tbsend -t 20 -s unix:near image.zst 2>send.err &
	sender=$!
	timeout 20 sh -c "until grep -q '\"done\":$safe,' recv.err; do sleep 0.05; done"
	got=$?
	kill -KILL "$pid"
	wait "$pid"
	kill -KILL "$sender" "$cable"
	wait "$sender" "$cable"
	return "$got"
}
first() { target "${1:-}" && broken 14500000 25165824 target; }

blank() { head -c "$mib4" target | cmp -n "$mib4" - /dev/zero && ! same; }
again() { transfer "$@" target -- image.zst && same && nothing_kept; }

# left: the target, and what is known of it, as the first one left them; by their inode, so in place.
left() {
	if [ ! -e left.target ]; then
		first && cp target left.target && cp -r state left.state
		return
	fi
	rm -rf state
	cat left.target >target && cp -r left.state state
}

ok "a restore whose tbrecv is killed" left
ok "does not look like a disk" blank
ok "another one goes on with it" again
ok "where the first one was" says 'target: going on at chunk 6 of 8' recv.err
ok "which the sender says too" says 'image.zst: going on at chunk 6 of 8' send.err
ok "and it looks before" says 'looking whether target is as it was left' recv.err
ok "nothing is left to go on with" sh -c "! tbrecv -t 1 -s unix:sock --resume target 2>recv.err"
twice() { left && broken 3000000 29360128 target && again --resume --recheck --verify; }
ok "one that is killed twice; --resume, --recheck and --verify" twice
ok "the target was read back" says 'read back and compared' recv.err

# changes BYTE: byte BYTE of the target becomes another one.
changes() { printf 'something else' | dd of=target bs=1 seek="$1" conv=notrunc status=none; }
# refuses PATTERN ARGUMENTS: both end with 1, the target and what is known of it stay as they are.
refuses() {
	pattern=$1
	shift
	before=$(sha256sum target state/tbstream/*)
	refused "$@" && says "$pattern" recv.err && says 'receiver refused' send.err &&
		[ "$before" = "$(sha256sum target state/tbstream/*)" ]
}
written() { left && changes $((mib4 + 5)) && refuses 'target has changed at byte 4194304 .*--restart' target -- image.zst; }
ok "a target that was written to is refused" written
ok "--restart begins anew" again --restart
ok "from the beginning on" sh -c '! grep "going on" recv.err'
used() { left && changes 2000000 && refuses 'written to at its beginning or end .*--restart' target -- image.zst; }
ok "so is one that has become a disk" used
forced() { left && changes 2000000 && transfer --force target -- image.zst && same && nothing_kept && says 'beginning anew, for --force' recv.err; }
ok "--force begins anew" forced
zeros() { left && changes $((4 * mib4 + 9)) && refuses 'target has changed at byte 16777216' target -- image.zst; }
ok "what should be zeros is looked at" zeros
other() {
	head -c 32000001 /dev/urandom >other
	left && refuses 'restore of another disk onto target broke off: send that one' target -- other
}
ok "another disk is refused" other
right() { again && says 'going on at chunk 6 of 8' recv.err; }
ok "but the right one is not, afterwards" right
changed() {
	tbsend -q --plain disk >image.keep
	left && printf 'something else' | dd of=disk bs=1 seek=9000000 conv=notrunc status=none && tbsend -q --plain disk >image.zst &&
		refused target -- image.zst && mv image.keep image.zst && zstd -q -d -c image.zst >disk
}
ok "nor another image of the same disk" changed
ok "the sender finds it" says 'image.zst has changed at byte 8388608 since' send.err
nothing() {
	rm -rf state && refused --resume target -- image.zst &&
		says 'nothing is known of a restore onto target .*leave out --resume' recv.err && nothing_kept
}
ok "--resume of nothing" nothing
# damaged BYTE: of what is known; there can be any one before.
damaged() {
	left && known=$(echo state/tbstream/*) && was=$(od -A n -t u1 -j "$1" -N 1 "$known") &&
		printf '%b' "\\0$(printf %o $((255 - was)))" | dd of="$known" bs=1 seek="$1" conv=notrunc status=none &&
		refuses "$2.*--restart" target -- image.zst
}
ok "what is known of it is damaged: how much" damaged 9 'target is damaged'
ok "a digest" damaged $((131072 + 2 * mib4 + 32 + 3)) 'target cannot be compared at byte 4194304: Bad message'
ok "the beginning that was kept back" damaged 131080 'target has changed at byte 0'
ok "which --restart forgets" again --restart
plain() { left && tbrecv -q --plain --force target <image.zst && same && nothing_kept; }
ok "--plain goes on with nothing, and forgets it" plain
locked() {
	rm -rf near far sock state
	: >target
	truncate -s 32000001 target
	python3 "$proxy" near far stall:14500000 >proxy.out &
	cable=$!
	tbrecv -t 20 -s unix:far --progress=json target 2>held.err &
	holder=$!
	tbsend -t 20 -s unix:near image.zst 2>send.err &
	sender=$!
	timeout 20 sh -c 'until grep -q "\"done\":25165824," held.err; do sleep 0.05; done'
	refused target -- image.zst
	got=$?
	kill "$holder" "$sender" "$cable"
	wait "$holder" "$sender" "$cable"
	[ "$got" = 0 ] && says 'being restored onto by another tbrecv' recv.err
}
ok "two at once onto one target" locked
ok "who was first ends by a signal, and says how to go on" says 'target is not complete.*the same command goes on with it' held.err
ok "which it does" again
ok "where it was" says 'going on at chunk 6 of 8' recv.err
unkept() { left && XDG_STATE_HOME=$work/disk transfer target -- image.zst && same; }
ok "without a place to note it, a restore is as good" unkept
end() { first 50M && changes 50000000 && refuses 'written to at its beginning or end' target -- image.zst; }
ok "and a larger one, at its end" end
larger() { transfer --restart target -- image.zst && first 50M && again; }
ok "which goes on when nobody did" larger
tap_end

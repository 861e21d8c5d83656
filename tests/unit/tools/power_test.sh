#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A power cut of the receiver: its disk forgets what it was not told to flush. tbrecv writes into ext4 on a
# loop device over a file of nbdfuse, and nbdkit keeps in memory what was written since the last flush, until
# it is killed. What the sender was told to be safe has to be there then. With a tbrecv whose fdatasync does
# nothing this must not be so, or the test shows nothing.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317 # the functions are called by ok
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/unit/tools/peers.sh
. "$(dirname "$0")/peers.sh"
cd "${work:?}" || exit 1
nosync=${here:?}/build/plain/nosync/tbrecv

skip() {
	echo "1..0 # SKIP $1"
	exit 0
}
[ "$(id -u)" = 0 ] || skip "a file system can only be mounted by root"
[ -c /dev/fuse ] || skip "there is no FUSE"
losetup -f >/dev/null 2>&1 || skip "there are no loop devices"

server='' fuse='' loop='' pid='' sender=''
undo() {
	umount -l mnt 2>/dev/null
	[ -z "$loop" ] || losetup -d "$loop" 2>/dev/null
	[ -z "$fuse" ] || fusermount3 -uqz disk 2>/dev/null
	server='' fuse='' loop=''
}
trap 'undo; tap_clean' EXIT

mkdir mnt
: >disk
head -c 200000000 /dev/urandom >source

# within SECONDS COMMAND...: the command succeeds by then.
within() {
	end=$(($(date +%s) + $1))
	shift
	until "$@"; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		sleep 0.05
	done
}
served() { [ "$(stat -c %s disk)" != 0 ]; }

# A new disk, mounted: nothing but a flush makes anything durable, nor does ext4 by itself.
power_on() {
	rm -f medium nbd
	truncate -s 400M medium
	mkfs.ext4 -q -F medium
	nbdkit -f -U nbd --filter=rate --filter=cache file medium cache=writeback rate=500M >nbdkit.out 2>&1 &
	server=$!
	within 20 test -S nbd || return
	nbdfuse disk --unix nbd >nbdfuse.out 2>&1 &
	fuse=$!
	within 20 served || return
	loop=$(losetup -f --show disk) && mount -o commit=600 "$loop" mnt
}

# What was not flushed is gone; the machine starts again.
power_cut() {
	kill -9 "$server"
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
	undo
	loop=$(losetup -f --show medium) && mount "$loop" mnt
}

acked() { sed -n 's/.*"done":\([0-9]*\).*/\1/p' send.err | tail -n 1; }
far() { [ "$(acked)" -ge 67108864 ] 2>/dev/null; }

# cut PROGRAM: the power goes when 64 MiB or more are safe, as the sender was told: $safe bytes.
cut() {
	rm -f sock
	power_on || return
	"$1" -t 20 -s unix:sock -o mnt/image.zst 2>recv.err &
	pid=$!
	tbsend -t 20 --progress=json -s unix:sock source 2>send.err &
	sender=$!
	within 50 far || return
	safe=$(acked)
	kill -9 "$sender"
	power_cut
}
kept() {
	zstd -q -dc mnt/image.zst.part 2>zstd.err | cmp -n "$safe" - source && [ "$safe" -lt 200000000 ]
}
lost() { ! kept; }

ok "the power goes in the midst of a transfer" cut tbrecv
ok "all that was acknowledged is there" kept
ok "the transfer goes on" transfer -o mnt/image.zst -- source
ok "behind a CHECKPOINT that was acknowledged" says 'going on at chunk (16|32) of 48' recv.err
ok "and the image verifies" tbstream verify -q mnt/image.zst
undo

# whole PROGRAM: the power goes when the transfer has ended.
whole() {
	rm -f sock
	power_on || return
	head -c 5000000 source >small
	"$1" -t 20 -s unix:sock -o mnt/image.zst 2>recv.err &
	pid=$!
	tbsend -t 20 -s unix:sock small 2>send.err && wait_code "$pid" || return
	pid=''
	power_cut
}
ok "the power goes when the transfer has ended" whole tbrecv
ok "the image is there, and verifies" tbstream verify -q mnt/image.zst
undo

ok "a tbrecv that does not sync acknowledges as much" cut "$nosync"
ok "and it is not there" lost
undo

tap_end

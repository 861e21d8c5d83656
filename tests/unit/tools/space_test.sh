#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Where nothing more can be written: a full disk, a used up quota, a file system or a folder that is read-only.
# Both sides say so, with the way out; and when there is room, the same command goes on.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317,SC2086 # the functions are called by ok; words
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/unit/tools/peers.sh
. "$(dirname "$0")/peers.sh"
cd "${work:?}" || exit 1

mkdir mnt quota locked
mounts=
undo() {
	for mount in $mounts; do
		umount -l "$mount"
	done
}
trap 'undo; tap_clean' EXIT

if [ "$(id -u)" != 0 ] || ! mount -t tmpfs -o size=100M tbstream-test mnt 2>mount.err; then
	echo "1..0 # SKIP no file system can be mounted here"
	exit 0
fi
mounts=mnt
room() { mount -o "remount,$1" mnt; }

# 26 chunks of 64 KiB that do not compress, and zeros: a CHECKPOINT stands behind the 16th.
for _ in $(seq 26); do
	head -c 65536 /dev/urandom
	head -c 4128768 /dev/zero
done >disk
decoded() { zstd -q -d -c <"$1" | cmp - "${2:-disk}"; }
resumed() { says "going on at chunk $1 of 26" recv.err; }

head -c 130000000 /dev/urandom >large
ok "no space is left" refused -o mnt/large.zst -- large
ok "the receiver says so" says 'no space is left for mnt/large.zst: make room$' recv.err
ok "and how to go on" says 'mnt/large.zst.part keeps what arrived: .tbrecv -o mnt/large.zst. goes on' recv.err
ok "the sender says both" says 'gave up: no space is left for mnt/large.zst: make room; .*tbrecv -o mnt/large.zst' send.err
ok "and what the receiver has" says 'had [1-9][0-9.]* MiB of large: .*the same command goes on' send.err
ok "without more room it ends in the same way" refused -o mnt/large.zst -- large
ok "and has lost nothing" says 'mnt/large.zst: going on at chunk 16 of 31' recv.err
ok "room is made" room size=200M
ok "the same commands go on" transfer -o mnt/large.zst -- large
ok "behind the last CHECKPOINT" says 'mnt/large.zst: going on at chunk 16 of 31' recv.err
ok "and the image is whole" decoded mnt/large.zst large
ok "and verifies" tbstream verify -q mnt/large.zst
rm -f mnt/*

# full RECV-ARGUMENTS: into a file system of 1.3 MB; standard output goes into one of its files.
full() {
	room size=1300K
	rm -f sock
	tbrecv -t 20 -s unix:sock "$@" >mnt/out.zst 2>recv.err &
	pid=$!
	against unix:sock disk
	ended 1 1
}
ok "none is left for standard output" full
ok "the receiver says so" says 'no space is left for standard output: make room$' recv.err
hint=$(sed -n 's/.*tbrecv \(-o .* --resume\).*/\1/p' recv.err)
ok "and the sender how to go on" says 'no space is left for .*; it keeps .*tbrecv -o /.*/out.zst --resume. goes on' send.err
room size=200M
ok "which works, with room" transfer $hint -- disk
ok "behind the last CHECKPOINT" resumed 16
ok "and makes the image whole" decoded mnt/out.zst
rm -f mnt/*

ok "none is left in a folder" full -o mnt/many/
ok "the hint is about the folder" says 'many/.*-disk.zst.part keeps what arrived: .tbrecv -o mnt/many/. goes on' recv.err
room size=200M
ok "with room it goes on" transfer -o mnt/many/ -- disk
ok "behind the last CHECKPOINT, too" resumed 16
ok "and is whole" decoded "$(echo mnt/many/*-disk.zst)"
rm -rf mnt/*

head -c 1200000 /dev/zero >mnt/filled
ok "none is left from the beginning" full -o mnt/image.zst
ok "nothing is kept then, and that is said" \
	says 'gave up: no space is left for mnt/image.zst: make room and begin again$' send.err
rm mnt/filled mnt/out.zst
room size=200M
ok "which works" transfer -o mnt/image.zst -- disk
ok "and is whole, too" decoded mnt/image.zst

truncate -s "$(stat -c %s disk)" mnt/target
head -c 40000000 /dev/urandom >>mnt/filled
onto() {
	room size=42M
	refused --force mnt/target -- disk
}
ok "a target in a full file system" onto
ok "is said to be so" says 'gave up: mnt/target cannot be written at byte .*: No space left.*; mnt/target is not complete' send.err
room size=200M

room ro
ok "a read-only file system is refused" refused -o mnt/other.zst -- disk
ok "with the way out" says 'mnt/other.zst.part cannot be opened: Read-only .*: choose a folder that' recv.err
ok "which the sender is told" says 'refused: mnt/other.zst.part cannot be opened: Read-only .*: choose a folder' send.err
ok "so is a folder that has to be made in it" code 1 sh -c 'tbrecv -t 1 -s unix:sock -o mnt/other/ 2>recv.err'
ok "in a sentence, at once" says 'the folder mnt/other cannot be made in mnt: Read-only .*; make it, or choose' recv.err
ok "and a target there" code 1 sh -c 'tbrecv -t 1 -s unix:sock mnt/target 2>recv.err'
ok "in a sentence as well" says 'mnt/target.* Read-only file system' recv.err

chmod 500 locked
no_override() {
	rm -f sock
	setpriv --bounding-set=-dac_override,-dac_read_search tbrecv -t 20 -s unix:sock -o locked/x.zst 2>recv.err &
	pid=$!
	against unix:sock disk
	ended 1 1
}
ok "a folder in which nothing may be made is refused" no_override
ok "with the way out to both" says 'refused: locked/x.zst.part cannot be opened: Permission denied: choose a folder that' send.err

# A quota on a subvolume: every kernel of a distribution has that one.
limited() { btrfs qgroup limit "$1" quota >btrfs.out 2>&1 && sync -f quota; }
truncate -s 200M btrfs.img
if mkfs.btrfs -q btrfs.img >btrfs.out 2>&1 && mount -o loop btrfs.img quota 2>>btrfs.out; then
	mounts="$mounts quota"
	btrfs quota enable quota && limited 1300K
	ok "a quota is used up" refused -o quota/image.zst -- disk
	ok "the receiver says so" says 'the disk quota is used up for quota/image.zst: make room' recv.err
	ok "and both how to go on" says 'quota is used up for .*make room; .*tbrecv -o quota/image.zst. goes on' send.err
	limited 100M
	ok "with more of it the same commands go on" transfer -o quota/image.zst -- disk
	ok "behind the last CHECKPOINT there" resumed 16
	ok "and the image is whole there" decoded quota/image.zst
else
	ok "a quota # SKIP no btrfs can be mounted here" true
fi

tap_end

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# tbsend --used: file systems made onto a disk of random bytes, filled, and files deleted; restored onto another disk of
# random bytes every file is there and their own programs find nothing wrong. What is not sure is sent whole.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317 # the functions are called by ok
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/unit/tools/peers.sh
. "$(dirname "$0")/peers.sh"
cd "${work:?}" || exit 1
PATH=$PATH:/usr/sbin:/sbin
tools=${here:?}/tests/unit/tools

mkdir keep gone
for i in 1 2 3 4 5 6; do
	head -c 300001 /dev/urandom >"keep/K$i.BIN"
	head -c 400001 /dev/urandom >"gone/G$i.BIN"
done

# What makes a file system in the file "part", which has random bytes, and fills it: keep and gone by turns.
ext() {
	mke2fs -q -F -E nodiscard "$@" part || return 1
	for i in 1 2 3 4 5 6; do
		printf 'write keep/K%s.BIN K%s.BIN\nwrite gone/G%s.BIN G%s.BIN\n' "$i" "$i" "$i" "$i"
	done | debugfs -w -f - part >debugfs.out 2>&1 || return 1
	for i in 1 2 3 4 5 6; do
		echo "rm G$i.BIN"
	done | debugfs -w -f - part >debugfs.out 2>&1
}
fat() {
	mkfs.vfat "$@" part >mkfs.out || return 1
	for i in 1 2 3 4 5 6; do
		mcopy -i part "keep/K$i.BIN" "gone/G$i.BIN" :: || return 1
	done
	mdel -i part '::G*.BIN'
}
exfat() {
	mkfs.exfat "$@" part >mkfs.out && python3 "$tools/exfat.py" put part keep/* gone/* &&
		python3 "$tools/exfat.py" rm part G1.BIN G2.BIN G3.BIN G4.BIN G5.BIN G6.BIN
}
# Its own programs remove nothing.
xfs() {
	{
		printf '/dev/null\n0 0\nd--755 0 0\n'
		for i in 1 2 3 4 5 6; do
			echo "K$i.BIN ---644 0 0 keep/K$i.BIN"
		done
		echo '$'
	} >proto
	mkfs.xfs -q -f --unsupported -p proto "$@" part >mkfs.out 2>&1
}
# No program of ntfs-3g's removes a file without a mount: they become small, and their clusters free.
ntfs() {
	mkntfs -q -Q -F "$@" part >mkfs.out 2>&1 || return 1
	for i in 1 2 3 4 5 6; do
		ntfscp -q part "keep/K$i.BIN" "K$i.BIN" && ntfscp -q part "gone/G$i.BIN" "G$i.BIN" || return 1
	done
	for i in 1 2 3 4 5 6; do
		ntfscp -q part /dev/null "G$i.BIN" || return 1
	done
}
swap() { mkswap part >mkfs.out; }

# Whether a file system is as it was made: in "part".
ext_same() {
	rm -rf out && mkdir out && e2fsck -fn part && debugfs -R 'rdump / out' part && rm -r out/lost+found && diff -r keep out
}
fat_same() {
	rm -rf out && mkdir out && fsck.vfat -n part && mcopy -i part '::*' out && diff -r keep out
}
exfat_same() {
	rm -rf out && mkdir out && fsck.exfat -n part && python3 "$tools/exfat.py" get part out && diff -r keep out
}
xfs_same() { xfs_repair -f -n -o force_geometry part >repair.out 2>&1; }
ntfs_same() {
	ntfsfix -n part >same.out || return 1
	for i in 1 2 3 4 5 6; do
		ntfscat part "K$i.BIN" | cmp - "keep/K$i.BIN" || return 1
	done
}
swap_same() { [ "$(blkid -p -s TYPE -o value part)" = swap ]; }

# The disk's partitions: MiB and what is in it.
cat >plan <<'END'
12 ext -t ext4
10 ext -t ext4 -O bigalloc -C 16384
8 ext -t ext4 -b 1024 -O meta_bg,^resize_inode,64bit
8 ext -t ext4 -O ^metadata_csum,uninit_bg,^flex_bg -b 1024
8 ext -t ext3 -b 2048
7 ext -t ext2 -b 1024 -r 0
6 fat -F 12
10 fat -F 16
35 fat -F 32 -s 1
8 exfat -c 4096
8 ntfs -c 512
12 ntfs -c 4096
24 xfs
2 swap
1 data
END

# part_get IMAGE NUMBER, part_put IMAGE NUMBER: between "part" and partition NUMBER of it.
place() { sed -n "$1p" places; }
part_get() {
	# shellcheck disable=SC2046 # two words
	set -- "$1" $(place "$2")
	dd if="$1" of=part bs=1M skip="$2" count="$3" status=none
}
part_put() {
	# shellcheck disable=SC2046 # two words
	set -- "$1" $(place "$2")
	dd if=part of="$1" bs=1M seek="$2" conv=notrunc status=none
}

build() {
	awk '{ print at + 1, $1; at += $1 }' plan >places
	size=$(awk '{ end = $1 + $2 + 1 } END { print end }' places)
	head -c "${size}M" /dev/urandom >disk
	{
		echo label: gpt
		awk '{ print "start=" $1 * 2048 ", size=" $2 * 2048 }' places
	} | sfdisk -q disk || return 1
	n=0
	while read -r _ kind args <&3; do
		n=$((n + 1))
		[ "$kind" = data ] && continue
		part_get disk "$n"
		# shellcheck disable=SC2086 # words
		"$kind" $args || return 1
		part_put disk "$n"
	done 3<plan
}
ok "a disk of random bytes gets file systems, files, and some are deleted" build

ok "an image of what is in use" sh -c 'tbsend --plain --used disk >used.zst 2>send.err'
ok "it is said before what is left out" says 'disk: [0-9.]+ MiB of [0-9]+ MiB are left out.*: deleted files' send.err
ok "of every partition" says 'partition 9, vfat, 35.0 MiB: [0-9.]+ MiB are not sent' send.err
ok "and what is sent whole, and why" says 'partition 15, 1.0 MiB: all of it is sent, for nobody knows' send.err
ok "and once more at the end" says 'disk: 161 MiB \([0-9.]+ MiB of it left out\) sent as' send.err
ok "it verifies" tbstream verify -q used.zst
restore() {
	head -c "$(stat -c %s disk)" /dev/urandom >target
	tbrecv -q --plain --force -s - target <used.zst
}
ok "it is restored onto another disk of random bytes" restore

same() {
	n=0
	while read -r _ kind args <&3; do
		n=$((n + 1))
		[ "$kind" = data ] && continue
		part_get target "$n"
		"${kind}_same" || {
			echo "partition $n: $kind $args"
			return 1
		}
	done 3<plan
}
ok "every file is there, and nothing is wrong with any file system" same

# A block of a file that is lost has to be seen: of a file in each partition.
seen() {
	for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
		part_get target "$n"
		python3 - <<'END' || return 1
with open("part", "r+b") as part:
    at = part.read().find(open("keep/K3.BIN", "rb").read(512))
    assert at > 0
    part.seek(at)
    part.write(bytes(512))
END
		kind=$(sed -n "$n"p plan | cut -d' ' -f2)
		if "${kind}_same" >same.out 2>&1; then
			echo "not seen in partition $n"
			return 1
		fi
	done
}
ok "a sector of a file that was left out would be found" seen

# The manifest tells, to the byte, what was left out; and of every file system that is most of what is free.
told() {
	tbstream info --json used.zst >info.json && python3 - <<'END'
import json
info = json.load(open("info.json"))
disk, target = open("disk", "rb").read(), open("target", "rb").read()
at = 0
for start, length in info["unallocated"] + [[len(disk), 0]]:
    assert at <= start and disk[at:start] == target[at:start], (at, start)
    assert not any(target[start : start + length]), start
    at = start + length
for part in info["table"]["partitions"][:-1]:
    within = sum(n for s, n in info["unallocated"] if part["start"] <= s < part["start"] + part["size"])
    fs = part["fs"]
    free = fs["size"] - fs["used"] if "used" in fs else part["size"] - 4096
    assert free * 0.8 < within <= free, (part, within, free)
END
}
ok "the manifest tells what was left out, and no byte else is another" told
ok "tbstream info shows it" sh -c "tbstream info used.zst | grep -qE '^Unallocated: +[0-9]+ ranges, [0-9.]+ MiB'"
smaller() {
	tbsend -q --plain disk >all.zst || return 1
	[ "$(stat -c %s used.zst)" -lt $(($(stat -c %s all.zst) / 2)) ]
}
ok "the image is less than half as large as of the whole disk" smaller
alone() { tbsend -q --plain --used -T 1 disk >one.zst && zstd -q -d -c one.zst | cmp - target; }
ok "one thread makes the same of it" alone

tap_end

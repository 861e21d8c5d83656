#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# How full the file systems of an image are: what tbstream info says of real ones, beside what their own
# programs say. Superblocks that are wrong are tried by tests/unit/io/probe_used_test.c.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317 # the functions are called by ok
. "$(dirname "$0")/tap.sh"
: "${here:?}"
cd "${work:?}" || exit 1
PATH=$PATH:/usr/sbin:/sbin

mkdir tree
head -c 3000000 /dev/urandom >tree/large
head -c 5 /dev/urandom >tree/small

# known IMAGE: sends it, and prints "size used" of the file system that it holds.
known() {
	tbsend -q --plain "$1" >"$1.zst" && tbstream info --json "$1.zst" >info.json || return 1
	python3 -c 'import json; f = json.load(open("info.json"))["contents"]; print(f["size"], f["used"])'
}
# same IMAGE SIZE USED: that is what info knows of it; and it is not nothing.
same() {
	got=$(known "$1") || return 1
	echo "info knows $got, its own program $2 $3"
	[ "$got" = "$2 $3" ] && [ "$3" -gt 0 ] && [ "$2" -gt "$3" ]
}
# needs PROGRAM SENTENCE COMMAND...: as ok, if it is installed.
needs() {
	program=$1 what=$2
	shift 2
	if command -v "$program" >command.out; then
		ok "$what" "$@"
	else
		ok "$what # SKIP $program is not installed" true
	fi
}

# ext NAME SIZE OPTION...
ext() {
	name=$1 size=$2
	shift 2
	truncate -s "$size" "$name" && mke2fs -q -F -d tree "$@" "$name" || return 1
	dumpe2fs -h "$name" >dump.out 2>dump.err || return 1
	set -- "$(sed -n 's/^Block size: *//p' dump.out)" "$(sed -n 's/^Block count: *//p' dump.out)" \
		"$(sed -n 's/^Free blocks: *//p' dump.out)"
	same "$name" $(($1 * $2)) $((($2 - $3) * $1))
}
ok "ext2 with blocks of 1 KiB" ext ext2 20M -t ext2 -b 1024
ok "ext3" ext ext3 32M -t ext3
ok "ext4" ext ext4 64M -t ext4 -b 4096
ok "ext4 with numbers of 32 bits" ext ext32 64M -t ext4 -O ^64bit
ok "ext4 with clusters" ext extclusters 64M -t ext4 -O bigalloc -C 65536

# As a machine leaves it that crashed: the superblock's count is that of the last unmount.
crashed() {
	cp ext4 crashed && debugfs -w -R 'set_super_value free_blocks_count 16000' crashed || return 1
	set -- "$(known ext4)" "$(known crashed)"
	dumpe2fs -h crashed 2>&1 | grep -q '^Free blocks: *16000$' && [ "$1" ] && [ "$1" = "$2" ]
}
ok "ext4 that was not unmounted" crashed

# fat NAME SIZE OPTION...
fat() {
	name=$1 size=$2
	shift 2
	truncate -s "$size" "$name" && mkfs.vfat "$@" "$name" && mcopy -i "$name" tree/* :: || return 1
	fat_same "$name"
}
fat_same() {
	fsck.vfat -n -v "$1" >dump.out || return 1
	# "fat12: 2 files, 5862/8167 clusters"
	set -- "$1" "$(sed -n 's/^ *\([0-9]*\) bytes per cluster$/\1/p' dump.out)" \
		"$(sed -n 's,^.* files\, \([0-9]*\)/[0-9]* clusters$,\1,p' dump.out)" \
		"$(sed -n 's,^.* files\, [0-9]*/\([0-9]*\) clusters$,\1,p' dump.out)"
	same "$1" $(($2 * $4)) $(($2 * $3))
}
ok "FAT12" fat fat12 6M -F 12
ok "FAT16" fat fat16 20M -F 16
ok "FAT32" fat fat32 80M -F 32 -s 1
ok "FAT32 with sectors of 4 KiB" fat fat4k 300M -F 32 -S 4096
uncounted() {
	printf '\377\377\377\377' | dd of=fat32 bs=1 seek=$((512 + 488)) conv=notrunc status=none
	fat_same fat32
}
ok "FAT32 that says of no number that it knows it" uncounted

# ntfs NAME SIZE OPTION...
ntfs() {
	name=$1 size=$2
	shift 2
	truncate -s "$size" "$name" && mkntfs -q -Q -F "$@" "$name" && ntfscp "$name" tree/large large &&
		ntfsinfo -m "$name" >dump.out || return 1
	set -- "$(sed -n 's/^.*Cluster Size: //p' dump.out)" \
		"$(sed -n 's/^.*Volume Size in Clusters: //p' dump.out)" \
		"$(sed -n 's/^.*Free Clusters: \([0-9]*\) .*/\1/p' dump.out)"
	same "$name" $(($1 * $2)) $((($2 - $3) * $1))
}
needs mkntfs "NTFS" ntfs ntfs 40M
needs mkntfs "NTFS with clusters of 512 bytes" ntfs ntfs512 40M -c 512
needs mkntfs "NTFS with clusters of 64 KiB" ntfs ntfs64k 80M -c 65536
needs mkntfs "NTFS with sectors and records of 4 KiB" ntfs ntfs4k 80M -s 4096

xfs() {
	truncate -s 320M xfs && printf '/\n0 0\nd--755 0 0\nlarge ---644 0 0 tree/large\n$\n' >proto &&
		mkfs.xfs -q -p proto xfs && xfs_db -r -c 'sb 0' -c 'p blocksize dblocks fdblocks' xfs >dump.out || return 1
	set -- "$(sed -n 's/^blocksize = //p' dump.out)" "$(sed -n 's/^dblocks = //p' dump.out)" \
		"$(sed -n 's/^fdblocks = //p' dump.out)"
	same xfs $(($1 * $2)) $((($2 - $3) * $1))
}
needs mkfs.xfs "XFS" xfs

btr() {
	truncate -s 256M btrfs && mkfs.btrfs -q -r tree btrfs && btrfs inspect-internal dump-super btrfs >dump.out ||
		return 1
	same btrfs "$(sed -n 's/^total_bytes[[:blank:]]*//p' dump.out)" "$(sed -n 's/^bytes_used[[:blank:]]*//p' dump.out)"
}
needs mkfs.btrfs "btrfs" btr
btr_two() {
	truncate -s 256M first second && mkfs.btrfs -q -m raid1 -d single first second || return 1
	tbsend -q --plain first >first.zst && tbstream info first.zst >info.out && says '^Holds: +btrfs' info.out &&
		! says '^Used:' info.out
}
needs mkfs.btrfs "btrfs on two devices, of which one alone tells nothing" btr_two

exfat() {
	truncate -s 64M exfat && mkfs.exfat exfat && dump.exfat exfat >dump.out || return 1
	set -- "$(sed -n 's/^Cluster size: *//p' dump.out)" "$(sed -n 's/^Total Clusters: *//p' dump.out)" \
		"$(sed -n 's/^Free Clusters: *//p' dump.out)"
	same exfat $(($1 * $2)) $((($2 - $3) * $1))
}
needs mkfs.exfat "exFAT" exfat

# What people see.
full() {
	truncate -s 8M disk.ext && mke2fs -q -F -b 4096 -m 0 -t ext2 -L full disk.ext || return 1
	# It takes what fits of a file that is larger; zeros would become a hole.
	head -c 9000000 /dev/urandom >much && debugfs -w -R 'write much much' disk.ext || return 1
	truncate -s 12M disk && printf 'label: gpt\nstart=2048, size=16384, type=L\nstart=18432, type=L\n' |
		sfdisk -q disk && dd if=disk.ext of=disk bs=1M seek=1 conv=notrunc status=none || return 1
	tbsend -q --plain disk >disk.zst && tbstream info disk.zst >info.out &&
		says '^ +Nr .* Size  Used  Holds' info.out && says ' 8.0 MiB  100%  ext2   full ' info.out
}
ok "the partition table has a column for it" full
ok "a partition without a file system has nothing there" says '^   2 +9437184  2.0 MiB +[0-9A-Fa-f-]{36}$' info.out
ok "of a device without a table there is a line" \
	sh -c 'tbstream info ext4.zst | grep -qE "^Used: +1[0-9]%, [0-9.]+ MiB of 64.0 MiB$"'
tap_end

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A disk on which nothing but the head of a file system's journal has changed since the transfer broke off:
# that is seen, wherever it lies. The file systems are real, and mounted and written to.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317 # the functions are called by ok
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/unit/tools/peers.sh
. "$(dirname "$0")/peers.sh"
cd "${work:?}" || exit 1
PATH=$PATH:/usr/sbin:/sbin
mkdir mnt

if [ "$(id -u)" != 0 ]; then
	echo "1..0 # SKIP only root can mount"
	exit 0
fi
# Whatever the test came to.
trap 'umount mnt 2>/dev/null; tap_clean' EXIT
truncate -s 4M probe
mke2fs -q probe
if ! mount -o loop probe mnt 2>probe.err; then
	echo "1..0 # SKIP loop devices cannot be mounted here: $(head -n 1 probe.err)"
	exit 0
fi
umount mnt

# mounted FILE OFFSET: a file comes and goes in the file system there.
mounted() { mount -o "loop,offset=$2" "$1" mnt && echo text >mnt/file && sync && rm mnt/file && umount mnt; }
# poked FILE: its byte $byte, as what cannot be mounted would write it.
poked() { printf 'journal' | dd of="$1" bs=1 seek="$byte" conv=notrunc status=none; }

# put_back FILE: all that differs from FILE.before, but the chunk at $head, which must.
put_back() {
	python3 - "$1" "$head" <<'END'
import os, sys
CHUNK = 4 << 20
now, before = os.open(sys.argv[1], os.O_RDWR), os.open(sys.argv[1] + ".before", os.O_RDONLY)
size, head = os.fstat(now).st_size, int(sys.argv[2])
changed = set()

def data(file, at):
    try:
        return os.lseek(file, at, os.SEEK_DATA)
    except OSError:
        return size

at = 0
while (at := min(data(now, at), data(before, at)) // CHUNK * CHUNK) < size:
    old = os.pread(before, CHUNK, at)
    if os.pread(now, CHUNK, at) != old:
        changed.add(at)
        if at != head:
            os.pwrite(now, old, at)
    at += CHUNK
assert head in changed, f"{head} is not among {sorted(changed)}"
END
}

# half FILE: a transfer that ends in the noise behind the file system, where the image is not to grow any more.
half() {
	rm -f image.zst image.zst.part
	(ulimit -f 70000 && refused -o image.zst -- "$1") && says 'has become larger' recv.err
}
# seen FILE FIND USE...: once USE has changed FILE, that is seen where FIND says that the head is.
seen() {
	file=$1 find=$2
	shift 2
	cp --sparse=always "$file" "$file.before" && half "$file" && "$find" "$file" && "$@" && "$find" "$file" || return
	head=$((byte / 4194304 * 4194304))
	put_back "$file" && refused -o image.zst -- "$file" && says "$file has changed at byte $head since" send.err
}
unchanged() { half "$1" && transfer -o image.zst -- "$1" && says 'going on at chunk [1-9]' recv.err; }

# grown FILE: 16 GiB, mostly holes, so that chance hits one chunk in 64; noise behind 15 GiB, and a CHECKPOINT in it.
grown() {
	truncate -s 16G "$1" &&
		head -c 50000000 /dev/urandom | dd of="$1" bs=1M seek=15860 iflag=fullblock conv=notrunc status=none
}

# In a partition, and in the midst of it.
ext() {
	truncate -s 16G "$1" && echo 'start=2048, size=31457280, type=83' | sfdisk -q "$1" >make.out 2>&1 &&
		"mkfs.$1" -q -F -E offset=1048576 "$1" 15G >>make.out 2>&1 && grown "$1"
}
ext_find() { byte=$((1048576 + 4096 * $(debugfs -R 'bmap <8> 0' "$1?offset=1048576" 2>find.out))); }
for kind in ext4 ext3; do
	ok "$kind is made" ext "$kind"
	ok "its journal is seen to have changed" seen "$kind" ext_find mounted "$kind" 1048576
	rm -f "$kind.before"
done
ok "a disk that has not changed goes on" unchanged ext4
rm -f ext4 ext3

# needs PROGRAM SENTENCE COMMAND...
needs() {
	if command -v "$1" >/dev/null; then
		shift
		ok "$@"
	else
		count=$((count + 1))
		echo "ok $count - $2 # SKIP $1 is not installed"
	fi
}

# So much was written that the head is not in the log's first chunk.
xfs() {
	truncate -s 15G xfs && mkfs.xfs -q xfs >make.out 2>&1 && grown xfs && mount -o loop xfs mnt || return
	python3 -c 'for i in range(30000): open(f"mnt/{i}", "w").close()'
	umount mnt && xfs_find xfs && head=$((byte / 4194304)) && seen xfs xfs_find mounted xfs 0 &&
		[ "$first" != "$((byte / 4194304))" ]
}
xfs_find() {
	# shellcheck disable=SC2046 # words
	set -- "$1" $(xfs_db -r -c 'sb 0' -c 'p logstart agblocks agblklog blocksize' "$1" | sed 's/^.* = //') &&
		start=$((($2 >> $4) * $3 * $5 + ($2 & ((1 << $4) - 1)) * $5)) && first=$((start / 4194304)) &&
		byte=$((start + 512 * ($(xfs_logprint -t "$1" | sed -n 's/^.*head: \([0-9]*\) .*$/\1/p') - 1)))
}
needs xfs_logprint "XFS' log is seen to have changed, where it was written last" xfs
rm -f xfs xfs.before

btr() { truncate -s 15G btrfs && mkfs.btrfs -q btrfs >make.out 2>&1 && grown btrfs && seen btrfs btr_find mounted btrfs 0; }
btr_find() { byte=67108864; }
needs mkfs.btrfs "btrfs' second superblock is seen to have changed" btr
rm -f btrfs btrfs.before

# Whatever mounts it here leaves an empty log alone.
ntfs() { truncate -s 15G ntfs && mkntfs -q -f -F ntfs >make.out 2>&1 && grown ntfs && seen ntfs ntfs_find poked ntfs; }
ntfs_find() {
	cluster=$(ntfsinfo -i 2 -v ntfs | awk '/Runlist:/ { getline; print $2 }') && byte=$((4096 * ${cluster:-0}))
}
needs ntfsinfo "NTFS' log is seen to have changed" ntfs
tap_end

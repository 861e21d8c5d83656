#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# tbsend --used: what makes a file system be sent whole, what is refused, and transfers that go on with another idea of
# what is in use.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317 # the functions are called by ok
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/unit/tools/peers.sh
. "$(dirname "$0")/peers.sh"
cd "${work:?}" || exit 1
PATH=$PATH:/usr/sbin:/sbin
proxy=${here:?}/tests/unit/tools/proxy.py

head -c 200001 /dev/urandom >FILE

# whole IMAGE REASON: all of it is sent, for that reason, and no range is left out.
whole() {
	tbsend --used --plain "$1" >whole.zst 2>send.err && says "all of it is sent, for $2" send.err &&
		tbstream info --json whole.zst >info.json && ! grep -q '"unallocated"' info.json
}
# partly IMAGE: some of it is left out, so that what follows says something.
partly() {
	tbsend --used --plain "$1" >partly.zst 2>send.err && tbstream info --json partly.zst | grep -q '"unallocated"'
}
# flip IMAGE OFFSET [BIT]: one bit is another.
flip() {
	python3 - "$@" <<'END'
import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(int(sys.argv[2]))
    byte = file.read(1)[0]
    file.seek(int(sys.argv[2]))
    file.write(bytes([byte ^ 1 << int((sys.argv[3:] or [0])[0])]))
END
}

ext() {
	head -c 3M /dev/urandom >ext && mke2fs -q -F -E nodiscard -b 1024 "$@" ext &&
		debugfs -w -R 'write FILE FILE' ext >debugfs.out 2>&1 && partly ext
}
super() { debugfs -w -R "$1" ext >debugfs.out 2>&1; }
bitmap() { dumpe2fs ext 2>&1 | sed -n 's/^.*Block bitmap at \([0-9]*\) .*/\1/p' | head -n 1; }
ok "ext4 is left out in part" ext -t ext4
# A block of the map that is free, and so not noticed but by the checksum.
mapped() { flip ext $(($(bitmap) * 1024 + 300)) && whole ext 'the checksum of a map of its blocks is wrong'; }
ok "but not with a map whose checksum is wrong" mapped
described() { ext -t ext4 && flip ext $((2048 + 12)) 3 && whole ext 'the checksum of a group is wrong|it is damaged'; }
ok "nor with a group whose checksum is wrong" described
recover() { ext -t ext4 && super 'feature needs_recovery' && whole ext 'it was not unmounted'; }
ok "nor with a journal that is not empty" recover
unclean() { ext -t ext4 && super 'ssv state 0' && whole ext 'it was not unmounted'; }
ok "nor when it was not unmounted" unclean
errors() { ext -t ext4 && super 'ssv state 3' && whole ext 'it is marked as damaged'; }
ok "nor when it has errors" errors
feature() { ext -t ext2 && flip ext $((1024 + 0x62)) 7 && whole ext 'it has a feature'; }
ok "nor with a feature that nobody knows" feature
counted() {
	ext -t ext2 && flip ext $(($(bitmap) * 1024 + 300)) &&
		whole ext 'a group has another number of free blocks than it says'
}
ok "ext2 without checksums is not, when its numbers do not agree" counted
# The map says that the inode table is free, and the number of free blocks was changed to fit.
tables() {
	ext -t ext2 -N 512 && python3 - "$(bitmap)" <<'END' && whole ext 'its maps contradict its tables'
import struct, sys
with open("ext", "r+b") as file:
    file.seek(2048)
    bitmap, _, table, free = struct.unpack("<IIIH", file.read(14))
    at = bitmap * 1024 + (table + 16 - 1) // 8
    file.seek(at)
    old = file.read(3)
    file.seek(at)
    file.write(bytes(3))
    file.seek(2048 + 12)
    file.write(struct.pack("<H", free + sum(bin(byte).count("1") for byte in old)))
END
}
ok "nor when its tables would be free" tables
short() { ext -t ext4 && truncate -s 2500K ext && whole ext 'it goes on behind the end'; }
ok "nor when it is longer than its place" short

fat() {
	head -c "$1" /dev/urandom >fat && shift && mkfs.vfat "$@" fat >mkfs.out && mcopy -i fat FILE :: && partly fat
}
dirty16() { fat 12M -F 16 -s 1 && flip fat 37 && whole fat 'it was not unmounted'; }
ok "FAT is not that was not unmounted, by its boot sector" dirty16
# The second entry, in both copies: of FAT16 its highest bit, of FAT32 the one below the four that are not its own.
marked() {
	python3 - "$1" "$2" <<'END' && whole fat 'it was not unmounted, or has had errors'
import struct, sys
with open("fat", "r+b") as file:
    boot = file.read(512)
    reserved, = struct.unpack_from("<H", boot, 14)
    length = struct.unpack_from("<H", boot, 22)[0] or struct.unpack_from("<I", boot, 36)[0]
    for fat in 0, 1:
        at = (reserved + fat * length) * 512 + int(sys.argv[1])
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte & ~int(sys.argv[2])]))
END
}
dirty() { fat 12M -F 16 -s 1 && marked 3 128 && fat 36M -F 32 -s 1 && marked 7 8 && fat 36M -F 32 -s 1 && marked 7 4; }
ok "or by its FAT" dirty
differ() { fat 3M -F 12 -R 1 -s 4 && flip fat $((512 + 300)) && whole fat 'its two FATs differ'; }
ok "nor with two FATs that differ" differ
# A file of which the FAT, in both copies, says that it goes on in cluster 4000.
chain() {
	fat 12M -F 16 -s 1 -R 1 && python3 - <<'END' && whole fat 'a file of it goes on in what is free'
import struct
with open("fat", "r+b") as file:
    boot = file.read(512)
    length = struct.unpack_from("<H", boot, 22)[0] * 512
    for fat in 0, 1:
        file.seek(512 + fat * length + 2 * 100)
        file.write(struct.pack("<H", 4000))
END
}
ok "nor with a file that goes on in what is free" chain

exfat() {
	head -c 6M /dev/urandom >exfat && mkfs.exfat -c 4096 exfat >mkfs.out &&
		python3 "$here/tests/unit/tools/exfat.py" put exfat FILE && partly exfat
}
volume() { exfat && flip exfat 106 1 && whole exfat 'it was not unmounted'; }
ok "exFAT is not that was not unmounted" volume
boot() { exfat && flip exfat 300 && whole exfat 'the checksum of its boot region is wrong'; }
ok "nor with another boot region than its checksum" boot
itself() {
	exfat && python3 - <<'END' && whole exfat 'its bitmap contradicts itself|its bitmap contradicts its folders'
import struct
with open("exfat", "r+b") as file:
    boot = file.read(512)
    heap, = struct.unpack_from("<I", boot, 88)
    file.seek(heap << boot[108])
    file.write(b"\0")
END
}
ok "nor when its bitmap would be free" itself

ntfs() {
	head -c 6M /dev/urandom >ntfs && mkntfs -q -Q -F -c 1024 ntfs >mkfs.out 2>&1 && ntfscp -q ntfs FILE FILE && partly ntfs
}
# sleeps HEAD: a file as that of a Windows that sleeps, of which these are the first bytes.
sleeps() {
	ntfs || return 1
	{
		printf %s "$1" && head -c 16384 /dev/zero
	} >memory && ntfscp -q ntfs memory HiberFil.sys
}
hibernated() { sleeps hibr && whole ntfs 'a Windows sleeps in it' && sleeps HIBR && whole ntfs 'a Windows sleeps in it'; }
ok "NTFS is not in which a Windows hibernates" hibernated
awake() { sleeps '' && partly ntfs && sleeps wake && partly ntfs; }
ok "but it is when that has woken up" awake
# volume_flags COPIES: sets the mark of $Volume, in the MFT alone or in the copy of it as well.
volume_flags() {
	python3 - "$@" <<'END'
import struct, sys
with open("ntfs", "r+b") as file:
    boot = file.read(64)
    for start in struct.unpack_from("<QQ", boot, 48)[: int(sys.argv[1])]:
        start = start * 1024 + 3 * 1024
        file.seek(start)
        record = file.read(1024)
        at, = struct.unpack_from("<H", record, 20)
        while record[at] != 0x70:
            at += struct.unpack_from("<I", record, at + 4)[0]
        file.seek(start + at + struct.unpack_from("<H", record, at + 20)[0] + 10)
        file.write(b"\1")
END
}
dirty_volume() { ntfs && volume_flags 2 && whole ntfs 'it is marked as damaged, or was not unmounted'; }
ok "nor with the mark of Windows that something is wrong" dirty_volume
mirror() { ntfs && volume_flags 1 && whole ntfs 'its MFT and the copy of it differ'; }
ok "nor when the copy of its MFT is another" mirror
log() {
	# shellcheck disable=SC2016 # a name
	ntfs && at=$(ntfscluster -q -F '$LogFile' ntfs | awk '/LCN/ { getline; print $2; exit }') &&
		flip ntfs $((at * 1024 + 100000)) && whole ntfs 'its log is damaged'
}
ok "nor when its log is not empty" log
shadows() {
	ntfs && printf 'k\207\010\070v\301HN\267\256\004\004nl\307R' | dd of=ntfs bs=1 seek=7680 conv=notrunc status=none &&
		partly ntfs && flip ntfs $((7680 + 48 + 2)) && whole ntfs 'it has shadow copies'
}
ok "nor with shadow copies, which have what they need in what is free" shadows
shorter() { ntfs && truncate -s 5999K ntfs && whole ntfs 'its boot sector is damaged'; }
ok "nor when it is longer than its place" shorter

swap() { head -c 1M /dev/urandom >swap && mkswap swap >mkfs.out && partly swap; }
asleep() { swap && printf 'S1SUSPEND\0' | dd of=swap bs=1 seek=4086 conv=notrunc status=none && whole swap 'it is not empty swap space'; }
ok "swap is not in which a system hibernates" asleep
# It has the others mounted, and goes on with what it knows of them.
asleep_beside() {
	swap && ext -t ext2 && head -c 7M /dev/urandom >disk &&
		printf 'label: gpt\nstart=2048, size=2048\nstart=4096, size=6144\n' | sfdisk -q disk &&
		dd if=swap of=disk bs=1M seek=1 conv=notrunc status=none &&
		dd if=ext of=disk bs=1M seek=2 conv=notrunc status=none && partly disk &&
		tbstream info --json partly.zst | python3 -c 'import json, sys
assert any(start > 2 << 20 for start, _ in json.load(sys.stdin)["unallocated"])' &&
		printf 'S1SUSPEND\0' | dd of=disk bs=1 seek=$((1048576 + 4086)) conv=notrunc status=none &&
		whole disk 'a system hibernates in a partition of this disk'
}
ok "nor is what else is on its disk" asleep_beside
beyond() { swap && truncate -s 1000K swap && whole swap 'it goes on behind the end'; }
ok "nor when it is longer than its place" beyond

# Two partitions of an MBR that have the same bytes: what is free in one is not in the other.
overlap() {
	swap && head -c 4M /dev/urandom >disk && dd if=swap of=disk bs=512 seek=2048 conv=notrunc status=none &&
		printf 'label: dos\nstart=2048, size=2048\nstart=5120, size=1024\n' | sfdisk -q disk && partly disk &&
		python3 - <<'END' && whole disk 'it overlaps another one'
import struct
with open("disk", "r+b") as disk:
    disk.seek(446 + 16 + 8)
    disk.write(struct.pack("<I", 3000))
END
}
ok "nor is a partition that overlaps another one" overlap
member() {
	swap && head -c 4M /dev/urandom >disk && printf 'label: dos\nstart=2048, size=2048\n' | sfdisk -q disk &&
		dd if=swap of=disk bs=512 seek=2048 conv=notrunc status=none && partly disk &&
		dd if=swap of=disk bs=512 skip=2 seek=2 count=6 conv=notrunc status=none &&
		whole disk 'the whole disk is marked as swap'
}
ok "nor one of a disk that is something as a whole" member

refuses() {
	code "$1" tbsend --used --plain "$3" >refused.zst 2>send.err
	says "$2" send.err
}
ok "an image is refused" refuses 1 'partly.zst is an image, which has what was read' partly.zst
ok "and a stream" sh -c 'tbsend --used --plain - </dev/null 2>err >out; grep -q "nobody knows what standard input holds" err'
ok "and --raw, --rescue" sh -c 'tbsend --used --raw ext 2>err >out; grep -q -e "--raw" err && ! tbsend --used --rescue ext 2>err >out && grep -q -e "--rescue" err'

# 26 chunks of which ext4, in the first 20 MiB, uses some; zeros and random bytes behind.
disk() {
	head -c 24M /dev/urandom >disk && truncate -s 30M disk && head -c 78M /dev/urandom >>disk && cp FILE small &&
		mke2fs -q -F -E nodiscard disk 20M && debugfs -w -R 'write FILE FILE' disk >debugfs.out 2>&1
}
ok "a disk, whose beginning a file system has" disk
# begun SEND-ARGUMENTS: a run whose programs are killed when most has arrived.
begun() {
	rm -f near far image.zst*
	python3 "$proxy" near far hold:80000000 >proxy.out &
	cable=$!
	tbsend -t 20 -s unix:near "$@" disk 2>send.err &
	sender=$!
	tbrecv -t 20 -s unix:far -o image.zst >recv.out 2>recv.err &
	pid=$!
	# shellcheck disable=SC2016 # that shell's
	timeout 20 sh -c 'until [ "$(cat image.zst.part | wc -c)" -gt 70000000 ]; do sleep 0.05; done' 2>part.err
	kill -9 "$pid" "$sender"
	wait_code "$pid"
	kill "$cable"
	[ -e image.zst.part ]
}
went() { [ "$(zstd -q -d -c image.zst | sha256sum)" = "$(zstd -q -d -c "$1" | sha256sum)" ] && tbstream verify -q image.zst; }
both() { tbsend -q --plain --used disk >used.zst && tbsend -q --plain disk >all.zst; }
ok "the images of it, with --used and without" both
ok "a transfer is begun with --used" begun --used
ok "without, it does not go on" refused -o image.zst -- disk
ok "which is said, with the way out" says 'what the receiver has of disk was sent with --used: give it again' send.err
ok "with --used it does" transfer -o image.zst -- --used disk
ok "from where it was" says 'going on at chunk [1-9]' send.err
ok "and becomes the same image" went used.zst
ok "a transfer is begun without" begun
ok "with --used, it does not go on" refused -o image.zst -- --used disk
ok "which is said, too" says 'what the receiver has of disk was sent without --used' send.err
ok "it is begun with --used again, and the map changes" begun --used
changed() {
	debugfs -w -R 'write FILE MORE' disk >debugfs.out 2>&1 && refused -o image.zst -- --used --recheck disk &&
		says 'disk has changed|the file systems of disk use other parts' send.err
}
ok "which is seen" changed

tap_end

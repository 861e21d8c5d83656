#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Restores onto targets of other sizes, and onto what must not be overwritten: other programs judge the partition
# tables. As root also onto block devices (loop).
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317 # the functions are called by ok
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/unit/tools/peers.sh
. "$(dirname "$0")/peers.sh"
PATH=$PATH:/usr/sbin:/sbin
cd "${work:?}" || exit 1

loops=
swap=
trap 'loops_close; tap_clean' EXIT
loops_close() {
	[ -z "$swap" ] || swapoff "$swap"
	for l in $loops; do losetup -d "$l"; done
	loops=
}

# A disk of 96 MiB: two partitions up to 31 MiB, a file system in the second.
mib=1048576
truncate -s 96M disk
printf 'label: gpt\nstart=2048, size=20480, name=one\nsize=40960, name=two\n' | sfdisk -q disk
mkdir files
head -c 3000000 /dev/urandom >files/random
mke2fs -q -t ext4 -L data -d files fs 20M >/dev/null 2>&1
dd if=fs of=disk bs=1M seek=11 conv=notrunc status=none
dd if=files/random of=disk bs=1M seek=1 conv=notrunc status=none
tbsend -q --plain disk >image.zst

# target SIZE: an empty one.
target() {
	rm -f target
	truncate -s "$1" target
}

# sound: sgdisk and sfdisk find nothing wrong with the target's GPT, not even what they would correct.
sound() {
	sgdisk -v "${1:-target}" >check 2>&1 && grep -q 'No problems found' check &&
		! grep -iE 'caution|mismatch|corrupt|invalid' check &&
		sfdisk --verify "${1:-target}" >check 2>&1 && sfdisk -l "${1:-target}" >>check 2>&1 &&
		! grep -iE 'mismatch|corrupt|not on the end|[0-9] error' check && return
	cat check
	return 1
}

# whole: all partitions are there, byte by byte, and the second one's file system is well.
whole() {
	cmp -i "$mib" -n $((30 * mib)) disk "${1:-target}" &&
		[ "$(sfdisk -d disk | grep start=)" = "$(sfdisk -d "${1:-target}" | sed "s,${1:-target}p*,disk," |
			grep start=)" ] &&
		dd if="${1:-target}" of=fs.back bs=1M skip=11 count=20 status=none && e2fsck -fn fs.back
}

unchanged() { [ "$(sha256sum <target)" = "$before" ]; }

target 96M
ok "a disk of the same size" transfer --fit --verify target -- disk
ok "is the same" cmp disk target
ok "the receiver says that it was read back" says 'read back and compared' recv.err

target 160M
ok "a larger one without --fit" transfer target -- disk
ok "has the disk's bytes" cmp -n $((96 * mib)) disk target
ok "the summary says that it is larger, where its backup GPT is, and how to move it" \
	says 'target is larger .*64.0 MiB.*backup of its GPT.*sgdisk -e target' recv.err
misplaced() { sfdisk -l target 2>&1 | grep -q 'not on the end\|MyLBA mismatch\|size mismatch'; }
ok "which others see too" misplaced
ok "the command that it names" sgdisk -e target
ok "makes it right" sound

for size in 160M 98304001 100663808 48M 33554432; do
	target $size
	ok "--fit on $size bytes" transfer --fit --verify target -- disk
	ok "leaves a GPT that nobody complains of" sound
	ok "and all partitions" whole
	target $size
	ok "the same of an image" transfer --fit target -- image.zst
	ok "sound" sound
	target $size
	ok "the same of an image in a file" sh -c 'tbrecv --plain --fit target <image.zst 2>recv.err'
	ok "sound" sound
done
# The last partition, 32 sectors of entries, and the header.
target $((31 * mib + 33 * 512))
ok "--fit on a disk where the last partition just fits" transfer --fit --verify target -- disk
ok "sound" sound
ok "whole" whole

target $((31 * mib + 32 * 512))
ok "a sector less is refused" refused --fit --force target -- disk
ok "in a sentence with the numbers" \
	says 'target holds .*32522240 bytes.*image.* of 96.0 MiB.*last partition ends at 31.0 MiB.*32505856' recv.err
ok "and the sender is told" says 'the receiver refused: target holds' send.err
target 48M
printf 'not empty' | dd of=target bs=1M seek=20 conv=notrunc status=none
before=$(sha256sum <target)
ok "a smaller disk without --fit is refused" refused --force target -- disk
ok "the way out is named" says 'give --fit' recv.err
ok "nothing was written" unchanged
ok "from a pipe, where nothing is known beforehand, too" code 1 \
	sh -c 'cat image.zst | tbrecv --plain --fit --force target 2>recv.err'
ok "nothing was written" unchanged
truncate -s 10M target
before=$(sha256sum <target)
ok "a smaller disk for a file system without partitions is refused" refused --fit --force target -- fs
ok "nothing was written" unchanged

# asked ANSWER transfer|refused ARGUMENTS: the same, but the receiver has a terminal, and somebody at it.
asked() (
	answer=$1
	shift
	tbrecv() { "${here:?}/tests/unit/tools/answer.py" 'Type f' "$answer" tbrecv "$@"; }
	"$@"
)
target 48M
before=$(sha256sum <target)
ok "--ask-fit: a smaller disk without an answer is refused" asked '' refused --ask-fit --force target -- disk
ok "after a question with the numbers" \
	says '96.0 MiB, its last partition ends at 31.0 MiB; target has 48.0 MiB. Type f' recv.out
ok "nothing was written" unchanged
alone() (
	tbrecv() { setsid -w tbrecv "$@" </dev/null; }
	"$@"
)
ok "where nobody can be asked too" alone refused --ask-fit --force target -- disk
ok "with the answer it is as with --fit" asked f transfer --ask-fit --verify target -- disk
ok "sound" sound
ok "whole" whole
target 160M
ok "a larger one with the answer" asked f transfer --ask-fit target -- disk
ok "sound" sound
ok "was asked about too" says '96.0 MiB; target has 160 MiB. Type f' recv.out
target 160M
ok "and without it" asked '' transfer --ask-fit target -- disk
ok "is as without --fit" misplaced
target 96M
ok "one of the same size is not asked about" asked f transfer --ask-fit target -- disk
ok "nor spoken of" says '^tbrecv: target: 96.0 MiB received' recv.out
no_question() { ! grep 'Type f' recv.out; }
ok "in any way" no_question

# Something in the free space, behind what the smaller disk has.
cp --sparse=always disk hidden
printf 'somebody needs this' | dd of=hidden bs=1M seek=60 conv=notrunc status=none
target 48M
ok "data behind the last partition are left out of a disk that has no room for them" \
	transfer --fit --verify target -- hidden
ok "which is said" says 'data at byte 62914560, behind its last partition: .* left out' recv.err
ok "sound" sound
ok "whole" whole
target 64M
ok "a disk that has room for them takes them" transfer --fit target -- hidden
ok "sound" sound
ok "they are there" cmp -i $((60 * mib)) -n 1000 hidden target
printf 'also' | dd of=hidden bs=512 seek=$((64 * 2048 - 10)) conv=notrunc status=none
target 64M
ok "but not where the backup GPT has to go" transfer --fit target -- hidden
ok "which is said too" says 'data at byte 67103744' recv.err
ok "sound" sound

# A table of DOS has no backup.
truncate -s 64M dos
printf 'label: dos\nstart=2048, size=20480, type=83\n' | sfdisk -q dos
dd if=files/random of=dos bs=1M seek=1 conv=notrunc status=none
target 11M
ok "a DOS table on a smaller disk" transfer --fit --verify target -- dos
ok "is right" sfdisk --verify target
ok "byte by byte" cmp -n $((11 * mib)) dos target
target $((11 * mib - 512))
ok "but not on one that cuts a partition" refused --fit target -- dos

# One partition out of an image; they begin at 1 and at 11 MiB, in the middle of chunks.
target 20M
ok "a partition of an image is sent alone" transfer --verify target -- --partition=2 image.zst
ok "it is that partition" cmp target fs
target 12M
ok "another, onto a larger target" transfer target -- --partition 1 image.zst
ok "it is there" cmp -i "$mib:0" -n $((10 * mib)) disk target
ok "a partition becomes an image of its own" transfer -o part.zst -- --partition=2 image.zst
ok "which holds it" sh -c 'zstd -q -d -c part.zst | cmp - fs'
ok "and says so" sh -c 'tail -c 5000 part.zst | grep -aq "\"kind\":\"partition\".*\"contents\":.*\"label\":\"data\""'
ok "with --plain too" sh -c 'tbsend -q --plain --partition=2 image.zst | tbrecv -q --plain -d | cmp - fs'
target 19M
before=$(sha256sum <target)
ok "a target that is too small for it is refused" refused --fit target -- --partition=2 image.zst
ok "nothing was written" unchanged
ok "a partition that is not there is refused" code 1 sh -c 'tbsend -s unix:none --partition=3 image.zst 2>send.err'
ok "in a sentence with those that are" says 'no partition 3: it has 1, 2$' send.err
ok "a partition of a disk is its own source" code 1 sh -c 'tbsend -s unix:none --partition=2 disk 2>send.err'
ok "in a sentence" says 'partition is for an image' send.err
ok "a number that is none is wrong usage" code 2 tbsend --partition=0 image.zst
cp image.zst bad.zst
printf x | dd of=bad.zst bs=1 seek=$(($(stat -c %s bad.zst) - 2000)) conv=notrunc status=none
target 20M
ok "an image that is damaged behind the partition is not taken for right" \
	code 1 sh -c 'tbsend -q --plain --partition=1 bad.zst 2>send.err >bad.out'
ok "in a sentence" says 'bad.zst cannot be sent' send.err

# Damage that shows only at the end of an image: what was written by then is right, and is no disk.
cp image.zst bad.zst
printf x | dd of=bad.zst bs=1 seek=$(($(stat -c %s bad.zst) - 40)) conv=notrunc status=none
target 96M
ok "a damaged trailer is seen, from a pipe after the fact" code 1 \
	sh -c 'cat bad.zst | tbrecv --plain target 2>recv.err'
ok "in a sentence" says 'the image cannot be used: its (seek table|trailer) is damaged' recv.err
ok "and the target is said to be incomplete" says 'target is not complete' recv.err
no_disk() { ! sfdisk -d target && [ "$(head -c 4194304 target | tr -d '\0' | wc -c)" = 0 ]; }
ok "which it is: nothing takes it for a disk" no_disk
target 96M
before=$(sha256sum <target)
ok "from a file it is seen before" code 1 sh -c 'tbrecv --plain target <bad.zst 2>recv.err'
ok "in a sentence" says 'the image cannot be used: its (seek table|trailer)' recv.err
ok "nothing was written" unchanged
ok "a sender does not even begin" code 1 sh -c 'tbsend -s unix:none bad.zst 2>send.err'
ok "in a sentence" says 'bad.zst cannot be sent: its (seek table|trailer)' send.err
rm target

ok "--fit is for a target" code 2 tbrecv --fit -o x.zst
ok "--ask-fit too" code 2 tbrecv --ask-fit -o x.zst
ok "--verify too" code 2 tbrecv --verify -s unix:none
ok "--discard too" code 2 tbrecv -d --discard
cp image.zst own.zst
before=$(sha256sum <own.zst)
ok "an image is not restored onto itself" code 1 sh -c 'tbrecv --plain --force own.zst <own.zst 2>recv.err'
ok "in a sentence" says 'own.zst holds the image' recv.err
ok "it is unchanged" test "$(sha256sum <own.zst)" = "$before"

# loop FILE: a block device over it in $loop; false where there can be none.
loop() {
	loop=$(losetup -P -f --show "$1" 2>/dev/null) || return 1
	loops="$loops $loop"
}

target 160M
if ! loop target; then
	ok "block devices # SKIP no loop devices here" true
	tap_end
fi
ok "onto a larger block device" transfer --fit --verify --discard "$loop" -- image.zst
ok "sound" sound "$loop"
ok "whole" whole "$loop"

# What is on a disk in use stays: its hash before and after.
device_refused() {
	before=$(sha256sum <"$loop")
	refused --force "$1" -- -t 1 image.zst && says "$2" recv.err && [ "$(sha256sum <"$loop")" = "$before" ]
}

# Here the peer is there already, and is told.
device_unconfirmed() {
	before=$(sha256sum <"$loop")
	refused --confirm=1234 "$loop" -- image.zst && says 'cannot be confirmed by a serial number' recv.err &&
		says 'the receiver refused: .*cannot be confirmed' send.err && [ "$(sha256sum <"$loop")" = "$before" ]
}
mounted_refused() {
	mkdir -p mnt && mount -o ro,noload "${loop}p2" mnt || return
	device_refused "$loop" 'in use \(mounted read-only on .*mnt\)'
	r=$?
	umount mnt
	return "$r"
}
ok "a disk without a serial number is not confirmed by one" device_unconfirmed
# The kernel need not know the table itself.
[ -b "${loop}p2" ] || addpart "$loop" 2 22528 40960 2>/dev/null
if [ -b "${loop}p2" ]; then
	ok "a disk with a mounted partition is refused" mounted_refused
else
	ok "a disk with a mounted partition is refused # SKIP no partitions of loop devices here" true
fi
[ -b "${loop}p1" ] || addpart "$loop" 1 2048 20480 2>/dev/null
if mkswap "${loop}p1" >swap.out 2>&1 && swapon "${loop}p1" 2>>swap.out; then
	swap=${loop}p1
	ok "a disk with swap in use on it is refused" device_refused "$loop" 'in use \(swap\)'
	swapoff "$swap" && swap=
else
	ok "a disk with swap in use on it is refused # SKIP no swap here" true
fi
dm=tbstream-test-$$
held_refused() {
	device_refused "$loop" 'in use \(held by dm-'
	r=$?
	dmsetup remove "$dm"
	return "$r"
}
if dmsetup create "$dm" --table "0 2048 linear $loop 2048" 2>dm.err; then
	ok "a disk with a mapped device on it is refused" held_refused
else
	ok "a disk with a mapped device on it is refused # SKIP no device mapper here" true
fi
if [ -b "${loop}p2" ]; then
	ok "a partition goes onto a partition" transfer --force --verify "${loop}p2" -- --partition=2 image.zst
	ok "it is there" cmp fs "${loop}p2"
	delpart "$loop" 2 2>/dev/null
fi
# shellcheck disable=SC2094 # that is what is tried
own_refused() {
	dd if=image.zst of="$loop" conv=notrunc status=none
	before=$(sha256sum <"$loop")
	code 1 tbrecv --plain --force "$loop" <"$loop" 2>recv.err && says 'holds the image' recv.err &&
		[ "$(sha256sum <"$loop")" = "$before" ]
}
ok "the disk that the image is read from is refused" own_refused

# answer TEXT: runs tbrecv on a terminal of its own and types TEXT at the question.
cat >answer.py <<'PYTHON'
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("sh", ["sh", "-c", sys.argv[2]])
said = b""
asked = False
try:
    while True:
        said += os.read(terminal, 4096)
        if not asked and b"To go on, type " in said and said.endswith(b": "):
            asked = True
            os.write(terminal, sys.argv[1].encode() + b"\n")
except OSError:
    pass
print(said.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PYTHON
asked() {
	before=$(sha256sum <"$loop")
	code 1 python3 answer.py yes "tbrecv --plain $loop < image.zst" >said &&
		says "^$loop \(160 MiB\) holds " said && says 'overwritten with disk \(96.0 MiB\)' said &&
		says "its size in bytes, $((160 * mib))" said && says 'left as it is' said &&
		[ "$(sha256sum <"$loop")" = "$before" ]
}
answered() {
	code 0 python3 answer.py $((160 * mib)) "tbrecv --plain --fit $loop < image.zst" >said && sound "$loop"
}
ok "before a disk is overwritten its size is asked for, where it has no serial number: yes will not do" asked
ok "the size will" answered
tap_end

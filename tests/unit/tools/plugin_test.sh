#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# nbdkit's plugin for images, and the mounts of `tbstream mount` that stand on it: what they show is what was
# imaged. [MEMORY_GIB=64]
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2016,SC2317 # nbdkit and sh expand; the functions are called by ok
. "$(dirname "$0")/tap.sh"
cd "${work:?}" || exit 1
plugin=${here:?}/build/nbdkit-tbimage-plugin.so

for need in nbdkit nbdcopy nbdinfo nbdfuse qemu-img sgdisk mkfs.vfat mke2fs debugfs; do
	command -v "$need" >/dev/null || {
		echo "1..0 # SKIP $need is not installed"
		exit 0
	}
done
[ -e "$plugin" ] || {
	echo "1..0 # SKIP $plugin is not there: \`make plugin\`"
	exit 0
}

# skip_or REASON SENTENCE COMMAND...: as ok, but skipped where there is a reason.
skip_or() {
	if [ -n "$1" ]; then
		count=$((count + 1))
		echo "ok $count - $2 # SKIP $1"
	else
		shift
		ok "$@"
	fi
}

# served IMAGE SCRIPT: what the script, which finds the address in $uri, says of the image.
served() {
	nbdkit -U - "$plugin" "$1" --run "$2"
}

# A disk with two file systems, whose files are known.
mkdir files
head -c 9000000 /dev/urandom >files/random
cp -r "$here/tools" files/tools
truncate -s 160M disk
sgdisk -o -n 1:2048:+32M -t 1:ef00 -c 1:EFI -n 2:0:+100M -c 2:root disk >sgdisk.out
mkfs.vfat -n EFI --offset 2048 disk 32768 >fat.out 2>&1
mke2fs -q -t ext4 -L root -d files -E offset=34603008 disk 100M 2>ext.out
tbsend -q --plain disk >disk.zst
sum=$(sha256sum <disk)

same() {
	[ "$(served disk.zst 'nbdcopy "$uri" - | sha256sum')" = "$sum" ] &&
		[ "$(served disk.zst 'nbdcopy --no-extents "$uri" - | sha256sum')" = "$sum" ]
}
ok "the whole disk is what it was, with and without a look at its zeros" same
ok "so is a stream, whose length only its end tells" sh -c "tbsend -q --plain - <files/random >stream.zst &&
	nbdkit -U - $plugin stream.zst --run 'nbdcopy \"\$uri\" - | cmp - files/random'"
ok "qemu-img finds no difference" \
	served disk.zst 'qemu-img compare -f raw -F raw disk "$uri"'
ok "the smallest cache serves the same" \
	sh -c "nbdkit -U - $plugin disk.zst cache=0 --run 'nbdcopy \"\$uri\" - | cmp - disk'"

# Zeros are told as such, and nothing else is: every such range is looked at in the disk.
zeros() {
	served disk.zst 'nbdinfo --map "$uri"' >map
	grep -q zero map && grep -q data map || return 1
	end=0
	while read -r from length _ kind; do
		[ "$from" = "$end" ] || return 1
		end=$((from + length))
		[ "$kind" = data ] || cmp -n "$length" "$(realpath disk)" /dev/zero -i "$from:0" || return 1
	done <map
	[ "$end" = "$(stat -c %s disk)" ]
}
ok "what it calls zeros are zeros, and its map has no gaps" zeros
ok "it is read-only, and may be used over several connections" \
	served disk.zst 'nbdinfo "$uri" >info && grep -q "is_read_only: true" info && grep -q "multi_conn: true" info'

# Readers at the same time, each at its own places: within a chunk, and where two meet.
cat >reader.py <<'END'
import os
import random
import subprocess
import sys

disk = open("disk", "rb")
size = os.path.getsize("disk")
places = random.Random(int(sys.argv[1]))
name = "part." + sys.argv[1]
for i in range(12):
    length = places.choice((512, 4096, 65536, 1 << 20))
    meet = (places.randrange(39) + 1) * (4 << 20) - length // 2
    at = places.choice((places.randrange(size - length), meet)) // 512 * 512
    options = "driver=raw,offset=%d,size=%d,file.driver=nbd,file.path=sock" % (at, length)
    subprocess.run(["qemu-img", "convert", "-O", "raw", "--image-opts", options, name], check=True)
    disk.seek(at)
    if open(name, "rb").read() != disk.read(length):
        sys.exit("bytes %d to %d differ" % (at, at + length - 1))
END

# start IMAGE [PARAMETER...]: a server at ./sock, its process in $server, its words in server.err.
start() {
	rm -f sock pid
	nbdkit -f -U "$work/sock" -P "$work/pid" "$plugin" "$@" 2>server.err &
	server=$!
	timeout 20 sh -c 'until [ -s pid ]; do sleep 0.02; done'
}
stop() {
	kill "$server"
	wait "$server"
}
uri="nbd+unix:///?socket=$work/sock"

# part OFFSET LENGTH FILE: bytes of what the server at ./sock serves.
part() {
	qemu-img convert -O raw --image-opts "driver=raw,offset=$1,size=$2,file.driver=nbd,file.path=sock" "$3"
}

readers() {
	readers=
	for seed in 1 2 3 4; do
		python3 reader.py "$seed" &
		readers="$readers $!"
	done
	for reader in $readers; do
		wait "$reader" || return 1
	done
}
start disk.zst cache=8M
ok "readers at the same time, through a cache of two chunks, see the disk" readers
stop

# One bit of chunk 12, which is in partition 2 and holds random bytes.
cat >spoil.py <<'END'
import subprocess, sys

data = bytearray(open("disk.zst", "rb").read())
at, chunk = 0, 0
while True:  # frame by frame: a block's header tells where the next one stands
    magic = int.from_bytes(data[at:at + 4], "little")
    if magic & 0xfffffff0 == 0x184d2a50:
        at += 8 + int.from_bytes(data[at + 4:at + 8], "little")
        continue
    descriptor = data[at + 4]
    head = at + 5 + (0 if descriptor & 32 else 1) + (1, 2, 4, 8)[descriptor >> 6]
    if descriptor >> 6 == 0 and not descriptor & 32:
        head -= 1
    while True:
        block = int.from_bytes(data[head:head + 3], "little")
        head += 3 + (1 if block >> 1 & 3 == 1 else block >> 3)
        if block & 1:
            break
    end = head + 4
    if chunk == int(sys.argv[1]):
        data[(at + end) // 2] ^= 1
        break
    at, chunk = end, chunk + 1
open("bad.zst", "wb").write(data)
END
python3 spoil.py 12

bad_chunk() {
	! served bad.zst 'nbdcopy "$uri" - >bad.out' 2>bad.err || return 1
	! served bad.zst 'qemu-io -r -f raw -c "read 48M 4M" "$uri"' >bad.read 2>bad.err
}
spared() {
	start bad.zst
	part 0 $((12 << 22)) before && part $((13 << 22)) $((27 << 22)) behind
	r=$?
	stop
	[ "$r" = 0 ] && cmp -n $((12 << 22)) before disk && cmp -i "0:$((13 << 22))" behind disk
}
ok "a damaged chunk is an error" bad_chunk
ok "in a sentence that names it, its place and the way out" \
	says 'bad.zst: chunk 12 \(device bytes 50331648 to 54525951, in partition 2, ext4 "root"\).*damaged.*tbstream verify' bad.err
ok "the chunks before and behind it are there" spared

# refused IMAGE: not served; what it says goes to refused.err.
refused() {
	! nbdkit -U - "$plugin" "$1" --run true 2>refused.err
}
size=$(stat -c %s disk.zst)
head -c "$((size / 2))" disk.zst >cut.zst
ok "an image that is not complete is refused" refused cut.zst
ok "in a sentence with the way out" says 'cut.zst is not served: it is not complete; `tbstream verify' refused.err
ok "and nothing more" test "$(wc -l <refused.err)" = 1
{
	head -c "$((size - 200))" disk.zst
	printf x
	tail -c 199 disk.zst
} >spoilt.zst
ok "one whose trailer is damaged is refused" refused spoilt.zst
ok "in a sentence with the way out" says 'spoilt.zst is not served: .*`tbstream verify' refused.err
ok "a raw disk is refused" refused disk
ok "by its name" says 'disk is not served: it is no image' refused.err
ok "a pipe is refused" refused /dev/null
ok "an image that does not exist is refused" refused none.zst
ok "no image is refused" sh -c "! nbdkit -U - $plugin --run true 2>refused.err"
ok "with an example" says 'nbdkit tbimage laptop.zst' refused.err
ok "an unknown parameter is refused" sh -c "! nbdkit -U - $plugin disk.zst disc=x --run true"
: >empty
tbsend -q --plain empty >empty.zst
ok "a device of no bytes is served" served empty.zst '[ "$(nbdinfo --size "$uri")" = 0 ]'

# The server's own memory at its highest, in KiB, while a large disk, mostly holes, is read.
head -c 60000000 /dev/urandom >random
truncate -s "${MEMORY_GIB:-4}G" large
dd if=random of=large bs=1M seek=3000 conv=notrunc status=none
tbsend -q --plain large >large.zst
memory() {
	start large.zst
	nbdinfo --map --totals "$uri" >totals && nbdcopy "$uri" null: &&
		part $((745 << 22)) $((30 << 22)) part
	r=$?
	high=$(sed -n 's/^VmHWM:[[:blank:]]*\([0-9]*\) kB/\1/p' "/proc/$server/status")
	stop
	echo "exit code $r, $high KiB"
	[ "$r" = 0 ] && [ "$high" -gt 1000 ] && [ "$high" -lt 65536 ] &&
		cmp -n $((30 << 22)) -i "0:$((745 << 22))" part large
}
ok "a server of ${MEMORY_GIB:-4} GiB takes less than 64 MiB of memory" memory
rm -f large large.zst part random

# Where there is no FUSE nothing of the following can be seen.
mkdir fuse mnt
nbdfuse_works() {
	nbdfuse -r -P fuse.pid fuse [ nbdkit --exit-with-parent "$plugin" disk.zst ] 2>fuse.err &
	timeout 20 sh -c 'until [ -s fuse.pid ] || ! kill -0 "$1" 2>/dev/null; do sleep 0.05; done' - $!
	[ -s fuse.pid ]
}
fuse_end() {
	if [ "$(id -u)" = 0 ]; then umount "$1"; else fusermount3 -u "$1"; fi
}
without=
nbdfuse_works || without="FUSE does not work here: $(head -n 1 fuse.err)"
in_file() {
	debugfs -R "cat /random" "fuse/nbd?offset=34603008" 2>debugfs.err | cmp - files/random
}
skip_or "$without" "debugfs reads a file of partition 2 through nbdfuse" in_file
[ -n "$without" ] || fuse_end fuse

# `tbstream mount` calls nbdkit, which looks for its plugin where it was installed: here is another.
mkdir bin
cat >bin/nbdkit <<END
#!/bin/sh
for argument in "\$@"; do
	shift
	[ "\$argument" = tbimage ] && argument=$plugin
	set -- "\$@" "\$argument"
done
[ ! -e "$work/dawdle" ] || [ "\$1" = --dump-plugin ] || sleep 10
exec $(command -v nbdkit) "\$@"
END
chmod +x bin/nbdkit
PATH=$work/bin:$PATH
export XDG_RUNTIME_DIR="$work"
[ "$(id -u)" = 0 ] && runs=/run/tbstream || runs=$work/tbstream

# A user needs fuse2fs; root needs a loop device, and kernel and machine need to allow its mount.
if [ -z "$without" ] && [ "$(id -u)" != 0 ]; then
	command -v fuse2fs >/dev/null || without="fuse2fs is not installed"
elif [ -z "$without" ]; then
	truncate -s 4M probe
	mke2fs -q probe
	mount -o ro,loop probe mnt 2>probe.err || without="loop devices cannot be mounted here: $(head -n 1 probe.err)"
	[ -n "$without" ] || umount mnt
fi

gone() {
	! pgrep -f "file=$work/disk.zst" >pids && [ -z "$(ls -A mnt)" ] || return 1
	[ ! -d "$runs" ] || ! find "$runs" -lname "$work/mnt" | grep .
}
mounted() { tbstream mount "$@" 2>mount.err; }
files_same() {
	cmp mnt/random files/random && diff -r mnt/tools files/tools && [ "$(tbstream info disk.zst | grep -c ext4)" = 1 ]
}
readonly_mount() { ! touch mnt/x 2>touch.err; }
interrupted() {
	: >dawdle
	tbstream mount --partition=2 disk.zst mnt 2>mount.err &
	mounting=$!
	timeout 20 sh -c 'until find "$1" -name log 2>/dev/null | grep -q .; do sleep 0.05; done' - "$runs"
	kill "$mounting"
	wait "$mounting"
	code=$?
	rm dawdle
	[ "$code" = 1 ] && grep -q interrupted mount.err
}
server_killed() {
	mounted --partition=2 disk.zst mnt || return 1
	kill -9 "$(cat "$runs"/mount-*/pid)"
	tbstream umount mnt
}
busy() {
	mounted --partition=2 disk.zst mnt || return 1
	exec 8<mnt/random
	tbstream umount mnt 2>umount.err
	r=$?
	exec 8<&-
	[ "$r" = 1 ] && cmp mnt/random files/random && tbstream umount mnt
}
damaged() {
	mounted --partition=2 bad.zst mnt || return 1
	cat mnt/* >/dev/null 2>&1
	tbstream umount mnt 2>umount.err
}

ok "several partitions: the mount is refused" code 1 mounted disk.zst mnt
ok "with a list of them" says '2 +100 MiB +ext4 +root' mount.err
ok "a partition that is not there is refused" code 1 mounted --partition=3 disk.zst mnt
ok "an image that is not complete is refused" code 1 mounted cut.zst mnt
ok "in a sentence with the way out" says 'cut.zst cannot be mounted: .*tbstream verify' mount.err
ok "a folder that does not exist is refused" code 1 mounted --partition=2 disk.zst nowhere
ok "umount of what was never mounted is refused" code 1 tbstream umount mnt
skip_or "$without" "a partition is mounted" mounted --partition=2 disk.zst mnt
skip_or "$without" "its files are the ones that were imaged" files_same
skip_or "$without" "nothing can be written" readonly_mount
skip_or "$without" "a second mount there is refused" code 1 mounted --partition=2 disk.zst mnt
skip_or "$without" "umount ends it" tbstream umount mnt
skip_or "$without" "and leaves nothing" gone
skip_or "$without" "umount of what is in use is refused, and works later" busy
skip_or "$without" "and leaves nothing" gone
skip_or "$without" "a mount whose server was killed is undone" server_killed
skip_or "$without" "and leaves nothing" gone
skip_or "$without" "umount tells of the damage that was met" damaged
skip_or "$without" "in the server's sentence" says 'while it was mounted: .*chunk 12 .*damaged' umount.err
skip_or "$without" "a mount that is interrupted fails" interrupted
skip_or "$without" "and leaves nothing" gone
tap_end

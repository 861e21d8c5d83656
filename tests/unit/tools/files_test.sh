#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# tbstream ls and cp: files out of images of disks with ext4, FAT and NTFS, without root.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317 # the functions are called by ok
. "$(dirname "$0")/tap.sh"
cd "${work:?}" || exit 1
PATH=$PATH:/usr/sbin:/sbin

# The files: many, deep, long, large over the borders of chunks, with holes, with any names.
make_tree() {
	mkdir -p tree/etc tree/many tree/home/eva tree/empty
	echo 'root:x:0:0' >tree/etc/passwd
	chmod 4750 tree/etc/passwd
	touch -d '2001-02-03 04:05:06 UTC' tree/etc/passwd
	ln -s ../../etc/passwd tree/home/eva/link
	ln -s /home/eva tree/me
	ln -s loop tree/loop
	for i in $(seq 2000); do echo "$i" >"tree/many/file$i"; done
	deep=tree/deep
	for i in $(seq 60); do deep=$deep/$i; done
	mkdir -p "$deep"
	echo deep >"$deep/file"
	head -c 9437185 /dev/urandom >tree/home/eva/big
	truncate -s 300M tree/home/eva/sparse
	echo end | dd of=tree/home/eva/sparse bs=1 seek=220000000 conv=notrunc status=none
	echo colour >"$(printf 'tree/home/eva/\033[31m\001')"
	echo latin >"$(printf 'tree/home/eva/caf\351')"
	echo unicode >"tree/home/eva/naïve€😀"
	echo colon >tree/home/eva/a:b:c
	echo long >"tree/home/eva/$(printf 'n%.0s' $(seq 255))"
	chmod 0500 tree/empty
}

# A GPT disk: ext4, FAT, an empty partition, and where mkntfs is, NTFS.
make_disk() {
	truncate -s 224M disk
	printf 'label: gpt\nstart=2048,size=262144\nsize=65536\nsize=8192\nsize=81920\n' |
		sfdisk -q --no-reread disk
	mke2fs -q -F -t ext4 -L root -d tree -E offset=1048576 disk 128M
	truncate -s 32M fat
	mkfs.vfat -n EFI fat
	mcopy -m -s -i fat tree/etc tree/home/eva/big ::
	mcopy -m -i fat tree/etc/passwd '::A long name, ÄÖ.text'
	dd if=fat of=disk bs=1M seek=129 conv=notrunc status=none
	printf XFSB | dd of=disk bs=1M seek=161 conv=notrunc status=none
	truncate -s 40M ntfs
	if command -v mkntfs; then
		mkntfs -q -F -f ntfs
		ntfscp -q ntfs tree/home/eva/big big
		ntfscp -q ntfs tree/etc/passwd Pässword
		dd if=ntfs of=disk bs=1M seek=165 conv=notrunc status=none
	fi
	tbsend -q --plain disk >image.zst
}

LC_ALL=C.UTF-8
export LC_ALL
make_tree || exit 1
make_disk >make.log 2>&1 || {
	cat make.log >&2
	exit 1
}
cp image.zst 'with:a:colon.zst'

# What mke2fs adds, and what it writes down in whole seconds.
same_tree() {
	rmdir "$1/lost+found" 2>/dev/null
	diff -r --no-dereference tree "$1"
}
tidy() {
	chmod -R u+w "$@" 2>/dev/null
	rm -rf "$@"
}
facts() { (cd "$1" && stat -c '%n %a %u:%g %Y' etc etc/passwd home/eva/big empty); }

ok "ls without a part lists the partitions" sh -c 'tbstream ls image.zst >ls.out'
ok "with what they hold" says '^ +1 +128 MiB +ext4 +root$' ls.out
ok "ls shows a folder" sh -c 'tbstream ls image.zst:1: >ls.out && grep -qx etc/ ls.out'
ok "ls -l shows all of it" sh -c 'tbstream ls -l image.zst:1:/etc >ls.out'
ok "sizes, permissions, times" says '^ *11  -rwsr-x---  [0-9]+:[0-9]+ +2001-02-03 .* +passwd$' ls.out
ok "ls -R lists all that is there" sh -c 'tbstream ls -R image.zst:1: >ls.out'
ok "to the deepest file" says '^/deep/1/2/3/.*/60:$' ls.out
ok "names do nothing to a terminal" sh -c \
	'tbstream ls -lR image.zst:1: | LC_ALL=C tr -d "\n\040-\176\200-\377" | cmp - /dev/null'
ok "--json has every name, byte for byte" python3 - <<'PY'
import json, os, subprocess
lines = subprocess.check_output(["tbstream", "ls", "-R", "--json", "image.zst:1:/home"])
names = set()
for line in lines.splitlines():
    line.decode("ascii")
    entry = json.loads(line)
    name = bytes.fromhex(entry["path_hex"]) if "path_hex" in entry else entry["path"].encode()
    names.add(name)
wanted = {b"/home/eva"} | {b"/home/eva/" + n for n in os.listdir(b"tree/home/eva")}
assert names == wanted, names ^ wanted
PY
ok "a place that is not there is refused" code 1 sh -c 'tbstream ls image.zst:1:/nowhere 2>err'
ok "in a sentence" says '/nowhere cannot be listed: there is no such file' err
ok "symlinks in circles are refused" code 1 sh -c 'tbstream ls image.zst:1:/loop/x 2>err'
ok "in a sentence too" says 'circles' err

ok "cp copies a file" tbstream cp -q image.zst:1:/home/eva/big big
ok "all of it" cmp big tree/home/eva/big
ok "an existing file is refused" code 1 sh -c 'tbstream cp image.zst:1:/etc/passwd big 2>err'
ok "in a sentence that names the way out" says 'big exists; --force' err
ok "it is as it was" cmp big tree/home/eva/big
ok "--force replaces it" tbstream cp -q --force image.zst:1:/etc/passwd big
ok "by the other one" cmp big tree/etc/passwd
ok "into a folder, by way of a symlink" sh -c \
	'mkdir into && tbstream cp -q image.zst:1:/me/link into && cmp into/link tree/etc/passwd'
ok "to standard output" sh -c 'tbstream cp -q image.zst:1:/home/eva/big - | cmp - tree/home/eva/big'
ok "a name with colons, in an image with some" sh -c \
	'tbstream cp -q with:a:colon.zst:1:/home/eva/a:b:c - | cmp - tree/home/eva/a:b:c'
latin=$(printf 'caf\351')
ok "a name that is not UTF-8" tbstream cp -q "image.zst:1:/home/eva/$latin" latin
ok "is found by its bytes" grep -qx latin latin
ok "a folder without -r is refused" code 1 sh -c 'tbstream cp image.zst:1:/etc into 2>err'
ok "in a sentence that names -r" says 'is a folder: -r' err
ok "cp -r copies everything" tbstream cp -q -r image.zst:1:/ out
ok "as it was" same_tree out
facts tree >tree.facts
facts out >out.facts
ok "with permissions, owners and times" cmp tree.facts out.facts
ok "a hole is a hole" test "$(stat -c %b out/home/eva/sparse)" -lt 100
ok "nothing else is left" sh -c '! find . -name ".tbstream*" | grep .'
ok "cp -r again is refused" code 1 sh -c 'tbstream cp -r image.zst:1:/etc out 2>err'
ok "with --force it is not" tbstream cp -q -r --force image.zst:1:/etc out
ok "and it is the same" same_tree out
tidy out

mkfifo pipe
sh -c 'head -c 1; sleep 5' <pipe >/dev/null &
ok "a signal ends it" code 1 timeout --preserve-status 1 \
	sh -c 'exec tbstream cp image.zst:1:/home/eva/big - >pipe 2>err'
ok "in a word" says 'interrupted' err

ok "FAT is read" tbstream cp -q -r image.zst:2: fat.out
mkdir fat.wanted
mcopy -m -s -i fat :: fat.wanted
ok "as mtools reads it" diff -r fat.wanted fat.out
ok "its names are found in any case" sh -c 'tbstream cp -q image.zst:2:/ETC/PASSWD - | cmp - tree/etc/passwd'
if ! command -v mkntfs >/dev/null; then
	ok "NTFS is read # SKIP mkntfs is not installed" true
elif tbstream ls image.zst:4: >/dev/null 2>err; then
	ok "NTFS is read" sh -c 'tbstream cp -q image.zst:4:/big - | cmp - tree/home/eva/big'
	ok "its names are Unicode" sh -c 'tbstream cp -q image.zst:4:/Pässword - | cmp - tree/etc/passwd'
else
	ok "NTFS, which this program was built without, is refused by its name" says 'holds NTFS.*tbstream mount' err
fi
ok "XFS is refused" code 1 sh -c 'tbstream ls image.zst:3: 2>err'
ok "by its name, with the way out" says 'holds XFS.*tbstream mount' err
ok "so is a partition that is not there" code 1 sh -c 'tbstream ls image.zst:9: 2>err'
ok "with the way out" says 'no partition 9: .tbstream ls image.zst' err
ok "and what is no partition" code 2 sh -c 'tbstream ls image.zst:root:/ 2>err'
ok "a full disk is the kernel's word" code 1 sh -c 'tbstream cp image.zst:1:/home/eva/big /dev/full 2>err'

# damage.py IMAGE COPY FIRST LAST [SPARED...]: flips a bit in the frames of these chunks.
cat >damage.py <<'PY'
import sys
from struct import unpack_from
image, copy = sys.argv[1:3]
first, last, *spared = map(int, sys.argv[3:])
data = bytearray(open(image, "rb").read())
frames = unpack_from("<I", data, len(data) - 9)[0]
at = len(data) - 9 - 8 * frames
place = chunk = 0
for i in range(frames):
    stored, content = unpack_from("<II", data, at + 8 * i)
    if content:
        if first <= chunk <= last and chunk not in spared:
            data[place + stored // 2] ^= 1
        chunk += 1
    place += stored
open(copy, "wb").write(data)
PY
chunk_of() {
	block=$(debugfs -R "bmap $1 $2" 'disk?offset=1048576' 2>/dev/null)
	echo $(((1048576 + block * $3) / 4194304))
}
size=$(dumpe2fs -h 'disk?offset=1048576' 2>/dev/null | sed -n 's/^Block size: *//p')
big=$(chunk_of /home/eva/big 4200 "$size")
python3 damage.py image.zst other.zst "$big" "$big"
ok "a file beside the damage is copied" sh -c \
	'tbstream cp -q other.zst:1:/etc/passwd - | cmp - tree/etc/passwd'
ok "one with the damage in it is refused" code 1 sh -c 'tbstream cp other.zst:1:/home/eva/big bad 2>err'
ok "by the chunk's number" says "/home/eva/big is not copied: chunk $big .* is damaged" err
ok "nothing is left under its name" test ! -e bad
ok "cp -r copies the others, and ends with 1" code 1 sh -c 'tbstream cp -q -r other.zst:1:/ out 2>err'
others() { [ ! -e out/home/eva/big ] && [ "$(same_tree out)" = "Only in tree/home/eva: big" ]; }
ok "all of them" others
python3 damage.py image.zst all.zst 1 999 "$(chunk_of / 0 "$size")" "$(chunk_of /etc 0 "$size")" \
	"$(chunk_of /etc/passwd 0 "$size")"
ok "a small file needs only the chunks of its inode, its folders and its bytes" sh -c \
	'tbstream cp -q all.zst:1:/etc/passwd - | cmp - tree/etc/passwd'
head -c 20000000 image.zst >cut.zst
ok "an image that is not complete is refused" code 1 sh -c 'tbstream ls cut.zst 2>err'
ok "in a sentence that says so" says 'cut.zst is not complete' err

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	mkdir nobody && chown 65534 nobody && chmod 755 . && chmod 644 image.zst
	cp "${here:?}/build/tbstream" tbstream && chmod 755 tbstream
	ok "nobody needs to be root" setpriv --reuid 65534 --regid 65534 --clear-groups \
		./tbstream cp -q -r image.zst:1:/ nobody/out
	ok "to get all of it" same_tree nobody/out
	ok "without the bits that lend rights" test "$(stat -c %a:%u nobody/out/etc/passwd)" = 750:65534
	tidy nobody
else
	ok "nobody needs to be root # SKIP this is not run by root" true
fi
tidy out tree
tap_end

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# tbstream verify and tbstream info: images that are whole, cut, damaged, another's or hostile; files and
# pipes; how much memory they take; and the other programs that read our images. Every byte and every bit
# of a small image are tried by tests/unit/io/verify_test.c and tests/unit/tools/source_test.c.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317,SC2016 # the functions are called by ok, and sh -c expands its own
. "$(dirname "$0")/tap.sh"
parts=${here:?}/tests/unit/tools/image_parts.py
golden=$here/tests/golden
cd "${work:?}" || exit 1

# verified IMAGE..., wrong IMAGE...: what verify says goes to verify.err.
verified() { code 0 tbstream verify "$@" 2>verify.err; }
wrong() { code 1 tbstream verify "$@" 2>verify.err; }
piped() { code "$1" sh -c 'tbstream verify - 2>verify.err' <"$2"; }
bad_both() { wrong "$1" && cp verify.err file.err && piped 1 "$1"; }
# damaged CHUNK FILE: image.zst with a bit of that chunk's frame flipped.
damaged() {
	cp image.zst "$2"
	"$parts" flip "$2" "$(($("$parts" chunk image.zst "$1" | cut -d' ' -f1) + 20))"
}

# A disk of ten chunks: an ext4 in chunks 2 to 5, of which 4 and 5 hold data that does not compress.
truncate -s 40M disk
printf '%s\n' 'label: gpt' 'start=2048, size=8192, type=U, name="EFI System"' \
	'start=16384, size=32768, type=L, name="a name"' | /sbin/sfdisk -q disk
/sbin/mkfs.ext4 -q -F -L rescue -E offset=8388608 disk 16M
head -c 8000000 /dev/urandom | dd of=disk bs=4M seek=4 conv=notrunc status=none
tbsend -q --plain disk >image.zst

over_socket() {
	tbrecv -q -t 20 -s unix:sock -o socket.zst &
	tbsend -q -t 20 -s unix:sock disk && wait "$!"
}
ok "an image that tbsend --plain made is whole" verified image.zst
ok "in a sentence with its chunks, size and root" \
	says 'image.zst: verified: 10 chunks, 40.0 MiB of the device, .* Root [0-9a-f]{32}$' verify.err
ok "from a pipe, too" piped 0 image.zst
ok "which is called standard input" says 'standard input: verified: 10 chunks' verify.err
ok "an image comes over a socket" over_socket
ok "and is whole" verified socket.zst
ok "by one thread and by sixty-four" sh -c 'tbstream verify -q -T 1 image.zst && tbstream verify -q -T 64 image.zst'
ok "no threads are wrong usage" code 2 tbstream verify -T 0 image.zst
ok "no image is wrong usage" code 2 tbstream verify
ok "--quiet says nothing" sh -c '[ -z "$(tbstream verify -q image.zst 2>&1)" ]'

damaged 4 flipped.zst
ok "a flipped bit is found in a file and in a pipe" bad_both flipped.zst
ok "the file's chunk is named with its place and its partition" says \
	'flipped.zst: chunk 4 \(device bytes 16777216 to 20971519, in partition 2, ext4 "rescue"\) is damaged$' file.err
ok "the pipe's with its place, and how far it was right" says 'chunk 4 \(device byte 16777216\) is damaged' verify.err
damaged 0 flipped.zst
ok "a chunk that a partition only begins in is said to be in it" \
	sh -c 'tbstream verify flipped.zst 2>&1 | grep -q "chunk 0 (device bytes 0 to 4194303, in partition 1, .*EFI System"'
damaged 9 flipped.zst
ok "a chunk behind them is outside all partitions" \
	sh -c 'tbstream verify flipped.zst 2>&1 | grep -q "chunk 9 (.*, outside all partitions) is damaged"'
cp image.zst swapped.zst
"$parts" swap swapped.zst 4 5
ok "frames that have changed places are found" bad_both swapped.zst
ok "and named" says 'chunk 4 \(.*\) is chunk 5.s: frames have changed places' file.err
cp image.zst trailer.zst
"$parts" flip trailer.zst "$(($("$parts" frame image.zst 13 | cut -d' ' -f1) + 30))"
ok "a damaged trailer is found" bad_both trailer.zst
{
	cat image.zst
	echo
} >behind.zst
ok "so is a byte behind the end" bad_both behind.zst

# Some of the lengths that a file can be cut to; the unit tests try them all.
every_cut() {
	size=$(stat -c %s small.zst)
	for cut in $(seq 0 23 "$((size - 1))") "$((size - 1))"; do
		head -c "$cut" small.zst >cut.zst
		wrong cut.zst && piped 1 cut.zst && code 1 tbstream info cut.zst >info.out 2>&1 || return 1
	done
}
head -c 5000 /dev/urandom >small
tbsend -q --plain small >small.zst
ok "a small image is whole" verified small.zst
ok "and never again when it is cut" every_cut
head -c "$(stat -c %s image.zst | awk '{print $1 - 1}')" image.zst >cut.zst
ok "an image without its last byte is not complete" wrong cut.zst
ok "which it says, and that all of its chunks are right" says 'cut.zst: .*not complete; all of its chunks are right' verify.err
head -c 5000000 image.zst >cut.zst
ok "an image that ends in a chunk is not complete" wrong cut.zst
ok "which it says with the place" says 'cut.zst: it ends at byte 5000000 in the midst of chunk 5' verify.err
ok "no word of resuming, which does not exist yet" sh -c '! grep -q resume verify.err'

zstd -q -c disk >plain.zst
gzip -c small >small.gz
: >empty
# foreign FILE PATTERN: verify and info both say what it is, if anything is known.
foreign() {
	wrong "$1" && says "$2" verify.err && piped 1 "$1" && says "$2" verify.err &&
		code 1 tbstream info "$1" 2>info.err && says "$1 cannot be shown: .*$2" info.err
}
ok "a file of zstd's that is no image" foreign plain.zst 'compressed by zstd, but it is no image of tbstream'
ok "tbsend does not take it for a disk" code 1 sh -c 'tbsend --plain plain.zst 2>send.err >/dev/null'
ok "and says what to do" says 'plain.zst cannot be sent: .*no image of tbstream.*decompress it, or .*--raw' send.err
ok "a file of gzip's" foreign small.gz 'no image, but a file that gzip compressed'
ok "a raw disk" foreign disk 'no image, but a raw disk with a GPT'
ok "an empty file" foreign empty 'no image: it is empty'
ok "a folder is not verified" wrong .
ok "nor shown, in a sentence" sh -c 'tbstream info . 2>&1 | grep -q "\. is a folder: name an image in it"'
ok "a file that is not there" wrong no-such.zst
ok "in a sentence" says 'no-such.zst: it cannot be opened for reading: No such file' verify.err
ok "nor does info show it" code 1 tbstream info no-such.zst
ok "info of a pipe is refused" sh -c 'cat image.zst | tbstream info /dev/stdin 2>&1 | grep -q "no regular file.*copy it to a file"'
from_fifo() {
	mkfifo fifo
	sh -c 'exec cat image.zst >fifo' &
	verified fifo
}
ok "a FIFO is verified" from_fifo
silent_fifo() {
	timeout -k 20 -s INT --preserve-status 2 tbstream verify fifo 2>verify.err
	[ "$?" = 1 ]
}
ok "a signal ends the wait for one that nobody writes" silent_fifo
ok "which says so" says 'interrupted: fifo is not verified' verify.err
ok "info does not wait for it" code 1 timeout 20 tbstream info fifo
ok "info of two images is wrong usage" code 2 tbstream info image.zst socket.zst
if [ "$(id -u)" = 0 ]; then
	ok "a file that may not be read # SKIP root may read everything" true
else
	install -m 0 small.zst unreadable.zst
	ok "a file that may not be read" wrong unreadable.zst
fi

damaged 5 flipped.zst
several() { code 1 tbstream verify "$@" image.zst flipped.zst empty socket.zst >verify.out 2>verify.err; }
ok "several images of which two are bad" several
ok "the good ones are verified all the same" says 'socket.zst: verified' verify.err
ok "the bad ones are named" says 'flipped.zst: chunk 5 .* damaged' verify.err
json_lines() {
	several --json || return 1
	python3 - <<-'EOF'
		import json
		lines = [json.loads(line) for line in open("verify.out")]
		assert [line["image"] for line in lines] == ["image.zst", "flipped.zst", "empty", "socket.zst"]
		assert [line["result"] for line in lines] == ["verified", "damaged", "foreign", "verified"]
		assert lines[0]["size"] == 40 << 20 and lines[0]["chunks"] == 10
		assert len(lines[0]["root"]) == 32 and lines[0]["root"] == lines[3]["root"]
		assert "chunk 5" in lines[1]["message"] and "root" not in lines[1]
	EOF
}
ok "--json is an object a line" json_lines

tbstream info image.zst >info.out
ok "info shows that it is complete" says '^Image: +image.zst, complete$' info.out
ok "its source" says '^Source: +disk, file$' info.out
ok "its size, and the file's" says '^Size: +40.0 MiB \(41943040 bytes\)$' info.out
ok "the ratio" says '^File: .*, ratio [0-9]+\.[0-9]{2}$' info.out
ok "its chunks" says '^Chunks: +10 of 4.0 MiB, in 1[0-9] frames$' info.out
ok "its root" says '^Root: +[0-9a-f]{32}$' info.out
ok "its times" says '^Finished: +20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{8} UTC$' info.out
ok "its partition table" says '^Partitions: +gpt, ' info.out
ok "its partitions, with used share, file system, label, name and UUID" \
	says '^   2  +8388608  16.0 MiB  +[0-9]+%  ext4   rescue  a name +[0-9a-f-]{36} ' info.out
json_info() {
	tbstream info --json image.zst >info.json && python3 - <<-'EOF'
		import json
		info = json.load(open("info.json"))
		assert info["complete"] is True and info["image"] == "image.zst" and info["ratio"] > 1
		assert info["size"] == 40 << 20 and info["chunks"] == 10 and info["format"] == 1
		part = info["table"]["partitions"][1]
		assert part["start"] == 8 << 20 and part["fs"]["type"] == "ext4", part
		assert part["fs"]["size"] == 16 << 20 and 0 < part["fs"]["used"] < 16 << 20, part
	EOF
}
ok "--json is the manifest" json_info
ok "info of an image that is not complete fails" code 1 sh -c 'tbstream info cut.zst >info.out 2>info.err'
ok "says so first" says '^Image: +cut.zst, NOT COMPLETE$' info.out
ok "and what HEAD knows" says '^Size: +40.0 MiB' info.out
ok "and the way on" says 'cut.zst is not complete; .tbstream verify cut.zst. tells how far it is right' info.err
json_cut() {
	tbstream info --json cut.zst >info.json
	python3 -c 'import json; i = json.load(open("info.json")); assert i["complete"] is False and i["size"] == 40 << 20'
}
ok "its --json says so, too" json_cut

# The golden image, by a script that shares nothing with the programs.
golden_info() {
	tbstream info -v "$golden/image.zst" >info.out
	for line in '^Source: .*Golden Disk, serial number GD-0001' '^Host: +laptop, Example Über 9000' \
		'^Created: +2026-01-01 00:00:00 UTC' '^Resumed: +2026-01-01 00:00:05 UTC' \
		'^Finished: +2026-01-01 00:00:12 UTC' '^Size: .*25084 bytes.*sectors of 512, physically 4096' \
		'^Chunks: +7 of 4.0 KiB, in 13 frames' '^Root: +e85692217356aec61b9d8f133784fad6' \
		'^Unallocated: +1 range, 4.0 KiB \(4096 bytes\)' '^ +bytes 20480 to 24575' \
		'^Unreadable: +512 bytes in 1 range: 512 bytes outside all partitions$' '^ +bytes 19968 to 20479' \
		'^ +1 +8192 +8.0 KiB +ext4 +root +root '; do
		says "$line" info.out || return 1
	done
}
golden_restored() {
	tbrecv -q --plain -d <"$golden/image.zst" | cmp - "$golden/device.raw" || return 1
	truncate -s 25084 target
	# What its disk could not read is missing: 3.
	tbsend -q --plain "$golden/image.zst" | code 3 tbrecv -q --plain --force target &&
		cmp target "$golden/device.raw"
}
ok "the golden image is whole" verified "$golden/image.zst"
ok "from a pipe, too" piped 0 "$golden/image.zst"
ok "info shows what docs/image-format.md says of it" golden_info
ok "it is restored, from a pipe and from a file" golden_restored
golden_stream() {
	stream=$golden/stream.zst
	verified "$stream" && piped 0 "$stream" || return 1
	tbstream info --json "$stream" >info.out && says '^  "size": 25084' info.out || return 1
	tbrecv -q --plain -d <"$stream" | cmp - "$golden/device.raw" || return 1
	sh -c 'cat "$1" | tbrecv -q --plain -d' sh "$stream" | cmp - "$golden/device.raw" || return 1
	zstd -q -d -c "$stream" | cmp - "$golden/device.raw"
}
ok "the golden stream, whose HEAD does not know its size, is whole, and what it was" golden_stream

# hostile: the path in an image is made of escapes for control characters, all sums right.
hostile() {
	: >AAAAAABBBBBBCCCCCCDDDDDDEEEEEE
	tbsend -q --plain AAAAAABBBBBBCCCCCCDDDDDDEEEEEE >hostile.zst
	# shellcheck disable=SC1003 # backslashes of JSON
	"$parts" text hostile.zst AAAAAABBBBBBCCCCCCDDDDDDEEEEEE '\u001b\u007f\u009b\u0007\u000d'
	verified hostile.zst
	head -c "$(($(stat -c %s hostile.zst) - 1))" hostile.zst >hostile-cut.zst
}
ok "an image whose manifest holds control characters is whole" hostile
for image in hostile.zst hostile-cut.zst; do
	ok "$image: none of them reaches the terminal" sh -c 'tbstream info "$1" 2>&1 | "$2" clean' - "$image" "$parts"
	ok "$image: nor by --json" sh -c 'tbstream info --json "$1" 2>&1 | "$2" clean' - "$image" "$parts"
done
tbstream info --json hostile.zst >info.json
ok "--json has them all the same, escaped" says 'u001[bB].u007f.u009[bB].u0007' info.json

# below KIB COMMAND...: it succeeds, and never has more memory than that.
below() {
	most=$1
	shift
	used=$("$parts" most "$@" 2>most.err) || {
		cat most.err
		return 1
	}
	echo "$used KiB"
	[ "$used" -le "$most" ]
}
truncate -s 64G sparse
ok "a sparse file of 64 GiB makes an image" sh -c 'tbsend -q --plain sparse >sparse.zst'
ok "of less than 8 MB" sh -c '[ "$(stat -c %s sparse.zst)" -lt 8000000 ]'
ok "info of it takes less than 64 MB" below 65536 tbstream info sparse.zst
ok "so does verify" below 65536 tbstream verify -q sparse.zst
ok "by the eight threads that a large machine has, too" below 65536 tbstream verify -q -T 8 sparse.zst

# Other programs that read what we write.
sum=$(sha256sum <disk)
reads() { [ "$("$@" | sha256sum)" = "$sum" ]; }
# reader NAME COMMAND...: if NAME is installed.
reader() {
	name=$1
	shift
	if command -v "$name" >command.out; then
		ok "$name reads an image" reads "$@"
	else
		ok "$name reads an image # SKIP $name is not installed" true
	fi
}
ok "zstd -t accepts an image" zstd -q -t image.zst
ok "zstd -l lists its frames" sh -c 'zstd -q -l image.zst | grep -q "image.zst"'
reader zstd zstd -q -d -c image.zst
reader pzstd pzstd -q -d -c image.zst
reader bsdcat bsdcat image.zst
if 7zz i 2>&1 | grep -qiw zst; then
	reader 7zz 7zz e -so image.zst
else
	ok "7zz reads an image # SKIP 7zz is not installed, or knows no zstd" true
fi

tap_end

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Dying disks: nbdkit serves a disk whose bad sectors a mapfile of ddrescue lists, nbdfuse shows it as a file.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317 # the functions are called by ok
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/unit/tools/peers.sh
. "$(dirname "$0")/peers.sh"
cd "${work:?}" || exit 1

for need in gcc nbdkit nbdfuse fusermount3 sgdisk mke2fs ddrescue ddrescuelog; do
	command -v "$need" >/dev/null || {
		echo "1..0 # SKIP $need is not installed"
		exit 0
	}
done

# serve NAME MAP [DISK]: the disk as NAME/disk, of which what MAP does not call finished cannot be read.
serve() {
	mkdir "$1"
	nbdfuse -r -P "$1.pid" "$1/disk" [ nbdkit --exit-with-parent --filter=ddrescue file "${3:-disk}" \
		"ddrescue-mapfile=$2" ] 2>"$1.err" &
	timeout 20 sh -c "until [ -e $1/disk ]; do sleep 0.05; done"
}
clean() {
	for mount in bad blank healed doomed sick longer; do
		fusermount3 -u -z "$mount" 2>/dev/null
	done
	tap_clean
}
trap 'clean' EXIT

# A partition from 1 MiB on, one from 9 MiB on, 24 MiB in all and an odd end.
head -c 25165824 /dev/urandom >disk
sgdisk -Z disk >sgdisk.out 2>&1
sgdisk -o -n 1:2048:+8M -c 1:first -n 2:18432:+8M -c 2:second disk >sgdisk.out
mke2fs -q -F -t ext4 -L data -E offset=9437184 disk 8M 2>ext.out
# A sector in the first partition, two next to each other in the second, and half a megabyte behind both.
cat >bad.map <<'MAP'
0 + 1
0 2097152 +
2097152 512 -
2097664 10485248 +
12582912 1024 -
12583936 5241856 +
17825792 524288 -
18350080 6815744 +
MAP
zero() { dd if=/dev/zero of=wanted bs=512 seek="$1" count="$2" conv=notrunc 2>dd.err; }
cp disk wanted
zero 4096 1
zero 24576 2
zero 34816 1024

serve bad bad.map
[ -e bad/disk ] || {
	echo "1..0 # SKIP FUSE does not work here: $(head -n 1 bad.err)"
	exit 0
}

as_wanted() { zstd -q -d -c "$1" | cmp - wanted; }
partial() {
	transfer "$@" >/dev/null
	ended 3 3
}

ok "without --rescue a read error ends it" code 1 sh -c 'tbsend --plain bad/disk >x.zst 2>send.err'
ok "with the sector, and the way out" says 'cannot be read at byte 2097152: .*--rescue' send.err
ok "the receiver is told, too" refused -o y.zst -- bad/disk
ok "in the same words" says 'cannot be read at byte 2097152' recv.err
ok "--raw says where as well" code 1 sh -c 'tbsend --raw bad/disk >x.raw 2>send.err'
ok "it does" says 'cannot be read at byte 2097152' send.err

# Four MiB of zeros and as much data before what is bad: all three kinds of chunk come.
{ head -c 4194304 /dev/zero && head -c 8388608 disk; } >blanked
printf '0 ? 1\n0 8388608 +\n8388608 512 -\n8389120 4193792 +\n' >blank.map
serve blank blank.map blanked
ok "behind zeros and data it is told as well" refused -o y.zst -- blank/disk
ok "at once" says 'cannot be read at byte 8388608: .*--rescue' send.err
ok "to both" says 'cannot be read at byte 8388608' recv.err

ok "--rescue goes on, and both end with 3" partial -o image.zst -- --rescue --mapfile=map bad/disk
ok "nothing but what is bad is missing" as_wanted image.zst
for err in send.err recv.err; do
	ok "how much, and where, is said in $err" says \
		'514 KiB in 3 ranges: 512 bytes in partition 1, 1.0 KiB in partition 2, ext4 "data", 512 KiB outside' $err
done
ok "the sender says that the receiver has the rest" says 'verified and synced, but for' send.err
ok "verify is content" sh -c 'tbstream verify image.zst 2>verify.err'
ok "and says it" says 'could not read 514 KiB in 3 ranges: 512 bytes in partition 1' verify.err
ok "of a pipe as well" sh -c 'tbstream verify --json - <image.zst | grep -q "\"unreadable\":525824"'
tbstream info -v image.zst >info.out
ok "info says where" says '^Unreadable: .*1.0 KiB in partition 2, ext4 "data"' info.out
ok "and with -v each range" says '^ +bytes 12582912 to 12583935, in partition 2, ext4 "data"' info.out
ok "--json has the ranges" sh -c \
	'tbstream info --json image.zst | tr -d " \n" | grep -q "\[\[2097152,512\],\[12582912,1024\],\[17825792,524288\]\]"'

ok "--plain does the same" code 3 sh -c 'tbsend --plain --rescue bad/disk >plain.zst 2>send.err'
ok "with the same bytes" as_wanted plain.zst
ok "a pipe is not called synced" code 3 sh -c 'tbsend --rescue --retries=0 --plain bad/disk | cat >plain.zst; exit 3'
ok "the same bytes, without a retry" as_wanted plain.zst

truncate -s 25165824 target
ok "a restore of it ends with 3 on both sides" partial --force target -- image.zst
ok "it says before that something is missing" says 'not complete: its disk could not read.*will be zeros' recv.err
ok "the target is what was read" cmp target wanted
ok "as an image it goes on telling" partial -o copy.zst -- image.zst
ok "all of it" sh -c 'tbstream verify copy.zst 2>&1 | grep -q "514 KiB in 3 ranges"'
ok "a restore from a file ends with 3" code 3 sh -c 'tbrecv --force --plain target <image.zst'

ok "ddrescuelog reads the mapfile" sh -c 'ddrescuelog -t map >log.out && grep -q "bad-sector: *525824 B, *in *3 area" log.out'
ok "which is finished" says '^0x[0-9A-F]+ +\+ +1$' map
carried_on() {
	zstd -q -d -c image.zst >carried && cp map carried.map &&
		ddrescue -q -r1 disk carried carried.map && cmp carried disk && ddrescuelog -D carried.map
}
ok "ddrescue carries on with it" carried_on

# What ddrescue has marked is left for the retries: nothing but them reads it.
printf '0 ? 1\n0 25165824 +\n' >good.map
serve healed good.map
ok "what the mapfile calls bad is not read at first" code 3 sh -c \
	'cp map left && tbsend --plain --rescue --retries=0 --mapfile=left healed/disk >left.zst 2>send.err'
ok "all of that is missing, and no more" as_wanted left.zst
ok "a retry reads it" code 0 sh -c \
	'tbsend --plain --rescue --mapfile=left healed/disk >left.zst 2>send.err'
ok "and then nothing is missing" sh -c 'zstd -q -d -c left.zst | cmp - disk'
ok "as its mapfile says" ddrescuelog -D left

ok "what is no mapfile is refused" code 1 sh -c \
	'echo no map >none && tbsend --plain --rescue --mapfile=none bad/disk >x.zst 2>send.err'
ok "by its line" says 'no mapfile of GNU ddrescue: line 1' send.err
ok "and left alone" test "$(cat none)" = "no map"
ok "one of a larger disk is refused" code 1 sh -c \
	'printf "0 ? 1\n0 25165825 ?\n" >large && tbsend --plain --rescue --mapfile=large bad/disk >x.zst 2>send.err'
ok "as that" says 'mapfile of a larger disk' send.err
ok "one that cannot be written is refused" code 1 sh -c \
	'tbsend --plain --rescue --mapfile=nowhere/map bad/disk >x.zst 2>send.err'
ok "before anything is sent" test ! -s x.zst
ok "an image is not rescued" code 1 sh -c 'tbsend --plain --rescue image.zst >x.zst 2>send.err'
ok "--retries without --rescue is wrong usage" code 2 tbsend --retries=2 --plain disk
ok "--mapfile without --rescue is wrong usage" code 2 tbsend --mapfile=x --plain disk
ok "--rescue with --raw is wrong usage" code 2 tbsend --rescue --raw disk
ok "--rescue of standard input is wrong usage" code 2 sh -c 'tbsend --plain --rescue - <disk >x.zst 2>send.err'
ok "with a reason" says 'what standard input did not give cannot be read again' send.err
ok "--mapfile with two disks is wrong usage" code 2 tbsend --rescue --mapfile=x disk image.zst

# Sectors that heal: a file for each, named by its offset, says how often it still fails when it is read alone.
mkdir sectors
cat >dying.c <<'C'
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>
#define THREAD_MODEL NBDKIT_THREAD_MODEL_SERIALIZE_ALL_REQUESTS
static const char *const sectors[] = {"51200", "5242880", "13631488"};
static int fd;
static int dying_get_ready(void)
{
	return fd = open("disk", O_RDONLY);
}
static void *dying_open(int readonly)
{
	return NBDKIT_HANDLE_NOT_NEEDED;
}
static int64_t dying_get_size(void *handle)
{
	return lseek(fd, 0, SEEK_END);
}
/* Whether the sector SAYS still fails; read alone it comes nearer to its healing. */
static int fails(const char *says, int alone)
{
	char path[64];
	int left = 0;
	FILE *file;
	snprintf(path, sizeof(path), "sectors/%s", says);
	file = fopen(path, "r+");
	if (!file || fscanf(file, "%d", &left) != 1 || left == 0)
		return file ? fclose(file) : 0;
	rewind(file);
	if (alone && left > 0)
		fprintf(file, "%-9d", left - 1);
	fclose(file);
	if (alone && access("sectors/slow", F_OK) == 0)
		usleep(50000);
	return 1;
}
static int dying_pread(void *handle, void *buf, uint32_t count, uint64_t offset, uint32_t flags)
{
	for (int i = 0; i < 3; i++) {
		uint64_t at = strtoull(sectors[i], NULL, 10);
		if (at < offset || at >= offset + count || !fails(sectors[i], count <= 512))
			continue;
		nbdkit_set_error(EIO);
		return -1;
	}
	return pread(fd, buf, count, offset) == count ? 0 : -1;
}
static struct nbdkit_plugin plugin = {
	.name = "dying",
	.get_ready = dying_get_ready,
	.open = dying_open,
	.get_size = dying_get_size,
	.pread = dying_pread,
};
NBDKIT_REGISTER_PLUGIN(plugin)
C
mkdir sick
nbdfuse -r -P sick.pid sick/disk [ nbdkit --exit-with-parent cc dying.c ] 2>sick.err &
timeout 20 sh -c "until [ -e sick/disk ]; do sleep 0.05; done"
# sectors CHUNK0 CHUNK1 CHUNK3: how often one in each of these still fails; -1: for ever.
sectors() {
	echo "$1" >sectors/51200
	echo "$2" >sectors/5242880
	echo "$3" >sectors/13631488
}
heals() {
	transfer "$@"
}
frames() { tbstream info --json "$1" | sed -nE 's/^ *"frames": ([0-9]+),/\1/p'; }

cp disk wanted
zero 26624 1
sectors 1 1 -1
ok "what heals is filled in, and what does not is missing" partial -o filled.zst -- --rescue --mapfile=sick.map sick/disk
ok "nothing else is" as_wanted filled.zst
ok "it is a whole image" tbstream verify -q filled.zst
ok "from the front as well" sh -c 'tbstream verify -q - <filled.zst'
ok "of which two chunks have slots" test "$(frames filled.zst)" = "$(($(frames plain.zst) + 2))"
ok "zstd finds it right" zstd -q -t filled.zst
ok "the mapfile says the same" sh -c 'ddrescuelog -t sick.map | grep -q "bad-sector: *512 B, *in *1 area"'
cp disk wanted
sectors 1 1 1
ok "where all of it heals both end with 0" heals -o filled.zst --force -- --rescue sick/disk
ok "all of it is there" as_wanted filled.zst
ok "and nothing is said to be missing" sh -c '! tbstream verify filled.zst 2>&1 | grep -q "could not read"'
sectors 1 1 1
ok "--plain into a file goes back, too" code 0 sh -c 'tbsend --plain --rescue sick/disk >filled.zst 2>send.err'
ok "with the same bytes" as_wanted filled.zst
ok "in slots" test "$(frames filled.zst)" = "$(($(frames plain.zst) + 2))"
sectors 1 1 1
ok "into a pipe it cannot" sh -c 'tbsend --plain --rescue sick/disk 2>send.err | cat >filled.zst'
ok "and says so" says 'retried at once' send.err
ok "but the bytes are the same" as_wanted filled.zst
ok "without slots" test "$(frames filled.zst)" = "$(frames plain.zst)"
sectors 1 1 1
ok "a target is filled in as well" heals --force --verify target -- --rescue sick/disk
ok "and is the disk" cmp target disk
sectors 1 1 1
ok "so is an image in a folder" heals -o images/ -- --rescue sick/disk
ok "it is right" sh -c 'zstd -q -d -c images/*.zst | cmp - disk'

# Streams that break, and programs that die, while it is at it. The disk has a CHECKPOINT in its midst now.
truncate -s 75497472 disk
mkdir longer
nbdfuse -r -P longer.pid longer/disk [ nbdkit --exit-with-parent cc dying.c ] 2>longer.err &
timeout 20 sh -c "until [ -e longer/disk ]; do sleep 0.05; done"

# broken FAULT... -- ARGUMENTS: over a cable that fails so, into broken.zst; what took effect is all of it.
broken() {
	: >faults
	while [ "$1" != -- ]; do
		echo "$1" >>faults
		shift
	done
	shift
	rm -f near far broken.zst
	# shellcheck disable=SC2046 # words
	python3 "$here/tests/unit/tools/proxy.py" near far $(cat faults) >proxy.out &
	cable=$!
	tbrecv -t 20 -s unix:far -o broken.zst 2>recv.err &
	pid=$!
	against unix:near "$@"
	kill "$cable" 2>/dev/null
	diff faults proxy.out
}
cp disk wanted
mended() {
	broken "$@" && ended 0 0 && as_wanted broken.zst && tbstream verify -q broken.zst
}
sectors 1 1 1
ok "a stream that breaks before all is sent" mended cut:15000000 -- --rescue longer/disk
sectors 1 1 1
ok "and while a chunk comes again, twice" mended cut:15000000 cut:9000000 cut:3000000 -- --rescue longer/disk
zero 26624 1
sectors 1 1 -1
listed() {
	ended 3 3 && as_wanted broken.zst && says "512 bytes in 1 range" recv.err && says "512 bytes in 1 range" send.err
}
broken cut:15000000 cut:9000000 -- --rescue longer/disk
ok "and no more, after two breaks" listed

mv broken.zst lacking.zst

# An image that lacks something is sent, its sender dies, and one that has all of the disk goes on.
another_sender() {
	sectors 0 0 0
	rm -f near far
	python3 "$here/tests/unit/tools/proxy.py" near far hold:9000000 >proxy.out &
	cable=$!
	tbrecv -t 20 -s unix:far -o broken.zst 2>recv.err &
	pid=$!
	tbsend -t 20 -s unix:near lacking.zst 2>send.err &
	sender=$!
	timeout 20 sh -c "until [ -s proxy.out ]; do sleep 0.02; done"
	kill -9 "$sender"
	wait_code "$sender"
	against unix:near longer/disk
	kill "$cable" 2>/dev/null
	ended 0 0 && cmp proxy.out - <<-END
		hold:9000000
	END
}
ok "another sender that has all goes on with an image that lacks something" another_sender
ok "which is not said to lack it any more" sh -c '! tbstream verify broken.zst 2>&1 | grep -q "could not read"'

# begun: a transfer whose sender tries bad sectors for long now. The programs are $receiver and $sender.
begun() {
	rm -f sock broken.zst broken.zst.part send.err
	touch sectors/slow
	tbrecv -t 20 -s unix:sock -o broken.zst 2>recv.err &
	receiver=$!
	tbsend -t 20 -s unix:sock --rescue --retries=100 longer/disk 2>send.err &
	sender=$!
	timeout 20 sh -c "until grep -q 'tried once more now' send.err; do sleep 0.02; done"
	# All is there, with a CHECKPOINT near the end: the last chunks are zeros.
	timeout 20 sh -c "until [ \"\$(stat -c %s broken.zst.part)\" -gt 18000000 ] &&
		tail -c 1500 broken.zst.part | grep -aq TBSI; do sleep 0.02; done"
}
# over: both programs' codes.
over() {
	wait_code "$receiver"
	recv=$?
	wait_code "$sender"
	send=$?
}
# receiver_dies CHUNK1 CHUNK3 COMMAND...: the command runs before another one goes on.
receiver_dies() {
	sectors 0 "$1" "$2"
	begun || return
	kill -9 "$receiver"
	wait_code "$receiver"
	shift 2
	"$@" || return
	rm -f sock sectors/slow
	tbrecv -t 20 -s unix:sock -o broken.zst 2>recv.err &
	receiver=$!
	over
}
cp disk wanted
healed() { ended 0 0 && as_wanted broken.zst && tbstream verify -q broken.zst; }
receiver_dies 3 30 :
ok "a receiver that dies goes on, and all is filled in that heals" healed
ok "behind the CHECKPOINT" says 'going on at chunk 16 of 18' recv.err
receiver_dies 3 30 python3 "$here/tests/unit/tools/tear.py" broken.zst.part 4300000 100000
ok "so does one that dies while it writes over what was there" healed
ok "of which nothing is lost" says 'going on at chunk 16 of 18' recv.err

# sender_dies CHUNK1 CHUNK3 ARGUMENTS: another one goes on, before which the sectors are so.
sender_dies() {
	sectors 0 0 -1
	begun || return
	kill -9 "$sender"
	wait_code "$sender"
	rm -f sectors/slow
	sectors 0 "$1" "$2"
	shift 2
	tbsend -t 20 -s unix:sock "$@" longer/disk 2>send.err &
	sender=$!
	over
}
sender_dies 0 0 --rescue
ok "what could not be read for a sender that died another one reads" healed
sender_dies 0 -1 --rescue --retries=0
partly() {
	ended 3 3 && says "4.0 MiB in 1 range" recv.err && tbstream verify -q broken.zst
}
ok "or counts all of the chunk as missing" partly
left_alone() {
	zstd -q -d -c broken.zst >got && cmp -n 13631488 got disk && cmp -i 16777216 got disk
}
ok "but leaves what is there" left_alone
sender_dies 0 0 --recheck
ok "without --rescue too" partly
ok "and its sender says so" says 'but for what could not be read: 4.0 MiB' send.err

# A disk that is no more is no bad sector: it ends at once, and the mapfile knows how far it came.
disappears() {
	serve doomed good.map
	mkfifo fifo
	tbsend --plain --rescue --mapfile=doomed.map doomed/disk >fifo 2>send.err &
	pid=$!
	exec 9<fifo
	head -c 1000000 <&9 >/dev/null
	kill -9 "$(cat doomed.pid)"
	cat <&9 >/dev/null
	exec 9<&-
	code 1 wait_code "$pid"
}
ok "a disk that disappears ends the run" disappears
ok "and is not called a bad sector" says 'cannot be read at byte [0-9]+: .*no bad sector' send.err
ok "the mapfile has what was read" sh -c 'ddrescuelog -t doomed.map | grep -q "rescued: *[1-9]"'

tap_end

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Transfers between tbsend and tbrecv on this machine, over sockets and pipes.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317 # the functions are called by ok
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/unit/tools/peers.sh
. "$(dirname "$0")/peers.sh"
cd "${work:?}" || exit 1

{
	head -c 9000000 /dev/urandom
	head -c 30000000 /dev/zero
	cat "${here:?}"/build/tbstream
	head -c 20000001 /dev/zero
} >disk
sum=$(sha256sum <disk)
same() { [ "$(sha256sum <"$1")" = "$sum" ]; }
decoded() { [ "$(zstd -q -d -c <"$1" | sha256sum)" = "$sum" ]; }

ok "a file goes over a socket into an image on standard output" transfer -- disk
cp recv.out image.zst
ok "zstd -t accepts the image" zstd -q -t image.zst
ok "zstd -d gives the file back" decoded image.zst
ok "the sender says that the receiver has verified and synced it" says 'verified and synced' send.err
ok "the receiver says it too" says 'verified and synced' recv.err

ok "an image goes into a file by -o" transfer -o kept.zst -- disk
ok "it is the whole of it" decoded kept.zst
ok "its part file is gone" test ! -e kept.zst.part
ok "an existing output is refused" refused -o kept.zst -- -t 1 disk
ok "in a sentence that names the way out" says 'kept.zst exists and may be whole.*.tbstream verify kept.zst. tells.*--force' recv.err
ok "--force overwrites it" transfer --force -o kept.zst -- disk

echo "not ours" >begun.zst.part
ok "a file that stands where an image would grow is refused" refused -o begun.zst -- disk
ok "in a sentence that names the way out" says 'begun.zst.part is there, but it is no image.*--restart' recv.err
ok "which the sender is told" says 'the receiver refused: begun.zst.part' send.err
ok "and it is unchanged" test "$(cat begun.zst.part)" = "not ours"
ok "--restart begins anew" transfer --restart -o begun.zst -- disk
ok "and the image is whole" decoded begun.zst
ok "--restart does not overwrite an image" refused --restart -o begun.zst -- -t 1 disk
ok "it wants an image's name" code 2 sh -c "tbrecv --restart >restart.out"

truncate -s "$(stat -c %s disk)" target
ok "an image is restored onto a file" transfer target -- image.zst
ok "the file is what it was" same target
ok "-d gives the bytes themselves" transfer -d -- image.zst
ok "all of them" same recv.out

truncate -s 1000000 small
ok "a target that is too small is refused" refused small -- image.zst
ok "in a sentence with the numbers" says 'small holds .* needs' recv.err
ok "the sender is told why" says 'the receiver refused: small holds' send.err
ok "nothing was written" sh -c 'head -c 1000000 /dev/zero | cmp - small'

cp disk full
printf 'no file system, but' >full
mkfs.ext4 -q -F full 60M
before=$(sha256sum <full)
full_refused() {
	rm -f sock
	setsid tbrecv -t 20 -s unix:sock full >recv.out 2>recv.err </dev/null &
	pid=$!
	against unix:sock image.zst
	ended 1 1
}
ok "a target that is not empty is refused where nobody can be asked" full_refused
ok "in a sentence that says what is there" says 'full .* holds .*ext4.*--force' recv.err
ok "and it is unchanged" test "$(sha256sum <full)" = "$before"
ok "--force overwrites it" transfer --force full -- image.zst

head -c 9000000 image.zst >cut.zst
ok "an image that was cut is refused by the sender" code 1 sh -c "tbsend -t 1 -s unix:none cut.zst 2>send.err"
ok "before anything is sent, in a sentence" says 'cut.zst cannot be sent: .*no manifest' send.err

ok "--plain and a pipe" sh -c 'tbsend -q --plain disk | tbrecv -q --plain -d | cmp - disk'
tbsend --json --plain disk >plain.zst 2>send.err
ok "--plain tells the size of its image" says "\"stored\":$(stat -c %s plain.zst)," send.err
ok "--raw is the bytes as they are" sh -c 'tbsend -q --raw disk | cmp - disk'
ok "--plain refuses a cut image" code 1 sh -c 'tbrecv --plain -d <cut.zst >cut.out'
ok "--plain restores onto a file" sh -c 'tbrecv -q --force --plain target <image.zst && cmp target disk'

: >empty
ok "a file of no bytes makes an image" transfer -- empty
ok "that zstd reads" sh -c 'zstd -q -d -c <recv.out | cmp - empty'

where=tcp:127.0.0.1:17462
ok "tcp on the loopback address" transfer -- disk
unset where
ok "the same bytes" decoded recv.out

late() {
	rm -f sock
	tbsend -t 20 -s unix:sock disk 2>send.err &
	pid=$!
	timeout 20 sh -c 'until grep -q . send.err; do sleep 0.05; done'
	tbrecv -t 20 -s unix:sock >recv.out 2>recv.err && wait_code "$pid"
}
ok "the sender may start first" late

ok "no receiver: exit code 1 after the time-out" code 1 tbsend -t 1 -s unix:nobody disk

# More than the records and buffers on the way hold: the end is not sent before somebody reads.
head -c 80000000 /dev/urandom >large

# interrupted WHO: TERM to one side in mid-transfer; both end with 1.
interrupted() {
	rm -f sock fifo
	mkfifo fifo
	exec 9<>fifo # nobody reads it: the transfer stands still when the pipe is full
	tbrecv -t 20 -s unix:sock >fifo 2>recv.err &
	receiver=$!
	tbsend -t 20 -s unix:sock large 2>send.err &
	sender=$!
	timeout 20 sh -c 'until grep -q receiving recv.err && grep -q sending send.err; do sleep 0.05; done'
	kill "$(if [ "$1" = receiver ]; then echo "$receiver"; else echo "$sender"; fi)"
	# A receiver whose reader stands still waits for that reader, not for the sender.
	[ "$1" = receiver ] || cat <fifo >/dev/null &
	wait_code "$receiver"
	recv=$?
	wait_code "$sender"
	send=$?
	exec 9>&-
	ended 1 1
}
ok "a signal to the receiver ends both sides" interrupted receiver
ok "the receiver says that it is not complete" says 'nterrupted' recv.err
ok "the sender is told" says 'signal|interrupted' send.err
ok "a signal to the sender ends both sides" interrupted sender
ok "the receiver is told" says 'signal|interrupted' recv.err

killed() {
	rm -f sock fifo
	mkfifo fifo
	exec 9<>fifo
	tbrecv -t 20 -s unix:sock >fifo 2>recv.err &
	receiver=$!
	tbsend -t 2 -s unix:sock large 2>send.err &
	sender=$!
	timeout 20 sh -c 'until grep -q receiving recv.err && grep -q sending send.err; do sleep 0.05; done'
	kill -9 "$receiver"
	wait_code "$sender"
	send=$?
	exec 9>&-
	[ "$send" = 1 ]
}
ok "a receiver that is killed, and does not come again in time, is a failure at the sender" killed
ok "which says so" says 'timed out waiting for the other side' send.err

tap_end

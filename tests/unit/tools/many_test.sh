#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Several disks in one transfer, into a folder: names, index, refusals, and what is safe when it breaks off.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317 # the functions are called by ok
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/unit/tools/peers.sh
. "$(dirname "$0")/peers.sh"
cd "${work:?}" || exit 1
parts=${here:?}/tests/unit/tools/image_parts.py

host=$(uname -n)
# As the folder calls it.
safe=$(printf %.64s "$host" | tr -c 'A-Za-z0-9._-' _ | sed 's/^[.-]/_/')

head -c 9000000 /dev/urandom >one
{
	head -c 20000000 /dev/zero
	head -c 3000001 /dev/urandom
} >two
: >three
mkdir sub
head -c 777 /dev/urandom >sub/one

# holds IMAGE FILE: any zstd gives the file back.
holds() { zstd -q -d -c <"$1" | cmp - "$2"; }

# index FOLDER FILE...: it tells of these images, in this order, and truly.
index() {
	folder=$1
	shift
	python3 - "$folder" "$host" "$folder/$safe.json" "$@" <<'EOF'
import json, os, subprocess, sys
folder, host, index, *files = sys.argv[1:]
with open(index) as f:
    told = json.load(f)
assert set(told) == {"tool", "host", "created", "images"}, told
assert told["tool"].startswith("tbstream ") and told["host"] == host and told["created"] > 1700000000, told
assert [image["file"] for image in told["images"]] == files, told
for image in told["images"]:
    path = os.path.join(folder, image["file"])
    info = json.loads(subprocess.run(["tbstream", "info", "--json", path], stdout=subprocess.PIPE, check=True).stdout)
    assert image["stored"] == os.path.getsize(path), image
    for key in "size", "root", "transfer":
        assert image[key] == info[key], (key, image)
    for key in "path", "kind":
        assert image["source"][key] == info["source"][key], (key, image)
EOF
}

# only FOLDER FILE...: nothing else is in it.
only() {
	folder=$1
	shift
	printf '%s\n' "$@" | LC_ALL=C sort >only.want
	find "$folder" -mindepth 1 -printf '%P\n' | LC_ALL=C sort | diff only.want -
}

ok "two disks go into a folder that is made for them" transfer -o pair/ -- one two
ok "each has its name, and nothing else is there" only pair "$safe-one.zst" "$safe-two.zst" "$safe.json"
ok "the first is right" holds "pair/$safe-one.zst" one
ok "the second is right" holds "pair/$safe-two.zst" two
ok "the index tells of both" index pair "$safe-one.zst" "$safe-two.zst"
ok "they verify" tbstream verify "pair/$safe-one.zst" "pair/$safe-two.zst"
ok "nobody else can read them" sh -c 'stat -c %a pair | grep -qx 700'
ok "the sender shows which disk of how many" says 'sending two \(disk 2 of 2\)' send.err
ok "and says at the end that all are safe" says 'all 2 disks: .* verified and synced' send.err
ok "so does the receiver" says 'pair/: all 2 disks are here, verified and synced' recv.err
ok "info tells which of how many an image is" \
	sh -c "tbstream info 'pair/$safe-two.zst' | grep -qx 'Disk: *2 of 2 of one transfer'"

mkdir three.d
ok "three disks, of which two have one name, go into a folder that is there" \
	transfer --json -o three.d -- --json one three sub/one
ok "the second of the name is numbered" index three.d "$safe-one.zst" "$safe-three.zst" "$safe-one-2.zst"
ok "the first of the name is itself" holds "three.d/$safe-one.zst" one
ok "and the second too" holds "three.d/$safe-one-2.zst" sub/one
ok "a disk of no bytes as well" holds "three.d/$safe-three.zst" three
events() {
	python3 - <<'EOF'
import json
for name, key in ("send.err", "source"), ("recv.err", "target"):
    told = [json.loads(line) for line in open(name)]
    disks = [event for event in told if event["event"] == "verified"]
    assert [(event["disk"], event["disks"]) for event in disks] == [(1, 3), (2, 3), (3, 3)], told
    assert all(event[key] for event in disks)
    last = told[-1]
    assert last["event"] == "complete" and last["disks"] == 3, last
    assert last["size"] == sum(event["size"] for event in disks), last
EOF
}
ok "--json has a line for every disk and one for all" events

ok "one disk goes into a folder, too" transfer -o alone/ -- two
ok "with an index" index alone "$safe-two.zst"
ok "and is not one of several" sh -c "! tbstream info 'alone/$safe-two.zst' | grep '^Disk:'"
ok "an image out of a set is sent as a disk alone" transfer -o again.zst -- "pair/$safe-two.zst"
ok "and is one" sh -c "! tbstream info again.zst | grep '^Disk:'"
ok "two of them are restored from a folder's images into another folder" \
	transfer -o copy/ -- "pair/$safe-one.zst" "pair/$safe-two.zst"
ok "under the names of their disks" index copy "$safe-one.zst" "$safe-two.zst"
ok "--plain goes into a folder" sh -c "cat 'pair/$safe-two.zst' | tbrecv -q --plain -o plain/"
ok "though a pipe does not tell of the host in time" holds plain/machine-two.zst two

# old_receiver: one that knows only one disk: its HELLO does not say SET. Prints what came.
old_receiver() {
	rm -f sock
	python3 - "$here/tests/golden/records/hello.bin" <<'EOF'
import socket, struct, subprocess, sys
def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff
record = bytearray(open(sys.argv[1], "rb").read())
record[48] = 2 # a receiver
record[56:72] = bytes(16)
out = subprocess.run(["xxhsum", "-H1"], input=record[48:], stdout=subprocess.PIPE, check=True).stdout
record[24:32] = bytes.fromhex(out.split()[0].decode())[::-1]
record[16:24] = bytes(8)
record[44:48] = struct.pack("<I", crc32c(record[:44]))
server = socket.socket(socket.AF_UNIX)
server.bind("sock")
server.listen()
peer = server.accept()[0]
peer.settimeout(20)
peer.sendall(record)
with peer.makefile("rb") as stream:
    while header := stream.read(48):
        payload = stream.read(struct.unpack("<I", header[12:16])[0])
        print(header[5], payload.decode() if header[5] == 12 else "")
EOF
}
one_disk_only() {
	old_receiver >old.out &
	pid=$!
	tbsend -t 20 -s unix:sock "$@" 2>send.err
	send=$?
	wait_code "$pid" && [ "$send" = 1 ]
}
ok "a receiver that cannot take several is sent none" one_disk_only one two
ok "the sender says why" says 'receiver .* takes one disk at a time: send them one by one' send.err
ok "and so to the receiver" says '^12 the receiver .* takes one disk at a time' old.out
ok "without an offer" sh -c '! grep "^2 " old.out'

# What is refused, before anything is written or sent.
ok "one file is no target for two disks" refused -o both.zst -- one two
ok "the receiver says so, and how" says 'sender has 2 disks: .*tbrecv -o DIR/' recv.err
ok "the sender is told" says 'receiver refused: the sender has 2 disks' send.err
ok "nothing was written" test ! -e both.zst -a ! -e both.zst.part
ok "nor is a pipe" refused -- one two
ok "nothing was written into it" test ! -s recv.out
truncate -s 30000000 target
ok "nor is a disk" refused target -- one two
ok "which is unchanged" sh -c 'head -c 30000000 /dev/zero | cmp - target'

ok "a source that is given twice is refused" code 1 sh -c 'tbsend -s unix:none one two ./one 2>send.err'
ok "by both its names" says './one is given twice, first as one' send.err
ln -s two link
ok "a link to it is the same" code 1 sh -c 'tbsend -s unix:none two link 2>send.err'
ok "a source that cannot be read is found before the receiver is looked for" \
	code 1 sh -c 'tbsend -s unix:none one missing 2>send.err'
ok "and named" says 'missing cannot be opened' send.err
ok "--plain takes one source" code 2 sh -c 'tbsend --plain one two >plain.out'
ok "--raw takes one source" code 2 sh -c 'tbsend --raw one two >plain.out'
ok "--partition takes one source" code 2 tbsend -s unix:none --partition=1 one two

ok "a folder whose parent is missing is refused" code 1 sh -c 'tbrecv -s unix:none -o no/where/ 2>recv.err'
ok "in a sentence" says 'no/where cannot be made in no: No such file' recv.err
ok "a file with a / behind it is refused" code 1 sh -c 'tbrecv -s unix:none -o one/ 2>recv.err'
ok "in a sentence" says 'one is a file: name a folder' recv.err
ok "a folder is not made before something was accepted" code 1 tbrecv -t 1 -s unix:none -o early/
ok "it is not there" test ! -e early

ok "an index that is there is refused" refused -o pair/ -- three
ok "in a sentence that names the way out" says "pair/$safe.json exists.*--force" recv.err
ok "nothing was written" only pair "$safe-one.zst" "$safe-two.zst" "$safe.json"
ok "--force overwrites" transfer --force -o pair/ -- two one
ok "the images and the index" index pair "$safe-two.zst" "$safe-one.zst"

mkdir late
echo precious >"late/$safe-two.zst"
ok "a name that exists refuses the second disk" refused -o late/ -- one two three
ok "the receiver says which" says "late/$safe-two.zst exists.*--force" recv.err
ok "and that the first is safe" says 'what came before is safe: 1 disk in late/' recv.err
ok "the sender says so" says 'safe at the receiver: one; not safe: two, three' send.err
ok "the first is there, and in the index" index late "$safe-one.zst"
ok "and right" holds "late/$safe-one.zst" one
ok "what was there is there" sh -c "[ precious = \"\$(cat 'late/$safe-two.zst')\" ]"
ok "nothing else was written" only late "$safe-one.zst" "$safe-two.zst" "$safe.json"

# An image tells of a host and a path of its own: here ones that want to get out of the folder.
name=sub/a-disk-with-a-long-name
cp two "$name"
ok "an image that can be changed" transfer -o long.zst -- "$name"
# of LENGTH TEXT: the text over and over, so long.
of() { python3 -c 'import sys; n = int(sys.argv[1]); print((sys.argv[2] * n)[:n])' "$@"; }
bad_host=$(of ${#host} ../)
bad_safe=_$(of ${#host} ../ | tr / _ | cut -c 2-)
# shellcheck disable=SC2016 # nothing expands it
bad_path=$(of ${#name} './ $(reboot) *;?/-o')
bad_disk=$(printf %s "${bad_path##*/}" | tr -c 'A-Za-z0-9._-' _ | sed 's/^[.-]/_/')
hostile() {
	python3 "$parts" text long.zst "\"name\":\"$host\"" "\"name\":\"$bad_host\"" &&
		python3 "$parts" text long.zst "\"path\":\"$name\"" "\"path\":\"$bad_path\"" &&
		tbstream verify long.zst && transfer -o deep/er/out/ -- long.zst one
}
mkdir -p deep/er
ok "names that want to get out of the folder" hostile
ok "do not" only deep er er/out "er/out/$bad_safe-$bad_disk.zst" "er/out/$safe-one.zst" "er/out/$bad_safe.json"
ok "the image is right" holds "deep/er/out/$bad_safe-$bad_disk.zst" two

# The second disk takes seconds at this level: one of the two goes away when the first is there.
head -c 60000000 /dev/urandom >large
# broken SIGNAL WHO [SECONDS]: to one of them, behind the first disk; how long the sender waits.
broken() {
	rm -rf sock broken
	tbrecv -t 20 -s unix:sock -o broken/ 2>recv.err &
	receiver=$!
	tbsend -l 12 -t "${3:-20}" -s unix:sock sub/one large three 2>send.err &
	sender=$!
	timeout 60 sh -c "until [ -e 'broken/$safe-large.zst.part' ]; do sleep 0.05; done"
	kill -"$1" "$(if [ "$2" = receiver ]; then echo "$receiver"; else echo "$sender"; fi)"
	wait_code "$receiver"
	recv=$?
	wait_code "$sender"
	send=$?
}
killed() {
	broken KILL receiver 2
	[ "$send" = 1 ] || ended 1 1
}
ok "a receiver that is killed behind the first disk is a failure at the sender" killed
ok "which says what is safe" says 'safe at the receiver: sub/one; not safe: large, three' send.err
ok "the first is there and right" holds "broken/$safe-one.zst" sub/one
ok "and the index tells of it alone" index broken "$safe-one.zst"
ok "what came of the second does not look whole" test ! -e "broken/$safe-large.zst"
sender_ended() {
	broken TERM sender
	ended 1 1
}
ok "a sender that is interrupted behind the first disk ends both" sender_ended
ok "the receiver says what is safe" says 'what came before is safe: 1 disk in broken/' recv.err
ok "and so does the sender" says 'safe at the receiver: sub/one; not safe: large, three' send.err
tap_end

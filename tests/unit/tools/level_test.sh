#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# How hard is compressed: none, a number, and auto, which follows what limits the transfer; and that the summary names
# that. The decisions themselves: pace_test.c.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317,SC2016,SC2086 # the functions are called by ok; sh -c expands its own; words
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/unit/tools/peers.sh
. "$(dirname "$0")/peers.sh"
cd "${work:?}" || exit 1

# 160 MiB of a byte's two bits, which become a quarter, and what becomes nothing.
python3 -c 'import os, sys
chunk = os.urandom(1 << 22).translate(bytes(97 + i % 4 for i in range(256)))
for _ in range(40):
    sys.stdout.buffer.write(chunk)' >disk
{
	head -c 9000000 /dev/urandom
	head -c 9000000 /dev/zero
	head -c 9000000 disk
} >mixed

level() {
	sed -n 's/.*"level":\([0-9]*\).*/\1/p' "$1"
}
none() {
	tbsend -q --plain --level=none mixed >none.zst && zstd -q -d -c none.zst | cmp - mixed && tbstream verify -q none.zst &&
		[ "$(stat -c %s none.zst)" -gt 22000000 ] && [ "$(stat -c %s none.zst)" -lt 23000000 ]
}
ok "none stores all but zeros, and any zstd reads it" none
none_travels() {
	transfer -o travelled.zst -- -l none mixed && zstd -q -d -c travelled.zst | cmp - mixed &&
		truncate -s 27000000 restored && transfer --force restored -- travelled.zst && cmp restored mixed
}
ok "over a socket too, and onto a disk" none_travels

# frames THREADS LEVEL: what there is of an image, and how long it is.
frames() {
	tbsend -q -T "$1" --plain -l "$2" mixed >threads.zst && tbstream info --json threads.zst | grep -E '"(root|stored)"' &&
		stat -c %s threads.zst
}
same() {
	for each in none 1 7; do
		frames 1 "$each" >one && frames 3 "$each" >three && cmp one three || return 1
	done
}
ok "a fixed level is the same by any number of threads" same

slow() {
	tbsend --json -T 2 --plain disk 2>send.err | "${here:?}/tests/unit/tools/slow.py" >slow.zst &&
		zstd -q -d -c slow.zst | cmp - disk && tbstream verify -q slow.zst
}
harder() {
	slow && [ "$(level send.err)" -gt 1 ]
}
ok "a slow reader has it compress harder" harder
limited() {
	says '"time":\{"disk":[0-9]+,"cpu":[0-9]+,"output":[0-9]+\}' send.err &&
		python3 -c 'import json, sys
time = [json.loads(line) for line in sys.stdin if "\"sent\"" in line][0]["time"]
sys.exit(not time["output"] > time["cpu"] + time["disk"])' <send.err
}
ok "and that reader is what limits it" limited
fixed() {
	tbsend --json --plain -l 3 mixed 2>send.err >fixed.zst && [ "$(level send.err)" = 3 ]
}
ok "a number stays what it is" fixed
within() {
	tbsend --json --memory=30M --plain mixed 2>send.err >within.zst && [ "$(level send.err)" = 1 ]
}
ok "so does 1 where there is no memory for more" within

both() {
	transfer -o both.zst -- mixed && says '^tbsend: mixed: limit: .*[0-9] %.*; level 1' send.err &&
		says '^tbrecv: both.zst: limit: .*[0-9] %$' recv.err && transfer --json -o both2.zst -- --json mixed &&
		says '"time":\{"disk":[0-9]+,"cpu":[0-9]+,"cable":[0-9]+,"target":[0-9]+\},"level":1' send.err &&
		says '"time":\{"sender":[0-9]+,"cpu":[0-9]+,"target":[0-9]+\}' recv.err
}
ok "both sides tell what limited a transfer" both
image() {
	transfer -o copy.zst -- both.zst && says '^tbsend: both.zst: limit: .*[0-9] %$' send.err &&
		transfer -o copy2.zst -- --json both.zst && ! grep -q '"level"' send.err
}
ok "of an image too, which has no level" image
raw() {
	tbsend --raw mixed 2>send.err >raw && says '^tbsend: mixed: limit: .*%$' send.err && cmp raw mixed
}
ok "and of --raw" raw
shown() {
	tbsend -v --progress=human --plain mixed 2>send.err >shown.zst && says '  level [1-9]$' send.err &&
		tbsend --progress=human --plain mixed 2>send.err >shown.zst && ! grep -q '  level ' send.err &&
		tbsend --progress=json --plain mixed 2>send.err >shown.zst && says '"elapsed":[0-9.]+,"level":1\}' send.err
}
ok "--verbose shows the level while it goes on, JSON always does" shown
wrong() {
	for each in 0 20 -1 automatic NONE ''; do
		tbsend --plain -l "$each" mixed 2>send.err >wrong.zst
		[ $? = 2 ] && says '^tbsend: --level wants auto, none, or a number from 1 to 19, not ' send.err || return 1
	done
}
ok "another level is refused" wrong
tap_end

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# tbsend --used of btrfs, of every kind that mkfs.btrfs makes on one device: what is left out is what its own program says
# is free, and restored onto other random bytes nothing is lost.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317 # the functions are called by ok
. "$(dirname "$0")/tap.sh"
cd "${work:?}" || exit 1
PATH=$PATH:/usr/sbin:/sbin
tools=${here:?}/tests/unit/tools

mkdir tree
for i in 1 2 3 4 5 6 7 8 9; do
	head -c "${i}00001" /dev/urandom >"tree/large$i"
	head -c "$i" /dev/urandom >"tree/small$i"
done

left_out() {
	tbsend --used --plain disk >used.zst 2>send.err && python3 "$tools/btrfs.py" disk >wanted && [ -s wanted ] &&
		tbstream info --json used.zst >info.json && python3 - >found <<'PY' && diff wanted found
import json
for start, length in json.load(open("info.json"))["unallocated"]:
    print(start, length)
PY
}
back() {
	head -c "$(stat -c %s disk)" /dev/urandom >target && tbrecv -q --plain --force -s - target <used.zst && btrfs check target &&
		rm -rf out && mkdir out && btrfs restore target out && diff -r tree out
}
both() {
	head -c 150M /dev/urandom >disk
	# shellcheck disable=SC2086 # words
	mkfs.btrfs -q -r tree $1 disk && left_out && back
}
ok "what is left out is what is free, and nothing is lost" both ''
ok "with one copy of the metadata, and xxhash" both '-m single --csum xxhash'
ok "with data and metadata mixed" both '-M -n 4096'
ok "with two copies of the data, and the largest blocks" both '-d dup -n 65536'

tap_end

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Peers and images that would have the programs take memory or time without end: docs/testing.md has the bounds.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317,SC2086 # the functions are called by ok; words
. "$(dirname "$0")/tap.sh"
cd "${work:?}" || exit 1

tools=$here/tests/unit/tools
MOST=$((64 << 10)) # KiB
TIME=3		   # seconds of the processor

# bounded CODE COMMAND...: it ends with CODE, within the bounds, and not for want of memory.
bounded() {
	wanted=$1
	shift
	prlimit --cpu=$TIME python3 "$tools/image_parts.py" most "$@" >kib 2>err
	got=$?
	cat err
	[ "$got" = "$wanted" ] || {
		echo "exit code $got, wanted $wanted"
		return 1
	}
	grep -qi "out of memory\|cannot allocate" err && return 1
	echo "$(cat kib) KiB"
	[ "$(cat kib)" -le $MOST ]
}

# peer SIDE CASE CODE COMMAND...: the same of COMMAND, whose peer is hostile.
peer() {
	rm -f sock image.zst*
	python3 "$tools/hostile.py" "$1" "$2" sock &
	other=$!
	shift 2
	bounded "$@"
	got=$?
	wait $other
	return $got
}

# grown IMAGE WHAT SIZE: an image whose manifest has SIZE bytes more.
grown() {
	cp small.zst "$1"
	python3 "$tools/hostile.py" json "$2" "$3" | python3 "$tools/image_parts.py" add "$1"
}

truncate -s 1M small
tbsend -q --plain small >small.zst 2>err
truncate -s 256G large
to="tbrecv -q -t 1 -s unix:sock -o image.zst"
from="tbsend -q -t 1 -s unix:sock large"

for case in objects ranges hellos unknown length; do
	ok "a receiver whose sender says: $case" peer recv $case 1 $to
done
for case in parts digests acks hellos; do
	ok "a sender whose receiver says: $case" peer send $case 1 $from
done
grown objects.zst objects 340000
grown many.zst objects 1040000
grown ranges.zst ranges 2000000
grown numbers.zst numbers 2096000
for what in verify info; do
	ok "$what: a manifest of many objects" bounded 0 tbstream $what objects.zst
	ok "$what: one of more than can be is refused" bounded 1 tbstream $what many.zst
done
ok "info: what is missing is in reverse order" bounded 0 tbstream info ranges.zst
ok "verify: the same" bounded 0 tbstream verify ranges.zst
ok "info: as many numbers as can be" bounded 0 tbstream info numbers.zst
MOST=$((100 << 10))
ok "an image's manifest is there twice while it is sent" bounded 0 tbsend -q --plain numbers.zst
truncate -s 1M target
ok "and while it is restored from a file" bounded 0 sh -c 'tbrecv -q --plain --force target <numbers.zst'
tap_end

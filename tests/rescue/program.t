#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What of the kernel's command line the programs of the rescue image get: above all the peer, so that no other
# machine is sent to or received from. TAP.
# shellcheck disable=SC2317 # the functions are called by ok

set -u
top=$(realpath "$(dirname "$0")/../..")
# shellcheck source=tests/unit/tools/tap.sh
. "$top/tests/unit/tools/tap.sh"
cd "${work:?}" || exit 1

command -v busybox > /dev/null || {
	echo "1..0 # SKIP busybox is not installed"
	exit 0
}

peer=3a1cb984-c4d9-4469-a277-ce2fdfd11f0d

# ran WORDS PARAMETER=VALUE... -- PROGRAM ARGUMENT...: with these parameters run_program runs WORDS.
ran() {
	wanted=$1
	shift
	rm -rf run
	mkdir -p run/param
	while [ "$1" != -- ]; do
		printf '%s\n' "${1#*=}" > "run/param/${1%%=*}"
		shift
	done
	shift
	got=$(TBSTREAM_RUN=$work/run busybox ash -c '
		. "$0/hooks/tbstream-params.sh"
		. "$0/hooks/tbstream-run.sh"
		tbsend() { echo "tbsend $*"; }
		tbrecv() { echo "tbrecv $*"; }
		run_program "$@"' "$top" "$@")
	[ "$got" = "$wanted" ] || {
		echo "$got, wanted: $wanted"
		return 1
	}
}

ok "the peer is pinned for tbsend" \
	ran "tbsend --stream backup --peer $peer /dev/sda" "peer=$peer" -- tbsend /dev/sda
ok "and for tbrecv" ran "tbrecv --stream backup --peer $peer /dev/sda" "peer=$peer" -- tbrecv /dev/sda
ok "any is any" ran "tbsend --stream backup /dev/sda" peer=any -- tbsend /dev/sda
ok "and so is none" ran "tbsend --stream backup /dev/sda" -- tbsend /dev/sda
ok "name, time to wait and level come along" \
	ran "tbsend --stream lab --level 3 --timeout 9 --peer $peer /dev/sda" name=lab wait=9 level=3 "peer=$peer" -- \
	tbsend /dev/sda
ok "a level is for tbsend" ran "tbrecv --stream backup /dev/sda" level=3 -- tbrecv /dev/sda
ok "what is in use is for tbsend alone" \
	ran "tbsend --stream backup --used /dev/sda" -- tbsend --used /dev/sda

# asked WANTED ANSWER SENTENCE: what is sent of a disk of which tbsend --dry-run says this sentence, after that answer.
asked() {
	mkdir -p bin ui
	printf '#!/bin/sh\n[ "$*" = "--used --dry-run /dev/sda" ] && echo "tbsend: /dev/sda: %s"\n' "$3" > bin/tbsend
	chmod +x bin/tbsend
	got=$(PATH=$work/bin:$PATH UI_DIR=$work/ui TBSTREAM_RUN=$work/run answer=$2 busybox ash -c '
		. "$0/hooks/tbstream-screen.sh"
		. "$0/hooks/tbstream-dialog.sh"
		dialog_ask() { echo asked; ANSWER=$answer; }
		dialog_used /dev/sda && echo "$WHAT"' "$top")
	echo "$got" | tr '\n' ' ' | grep -qE "$1" || {
		echo "$got, wanted: $1"
		return 1
	}
}
free='3 GiB of 9 GiB are left out, since no file system uses them: deleted files will not be in the image'
ok "where something is free it is asked what is to be sent" asked "3 GiB .* deleted files .*asked used $" 2 "$free"
ok "and all of it can be" asked "asked all $" 1 "$free"
ok "or nothing" asked "asked $" m "$free"
ok "where nothing is, all of it is sent without a question" \
	asked 'in use \.\.\. all $' 2 'nothing is left out: all of it is in use, or may be'

tap_end

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A restore from the rescue menu onto a disk of another size: somebody is there, and is asked. One that
# the command line has ordered asks nobody. Both with the programs themselves, onto a file. TAP.
# shellcheck disable=SC2317 # the functions are called by ok

set -u
top=$(realpath "$(dirname "$0")/../..")
# shellcheck source=tests/unit/tools/tap.sh
. "$top/tests/unit/tools/tap.sh"
PATH=$top/build:$PATH:/usr/sbin:/sbin
cd "${work:?}" || exit 1

command -v busybox > /dev/null || {
	echo "1..0 # SKIP busybox is not installed"
	exit 0
}

# The interface up to where it begins to run, its questions about the disk answered. Of the command
# line only the stream's name counts.
{
	cat <<-EOT
		export TBSTREAM_RUN=$work/run
	EOT
	sed "/^mkdir -p/,\$d; s,/usr/lib/tbstream/,$top/hooks/tbstream-," "$top/hooks/tbstream-ui"
	cat <<-'EOT'
		mkdir -p "$UI_DIR" "$TBSTREAM_RUN/param"
		exec 9> "$TBSTREAM_RUN/lock"
		printf 'unix:sock\n' > "$TBSTREAM_RUN/param/name"
		printf '20\n' > "$TBSTREAM_RUN/param/wait"
		printf 'NOSERIAL\n' > "$TBSTREAM_RUN/param/confirm"
		GIVEN=target
		dialog_disk() { DISK=target; }
		dialog_overwrite() { :; }
		ui_writable() { :; }
		ui_given() { :; }
		ui_after() { return "$1"; }
		: > "$UI_DIR/row"
	EOT
} > ui

truncate -s 96M disk
printf 'label: gpt\nstart=2048, size=20480\nsize=40960\n' | sfdisk -q disk
head -c 3000000 /dev/urandom | dd of=disk bs=1M seek=1 conv=notrunc status=none

# restore ANSWER FUNCTION: runs it on a terminal, against tbsend; what is shown goes to shown.
restore() {
	rm -rf run sock
	"$top/tests/unit/tools/answer.py" 'Type f' "$1" busybox ash -c ". ./ui
		$2" > shown &
	tbsend -t 20 -s unix:sock disk > sent 2>&1
	wait "$!"
}
sound() {
	sgdisk -v target | grep -q 'No problems found' && sfdisk --verify target &&
		cmp -i 1048576 -n $((30 * 1048576)) disk target
}
unasked() { ! grep 'Type f' shown; }

truncate -s 48M target
ok "from the menu onto a smaller disk: the answer f" restore f 'ui_recv menu'
ok "to a question of one line with the numbers" \
	says 'has 96.0 MiB, its last partition ends at 31.0 MiB; target has 48.0 MiB' shown
ok "makes it fit" sound
ok "the end cannot be misread" says 'DONE: target written' shown

truncate -s 0 target
truncate -s 48M target
before=$(sha256sum < target)
ok "without the answer" code 1 restore '' 'ui_recv menu'
ok "it is refused" says 'FAILED: target not restored' shown
ok "and as it was" test "$(sha256sum < target)" = "$before"

truncate -s 0 target
truncate -s 160M target
ok "onto a larger disk: the answer f" restore f 'ui_recv menu'
ok "makes it fit" sound

truncate -s 0 target
truncate -s 48M target
before=$(sha256sum < target)
# shellcheck disable=SC2016 # for the interface to expand
ok "ordered by the command line" code 1 restore f 'disks_resolve() { echo target; }
	disks_confirmable() { :; }
	ui_recv_confirmed'
ok "nobody is asked" unasked
ok "it is refused" says 'give --fit' shown
ok "and as it was" test "$(sha256sum < target)" = "$before"
tap_end

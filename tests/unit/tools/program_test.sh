#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The program as it is shipped: static, small, under three names, installed where it belongs.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317 # the functions are called by ok
. "$(dirname "$0")/tap.sh"
cd "${work:?}" || exit 1
program=${here:?}/build/tbstream

static() {
	! ldd "$program" >ldd.out 2>&1 && grep -q 'not a dynamic executable' ldd.out
}
small() {
	size=$(stat -c %s "$program")
	echo "$size bytes"
	[ "$size" -le 2500000 ]
}
names() {
	for name in tbsend tbrecv tbstream; do
		"$name" --version | grep -q '^tbstream [0-9]' || return 1
	done
}
ok "it is static" static
ok "it has at most 2.5 MB" small
ok "it answers to its three names" names
ok "tbstream alone is wrong usage" code 2 tbstream
ok "an unknown option is wrong usage" code 2 tbsend --nonsense
ok "no source is wrong usage" code 2 tbsend
ok "a time-out that is no number is wrong usage" code 2 tbrecv -t soon
ok "a stream's name of nine characters is wrong usage" code 2 tbrecv -s ninechars -o x
ok "a source that does not exist fails" code 1 tbsend -s unix:x /dev/no-such-disk
ok "a folder as the source fails" code 1 tbsend -s unix:x /
ok "an image on a terminal is wrong usage" code 2 script -qec "$here/build/tbrecv -s unix:x" /dev/null
printf 'some bytes' >some
ok "a terminal as standard input does not hinder tbsend --plain" \
	script -qec "$here/build/tbsend --plain some > some.zst && zstd -q -t some.zst" /dev/null
truncate -s 10 target
ok "nor does one as standard output hinder tbrecv --plain" \
	script -qec "$here/build/tbrecv --plain target < some.zst && cmp some target" /dev/null
logged() {
	TBSTREAM_LOG=$work/log code 1 tbsend -s unix:x /dev/no-such-disk 2>said || return
	TBSTREAM_LOG=$work/log code 1 tbsend -s unix:x / 2>>said || return
	[ "$(wc -l <log)" -ge 2 ] && cmp log said
}
ok "what it says is also in the file that TBSTREAM_LOG names, behind what is there" logged
ok "one that cannot be made hinders nothing" env TBSTREAM_LOG=/no/folder/log "$program" --version
ok "help goes to standard output" sh -c 'tbrecv --help | grep -q "^Usage: tbrecv"'
ok "no line of the help is wider than 80 characters" \
	sh -c '! { tbsend --help; tbrecv --help; tbstream --help; tbstream verify --help; tbstream info --help; tbstream shell --help; } | grep -E ".{81}"'

ok "make install works" make -s -C "$here" install DESTDIR="$work/root" PREFIX=/usr
ok "the program and its names are there" sh -c 'root/usr/sbin/tbsend --version && root/usr/sbin/tbrecv --version'
ok "the man pages are there" test -s root/usr/share/man/man8/tbsend.8 -a -s root/usr/share/man/man8/tbstream.8
ok "the dracut module and its hooks are there" \
	test -x root/usr/lib/dracut/modules.d/55tbstream/module-setup.sh -a \
	-s root/usr/lib/dracut/modules.d/55tbstream/tbstream-params.sh
ok "the udev rule is there" test -s root/usr/lib/udev/rules.d/60-tbstream.rules
gone() {
	make -s -C "$here" uninstall DESTDIR="$work/root" PREFIX=/usr
	! find root ! -type d | grep .
}
ok "make uninstall leaves no file" gone
tap_end

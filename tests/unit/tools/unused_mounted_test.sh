#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# tbsend --used of a disk that somebody has mounted: what is free would change. Also where it cannot be seen by whom: in a
# mount namespace of its own, as a container has. Only root can mount.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317 # the functions are called by ok
. "$(dirname "$0")/tap.sh"
cd "${work:?}" || exit 1
PATH=$PATH:/usr/sbin:/sbin

skip() {
	echo "1..0 # SKIP $1"
	exit 0
}
[ "$(id -u)" = 0 ] || skip "only root can mount"
mkdir mnt
truncate -s 8M file
mke2fs -q -F -t ext2 file
loop=$(losetup -f --show file 2>/dev/null) || skip "there are no loop devices"
trap 'umount mnt 2>/dev/null; losetup -d "$loop"; tap_clean' EXIT
unshare -m true 2>/dev/null || skip "there are no mount namespaces"

refused() {
	code 1 tbsend --used --dry-run "$loop" 2>send.err && says "$1" send.err
}
sent() { tbsend --used --dry-run "$loop" 2>send.err && says 'are not sent' send.err; }

ok "what nobody has mounted is sent in part" sent
mount "$loop" mnt
ok "mounted it is refused" refused 'is in use \(mounted on .*/mnt\), and what is free on it would change'
umount mnt
mount -o ro "$loop" mnt
ok "read-only it is not" sent
umount mnt

# It is mounted when "there" is, until its input ends.
mkfifo hold there
# shellcheck disable=SC2016 # that shell's
unshare -m --propagation private sh -c 'mount "$1" mnt && echo >there && read -r _ <hold' sh "$loop" &
pid=$!
read -r _ <there
ok "mounted where that cannot be seen it is refused, too" refused 'is in use \(by what cannot be seen from here\)'
echo >hold
wait "$pid"
ok "and sent when that has ended" sent

tap_end

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sourced by tbstream-mkrescue: kernel and initrd, by dracut, as "linux" and "initrd" in the folder
# for its work; or those that were made before.

# shellcheck disable=SC2154 # the options

# What is needed, before anything is done. Sets kver, kernel and driver.
image_check() {
	local tool

	for tool in dracut lsinitrd busybox zstd xz depmod cpio; do
		command -v "$tool" > /dev/null ||
			fail "$tool is missing: install dracut, busybox, zstd, xz-utils, kmod and cpio"
	done
	[[ $program ]] || program=$(command -v tbstream) ||
		fail "the program tbstream is missing: install it by 'make install', or name it with --program"
	[[ -z $module ]] || image_module_check
	[[ $kver ]] || kver=$(image_kver)
	[[ $kver && -d /lib/modules/$kver ]] ||
		fail "/lib/modules/$kver is missing: no such kernel is installed"
	for kernel in "/boot/vmlinuz-$kver" "/lib/modules/$kver/vmlinuz" ''; do
		[[ -f $kernel ]] && break
	done
	[[ $kernel ]] || fail "the kernel image of $kver is in neither /boot nor /lib/modules"
	driver=$(image_driver "$kver") ||
		fail "kernel $kver has neither thunderbolt_stream (CONFIG_USB4_STREAM) nor the module" \
			"tbstream: take a kernel of 7.2 or later that has it, or build ours with 'make module'" \
			"and name it with --module"
}

# A module tells the kernel that it was built for: no other one loads it.
image_module_check() {
	local magic

	need kmod modinfo
	[[ $(modinfo -F name "$module" 2> /dev/null) == tbstream ]] ||
		fail "$module is not the module tbstream: build it with 'make module'"
	magic=$(modinfo -F vermagic "$module")
	: "${kver:=${magic%% *}}"
	[[ ${magic%% *} == "$kver" ]] || fail "$module was built for kernel ${magic%% *}, not for $kver:" \
		"build it for that one with 'make module KDIR=/lib/modules/$kver/build'"
}

# The newest kernel with a driver, or the newest.
image_kver() {
	local each newest=

	while read -r each; do
		: "${newest:=$each}"
		! image_driver "$each" > /dev/null || break
		each=
	done < <(find /lib/modules/ -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -rV)
	printf '%s\n' "${each:-$newest}"
}

# image_driver KVER: the driver that the image is to have.
image_driver() {
	local each

	for each in thunderbolt_stream tbstream; do
		if [[ $module && $each == tbstream ]] ||
			{ [[ -z $module ]] && modinfo -k "$1" -n "$each" > /dev/null 2>&1; }; then
			printf '%s\n' "$each"
			return
		fi
	done
	return 1
}

image_build() {
	local base=$work/dracut

	# A dracut folder of our own: the system's, and our module. dracut gives every newer file the time of
	# dracut-functions.sh, which therefore is a copy with its own time, not a link with today's.
	mkdir -p "$base/modules.d" conf.d
	ln -s /usr/lib/dracut/* "$base/" 2> /dev/null || :
	rm -f "$base/dracut-functions.sh" "$base/dracut.conf.d"
	cp -p /usr/lib/dracut/dracut-functions.sh "$base/"
	ln -s /usr/lib/dracut/modules.d/* "$base/modules.d/"
	rm -f "$base/modules.d/55tbstream"
	mkdir "$base/modules.d/55tbstream"
	cp -r "$lib"/. "$hooks"/. "$base/modules.d/55tbstream/"

	cat > dracut.conf << CONF
tbstream_rescue=yes
tbstream_program=$program
tbstream_module=$module
dracutmodules=" tbstream busybox udev-rules base ${systemd:+systemd systemd-initrd dracut-systemd }"
CONF

	# Paths that differ from run to run stay out of the arguments: they are kept in the image.
	if ! dracutbasedir=$base dracut --conf dracut.conf --confdir conf.d --force --kver "$kver" \
		--no-hostonly --no-hostonly-cmdline --no-early-microcode --reproducible \
		--compress 'zstd -19 -T2' rescue.img > log 2>&1; then
		cat log >&2
		fail "dracut failed, see above"
	fi
	# dracut ends with 0 whatever happened.
	if grep -E 'dracut\[[EF]\]|^dracut-install: ERROR' log >&2; then
		fail "dracut had errors, see above"
	fi
	mv rescue.img initrd
	cp "$kernel" linux
	image_list
	image_parts_check
}

# Every path of the image on a line of its own, a slash before it.
image_list() {
	lsinitrd initrd 2> /dev/null | awk '$1 ~ /^[-l]/ { print "/" $9 }' > list
}

image_parts_check() {
	local part missing=''

	for part in init bin/{busybox,udevadm,kmod,tbstream,tbsend,tbrecv} \
		lib/tbstream/{params.sh,consoles,ui} lib/systemd/systemd-udevd \
		${systemd:+lib/systemd/systemd lib/systemd/system/tbstream.target} \
		lib/udev/rules.d/{60-persistent-storage,80-drivers}.rules \
		{"$driver",thunderbolt,configfs,nvme,ahci,sd_mod,usb-storage,uas,mmc_block,virtio_blk,usbhid}.ko; do
		grep -qE "/${part//./\\.}$" list || missing+=" $part"
	done
	[[ -z $missing ]] || fail "the image lacks:$missing"
}

# A wrong name would be found at the broken machine. Where dracut is not, nobody can look.
image_keymap_check() {
	[[ $keymap ]] && command -v lsinitrd > /dev/null || return 0
	[[ -f list ]] || image_list
	grep -qF "/tbstream/keymaps/$keymap.bmap" list ||
		fail "the image has no keyboard map $keymap; it has:" \
			"$(sed -n 's,.*/tbstream/keymaps/\(.*\)\.bmap$,\1,p' list | sort | tr '\n' ' ')"
}

image_from_check() {
	kernel=${from%.img}.vmlinuz
	[[ -f $kernel ]] || fail "$kernel is missing, the kernel that goes with $from"
	kver=$(image_release "$kernel") || fail "$kernel is no kernel for x86"
}

image_take() {
	cp "$kernel" linux
	cp "$from" initrd
	chmod 644 linux initrd
}

# image_release KERNEL: the version that it names itself, by the boot protocol of x86.
image_release() {
	local at

	[[ $(dd if="$1" bs=1 skip=$((0x202)) count=4 status=none | tr -d '\0') == HdrS ]] || return 1
	at=$(od -An -tu2 -j $((0x20e)) -N 2 "$1")
	dd if="$1" bs=1 skip=$((at + 0x200)) count=100 status=none | tr '\0' '\n' | sed -n '1s/ .*//p'
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The dracut module 55tbstream: the rescue interface in an initramfs. Inert until
# the kernel's command line says rd.tbstream (hooks/tbstream-params.sh has the grammar).
#
# Three variables of a dracut configuration file choose what it installs:
#
#   tbstream_rescue=yes       a rescue image of its own (tbstream-mkrescue sets it): storage and
#                             keyboard drivers, and busybox for most commands, to be small
#   tbstream_program=PATH     the tbstream program, where it is not the one in $PATH
#   tbstream_module=PATH      a tbstream.ko for this kernel, instead of the kernel's own driver

# shellcheck disable=SC2154 # dracutbasedir, moddir, initdir and kernel are dracut's

# called by dracut
check() {
	require_binaries busybox || return 1
	[[ ${tbstream_program-} ]] || require_binaries tbstream || return 1
	# Only on request.
	return 255
}

# called by dracut
depends() {
	echo udev-rules base
}

# called by dracut
installkernel() {
	hostonly='' instmods configfs thunderbolt

	if [[ ${tbstream_module-} ]]; then
		inst_simple "$tbstream_module" "/lib/modules/$kernel/updates/tbstream.ko"
	# instmods says nothing of a missing driver unless it is asked to.
	elif ! hostonly='' instmods -c -s thunderbolt_stream &&
		! hostonly='' instmods -c -s tbstream; then
		derror "tbstream: kernel $kernel has neither thunderbolt_stream (CONFIG_USB4_STREAM) nor" \
			"the module tbstream: take a kernel of 7.2 or later that has it, or build ours with 'make module'"
		return 1
	fi

	if [[ ${tbstream_rescue-} == yes ]]; then
		install_rescue_drivers
		unpack_drivers
	else
		keep_driver_out
	fi
}

# A boot without rd.tbstream goes as it would without us: udev then leaves the driver to the real root,
# unless somebody else has put it in.
keep_driver_out() {
	[[ " ${add_drivers-} ${force_drivers-} " != *" thunderbolt "* ]] || return 0
	mkdir -p "$initdir/etc/modprobe.d"
	echo 'blacklist thunderbolt' > "$initdir/etc/modprobe.d/tbstream.conf"
}

install_rescue_drivers() {
	# By name, not by folder: i2c-hid, for one, pulls in all of drm.
	hostonly='' instmods \
		nvme vmd ahci ata_piix sd_mod \
		usb_storage uas xhci_pci ehci_pci ohci_pci uhci_hcd \
		mmc_block sdhci_pci sdhci_acpi rtsx_pci rtsx_pci_sdmmc rtsx_usb rtsx_usb_sdmmc \
		virtio_pci virtio_blk virtio_scsi \
		usbhid hid_generic hid_logitech_dj \
		vfat exfat nls_cp437 nls_ascii nls_iso8859_1 nls_utf8
}

# Drivers that lie in the image as they are compress better all together than one by one,
# and load quicker. Their signatures stay.
unpack_drivers() {
	local dir="$initdir/lib/modules/$kernel"

	find "$dir/" -name '*.ko.xz' -exec xz -d {} +
	find "$dir/" -name '*.ko.zst' -exec zstd -q -d --rm {} +
	find "$dir/" -name '*.ko.gz' -exec gzip -d {} +
}

# called by dracut
install() {
	local name

	# The interface runs under busybox whatever /bin/sh is: it needs read -t.
	inst "$(find_binary busybox)" /usr/bin/busybox
	if [[ ${tbstream_rescue-} == yes ]]; then
		install_busybox_names
		mask_rules
	fi

	inst "${tbstream_program:-$(find_binary tbstream)}" /usr/bin/tbstream
	for name in tbsend tbrecv; do
		ln_r /usr/bin/tbstream "/usr/bin/$name"
	done

	for name in params disks screen dialog run keys log; do
		inst_simple "$moddir/tbstream-$name.sh" "/usr/lib/tbstream/$name.sh"
	done
	inst_script "$moddir/tbstream-ui" /usr/lib/tbstream/ui
	inst_script "$moddir/tbstream-consoles" /usr/lib/tbstream/consoles
	inst_script "$moddir/tbstream-enable" /usr/lib/tbstream/enable
	install_keymaps
	inst_rules "$moddir/10-tbstream-still.rules" "$moddir/60-tbstream.rules" "$moddir/90-tbstream-rescue.rules"

	inst_hook cmdline 20 "$moddir/tbstream-cmdline.sh"
	if dracut_module_included systemd; then
		for name in tbstream.target tbstream-enable.service tbstream-rescue.service; do
			inst_simple "$moddir/$name" "$systemdsystemunitdir/$name"
		done
		[[ ${tbstream_rescue-} != yes ]] || mask_units
	else
		inst_hook initqueue/settled 90 "$moddir/tbstream-settled.sh"
		inst_hook initqueue/finished 90 "$moddir/tbstream-finished.sh"
		inst_hook pre-mount 01 "$moddir/tbstream-start.sh"
	fi
}

# Layouts by the names that people know, from what loadkeys calls them in one distribution or another;
# its own format knows includes and compressed files, busybox's is a plain table.
install_keymaps() {
	local dir="$initdir/usr/share/tbstream/keymaps" layout map

	mkdir -p "$dir"
	for layout in us uk de:de-latin1 fr:fr-latin9 es it jp:jp106 be:be-latin1 br:br-abnt2 \
		ch:de_CH-latin1:sg-latin1 dk:dk-latin1 fi:fi-latin1:fi no:no-latin1 pl:pl2:pl pt:pt-latin1 \
		se:se-latin1:sv-latin1; do
		for map in $(tr ':' '\n' <<< "$layout" | tail -n +2) "${layout%%:*}"; do
			loadkeys -q -b "$map" > "$dir/${layout%%:*}.bmap" 2> /dev/null && break
			rm -f "$dir/${layout%%:*}.bmap"
		done
	done
	[[ -e $dir/us.bmap ]] ||
		dwarn "tbstream: no keyboard layouts: install kbd and, where it brings none, console-data"
}

# What is in the image stays there: names that point to busybox now keep the larger
# programs of the same name out, those of modules with higher numbers.
install_busybox_names() {
	local name path

	for name in $(busybox --list); do
		case $name in
			# kmod's own know more: compressed drivers, softdeps, blacklists.
			busybox | *mod | modprobe | modinfo | init | linuxrc) continue ;;
			# Its own library finds more.
			blkid) continue ;;
		esac
		path=$(find_binary "$name") || path=/usr/bin/$name
		ln_r /usr/bin/busybox "$path"
	done
}

# Rules for what a rescue does without, which cost every device of the cold plug time: a link to
# /dev/null keeps the real ones out.
mask_rules() {
	local name

	mkdir -p "$initdir${udevdir:?}/rules.d"
	for name in 60-autosuspend 60-cdrom_id 60-drm 60-evdev 60-fido-id 60-input-id 60-persistent-alsa \
		60-persistent-input 60-persistent-storage-tape 60-persistent-v4l 60-sensor 60-serial 64-btrfs \
		70-joystick 70-memory 70-mouse 70-touchpad 70-uaccess 71-seat 73-seat-late \
		75-net-description 75-probe_mtd 78-sound-card 80-net-setup-link 81-net-dhcp 99-systemd; do
		ln -s /dev/null "$initdir$udevdir/rules.d/$name.rules"
	done
}

# Likewise what systemd starts before dracut's cmdline hook turns it elsewhere, or beside it. Without
# a journal it logs to the kernel.
mask_units() {
	local name

	mkdir -p "$initdir/etc/systemd/system" "$initdir/etc/systemd/system.conf.d"
	printf '[Manager]\nDefaultStandardOutput=kmsg\n' > "$initdir/etc/systemd/system.conf.d/tbstream.conf"
	for name in systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket \
		systemd-journald-audit.socket kmod-static-nodes.service systemd-sysctl.service \
		systemd-modules-load.service systemd-tmpfiles-setup.service systemd-tmpfiles-setup-dev.service \
		systemd-tmpfiles-setup-dev-early.service systemd-ask-password-console.path \
		systemd-battery-check.service systemd-bsod.service systemd-pcrphase-initrd.service; do
		ln -s /dev/null "$initdir/etc/systemd/system/$name"
	done
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sourced by tbstream-mkrescue: the rescue stick, as "stick.img": a GPT with one FAT partition, which
# boots by systemd-boot (UEFI) and by syslinux (BIOS), with the same entries. Everything is written
# into files, without a mount.
#
#   EFI/BOOT/BOOTX64.EFI  loader/loader.conf  loader/entries/*.conf      UEFI
#   syslinux/*                                                          BIOS
#   tbstream/linux  tbstream/initrd                                     both

# shellcheck disable=SC2154 # the options

STICK_BOOT=/usr/lib/systemd/boot/efi/systemd-bootx64.efi
# Where the partition begins, in sectors of 512 bytes, and what is behind it: the second GPT.
STICK_START=2048
STICK_TAIL=2048
# In MiB. Less than 65525 clusters, of 1 KiB here, are no FAT32, the only kind that all firmware reads.
STICK_LEAST=72
# In MiB, for what the user wants to keep there, a log perhaps.
STICK_FREE=24

stick_check() {
	local each

	need gdisk sgdisk
	need dosfstools mkfs.fat
	need mtools mcopy mmd
	need_file systemd-boot-efi "$STICK_BOOT"
	[[ $bios ]] || return 0
	command -v syslinux > /dev/null ||
		fail "syslinux is missing: install the package syslinux, or do without BIOS by --no-bios"
	for each in gptmbr.bin ldlinux.c32 menu.c32 libutil.c32; do
		stick_syslinux "$each" > /dev/null
	done
}

# stick_syslinux FILE: its path, which distributions do not agree on.
stick_syslinux() {
	local folder

	for folder in /usr/lib/syslinux/{mbr,modules/bios,bios} /usr/share/syslinux; do
		if [[ -f $folder/$1 ]]; then
			printf '%s\n' "$folder/$1"
			return
		fi
	done
	fail "$1 of syslinux is missing: install the package syslinux-common (elsewhere syslinux-nonlinux)"
}

# The entries, a line each, to be chosen by its number in either menu: name, title, and what the command line says beside the common words.
stick_entries() {
	cat <<- 'ENTRIES'
		normal|tbstream rescue|
		serial|tbstream rescue: serial console (ttyS0, 115200)|console=tty0 console=ttyS0,115200
		safe|tbstream rescue: safe (no graphics, no reset of the cable's host)|nomodeset thunderbolt.host_reset=0
		shell|tbstream rescue: only a shell|rd.tbstream.mode=shell
	ENTRIES
}

# Its numbers come from what is on it, but for signatures, which have the time in them.
stick_identify() {
	stick_hash=$({ cat "$STICK_BOOT" linux initrd && words && stick_entries; } | sha256sum)
}

stick_make() {
	local common

	# The entries name their own stick, that it is never taken for a disk of the machine.
	common="$(words) rd.tbstream.exclude=UUID=$(stick_uuid)"
	mkdir -p tree/EFI/BOOT tree/loader/entries tree/tbstream
	cp "$STICK_BOOT" tree/EFI/BOOT/BOOTX64.EFI
	sign tree/EFI/BOOT/BOOTX64.EFI
	cp linux initrd tree/tbstream/
	stick_uefi "$common"
	[[ -z $bios ]] || stick_bios "$common"
	stick_fat
	stick_gpt
}

stick_uuid() {
	local id=${stick_hash:0:8}

	id=${id^^}
	printf '%s-%s\n' "${id:0:4}" "${id:4}"
}

# stick_guid NUMBER
stick_guid() {
	local h=${stick_hash:$(($1 * 24)):32}

	printf '%s-%s-4%s-8%s-%s\n' "${h:0:8}" "${h:8:4}" "${h:13:3}" "${h:17:3}" "${h:20:12}"
}

# stick_uefi WORDS
stick_uefi() {
	local id title more number=0

	printf '%s\n' 'default normal.conf' 'timeout 10' 'console-mode keep' 'auto-entries no' \
		> tree/loader/loader.conf
	while IFS='|' read -r id title more; do
		number=$((number + 1))
		printf '%s\n' "title $number $title" "sort-key $number" "linux /tbstream/linux" "initrd /tbstream/initrd" \
			"options $1${more:+ $more}" > "tree/loader/entries/$id.conf"
	done < <(stick_entries)
}

# stick_bios WORDS
stick_bios() {
	local id title more number=0

	mkdir tree/syslinux
	for id in ldlinux menu libutil; do
		cp "$(stick_syslinux "$id.c32")" tree/syslinux/
	done
	{
		printf '%s\n' 'SERIAL 0 115200' 'UI menu.c32' 'MENU TITLE tbstream rescue' 'DEFAULT normal' 'TIMEOUT 100'
		while IFS='|' read -r id title more; do
			number=$((number + 1))
			printf '%s\n' "LABEL $id" "  MENU LABEL ^$number $title" '  LINUX /tbstream/linux' \
				'  INITRD /tbstream/initrd' "  APPEND $1${more:+ $more}"
		done < <(stick_entries)
	} > tree/syslinux/syslinux.cfg
}

stick_fat() {
	local path size

	size=$(($(du -sm --apparent-size tree | cut -f 1) + STICK_FREE))
	rm -f fat
	truncate -s "$((size > STICK_LEAST ? size : STICK_LEAST))M" fat
	mkfs.fat --invariant -F 32 -S 512 -s 2 -h "$STICK_START" -i "${stick_hash:0:8}" -n TBSTREAM fat > log 2>&1 ||
		fail "mkfs.fat failed: $(tail -n 1 log)"
	# In an order of its own: that of a folder differs from one file system to the next.
	while read -r path; do
		if [[ -d tree/$path ]]; then
			mmd -i fat "::$path"
		else
			mcopy -i fat "tree/$path" "::$path"
		fi
	done < <(find tree -mindepth 1 -printf '%P\n' | sort)
	[[ $bios ]] || return 0
	syslinux --install --directory syslinux fat > log 2>&1 || fail "syslinux failed: $(tail -n 1 log)"
	# The boot sector's copy, which syslinux leaves alone, and fsck would miss.
	dd if=fat of=fat bs=512 count=1 seek=6 conv=notrunc status=none
}

stick_gpt() {
	local sectors

	sectors=$(($(stat -c %s fat) / 512))
	rm -f stick.img
	truncate -s "$(((STICK_START + sectors + STICK_TAIL) * 512))" stick.img
	# The attribute is what gptmbr.bin looks for.
	sgdisk --disk-guid="$(stick_guid 0)" --new="1:$STICK_START:$((STICK_START + sectors - 1))" \
		--typecode=1:ef00 --change-name='1:tbstream rescue' --partition-guid="1:$(stick_guid 1)" \
		${bios:+--attributes=1:set:2} stick.img > log 2>&1 || fail "sgdisk failed: $(tail -n 1 log)"
	dd if=fat of=stick.img bs=512 seek="$STICK_START" conv=notrunc,sparse status=none
	[[ -z $bios ]] ||
		dd if="$(stick_syslinux gptmbr.bin)" of=stick.img bs=440 count=1 conv=notrunc status=none
}

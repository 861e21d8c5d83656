#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sourced by tbstream-mkrescue: a unified kernel image, "rescue.efi": systemd's stub, and behind it
# command line, kernel and initrd as sections of the same program.

# shellcheck disable=SC2154 # the options

UKI_STUB=/usr/lib/systemd/boot/efi/linuxx64.efi.stub

uki_check() {
	need binutils objcopy objdump
	need_file systemd-boot-efi "$UKI_STUB"
}

uki_make() {
	local at align size vma part arguments=()

	printf 'ID=tbstream\nNAME=tbstream\nPRETTY_NAME="tbstream rescue"\nVERSION_ID=%s\n' "$version" > osrel
	printf '%s' "$kver" > release
	printf '%s' "$(words)" > cmdline

	align=$((16#$(objdump -p "$UKI_STUB" | awk '$1 == "SectionAlignment" { print $2 }')))
	read -r size vma < <(objdump -h "$UKI_STUB" | awk 'NF == 7 { last = $3 " " $4 } END { print last }')
	at=$((16#$vma + 16#$size))
	for part in osrel:osrel uname:release cmdline:cmdline linux:linux initrd:initrd; do
		at=$(((at + align - 1) / align * align))
		arguments+=(--add-section ".${part/:/=}" --change-section-vma ".${part%:*}=$(printf 0x%x "$at")")
		at=$((at + $(stat -c %s "${part#*:}")))
	done
	objcopy "${arguments[@]}" "$UKI_STUB" rescue.efi > log 2>&1 ||
		fail "objcopy failed: $(tail -n 1 log)"
	sign rescue.efi
}

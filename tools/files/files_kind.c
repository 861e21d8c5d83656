// SPDX-License-Identifier: GPL-2.0-or-later
/* Which file system it is: by its own first bytes, whatever a manifest says. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/bytes.h"
#include "files/files_kinds.h"

#define KIND_HEAD 69632u /* btrfs begins at 64 KiB */

static const struct kind_magic {
	const char *kind;
	uint32_t offset, len;
	const char *magic;
	const struct files_ops *ops; /* NULL: known by name only */
} kind_magics[] = {
	{"ext4", 1080, 2, "\x53\xef", &files_ext},
	{"NTFS", 3, 8, "NTFS    ", FILES_NTFS ? &files_ntfs : NULL},
	{"exFAT", 3, 8, "EXFAT   ", NULL},
	{"BitLocker", 3, 8, "-FVE-FS-", NULL},
	{"XFS", 0, 4, "XFSB", NULL},
	{"btrfs", 65600, 8, "_BHRfS_M", NULL},
	{"F2FS", 1024, 4, "\x10\x20\xf5\xf2", NULL},
	{"LUKS", 0, 6, "LUKS\xba\xbe", NULL},
	{"LVM", 512, 8, "LABELONE", NULL},
	{"LVM", 0, 8, "LABELONE", NULL},
	{"bcachefs", 4120, 4, "\xc6\x85\x73\xf6", NULL},
	{"squashfs", 0, 4, "hsqs", NULL},
	{"ISO 9660", 32769, 5, "CD001", NULL},
	{"HFS+", 1024, 2, "H+", NULL},
	{"APFS", 32, 4, "NXSB", NULL},
	{"swap", 4086, 10, "SWAPSPACE2", NULL},
	{"Linux RAID", 4096, 4, "\xfc\x4e\x2b\xa9", NULL},
};

/* FAT has no magic number that is always there: its first sector has to make sense. */
static bool kind_is_fat(const uint8_t *head, size_t len)
{
	if (len < 512 || head[510] != 0x55 || head[511] != 0xaa)
		return false;
	uint16_t sector = bytes_get16(head + 11);
	uint8_t cluster = head[13], copies = head[16], media = head[21];

	return sector >= 512 && sector <= 4096 && !(sector & (sector - 1)) && cluster &&
	       !(cluster & (cluster - 1)) && bytes_get16(head + 14) && copies >= 1 && copies <= 2 &&
	       media >= 0xf0 && (bytes_get16(head + 22) || bytes_get32(head + 36));
}

int files_kind_detect(struct files *files, const struct files_ops **ret)
{
	uint64_t size = view_device_size(files->device);
	size_t len = size < KIND_HEAD ? size : KIND_HEAD;
	uint8_t *head = malloc(KIND_HEAD);
	int r;

	*ret = NULL;
	if (!head)
		return -ENOMEM;
	view_device_begin(files->device, 2 * KIND_HEAD);
	r = view_device_read(files->device, head, len, 0);
	for (size_t i = 0; r == 0 && i < sizeof(kind_magics) / sizeof(kind_magics[0]); i++) {
		const struct kind_magic *magic = &kind_magics[i];

		if (magic->offset + magic->len > len ||
		    memcmp(head + magic->offset, magic->magic, magic->len) != 0)
			continue;
		snprintf(files->kind, sizeof(files->kind), "%s", magic->kind);
		*ret = magic->ops;
		break;
	}
	if (r == 0 && !files->kind[0] && kind_is_fat(head, len)) {
		snprintf(files->kind, sizeof(files->kind), "FAT");
		*ret = &files_fat;
	}
	free(head);
	return r;
}

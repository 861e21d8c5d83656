// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "codec/bytes.h"
#include "files/fat.h"

/* What the FAT says of CLUSTER, which exists. */
static int chain_next(struct files *files, uint32_t cluster, uint32_t *ret)
{
	const struct fat *fat = files->fs;
	uint8_t raw[4] = {0};
	size_t width = fat->bits == 32 ? 4 : 2;
	uint64_t at = fat->bits == 12 ? cluster + cluster / 2 : (uint64_t)cluster * width;
	int r = view_device_read(files->device, raw, width, fat->table + at);

	if (r < 0)
		return r;
	uint32_t next = bytes_get32(raw);

	if (fat->bits == 12)
		next = cluster & 1 ? next >> 4 : next & 0xfff;
	*ret = fat->bits == 32 ? next & 0x0fffffff : next;
	return 0;
}

int fat_chain(struct files *files, uint32_t first, uint32_t index, uint32_t *ret)
{
	struct fat *fat = files->fs;
	uint32_t end = fat->bits == 12 ? 0xff8 : fat->bits == 16 ? 0xfff8 : 0x0ffffff8;

	if (index >= fat->clusters)
		return files_fail(files, -EBADMSG,
				  "the FAT file system is damaged: a file leads in circles");
	if (fat->first != first || fat->index > index) {
		fat->first = 0;
		if (first < 2 || first > fat->clusters + 1)
			return files_fail(files, -EBADMSG,
					  "the FAT file system is damaged: there is no cluster %u",
					  first);
		fat->first = fat->at = first;
		fat->index = 0;
	}
	while (fat->index < index) {
		uint32_t next;
		int r = chain_next(files, fat->at, &next);

		if (r < 0)
			return r;
		if (next >= end)
			return 0;
		if (next < 2 || next > fat->clusters + 1)
			return files_fail(files, -EBADMSG,
					  "the FAT file system is damaged: cluster %u leads to "
					  "nowhere",
					  fat->at);
		fat->at = next;
		fat->index++;
	}
	*ret = fat->at;
	return 1;
}

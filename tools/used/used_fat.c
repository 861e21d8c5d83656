// SPDX-License-Identifier: GPL-2.0-or-later
/* FAT12, FAT16, FAT32: Microsoft, "FAT32 File System Specification", 2000; Linux, fs/fat/inode.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "codec/bytes.h"
#include "used/used_kinds.h"

#define FAT_FIRST  2u	  /* the first cluster's number */
#define FAT12_MOST 4084u  /* clusters; fs/fat/fat.h: MAX_FAT12 */
#define FAT16_MOST 65524u /* MAX_FAT16 */
#define FAT32_MOST (1u << 28)
#define FAT_DIRTY  0x01u  /* of the boot sector's state; fs/fat/fat.h: FAT_STATE_DIRTY */
#define FAT_PART   98304u /* bytes of a FAT that are read at once: whole entries, 8 n of them */
#define FAT_BITS   (FAT_PART * 8 / 12 / 8) /* bytes of a map of them, at most */

struct fat {
	const struct probe_area *area;
	struct used_map map;
	uint64_t offset, length; /* of the first FAT, bytes */
	unsigned int fats;
	uint64_t clusters;
	unsigned int bits; /* of an entry */
	uint32_t root;	   /* its first cluster; 0: before the clusters */
	uint8_t media;
	uint8_t *part, *other, *used; /* FAT_PART, FAT_PART, FAT_BITS */
	const char **ret_doubt;
};

static int fat_parse_tail(struct fat *fat, const uint8_t *boot, uint64_t length)
{
	if (length) {
		fat->bits = fat->clusters > FAT12_MOST ? 16 : 12;
	} else {
		fat->bits = 32;
		fat->root = bytes_get32(boot + 44);
		if (boot[40] & 0x80)
			return used_doubt("only one of its FATs is in use", fat->ret_doubt);
		if (bytes_get16(boot + 42) != 0)
			return used_doubt("its version is not known", fat->ret_doubt);
		if (fat->root < FAT_FIRST || fat->root - FAT_FIRST >= fat->clusters)
			return used_doubt("its boot sector is damaged", fat->ret_doubt);
	}
	if (boot[fat->bits == 32 ? 65 : 37] & FAT_DIRTY)
		return used_doubt("it was not unmounted", fat->ret_doubt);
	if (fat->clusters == 0 ||
	    fat->clusters >= (fat->bits == 32 ? FAT32_MOST : FAT16_MOST + 1) ||
	    (fat->clusters + FAT_FIRST) * fat->bits > fat->length * 8)
		return used_doubt("its boot sector is damaged", fat->ret_doubt);
	return 0;
}

static int fat_parse(struct fat *fat, const uint8_t *boot)
{
	uint32_t sector = bytes_get16(boot + 11), per = boot[13], reserved = bytes_get16(boot + 14);
	uint64_t sectors = bytes_get16(boot + 19), length = bytes_get16(boot + 22);

	fat->fats = boot[16];
	fat->media = boot[21];
	if (bytes_get16(boot + 510) != 0xaa55 || sector < 512 || sector > 4096 ||
	    !powerof2(sector) || per == 0 || !powerof2(per) || reserved == 0 || fat->fats == 0 ||
	    fat->fats > 2)
		return used_doubt("its boot sector is damaged", fat->ret_doubt);
	if (!sectors)
		sectors = bytes_get32(boot + 32);
	fat->length = (length ? length : bytes_get32(boot + 36)) * sector;
	fat->offset = (uint64_t)reserved * sector;
	uint64_t root = (bytes_get16(boot + 17) * 32u + sector - 1) / sector * sector;
	uint64_t data = fat->offset + fat->fats * fat->length + root;

	if (sectors * sector > fat->area->size)
		return used_doubt("it goes on behind the end of its partition", fat->ret_doubt);
	if (sectors * sector <= data)
		return used_doubt("its boot sector is damaged", fat->ret_doubt);
	fat->map.origin = data;
	fat->map.unit = (uint64_t)per * sector;
	fat->clusters = (sectors * sector - data) / fat->map.unit;
	return fat_parse_tail(fat, boot, length);
}

/* Entry INDEX of a part of the FAT that begins with an even one. */
static uint32_t fat_entry(const struct fat *fat, size_t index)
{
	if (fat->bits == 32)
		return bytes_get32(fat->part + index * 4) & 0x0fffffff;
	if (fat->bits == 16)
		return bytes_get16(fat->part + index * 2);
	uint32_t pair = bytes_get16(fat->part + index * 3 / 2);

	return index % 2 ? pair >> 4 : pair & 0xfff;
}

/* What stands for an end, or a bad cluster, or is kept for such things. */
static bool fat_is_mark(const struct fat *fat, uint32_t entry)
{
	return entry >= (fat->bits == 32 ? 0x0ffffff0u : fat->bits == 16 ? 0xfff0u : 0xff0u);
}

/* The first two entries are no clusters: the medium's byte, and two bits of the state. */
static int fat_check_start(const struct fat *fat)
{
	uint32_t state = fat_entry(fat, 1);
	bool clean = fat->bits == 32   ? (state >> 26 & 3) == 3
		     : fat->bits == 16 ? (state >> 14 & 3) == 3
				       : true;

	if ((fat_entry(fat, 0) & 0xff) != fat->media)
		return used_doubt("its FAT does not begin as one", fat->ret_doubt);
	return clean ? 0 : used_doubt("it was not unmounted, or has had errors", fat->ret_doubt);
}

/* COUNT entries from AT on to fat->part; both FATs must have them. */
static int fat_read(struct fat *fat, uint64_t at, size_t count)
{
	uint64_t offset = fat->offset + at * fat->bits / 8;
	size_t len = (count * fat->bits + 7) / 8;
	int r = used_get(fat->area, offset, fat->part, len, fat->ret_doubt);

	if (r == 0 && fat->fats == 2) {
		r = used_get(fat->area, offset + fat->length, fat->other, len, fat->ret_doubt);
		if (r == 0 && memcmp(fat->part, fat->other, len) != 0)
			r = used_doubt("its two FATs differ", fat->ret_doubt);
	}
	return r == 0 && at == 0 ? fat_check_start(fat) : r;
}

static int fat_add_part(struct fat *fat, uint64_t at, size_t count)
{
	size_t skip = at ? 0 : FAT_FIRST;
	uint64_t free = 0;

	memset(fat->used, 0, FAT_BITS);
	for (size_t i = skip; i < count; i++) {
		uint32_t entry = fat_entry(fat, i);

		if (entry == 0)
			continue;
		if (entry < FAT_FIRST ||
		    (entry - FAT_FIRST >= fat->clusters && !fat_is_mark(fat, entry)))
			return used_doubt("its FAT is damaged", fat->ret_doubt);
		fat->used[(i - skip) / 8] |= 1u << (i - skip) % 8;
	}
	return used_map_add(&fat->map, fat->used, at + skip - FAT_FIRST, count - skip, &free);
}

static bool fat_is_spare(const struct fat *fat, uint32_t cluster)
{
	uint64_t offset = fat->map.origin + (cluster - FAT_FIRST) * fat->map.unit;
	struct spare_range range;

	return spare_next(fat->map.spare, offset, &range) && range.start <= offset;
}

/* No chain may go on in what is free. */
static int fat_check_part(struct fat *fat, uint64_t at, size_t count)
{
	for (size_t i = at ? 0 : FAT_FIRST; i < count; i++) {
		uint32_t entry = fat_entry(fat, i);

		if (entry >= FAT_FIRST && !fat_is_mark(fat, entry) && fat_is_spare(fat, entry))
			return used_doubt("a file of it goes on in what is free", fat->ret_doubt);
	}
	return 0;
}

static int fat_each_part(struct fat *fat, int (*each)(struct fat *fat, uint64_t at, size_t count))
{
	uint64_t entries = fat->clusters + FAT_FIRST, most = FAT_PART * 8 / fat->bits;
	int r = 0;

	for (uint64_t at = 0; r == 0 && at < entries; at += most) {
		size_t count = MIN(most, entries - at);

		r = fat_read(fat, at, count);
		if (r == 0)
			r = each(fat, at, count);
	}
	return r;
}

int used_fat(const struct probe_area *area, struct spare *spare, const char **ret_doubt)
{
	struct fat fat = {.area = area, .map.spare = spare, .ret_doubt = ret_doubt};
	uint8_t boot[512];
	int r = used_get(area, 0, boot, sizeof(boot), ret_doubt);

	if (r == 0)
		r = fat_parse(&fat, boot);
	if (r < 0)
		return r;
	fat.part = malloc(2 * FAT_PART + FAT_BITS);
	if (!fat.part)
		return -ENOMEM;
	fat.other = fat.part + FAT_PART;
	fat.used = fat.other + FAT_PART;
	r = fat_each_part(&fat, fat_add_part);
	if (r == 0)
		r = spare_finish(spare);
	if (r == 0)
		r = fat_each_part(&fat, fat_check_part);
	if (r == 0 && fat.root && fat_is_spare(&fat, fat.root))
		r = used_doubt("its root is free", ret_doubt);
	free(fat.part);
	return r;
}

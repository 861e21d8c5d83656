// SPDX-License-Identifier: GPL-2.0-or-later
/* FAT12, FAT16, FAT32 (Microsoft, "FAT32 File System Specification", 2000) and exFAT. */
#include "io/probe_used_internal.h"

#include <string.h>
#include <sys/param.h>

#include "codec/bytes.h"

#define FAT_FIRST     2u	 /* the first cluster's number */
#define FAT12_MOST    4084u	 /* clusters; Linux, fs/fat/fat.h: MAX_FAT12 */
#define FAT_READ_MOST (4u << 20) /* bytes of a FAT: more than any FAT16 has, and 2^20 clusters */

struct fat {
	uint64_t offset;   /* of the FAT, bytes */
	uint64_t clusters; /* that can hold something */
	uint32_t cluster;  /* bytes */
	unsigned int bits; /* of an entry */
	uint64_t info;	   /* offset of FSINFO, bytes; FAT32 only */
};

/* CLUSTERS are there, and a FAT of LENGTH bytes; too short a one takes some away (fs/fat/inode.c).
 */
static bool fat_measure(struct fat *fat, uint64_t clusters, uint64_t length)
{
	if (fat->bits != 32)
		fat->bits = clusters > FAT12_MOST ? 16 : 12;
	uint64_t entries = length * 8 / fat->bits;

	fat->clusters = MIN(clusters, entries > FAT_FIRST ? entries - FAT_FIRST : 0);
	return fat->clusters > 0;
}

static bool fat_parse(const uint8_t *boot, struct fat *ret)
{
	uint32_t sector = bytes_get16(boot + 11), per = boot[13], reserved = bytes_get16(boot + 14);
	uint64_t sectors = bytes_get16(boot + 19), length = bytes_get16(boot + 22);
	struct fat fat = {.bits = length ? 16 : 32};

	if (sector < 512 || sector > 4096 || !powerof2(sector) || per == 0 || !powerof2(per) ||
	    reserved == 0 || boot[16] == 0)
		return false;
	if (!sectors)
		sectors = bytes_get32(boot + 32);
	if (!length)
		length = bytes_get32(boot + 36);
	uint64_t root = (bytes_get16(boot + 17) * 32u + sector - 1) / sector;
	uint64_t data = reserved + boot[16] * length + root;

	fat.cluster = per * sector;
	fat.offset = (uint64_t)reserved * sector;
	/* FSINFO is sector 1 where nothing is said: fs/fat/inode.c. */
	fat.info = (uint64_t)MAX(bytes_get16(boot + 48), 1) * sector;
	if (sectors <= data || !fat_measure(&fat, (sectors - data) / per, length * sector))
		return false;
	*ret = fat;
	return true;
}

/* What FSINFO says, which is a hint: "not known" is all ones. */
static bool fat_info(const struct probe_area *area, const struct fat *fat, uint64_t *ret_free)
{
	uint8_t info[512];

	if (!probe_area_get(area, fat->info, info, sizeof(info)) || memcmp(info, "RRaA", 4) != 0 ||
	    memcmp(info + 484, "rrAa", 4) != 0 || bytes_get32(info + 488) > fat->clusters)
		return false;
	*ret_free = bytes_get32(info + 488);
	return true;
}

/* Entry INDEX of a part of the FAT that begins with an even one. */
static uint32_t fat_entry(const uint8_t *part, size_t index, unsigned int bits)
{
	uint32_t pair;

	if (bits == 32)
		return bytes_get32(part + index * 4) & 0x0fffffff;
	if (bits == 16)
		return bytes_get16(part + index * 2);
	pair = bytes_get16(part + index * 3 / 2);
	return index % 2 ? pair >> 4 : pair & 0xfff;
}

static bool fat_count(const struct probe_area *area, const struct fat *fat, uint64_t *ret_free)
{
	uint8_t part[12288]; /* whole entries, whatever their length */
	uint64_t entries = FAT_FIRST + fat->clusters, most = sizeof(part) * 8 / fat->bits;
	uint64_t free = 0;

	if (entries * fat->bits / 8 > FAT_READ_MOST)
		return false;
	for (uint64_t at = 0; at < entries; at += most) {
		size_t n = MIN(most, entries - at);

		if (!probe_area_get(area, fat->offset + at * fat->bits / 8, part,
				    (n * fat->bits + 7) / 8))
			return false;
		for (size_t i = at ? 0 : FAT_FIRST; i < n; i++)
			free += fat_entry(part, i, fat->bits) == 0;
	}
	*ret_free = free;
	return true;
}

bool probe_used_fat(const struct probe_area *area, struct probe_used *ret)
{
	uint8_t boot[512];
	struct fat fat;
	uint64_t free;

	if (!probe_area_get(area, 0, boot, sizeof(boot)) || !fat_parse(boot, &fat))
		return false;
	if (!(fat.bits == 32 && fat_info(area, &fat, &free)) && !fat_count(area, &fat, &free))
		return false;
	return probe_used_put(area, fat.cluster, fat.clusters, free, ret);
}

#define EXFAT_BITMAP 0x81u /* the directory entry of the allocation bitmap */

/*
 * The first cluster of the bitmap of CLUSTERS bits, which is one of the first entries of the root
 * directory, at ROOT; or 0.
 */
static uint32_t exfat_bitmap(const struct probe_area *area, uint64_t root, uint32_t clusters)
{
	uint8_t entries[512];

	if (!probe_area_get(area, root, entries, sizeof(entries)))
		return 0;
	/* Bit 0 of the flags is TexFAT's second bitmap. */
	for (const uint8_t *entry = entries; entry < entries + sizeof(entries) && *entry;
	     entry += 32) {
		if (entry[0] == EXFAT_BITMAP && !(entry[1] & 1))
			return bytes_get64(entry + 24) >= (clusters + UINT64_C(7)) / 8
				       ? bytes_get32(entry + 20)
				       : 0;
	}
	return 0;
}

/*
 * Microsoft, "exFAT file system specification", 3.1, 7.1. PercentInUse of the boot sector is no
 * help: Linux does not keep it. The bitmap is in one piece, as fs/exfat/balloc.c takes it to be.
 */
bool probe_used_exfat(const struct probe_area *area, struct probe_used *ret)
{
	uint64_t heap, used = 0;
	uint8_t boot[512];
	uint32_t bitmap;

	if (!probe_area_get(area, 0, boot, sizeof(boot)) || memcmp(boot + 3, "EXFAT   ", 8) != 0)
		return false;
	uint32_t clusters = bytes_get32(boot + 92), root = bytes_get32(boot + 96);
	unsigned int sector = boot[108], shift = sector + boot[109];

	if (sector < 9 || sector > 12 || shift > 25 || clusters == 0 || root < FAT_FIRST ||
	    root - FAT_FIRST >= clusters || clusters / 8 > PROBE_USED_MAP_MOST)
		return false;
	heap = (uint64_t)bytes_get32(boot + 88) << sector;
	bitmap = exfat_bitmap(area, heap + ((uint64_t)(root - FAT_FIRST) << shift), clusters);
	if (bitmap < FAT_FIRST || bitmap - FAT_FIRST >= clusters ||
	    !probe_used_bits(area, heap + ((uint64_t)(bitmap - FAT_FIRST) << shift), clusters,
			     &used))
		return false;
	return probe_used_put(area, UINT64_C(1) << shift, clusters, clusters - used, ret);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* exFAT: Microsoft, "exFAT file system specification", chapters 3, 4, 6 and 7.1. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "codec/bytes.h"
#include "used/used_kinds.h"

#define EXFAT_FIRST  2u	   /* the first cluster's number */
#define EXFAT_BOOT   11u   /* sectors that the checksum in the next one is of */
#define EXFAT_BITMAP 0x81u /* types of directory entries */
#define EXFAT_UPCASE 0x82u
#define EXFAT_ENTRY  32u
#define EXFAT_ENTRIES_MOST \
	4096u /* of the root that are looked at: the bitmap is one of the first */
#define EXFAT_PART	    65536u
#define EXFAT_CLUSTERS_MOST (1u << 31) /* a bitmap of 256 MiB */

struct exfat {
	const struct probe_area *area;
	struct used_map map;
	uint64_t fat; /* offset, bytes */
	uint32_t clusters, root;
	unsigned int shift;	 /* of a cluster: 2^shift bytes */
	uint32_t bitmap, upcase; /* their first clusters */
	uint64_t bitmap_length;	 /* bytes */
	const char **ret_doubt;
};

/* 3.4: what can change without a new checksum is left out of it. */
static int exfat_check_boot(struct exfat *exfat, unsigned int sector)
{
	size_t len = (size_t)EXFAT_BOOT << sector;
	uint8_t *boot = malloc(len + 4);
	uint32_t sum = 0;

	if (!boot)
		return -ENOMEM;
	int r = used_get(exfat->area, 0, boot, len + 4, exfat->ret_doubt);

	for (size_t i = 0; r == 0 && i < len; i++) {
		if (i != 106 && i != 107 && i != 112)
			sum = (sum << 31 | sum >> 1) + boot[i];
	}
	if (r == 0 && sum != bytes_get32(boot + len))
		r = used_doubt("the checksum of its boot region is wrong", exfat->ret_doubt);
	free(boot);
	return r;
}

static int exfat_parse(struct exfat *exfat)
{
	uint8_t boot[512];
	int r = used_get(exfat->area, 0, boot, sizeof(boot), exfat->ret_doubt);

	if (r < 0)
		return r;
	unsigned int sector = boot[108], flags = bytes_get16(boot + 106);
	uint64_t volume = bytes_get64(boot + 72), heap = bytes_get32(boot + 88);
	uint64_t fat = bytes_get32(boot + 80), fat_length = bytes_get32(boot + 84);

	exfat->shift = sector + boot[109];
	exfat->clusters = bytes_get32(boot + 92);
	exfat->root = bytes_get32(boot + 96);
	if (memcmp(boot + 3, "EXFAT   ", 8) != 0 || sector < 9 || sector > 12 ||
	    exfat->shift > 25 || exfat->clusters == 0 || exfat->clusters > EXFAT_CLUSTERS_MOST)
		return used_doubt("its boot sector is damaged", exfat->ret_doubt);
	if (boot[105] != 1 || boot[110] != 1 || flags & 1)
		return used_doubt("it is of a kind that this program does not know",
				  exfat->ret_doubt);
	if (flags & 6)
		return used_doubt("it was not unmounted, or has had errors", exfat->ret_doubt);
	if (volume > exfat->area->size >> sector)
		return used_doubt("it goes on behind the end of its partition", exfat->ret_doubt);
	exfat->fat = fat << sector;
	exfat->map.origin = heap << sector;
	exfat->map.unit = UINT64_C(1) << exfat->shift;
	if (fat + fat_length > heap || fat_length << sector < (exfat->clusters + UINT64_C(2)) * 4 ||
	    heap > volume || exfat->clusters > (volume - heap) >> boot[109])
		return used_doubt("its boot sector is damaged", exfat->ret_doubt);
	return exfat_check_boot(exfat, sector);
}

static int exfat_check(const struct exfat *exfat, uint32_t cluster)
{
	if (cluster < EXFAT_FIRST || cluster - EXFAT_FIRST >= exfat->clusters)
		return used_doubt("a chain of its FAT is damaged", exfat->ret_doubt);
	return 0;
}

static uint64_t exfat_offset(const struct exfat *exfat, uint32_t cluster)
{
	return exfat->map.origin + ((uint64_t)(cluster - EXFAT_FIRST) << exfat->shift);
}

/* The cluster behind *CLUSTER. */
static int exfat_next(const struct exfat *exfat, uint32_t *cluster)
{
	uint8_t entry[4];
	int r = used_get(exfat->area, exfat->fat + (uint64_t)*cluster * 4, entry, sizeof(entry),
			 exfat->ret_doubt);

	if (r < 0)
		return r;
	*cluster = bytes_get32(entry);
	return exfat_check(exfat, *cluster);
}

/* One entry of the root. Returns 1 when there is nothing more to look for, 0 or -errno. */
static int exfat_take(struct exfat *exfat, const uint8_t *entry)
{
	uint32_t first = bytes_get32(entry + 20);

	if (entry[0] == EXFAT_BITMAP) {
		if (exfat->bitmap || entry[1] & 1)
			return used_doubt("it has two bitmaps", exfat->ret_doubt);
		exfat->bitmap = first;
		exfat->bitmap_length = bytes_get64(entry + 24);
	} else if (entry[0] == EXFAT_UPCASE) {
		exfat->upcase = first;
	}
	return entry[0] == 0 || (exfat->bitmap && exfat->upcase);
}

static int exfat_find(struct exfat *exfat)
{
	uint32_t cluster = exfat->root, per = (1u << exfat->shift) / EXFAT_ENTRY;
	int r = exfat_check(exfat, cluster);

	for (uint32_t i = 0; r == 0 && i < EXFAT_ENTRIES_MOST; i++) {
		uint8_t entry[EXFAT_ENTRY];

		if (i && i % per == 0)
			r = exfat_next(exfat, &cluster);
		if (r == 0)
			r = used_get(exfat->area,
				     exfat_offset(exfat, cluster) +
					     (uint64_t)(i % per) * EXFAT_ENTRY,
				     entry, sizeof(entry), exfat->ret_doubt);
		if (r == 0)
			r = exfat_take(exfat, entry);
	}
	if (r < 0)
		return r;
	if (!exfat->bitmap || !exfat->upcase ||
	    exfat->bitmap_length < (exfat->clusters + UINT64_C(7)) / 8)
		return used_doubt("the bitmap of its clusters is not where it can be",
				  exfat->ret_doubt);
	r = exfat_check(exfat, exfat->bitmap);
	return r < 0 ? r : exfat_check(exfat, exfat->upcase);
}

/* The part of the bitmap that is in CLUSTER, for the clusters from FIRST on. */
static int exfat_add_cluster(struct exfat *exfat, uint32_t cluster, uint64_t first, uint8_t *part)
{
	uint64_t end = MIN(exfat->clusters, first + ((uint64_t)8 << exfat->shift)), free = 0;
	uint64_t offset = exfat_offset(exfat, cluster);
	int r = 0;

	while (r == 0 && first < end) {
		uint64_t count = MIN(end - first, 8 * EXFAT_PART);

		r = used_get(exfat->area, offset, part, (count + 7) / 8, exfat->ret_doubt);
		if (r == 0)
			r = used_map_add(&exfat->map, part, first, count, &free);
		offset += count / 8;
		first += count;
	}
	return r;
}

static bool exfat_is_spare(const struct exfat *exfat, uint32_t cluster)
{
	uint64_t offset = exfat_offset(exfat, cluster);
	struct spare_range range;

	return spare_next(exfat->map.spare, offset, &range) && range.start <= offset;
}

/* The bitmap, by its chain; with PART NULL only whether it is not free itself. */
static int exfat_walk(struct exfat *exfat, uint8_t *part)
{
	uint64_t per = (uint64_t)8 << exfat->shift;
	uint32_t cluster = exfat->bitmap;
	int r = 0;

	for (uint64_t first = 0; r == 0 && first < exfat->clusters; first += per) {
		if (first)
			r = exfat_next(exfat, &cluster);
		if (r == 0 && part)
			r = exfat_add_cluster(exfat, cluster, first, part);
		else if (r == 0 && exfat_is_spare(exfat, cluster))
			r = used_doubt("its bitmap contradicts itself", exfat->ret_doubt);
	}
	return r;
}

int used_exfat(const struct probe_area *area, struct spare *spare, const char **ret_doubt)
{
	struct exfat exfat = {.area = area, .map.spare = spare, .ret_doubt = ret_doubt};
	int r = exfat_parse(&exfat);

	if (r == 0)
		r = exfat_find(&exfat);
	uint8_t *part = r == 0 ? malloc(EXFAT_PART) : NULL;

	if (r == 0)
		r = part ? exfat_walk(&exfat, part) : -ENOMEM;
	free(part);
	if (r == 0)
		r = spare_finish(spare);
	if (r == 0)
		r = exfat_walk(&exfat, NULL);
	if (r == 0 && (exfat_is_spare(&exfat, exfat.root) || exfat_is_spare(&exfat, exfat.upcase)))
		r = used_doubt("its bitmap contradicts its folders", ret_doubt);
	return r;
}

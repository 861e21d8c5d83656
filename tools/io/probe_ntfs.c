// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/probe_ntfs.h"

#include <string.h>
#include <sys/param.h>

#include "codec/bytes.h"

#define ATTR_DATA     0x80u
#define ATTR_RESIDENT 24u /* bytes of the header of one that is in the record */
#define ATTR_RUNS     64u /* where the runs of one that is not begin at the earliest */

/* 1 to 0x80 as it is, from 0xf4 on minus a power of two's exponent: true_sectors_per_clst(). */
static uint32_t cluster_sectors(uint8_t value)
{
	if (value >= 0xf4)
		return 1u << (256 - value);
	return value <= 0x80 && powerof2(value) ? value : 0;
}

static bool ntfs_parse(const uint8_t *boot, struct probe_ntfs *ntfs)
{
	uint32_t sector = bytes_get16(boot + 11), per = cluster_sectors(boot[13]);
	int8_t record = (int8_t)boot[64];

	if (memcmp(boot + 3, "NTFS    ", 8) != 0 || sector < 512 || sector > 4096 ||
	    !powerof2(sector) || per == 0)
		return false;
	ntfs->clusters = bytes_get64(boot + 40) / per;
	ntfs->mft = bytes_get64(boot + 48);
	ntfs->cluster = per * sector;
	ntfs->record = record > 0 ? (uint32_t)record * per * sector : 0;
	if (record < 0 && record >= -12)
		ntfs->record = 1u << -record;
	return ntfs->record >= PROBE_NTFS_SECTOR && ntfs->record <= PROBE_NTFS_RECORD &&
	       ntfs->record % PROBE_NTFS_SECTOR == 0 && ntfs->mft < ntfs->clusters &&
	       ntfs->clusters <= ntfs->area->size / ntfs->cluster;
}

bool probe_ntfs_open(const struct probe_area *area, struct probe_ntfs *ret)
{
	struct probe_ntfs ntfs = {.area = area};
	uint8_t boot[512];

	if (!probe_area_get(area, 0, boot, sizeof(boot)) || !ntfs_parse(boot, &ntfs))
		return false;
	*ret = ntfs;
	return true;
}

/* The last two bytes of every sector must be the record's number of writes. */
bool probe_ntfs_fix(uint8_t *record, uint32_t size)
{
	uint32_t at = bytes_get16(record + 4), count = bytes_get16(record + 6);

	if (count != size / PROBE_NTFS_SECTOR + 1 || at + 2 * count > PROBE_NTFS_SECTOR - 2)
		return false;
	for (uint32_t i = 1; i < count; i++) {
		uint8_t *end = record + i * PROBE_NTFS_SECTOR - 2;

		if (memcmp(end, record + at, 2) != 0)
			return false;
		memcpy(end, record + at + 2 * i, 2);
	}
	return true;
}

/* A record's number stands before the fixups since NTFS 3.1. */
bool probe_ntfs_check(const struct probe_ntfs *ntfs, uint64_t number, uint8_t *record)
{
	return memcmp(record, "FILE", 4) == 0 && probe_ntfs_fix(record, ntfs->record) &&
	       (bytes_get16(record + 4) < 48 || bytes_get32(record + 44) == number);
}

bool probe_ntfs_read(const struct probe_ntfs *ntfs, uint64_t number, uint8_t *record)
{
	return probe_area_get(ntfs->area, ntfs->mft * ntfs->cluster + number * ntfs->record, record,
			      ntfs->record) &&
	       probe_ntfs_check(ntfs, number, record);
}

static bool attr_take(const uint8_t *at, uint32_t len, struct probe_ntfs_attr *ret)
{
	struct probe_ntfs_attr attr = {.at = at, .len = len, .resident = at[8] == 0};

	if (attr.resident) {
		if (len < ATTR_RESIDENT)
			return false;
		attr.size = bytes_get32(at + 16);
		if (bytes_get16(at + 20) > len || attr.size > len - bytes_get16(at + 20))
			return false;
	} else {
		/* Not compressed, encrypted or sparse, and from its first cluster on. */
		if (len < ATTR_RUNS || at[8] != 1 || bytes_get16(at + 12) != 0 ||
		    bytes_get64(at + 16) != 0 || bytes_get16(at + 32) < ATTR_RUNS)
			return false;
		attr.size = bytes_get64(at + 56);
	}
	*ret = attr;
	return true;
}

/* Attributes are in the order of their types. */
bool probe_ntfs_find(const struct probe_ntfs *ntfs, const uint8_t *record, uint32_t type,
		     struct probe_ntfs_attr *ret)
{
	uint32_t at = bytes_get16(record + 20), len;

	for (; at <= ntfs->record - ATTR_RESIDENT; at += len) {
		const uint8_t *attr = record + at;

		len = bytes_get32(attr + 4);
		if (bytes_get32(attr) > type || len < 16 || len > ntfs->record - at)
			return false;
		if (bytes_get32(attr) == type && !(type == ATTR_DATA && attr[9] != 0))
			return attr_take(attr, len, ret);
	}
	return false;
}

int probe_ntfs_next(const struct probe_ntfs *ntfs, const struct probe_ntfs_attr *attr,
		    struct probe_ntfs_run *run)
{
	uint32_t at = run->at ? run->at : bytes_get16(attr->at + 32);

	if (at >= attr->len || attr->at[at] == 0)
		return at < attr->len ? 0 : -1;
	unsigned int width = attr->at[at] & 15, jump = attr->at[at] >> 4;

	if (width == 0 || width > 8 || jump == 0 || jump > 8 || width + jump >= attr->len - at)
		return -1;
	uint64_t step = bytes_get(attr->at + at + 1 + width, jump);

	if (attr->at[at + width + jump] & 0x80) /* negative */
		step |= jump < 8 ? UINT64_MAX << 8 * jump : 0;
	run->clusters = bytes_get(attr->at + at + 1, width);
	run->lcn += step;
	run->at = at + 1 + width + jump;
	return run->lcn < ntfs->clusters && run->clusters <= ntfs->clusters - run->lcn &&
			       run->clusters != 0
		       ? 1
		       : -1;
}

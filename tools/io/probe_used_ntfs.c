// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NTFS keeps no count: the bits of the file $Bitmap are counted. What is found by the same way is
 * the journal, $LogFile. Names and offsets are those of Linux, fs/ntfs3/ntfs.h.
 */
#include "io/probe_used_internal.h"

#include <string.h>
#include <sys/param.h>

#include "codec/bytes.h"

#define RECORD_LOG    2u
#define RECORD_BITMAP 6u
#define RECORD_MOST   4096u
#define RECORD_SECTOR 512u /* what a fixup protects, whatever the disk's sectors are */
#define ATTR_DATA     0x80u
#define ATTR_RUNS     64u /* where the runs of one that is not resident begin at the earliest */

struct ntfs {
	uint64_t clusters, mft; /* the MFT's first cluster */
	uint32_t cluster;	/* bytes */
	uint32_t record;	/* bytes */
};

/* 1 to 0x80 as it is, from 0xf4 on minus a power of two's exponent: true_sectors_per_clst(). */
static uint32_t cluster_sectors(uint8_t value)
{
	if (value >= 0xf4)
		return 1u << (256 - value);
	return value <= 0x80 && powerof2(value) ? value : 0;
}

static bool ntfs_parse(const uint8_t *boot, struct ntfs *ret)
{
	uint32_t sector = bytes_get16(boot + 11), per = cluster_sectors(boot[13]);
	int8_t record = (int8_t)boot[64];

	if (memcmp(boot + 3, "NTFS    ", 8) != 0 || sector < 512 || sector > 4096 ||
	    !powerof2(sector) || per == 0)
		return false;
	*ret = (struct ntfs){
		.clusters = bytes_get64(boot + 40) / per,
		.mft = bytes_get64(boot + 48),
		.cluster = per * sector,
		.record = record > 0 ? (uint32_t)record * per * sector : 0,
	};
	if (record < 0 && record >= -12)
		ret->record = 1u << -record;
	return ret->record >= RECORD_SECTOR && ret->record <= RECORD_MOST &&
	       ret->record % RECORD_SECTOR == 0 && ret->mft < ret->clusters;
}

/*
 * Puts back the last two bytes of every sector, which must be the record's number of writes. The
 * MFT's first records lie side by side; where they do not this is another one, as its number tells,
 * which is before the fixups since NTFS 3.1.
 */
static bool record_fix(uint8_t *record, uint32_t size, uint32_t number)
{
	uint32_t at = bytes_get16(record + 4), count = bytes_get16(record + 6);

	if (count != size / RECORD_SECTOR + 1 || at + 2 * count > RECORD_SECTOR - 2)
		return false;
	for (uint32_t i = 1; i < count; i++) {
		uint8_t *end = record + i * RECORD_SECTOR - 2;

		if (memcmp(end, record + at, 2) != 0)
			return false;
		memcpy(end, record + at + 2 * i, 2);
	}
	return at < 48 || bytes_get32(record + 44) == number;
}

/*
 * The attribute $DATA of RECORD, which is in runs from its beginning on; NULL without one.
 * Attributes are in the order of their types.
 */
static const uint8_t *record_data(const uint8_t *record, uint32_t size, uint32_t *ret_len)
{
	uint32_t at = bytes_get16(record + 20), type, len;

	for (; at <= size - ATTR_RUNS; at += len) {
		const uint8_t *attr = record + at;

		type = bytes_get32(attr);
		len = bytes_get32(attr + 4);
		if (type > ATTR_DATA || len < 16 || len > size - at)
			return NULL;
		if (type != ATTR_DATA || attr[9] != 0) /* a name: another stream */
			continue;
		if (len < ATTR_RUNS || attr[8] != 1 || bytes_get16(attr + 12) != 0 ||
		    bytes_get64(attr + 16) != 0)
			return NULL;
		*ret_len = len;
		return attr;
	}
	return NULL;
}

/* The run of clusters at LCN, which becomes its first one; LENGTH of them. */
static bool run_next(const struct ntfs *ntfs, const uint8_t *attr, uint32_t len, uint32_t *at,
		     uint64_t *lcn, uint64_t *ret_length)
{
	unsigned int width = attr[*at] & 15, jump = attr[*at] >> 4;

	if (width == 0 || width > 8 || jump == 0 || jump > 8 || width + jump >= len - *at)
		return false;
	uint64_t run = bytes_get(attr + *at + 1, width);
	uint64_t step = bytes_get(attr + *at + 1 + width, jump);

	if (attr[*at + width + jump] & 0x80) /* negative */
		step |= jump < 8 ? UINT64_MAX << 8 * jump : 0;
	*lcn += step;
	*at += 1 + width + jump;
	*ret_length = run;
	return *lcn < ntfs->clusters && run <= ntfs->clusters - *lcn && run != 0;
}

/* Counts the bits of the clusters that the runs of attribute ATTR, of LEN bytes, hold. */
static bool runs_count(const struct probe_area *area, const struct ntfs *ntfs, const uint8_t *attr,
		       uint32_t len, uint64_t *ret)
{
	uint64_t left = ntfs->clusters, lcn = 0, run;
	uint32_t at = bytes_get16(attr + 32);

	while (left > 0 && at < len && attr[at]) {
		if (!run_next(ntfs, attr, len, &at, &lcn, &run))
			return false;
		uint64_t bits = MIN(run * ntfs->cluster * 8, left);

		if (!probe_used_bits(area, lcn * ntfs->cluster, bits, ret))
			return false;
		left -= bits;
	}
	return left == 0;
}

/* The boot sector, the MFT's record NUMBER (RECORD_MOST bytes), and its $DATA or NULL. */
static const uint8_t *ntfs_data(const struct probe_area *area, uint32_t number, struct ntfs *ntfs,
				uint8_t *record, uint32_t *ret_len)
{
	uint8_t boot[512];

	if (!probe_area_get(area, 0, boot, sizeof(boot)) || !ntfs_parse(boot, ntfs) ||
	    ntfs->clusters > area->size / ntfs->cluster ||
	    !probe_area_get(area, ntfs->mft * ntfs->cluster + number * ntfs->record, record,
			    ntfs->record) ||
	    memcmp(record, "FILE", 4) != 0 || !record_fix(record, ntfs->record, number))
		return NULL;
	return record_data(record, ntfs->record, ret_len);
}

bool probe_used_ntfs(const struct probe_area *area, struct probe_used *ret)
{
	uint8_t record[RECORD_MOST];
	uint64_t used = 0;
	struct ntfs ntfs;
	uint32_t len;
	const uint8_t *attr = ntfs_data(area, RECORD_BITMAP, &ntfs, record, &len);

	return attr && ntfs.clusters / 8 < PROBE_USED_MAP_MOST &&
	       runs_count(area, &ntfs, attr, len, &used) &&
	       probe_used_put(area, ntfs.cluster, ntfs.clusters, ntfs.clusters - used, ret);
}

bool probe_used_ntfs_log(const struct probe_area *area, uint64_t *ret)
{
	uint8_t record[RECORD_MOST];
	uint64_t lcn = 0, run;
	struct ntfs ntfs;
	uint32_t len, at;
	const uint8_t *attr = ntfs_data(area, RECORD_LOG, &ntfs, record, &len);

	if (!attr)
		return false;
	at = bytes_get16(attr + 32);
	if (at >= len || !run_next(&ntfs, attr, len, &at, &lcn, &run))
		return false;
	*ret = lcn * ntfs.cluster;
	return true;
}

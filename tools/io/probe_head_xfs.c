// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * XFS: the log is a ring, and every sector of it begins with the number of the round in which it
 * was written; where that falls the log goes on. What was written last is in front of that.
 * Linux, fs/xfs/libxfs/xfs_format.h (struct xfs_dsb) and fs/xfs/xfs_log_recover.c
 * (xlog_find_head). A log on a device of its own is none of this file system.
 */
#include "io/probe_head_internal.h"

#include <endian.h>
#include <string.h>
#include <sys/param.h>

#define XFS_SECTOR   512u /* of the log, whatever the disk's are */
#define XFS_RECORD   0xfeedbabeu
#define XFS_LOG_MOST (UINT64_C(1) << 31) /* bytes */

struct xfs_log {
	uint64_t start;	  /* byte */
	uint32_t sectors; /* at least one */
};

static uint32_t big_endian32(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return be32toh(value);
}

static bool xfs_parse(const uint8_t *super, struct xfs_log *ret)
{
	uint32_t block = big_endian32(super + 4), per = big_endian32(super + 84);
	uint64_t first = (uint64_t)big_endian32(super + 48) << 32 | big_endian32(super + 52);
	unsigned int shift = super[124];

	if (memcmp(super, "XFSB", 4) != 0 || block < 512 || block > 65536 || !powerof2(block) ||
	    first == 0 || shift > 31)
		return false;
	uint64_t group = first >> shift, within = first & ((UINT64_C(1) << shift) - 1);
	uint64_t bytes = (uint64_t)big_endian32(super + 96) * block;

	if (group >= big_endian32(super + 88) || within >= per || bytes == 0 ||
	    bytes > XFS_LOG_MOST ||
	    __builtin_mul_overflow(group * per + within, (uint64_t)block, &ret->start))
		return false;
	ret->sectors = (uint32_t)(bytes / XFS_SECTOR);
	return true;
}

/* The round of a sector; a record's first one has it behind its magic number. */
static bool log_round(const struct probe_area *area, const struct xfs_log *log, uint32_t sector,
		      uint32_t *ret)
{
	uint64_t offset = log->start + (uint64_t)sector * XFS_SECTOR;
	uint8_t words[8];

	if (offset < log->start || !probe_area_get(area, offset, words, sizeof(words)))
		return false;
	*ret = big_endian32(words);
	if (*ret == XFS_RECORD)
		*ret = big_endian32(words + 4);
	return true;
}

/* All sectors from *RET on, and none before it, are of a round before the first sector's. */
static bool log_end(const struct probe_area *area, const struct xfs_log *log, uint32_t *ret)
{
	uint32_t first, middle, round, low = 0, high = log->sectors;

	if (!log_round(area, log, 0, &first))
		return false;
	while (high - low > 1) {
		middle = low + (high - low) / 2;
		if (!log_round(area, log, middle, &round))
			return false;
		if (round == first)
			low = middle;
		else
			high = middle;
	}
	*ret = high;
	return true;
}

bool probe_head_xfs(const struct probe_area *area, uint64_t *ret)
{
	uint8_t super[512];
	struct xfs_log log;
	uint32_t end;

	if (!probe_area_get(area, 0, super, sizeof(super)) || !xfs_parse(super, &log) ||
	    !log_end(area, &log, &end))
		return false;
	*ret = log.start + (uint64_t)(end - 1) * XFS_SECTOR;
	return true;
}

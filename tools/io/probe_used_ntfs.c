// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NTFS keeps no count: the bits of the file $Bitmap are counted. What is found by the same way is
 * the journal, $LogFile.
 */
#include "io/probe_used_internal.h"

#include <string.h>
#include <sys/param.h>

#include "io/probe_ntfs.h"

#define ATTR_DATA 0x80u

/* What is in the file NUMBER, in runs; RECORD has room for PROBE_NTFS_RECORD bytes. */
static bool ntfs_data(const struct probe_area *area, uint32_t number, struct probe_ntfs *ntfs,
		      uint8_t *record, struct probe_ntfs_attr *ret)
{
	return probe_ntfs_open(area, ntfs) && probe_ntfs_read(ntfs, number, record) &&
	       probe_ntfs_find(ntfs, record, ATTR_DATA, ret) && !ret->resident;
}

/* Counts the bits of the clusters that the runs of ATTR hold. */
static bool runs_count(const struct probe_ntfs *ntfs, const struct probe_ntfs_attr *attr,
		       uint64_t *ret)
{
	struct probe_ntfs_run run = {0};
	uint64_t left = ntfs->clusters;

	while (left > 0) {
		if (probe_ntfs_next(ntfs, attr, &run) != 1)
			return false;
		uint64_t bits = MIN(run.clusters * ntfs->cluster * 8, left);

		if (!probe_used_bits(ntfs->area, run.lcn * ntfs->cluster, bits, ret))
			return false;
		left -= bits;
	}
	return true;
}

bool probe_used_ntfs(const struct probe_area *area, struct probe_used *ret)
{
	uint8_t record[PROBE_NTFS_RECORD];
	struct probe_ntfs_attr attr;
	struct probe_ntfs ntfs;
	uint64_t used = 0;

	return ntfs_data(area, PROBE_NTFS_BITMAP, &ntfs, record, &attr) &&
	       ntfs.clusters / 8 < PROBE_USED_MAP_MOST && runs_count(&ntfs, &attr, &used) &&
	       probe_used_put(area, ntfs.cluster, ntfs.clusters, ntfs.clusters - used, ret);
}

bool probe_used_ntfs_log(const struct probe_area *area, uint64_t *ret)
{
	uint8_t record[PROBE_NTFS_RECORD];
	struct probe_ntfs_run run = {0};
	struct probe_ntfs_attr attr;
	struct probe_ntfs ntfs;

	if (!ntfs_data(area, PROBE_NTFS_LOG, &ntfs, record, &attr) ||
	    probe_ntfs_next(&ntfs, &attr, &run) != 1)
		return false;
	*ret = run.lcn * ntfs.cluster;
	return true;
}

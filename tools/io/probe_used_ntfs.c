// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NTFS keeps no count: the bits of the file $Bitmap are counted. What is found by the same way is
 * the journal, $LogFile.
 */
#include "io/probe_used_internal.h"

#include <sys/param.h>

#include "io/probe_ntfs.h"

/* Counts the bits of the clusters that the runs of DATA hold. */
static bool runs_count(const struct probe_area *area, const struct probe_ntfs *ntfs,
		       const struct probe_ntfs_attr *data, uint64_t *ret)
{
	struct probe_ntfs_run run = {0};
	uint64_t left = ntfs->clusters;

	while (left > 0) {
		if (probe_ntfs_next_run(ntfs, data, &run) <= 0 || run.hole)
			return false;
		uint64_t bits = MIN(run.count * ntfs->cluster * 8, left);

		if (!probe_used_bits(area, run.lcn * ntfs->cluster, bits, ret))
			return false;
		left -= bits;
	}
	return true;
}

/*
 * The boot sector, the MFT's record NUMBER (NTFS_RECORD_MOST bytes), and its $DATA. The MFT's first
 * records lie side by side; where they do not it is another one, as its number tells.
 */
static bool ntfs_data(const struct probe_area *area, uint32_t number, struct probe_ntfs *ntfs,
		      uint8_t *record, struct probe_ntfs_attr *ret)
{
	return probe_ntfs_open(area, ntfs) &&
	       probe_area_get(area, ntfs->mft * ntfs->cluster + number * ntfs->record, record,
			      ntfs->record) &&
	       probe_ntfs_is_record(ntfs, record, number) &&
	       probe_ntfs_find(ntfs, record, NTFS_ATTR_DATA, "", ret) > 0 &&
	       probe_ntfs_is_plain(ret);
}

bool probe_used_ntfs(const struct probe_area *area, struct probe_used *ret)
{
	uint8_t record[NTFS_RECORD_MOST];
	struct probe_ntfs_attr data;
	struct probe_ntfs ntfs;
	uint64_t used = 0;

	return ntfs_data(area, NTFS_BITMAP, &ntfs, record, &data) &&
	       ntfs.clusters / 8 < PROBE_USED_MAP_MOST && runs_count(area, &ntfs, &data, &used) &&
	       probe_used_put(area, ntfs.cluster, ntfs.clusters, ntfs.clusters - used, ret);
}

bool probe_used_ntfs_log(const struct probe_area *area, uint64_t *ret)
{
	uint8_t record[NTFS_RECORD_MOST];
	struct probe_ntfs_run run = {0};
	struct probe_ntfs_attr data;
	struct probe_ntfs ntfs;

	if (!ntfs_data(area, NTFS_LOG, &ntfs, record, &data) ||
	    probe_ntfs_next_run(&ntfs, &data, &run) <= 0 || run.hole)
		return false;
	*ret = run.lcn * ntfs.cluster;
	return true;
}

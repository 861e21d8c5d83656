// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/probe_head.h"

#include <string.h>

#include "io/probe_head_internal.h"
#include "io/probe_used_internal.h"

/* The copies of btrfs' superblock, each written with every transaction. */
#define BTRFS_COPY  (UINT64_C(64) << 20)
#define BTRFS_THIRD (UINT64_C(256) << 30)

/* $LogFile begins with two pages that say by turns where the log goes on. */
#define NTFS_PAGE 4096u

size_t probe_heads(const struct probe_area *area, const char *type, uint64_t ret[PROBE_HEADS_MOST])
{
	uint64_t heads[PROBE_HEADS_MOST] = {UINT64_MAX, UINT64_MAX};
	size_t count = 0;

	if (strcmp(type, "ext3") == 0 || strcmp(type, "ext4") == 0) {
		probe_head_ext(area, &heads[0]);
	} else if (strcmp(type, "xfs") == 0) {
		probe_head_xfs(area, &heads[0]);
	} else if (strcmp(type, "btrfs") == 0) {
		heads[0] = BTRFS_COPY;
		heads[1] = BTRFS_THIRD;
	} else if (strcmp(type, "ntfs") == 0 && probe_used_ntfs_log(area, &heads[0])) {
		heads[1] = heads[0] + NTFS_PAGE;
	}
	for (size_t i = 0; i < PROBE_HEADS_MOST; i++) {
		if (heads[i] < area->size)
			ret[count++] = heads[i];
	}
	return count;
}

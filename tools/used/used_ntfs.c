// SPDX-License-Identifier: GPL-2.0-or-later
/* NTFS, by its file $Bitmap. Names and offsets are those of Linux, fs/ntfs3/ntfs.h. */
#include "used/used_ntfs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "codec/bytes.h"

#define NTFS_PART     65536u	   /* bytes of the map that are read at once */
#define NTFS_MIRRORED 4u	   /* records of the MFT that its mirror has */
#define NTFS_MOST     (1ull << 32) /* clusters: Windows makes no more */

int ntfs_doubt(const struct ntfs *ntfs, const char *doubt)
{
	return used_doubt(doubt, ntfs->ret_doubt);
}

int ntfs_open(struct ntfs *ntfs, uint64_t number, uint32_t type)
{
	if (!probe_ntfs_read(&ntfs->volume, number, ntfs->record) ||
	    !probe_ntfs_find(&ntfs->volume, ntfs->record, type, &ntfs->attr))
		return ntfs_doubt(ntfs, "one of its own files is damaged or in many pieces");
	return 0;
}

/* LEN bytes at OFFSET of RUN, as far as it has them. Returns how many, or -errno. */
static ssize_t ntfs_read_run(const struct ntfs *ntfs, const struct probe_ntfs_run *run,
			     uint64_t offset, void *buf, size_t len)
{
	const struct probe_ntfs *volume = &ntfs->volume;
	uint64_t size = run->clusters * volume->cluster;

	len = MIN(len, size - offset);
	int r = used_get(volume->area, run->lcn * volume->cluster + offset, buf, len,
			 ntfs->ret_doubt);
	return r < 0 ? r : (ssize_t)len;
}

int ntfs_read(const struct ntfs *ntfs, uint64_t offset, void *buf, size_t len)
{
	struct probe_ntfs_run run = {0};
	uint8_t *out = buf;

	if (ntfs->attr.resident)
		return ntfs_doubt(ntfs, "one of its own files is not where it can be");
	while (len > 0) {
		if (probe_ntfs_next(&ntfs->volume, &ntfs->attr, &run) != 1)
			return ntfs_doubt(ntfs,
					  "one of its own files is damaged or in many pieces");
		uint64_t size = run.clusters * ntfs->volume.cluster;

		if (offset >= size) {
			offset -= size;
			continue;
		}
		ssize_t n = ntfs_read_run(ntfs, &run, offset, out, len);

		if (n < 0)
			return n;
		offset = 0;
		out += n;
		len -= n;
	}
	return 0;
}

/* The mirror has the same first records, or else one of the two was not written. */
static int ntfs_check_mirror(struct ntfs *ntfs)
{
	uint8_t records[2][NTFS_MIRRORED * PROBE_NTFS_RECORD];
	size_t len = NTFS_MIRRORED * ntfs->volume.record;
	int r = ntfs_open(ntfs, PROBE_NTFS_MIRROR, NTFS_ATTR_DATA);

	if (r == 0)
		r = ntfs_read(ntfs, 0, records[0], len);
	if (r == 0)
		r = used_get(ntfs->volume.area, ntfs->volume.mft * ntfs->volume.cluster, records[1],
			     len, ntfs->ret_doubt);
	if (r == 0 && memcmp(records[0], records[1], len) != 0)
		r = ntfs_doubt(ntfs, "its MFT and the mirror of it differ");
	return r;
}

/* Of the clusters of RUN, which are the map's from bit *AT on, as many bits as there are clusters.
 */
static int ntfs_add_run(const struct ntfs *ntfs, const struct used_map *map,
			const struct probe_ntfs_run *run, uint64_t *at, uint8_t *part)
{
	uint64_t size = run->clusters * ntfs->volume.cluster, free = 0;
	int r = 0;

	for (uint64_t offset = 0; r == 0 && offset < size && *at < ntfs->volume.clusters;
	     offset += NTFS_PART) {
		uint64_t bits = MIN(MIN(size - offset, NTFS_PART) * 8, ntfs->volume.clusters - *at);
		ssize_t n = ntfs_read_run(ntfs, run, offset, part, (bits + 7) / 8);

		r = n < 0 ? (int)n : used_map_add(map, part, *at, bits, &free);
		*at += bits;
	}
	return r;
}

static int ntfs_add(struct ntfs *ntfs, struct spare *spare)
{
	const struct used_map map = {.spare = spare, .unit = ntfs->volume.cluster};
	struct probe_ntfs_run run = {0};
	uint8_t *part = malloc(NTFS_PART);
	uint64_t at = 0;
	int r = part ? ntfs_open(ntfs, PROBE_NTFS_BITMAP, NTFS_ATTR_DATA) : -ENOMEM;

	if (r == 0 && (ntfs->attr.resident || ntfs->attr.size < (ntfs->volume.clusters + 7) / 8))
		r = ntfs_doubt(ntfs, "the map of its clusters is too short");
	while (r == 0 && at < ntfs->volume.clusters) {
		if (probe_ntfs_next(&ntfs->volume, &ntfs->attr, &run) != 1)
			r = ntfs_doubt(ntfs,
				       "the map of its clusters is damaged or in many pieces");
		else
			r = ntfs_add_run(ntfs, &map, &run, &at, part);
	}
	free(part);
	return r < 0 ? r : spare_finish(spare);
}

/* What the attribute has is not free. */
static int ntfs_check_used(const struct ntfs *ntfs, const struct spare *spare)
{
	uint32_t cluster = ntfs->volume.cluster;
	struct probe_ntfs_run run = {0};
	struct spare_range range;
	int more;

	while ((more = probe_ntfs_next(&ntfs->volume, &ntfs->attr, &run)) == 1) {
		if (spare_next(spare, run.lcn * cluster, &range) &&
		    range.start < (run.lcn + run.clusters) * cluster)
			return ntfs_doubt(ntfs, "the map of its clusters contradicts its files");
	}
	return more == 0 ? 0 : ntfs_doubt(ntfs, "one of its own files is damaged");
}

static int ntfs_check_own(struct ntfs *ntfs, const struct spare *spare)
{
	static const enum probe_ntfs_file files[] = {PROBE_NTFS_MFT, PROBE_NTFS_MIRROR,
						     PROBE_NTFS_LOG, PROBE_NTFS_BITMAP};
	struct spare_range range;
	int r = 0;

	/* $Boot, and the first clusters with it. */
	if (spare_next(spare, 0, &range) && range.start < ntfs->volume.cluster)
		return ntfs_doubt(ntfs, "the map of its clusters contradicts its files");
	for (size_t i = 0; r == 0 && i < sizeof(files) / sizeof(files[0]); i++) {
		r = ntfs_open(ntfs, files[i], NTFS_ATTR_DATA);
		if (r == 0)
			r = ntfs_check_used(ntfs, spare);
	}
	return r;
}

int used_ntfs(const struct probe_area *area, struct spare *spare, const char **ret_doubt)
{
	struct ntfs ntfs = {.ret_doubt = ret_doubt};
	int r;

	if (!probe_ntfs_open(area, &ntfs.volume) || ntfs.volume.clusters > NTFS_MOST)
		return ntfs_doubt(&ntfs, "its boot sector is damaged, or its end is missing");
	r = ntfs_check_mirror(&ntfs);
	if (r == 0)
		r = ntfs_check_state(&ntfs);
	if (r == 0)
		r = ntfs_add(&ntfs, spare);
	return r < 0 ? r : ntfs_check_own(&ntfs, spare);
}

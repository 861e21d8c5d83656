// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NTFS: Linux, fs/ntfs3/ntfs.h. Its map, the file $Bitmap, has neither checksum nor count: it is
 * compared with the runs of all records of the MFT. Those also tell the names of files without the
 * root's index.
 */
#include "used/used_ntfs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "codec/bytes.h"

#define MIRROR_RECORDS 4u
#define RECORD_IN_USE  1u

int ntfs_doubt(const struct ntfs *ntfs, const char *doubt)
{
	return used_doubt(doubt, ntfs->ret_doubt);
}

int ntfs_read(const struct ntfs *ntfs, const struct probe_ntfs_attr *attr, uint64_t offset,
	      void *buf, size_t len)
{
	struct probe_ntfs_run run = {0};
	uint8_t *to = buf;

	if (offset > attr->valid || len > attr->valid - offset ||
	    (!attr->resident && !probe_ntfs_is_plain(attr)))
		return ntfs_doubt(ntfs, "a file of its own is too short");
	if (attr->resident) {
		memcpy(buf, attr->value + offset, len);
		return 0;
	}
	while (len > 0) {
		if (probe_ntfs_next_run(&ntfs->disk, attr, &run) <= 0 || run.hole)
			return ntfs_doubt(ntfs, "a file of its own is damaged");
		uint64_t bytes = run.count * ntfs->disk.cluster;

		if (offset >= bytes) {
			offset -= bytes;
			continue;
		}
		size_t n = MIN(len, bytes - offset);
		int r = used_get(ntfs->area, run.lcn * ntfs->disk.cluster + offset, to, n,
				 ntfs->ret_doubt);

		if (r < 0)
			return r;
		to += n;
		len -= n;
		offset = 0;
	}
	return 0;
}

/* What is in several records is not looked for in the others. */
bool ntfs_is_whole(const struct ntfs *ntfs, const uint8_t *record)
{
	struct probe_ntfs_attr list;

	return bytes_get64(record + 32) == 0 &&
	       probe_ntfs_find(&ntfs->disk, record, NTFS_ATTR_LIST, "", &list) == 0;
}

/* RECORD as it was read. */
static int ntfs_check_record(const struct ntfs *ntfs, uint64_t number, uint8_t *record)
{
	if (!probe_ntfs_is_record(&ntfs->disk, record, number) ||
	    !(bytes_get16(record + 22) & RECORD_IN_USE))
		return ntfs_doubt(ntfs, "a record of its MFT is damaged");
	return ntfs_is_whole(ntfs, record)
		       ? 0
		       : ntfs_doubt(ntfs, "a file of its own is damaged, or in too many pieces");
}

int ntfs_read_record(const struct ntfs *ntfs, uint64_t number, uint8_t *record)
{
	int r = ntfs_read(ntfs, &ntfs->mft, number * ntfs->disk.record, record, ntfs->disk.record);

	return r < 0 ? r : ntfs_check_record(ntfs, number, record);
}

int ntfs_find(const struct ntfs *ntfs, const uint8_t *record, uint32_t type, const char *name,
	      struct probe_ntfs_attr *ret)
{
	if (probe_ntfs_find(&ntfs->disk, record, type, name, ret) <= 0)
		return ntfs_doubt(ntfs, "a file of its own is not what it can be");
	return 0;
}

/* The MFT's own record, by which all others are found. */
static int ntfs_open(struct ntfs *ntfs)
{
	struct probe_ntfs_run run = {0};

	if (!probe_ntfs_open(ntfs->area, &ntfs->disk) || ntfs->disk.mirror >= ntfs->disk.clusters)
		return ntfs_doubt(ntfs, "its boot sector is damaged");
	ntfs->map.unit = ntfs->disk.cluster;
	int r = used_get(ntfs->area, ntfs->disk.mft * ntfs->disk.cluster, ntfs->mft_record,
			 ntfs->disk.record, ntfs->ret_doubt);

	if (r == 0)
		r = ntfs_check_record(ntfs, NTFS_MFT, ntfs->mft_record);
	if (r == 0)
		r = ntfs_find(ntfs, ntfs->mft_record, NTFS_ATTR_DATA, "", &ntfs->mft);
	if (r < 0)
		return r;
	if (!probe_ntfs_is_plain(&ntfs->mft) ||
	    probe_ntfs_next_run(&ntfs->disk, &ntfs->mft, &run) <= 0 || run.hole ||
	    run.lcn != ntfs->disk.mft)
		return ntfs_doubt(ntfs, "its MFT does not begin where it should");
	return 0;
}

/* The first records are there twice. */
static int ntfs_check_mirror(struct ntfs *ntfs)
{
	uint8_t record[NTFS_RECORD_MOST], copy[NTFS_RECORD_MOST];
	uint64_t mirror = ntfs->disk.mirror * ntfs->disk.cluster;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < MIRROR_RECORDS; i++) {
		r = ntfs_read_record(ntfs, i, record);
		if (r == 0)
			r = used_get(ntfs->area, mirror + (uint64_t)i * ntfs->disk.record, copy,
				     ntfs->disk.record, ntfs->ret_doubt);
		if (r == 0)
			r = ntfs_check_record(ntfs, i, copy);
		if (r == 0 &&
		    memcmp(record, copy, MIN(bytes_get32(record + 24), ntfs->disk.record)))
			r = ntfs_doubt(ntfs, "its MFT and the copy of it differ");
	}
	return r;
}

/* Bits behind the last cluster stand for nothing. */
static int ntfs_add(struct ntfs *ntfs)
{
	uint64_t clusters = ntfs->disk.clusters, bytes = (clusters + 7) / 8, free = 0;
	uint8_t record[NTFS_RECORD_MOST];
	struct probe_ntfs_attr bits;
	int r = ntfs_read_record(ntfs, NTFS_BITMAP, record);

	if (r == 0)
		r = ntfs_find(ntfs, record, NTFS_ATTR_DATA, "", &bits);
	if (r == 0 && (bits.size < bytes || bits.size - bytes > ntfs->disk.cluster))
		r = ntfs_doubt(ntfs, "its map is of another size");
	for (uint64_t at = 0; r == 0 && at < bytes; at += NTFS_PART) {
		uint64_t len = MIN(NTFS_PART, bytes - at);

		r = ntfs_read(ntfs, &bits, at, ntfs->part, len);
		if (r == 0)
			r = used_map_add(&ntfs->map, ntfs->part, at * 8,
					 MIN(len * 8, clusters - at * 8), &free);
	}
	return r;
}

static bool ntfs_is_spare(const struct ntfs *ntfs, const struct probe_ntfs_run *run)
{
	uint64_t cluster = ntfs->disk.cluster;
	struct spare_range range;

	return spare_next(ntfs->map.spare, run->lcn * cluster, &range) &&
	       range.start < (run->lcn + run->count) * cluster;
}

/* What is in runs has them in use, whatever it is. */
static int ntfs_check_runs(const struct ntfs *ntfs, const struct probe_ntfs_attr *attr)
{
	struct probe_ntfs_run run = {0};
	int r;

	while ((r = probe_ntfs_next_run(&ntfs->disk, attr, &run)) > 0) {
		if (!run.hole && ntfs_is_spare(ntfs, &run))
			return ntfs_doubt(ntfs, "a file of it goes on in what is free");
	}
	return r < 0 ? ntfs_doubt(ntfs, "a record of its MFT is damaged") : 0;
}

static int ntfs_check_attrs(const struct ntfs *ntfs, const uint8_t *record)
{
	struct probe_ntfs_attr attr;
	uint32_t at = 0;
	int r;

	while ((r = probe_ntfs_next(&ntfs->disk, record, &at, &attr)) > 0) {
		r = attr.resident ? 0 : ntfs_check_runs(ntfs, &attr);
		if (r == 0 && attr.type == NTFS_ATTR_NAME)
			r = ntfs_check_name(ntfs, record, &attr);
		if (r < 0)
			return r;
	}
	return r < 0 ? ntfs_doubt(ntfs, "a record of its MFT is damaged") : 0;
}

/* A record that was never used may be zero, or have another's number. */
static int ntfs_check_file(const struct ntfs *ntfs, uint64_t number, uint8_t *record)
{
	if (bytes_get32(record) == 0 ||
	    (memcmp(record, "FILE", 4) == 0 && !(bytes_get16(record + 22) & RECORD_IN_USE)))
		return 0;
	return probe_ntfs_is_record(&ntfs->disk, record, number)
		       ? ntfs_check_attrs(ntfs, record)
		       : ntfs_doubt(ntfs, "a record of its MFT is damaged");
}

static int ntfs_check_files(struct ntfs *ntfs)
{
	uint32_t size = ntfs->disk.record, most = NTFS_PART / size;
	uint64_t count = ntfs->mft.valid / size;
	int r = spare_finish(ntfs->map.spare);

	for (uint64_t at = 0; r == 0 && at < count; at += most) {
		uint32_t n = MIN(most, count - at);

		r = ntfs_read(ntfs, &ntfs->mft, at * size, ntfs->part, (size_t)n * size);
		for (uint32_t i = 0; r == 0 && i < n; i++)
			r = ntfs_check_file(ntfs, at + i, ntfs->part + (size_t)i * size);
	}
	return r;
}

int used_ntfs(const struct probe_area *area, struct spare *spare, const char **ret_doubt)
{
	static int (*const steps[])(struct ntfs * ntfs) = {
		ntfs_open,	    ntfs_check_mirror, ntfs_check_volume, ntfs_check_log,
		ntfs_check_shadows, ntfs_add,	       ntfs_check_files,
	};
	struct ntfs *ntfs = calloc(1, sizeof(*ntfs));
	int r = 0;

	if (!ntfs)
		return -ENOMEM;
	ntfs->area = area;
	ntfs->map.spare = spare;
	ntfs->ret_doubt = ret_doubt;
	for (size_t i = 0; r == 0 && i < sizeof(steps) / sizeof(steps[0]); i++)
		r = steps[i](ntfs);
	free(ntfs);
	return r;
}

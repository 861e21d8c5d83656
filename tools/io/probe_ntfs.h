/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NTFS's master file table, as far as its first files can be read: every file is a record of
 * attributes, and what is in them or in runs of clusters. Names and offsets are those of Linux,
 * fs/ntfs3/ntfs.h.
 */
#ifndef IO_PROBE_NTFS_H
#define IO_PROBE_NTFS_H

#include <stdbool.h>
#include <stdint.h>

#include "io/probe_area.h"

#define PROBE_NTFS_RECORD 4096u /* bytes that a record has at most */
#define PROBE_NTFS_SECTOR 512u	/* what a fixup protects, whatever the disk's sectors are */

/* The files whose records come first. */
enum probe_ntfs_file {
	PROBE_NTFS_MFT,
	PROBE_NTFS_MIRROR,
	PROBE_NTFS_LOG,
	PROBE_NTFS_VOLUME,
	PROBE_NTFS_ROOT = 5,
	PROBE_NTFS_BITMAP,
};

struct probe_ntfs {
	const struct probe_area *area;
	uint64_t clusters, mft; /* how many; the MFT's first one */
	uint32_t cluster;	/* bytes */
	uint32_t record;	/* bytes */
};

/* An attribute, in a record that stays where it is. */
struct probe_ntfs_attr {
	const uint8_t *at; /* LEN bytes */
	uint32_t len;
	bool resident;
	uint64_t size; /* of the value, bytes; not resident: as far as it was ever written */
};

/* Clusters of an attribute, one run after the other. */
struct probe_ntfs_run {
	uint64_t lcn, clusters;
	uint32_t at; /* where the next one stands in the attribute */
};

/* What the boot sector says, which fits in AREA. */
bool probe_ntfs_open(const struct probe_area *area, struct probe_ntfs *ret);
/*
 * Puts back what fixups took from the SIZE bytes at RECORD, a record or a block of an index. False
 * where it was not written whole.
 */
bool probe_ntfs_fix(uint8_t *record, uint32_t size);
/* RECORD, of file NUMBER, as it was read from the disk: whether it is one. Its fixups are undone.
 */
bool probe_ntfs_check(const struct probe_ntfs *ntfs, uint64_t number, uint8_t *record);
/* The record NUMBER, which must be in the MFT's first run, to RECORD (PROBE_NTFS_RECORD bytes). */
bool probe_ntfs_read(const struct probe_ntfs *ntfs, uint64_t number, uint8_t *record);
/* The attribute of TYPE, from its beginning on; of $DATA the one that has no name. */
bool probe_ntfs_find(const struct probe_ntfs *ntfs, const uint8_t *record, uint32_t type,
		     struct probe_ntfs_attr *ret);
/*
 * The next run; the first one when RUN is all zeros. Returns 1, 0 behind the last one, -1 where it
 * cannot be: off the volume, sparse, damaged.
 */
int probe_ntfs_next(const struct probe_ntfs *ntfs, const struct probe_ntfs_attr *attr,
		    struct probe_ntfs_run *run);

#endif

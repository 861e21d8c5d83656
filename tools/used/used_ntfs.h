/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between used_ntfs.c, the map of clusters, and used_ntfs_state.c, whether it is to be trusted. */
#ifndef USED_USED_NTFS_H
#define USED_USED_NTFS_H

#include "io/probe_ntfs.h"
#include "used/used_kinds.h"

#define NTFS_PART 65536u /* bytes that are read at once: whole records */

struct ntfs {
	const struct probe_area *area;
	struct probe_ntfs disk;
	struct used_map map;
	uint8_t mft_record[NTFS_RECORD_MOST];
	struct probe_ntfs_attr mft; /* $DATA, in MFT_RECORD */
	uint8_t part[NTFS_PART];
	const char **ret_doubt;
};

int ntfs_doubt(const struct ntfs *ntfs, const char *doubt);
/*
 * LEN bytes at OFFSET of what ATTR is, resident or not. Returns 0, -EUCLEAN where not all of them
 * were ever written, or -errno.
 */
int ntfs_read(const struct ntfs *ntfs, const struct probe_ntfs_attr *attr, uint64_t offset,
	      void *buf, size_t len);
/*
 * The MFT's record NUMBER, in use and all of what its file is, to RECORD, NTFS_RECORD_MOST bytes.
 * Returns as ntfs_read.
 */
int ntfs_read_record(const struct ntfs *ntfs, uint64_t number, uint8_t *record);
/* The attribute of RECORD that has TYPE and NAME. Returns 0, or -EUCLEAN without one. */
int ntfs_find(const struct ntfs *ntfs, const uint8_t *record, uint32_t type, const char *name,
	      struct probe_ntfs_attr *ret);

/* Whether RECORD, which is fixed, is that of a file and all that there is of it. */
bool ntfs_is_whole(const struct ntfs *ntfs, const uint8_t *record);

/*
 * Whether Windows or another has put it down: no mark in $Volume, a log that is closed, no shadow
 * copies, and no sleeping Windows in the file that has RECORD and NAME. Return as ntfs_read.
 */
int ntfs_check_volume(struct ntfs *ntfs);
int ntfs_check_log(struct ntfs *ntfs);
int ntfs_check_shadows(struct ntfs *ntfs);
int ntfs_check_name(const struct ntfs *ntfs, const uint8_t *record,
		    const struct probe_ntfs_attr *name);

#endif

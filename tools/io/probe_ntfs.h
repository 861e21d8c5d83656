/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What NTFS is made of: the boot sector, records with fixups, attributes and runs of clusters.
 * Names and offsets are those of Linux, fs/ntfs3/ntfs.h.
 */
#ifndef IO_PROBE_NTFS_H
#define IO_PROBE_NTFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/probe_area.h"

#define NTFS_RECORD_MOST 4096u
#define NTFS_SECTOR	 512u /* what a fixup protects, whatever the disk's sectors are */

#define NTFS_MFT    0u /* records of the MFT */
#define NTFS_LOG    2u
#define NTFS_VOLUME 3u
#define NTFS_ROOT   5u
#define NTFS_BITMAP 6u
#define NTFS_NUMBER UINT64_C(0xffffffffffff) /* what of a reference is a record's number */

#define NTFS_ATTR_LIST 0x20u
#define NTFS_ATTR_NAME 0x30u
#define NTFS_ATTR_INFO 0x70u /* of $Volume */
#define NTFS_ATTR_DATA 0x80u

struct probe_ntfs {
	uint64_t clusters;    /* all of them in the area */
	uint64_t mft, mirror; /* the first clusters of the MFT, which is one, and of its copy */
	uint32_t cluster;     /* bytes */
	uint32_t record; /* bytes of one of the MFT: whole NTFS_SECTORs, NTFS_RECORD_MOST at most */
};

/* An attribute, which is in its record. */
struct probe_ntfs_attr {
	const uint8_t *start;
	uint32_t len;
	uint32_t type;
	bool resident;
	const uint8_t *value; /* of a resident one */
	uint64_t size, valid; /* bytes; what is behind VALID was never written */
};

/* A run of clusters; zero before the first one. */
struct probe_ntfs_run {
	uint32_t at; /* of what follows, in the attribute */
	uint64_t lcn, count;
	bool hole; /* it is nowhere */
};

/* The boot sector. False where it is none, or does not fit into AREA. */
bool probe_ntfs_open(const struct probe_area *area, struct probe_ntfs *ret);
/*
 * Puts back the last two bytes of every sector of BLOCK, SIZE bytes, which must be the number of
 * times that it was written: whole NTFS_SECTORs. False where a sector is of another time.
 */
bool probe_ntfs_fix(uint8_t *block, uint32_t size);
/* Whether RECORD, of which nothing is known, is the MFT's record NUMBER; it is fixed then. */
bool probe_ntfs_is_record(const struct probe_ntfs *ntfs, uint8_t *record, uint64_t number);
/*
 * The attribute of the fixed RECORD at *AT, which becomes the next one's; 0 is the first. Returns
 * 1, 0 behind the last, or -EUCLEAN.
 */
int probe_ntfs_next(const struct probe_ntfs *ntfs, const uint8_t *record, uint32_t *at,
		    struct probe_ntfs_attr *ret);
/*
 * The first attribute of TYPE that is called NAME, ASCII. Returns as probe_ntfs_next, 0 where there
 * is none.
 */
int probe_ntfs_find(const struct probe_ntfs *ntfs, const uint8_t *record, uint32_t type,
		    const char *name, struct probe_ntfs_attr *ret);
/* Whether ATTR is in runs from its beginning on, neither compressed nor encrypted. */
bool probe_ntfs_is_plain(const struct probe_ntfs_attr *attr);
/*
 * The next run of ATTR, which is not resident. All of it is in the volume, or a hole. Returns as
 * probe_ntfs_next.
 */
int probe_ntfs_next_run(const struct probe_ntfs *ntfs, const struct probe_ntfs_attr *attr,
			struct probe_ntfs_run *run);

#endif

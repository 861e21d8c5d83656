/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between used_ntfs.c, which reads what is free, and used_ntfs_state.c, which tells whether that
 * holds. */
#ifndef USED_NTFS_H
#define USED_NTFS_H

#include "io/probe_ntfs.h"
#include "used/used_kinds.h"

#define NTFS_ATTR_VOLUME     0x70u /* types of attributes */
#define NTFS_ATTR_DATA	     0x80u
#define NTFS_ATTR_ROOT	     0x90u
#define NTFS_ATTR_ALLOCATION 0xa0u

struct ntfs {
	struct probe_ntfs volume;
	const char **ret_doubt;
	uint8_t record[PROBE_NTFS_RECORD]; /* that the attribute lies in */
	struct probe_ntfs_attr attr;
};

/* DOUBT. Returns -EUCLEAN. */
int ntfs_doubt(const struct ntfs *ntfs, const char *doubt);
/* The attribute of TYPE of file NUMBER. Returns 0, or -EUCLEAN with a doubt. */
int ntfs_open(struct ntfs *ntfs, uint64_t number, uint32_t type);
/*
 * LEN bytes at OFFSET of the attribute, which is not resident, to BUF. Returns 0, -EUCLEAN with a
 * doubt where they are not there, or another -errno.
 */
int ntfs_read(const struct ntfs *ntfs, uint64_t offset, void *buf, size_t len);

/*
 * Whether Windows has finished with the volume: it was unmounted, and no Windows sleeps that has it
 * mounted. Returns 0, -EUCLEAN with a doubt, or another -errno.
 */
int ntfs_check_state(struct ntfs *ntfs);

#endif

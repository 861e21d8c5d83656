/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between used_xfs.c, which reads what is free, and used_xfs_log.c, which tells whether that holds.
 */
#ifndef USED_XFS_H
#define USED_XFS_H

#include <stdbool.h>
#include <stdint.h>

#include "used/used_kinds.h"

struct xfs {
	const struct probe_area *area;
	struct spare *spare;
	const char **ret_doubt;
	uint32_t block, sector; /* bytes */
	uint64_t blocks;
	uint32_t group_blocks, groups; /* of a group, but the last one's; how many */
	unsigned int group_log;	       /* bits of a block's number in its group */
	unsigned int inode_log;	       /* bits of an inode's number in its block */
	uint64_t root;		       /* the root folder's inode */
	uint64_t log;		       /* block at which the log begins */
	uint32_t log_blocks;
	bool sums;	/* version 5: everything has a checksum, and says where and whose it is */
	uint8_t id[16]; /* that everything bears; of version 4 the log alone */
	uint8_t log_id[16]; /* that of the log */
	uint8_t *buf;	    /* a block */
};

/* Where block NUMBER, of group and block in it, is in the area, bytes. */
uint64_t xfs_offset(const struct xfs *xfs, uint64_t number);

/*
 * Whether the log says that the file system was unmounted. Returns 0, -EUCLEAN with a doubt, or
 * another -errno.
 */
int xfs_log_check(const struct xfs *xfs);

/* As bytes_get16 and so on, of what is big-endian. */
uint16_t xfs_get16(const uint8_t *p);
uint32_t xfs_get32(const uint8_t *p);
uint64_t xfs_get64(const uint8_t *p);

#endif

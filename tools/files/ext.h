/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of ext2, ext3 and ext4, by libext2fs: ext.c (the operations) and ext_map.c (where a
 * file's blocks are).
 */
#ifndef FILES_EXT_H
#define FILES_EXT_H

#include "ext/ext_io.h"
#include "files/files_kinds.h"

struct ext {
	struct ext_io io;
	ext2_filsys fs;
	/* The inode that was last looked at; 0: none. */
	ext2_ino_t number;
	struct ext2_inode_large inode;
	ext2_extent_handle_t extents;
	/* What ext_map last found out about it. */
	uint64_t mapped, mapped_count, mapped_to;
};

static inline struct ext2_inode *ext_inode(struct ext *ext)
{
	return (struct ext2_inode *)&ext->inode;
}

/* What the library said, as -errno, with its words in files_why. */
int ext_error(struct files *files, errcode_t error);

/*
 * Where block BLOCK of the inode that was last looked at lies on the device, and how many from it
 * on lie together: *ret_to in blocks, 0 for a hole. Returns 0 or -errno.
 */
int ext_map(struct files *files, uint64_t block, uint64_t *ret_to, uint64_t *ret_count);

#endif

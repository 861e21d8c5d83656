/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libext2fs over anything that can be read. */
#ifndef EXT_EXT_IO_H
#define EXT_EXT_IO_H

#include <stddef.h>
#include <stdint.h>

#include <ext2fs/ext2fs.h>

struct ext_io {
	/* Reads all of LEN bytes at OFFSET. Returns 0, -ERANGE beyond the end, or -errno. */
	int (*read)(void *from, uint64_t offset, void *buf, size_t len);
	void *from;
};

/*
 * Opens the file system read-only on IO, which must stay until ext2fs_free. Nothing of it is
 * written, its journal not replayed. Returns as ext2fs_open2.
 */
errcode_t ext_io_open(struct ext_io *io, ext2_filsys *ret);

#endif

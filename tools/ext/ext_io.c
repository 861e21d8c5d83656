// SPDX-License-Identifier: GPL-2.0-or-later
/* An io_manager that reads, and refuses everything else. */
#include "ext/ext_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static errcode_t io_open(const char *name, int flags, io_channel *ret);
static errcode_t io_close(io_channel channel);

static errcode_t io_set_blksize(io_channel channel, int blksize)
{
	channel->block_size = blksize;
	return 0;
}

/* A negative COUNT is in bytes. */
static errcode_t io_read_blk64(io_channel channel, unsigned long long block, int count, void *data)
{
	size_t len = count < 0 ? (size_t) - (long long)count : (size_t)count * channel->block_size;
	const struct ext_io *io = channel->private_data;
	int r = -ERANGE;

	if (block <= UINT64_MAX / channel->block_size)
		r = io->read(io->from, block * channel->block_size, data, len);
	/* Whoever goes on all the same sees nothing of what was there before. */
	if (r < 0)
		memset(data, 0, len);
	return r == -ERANGE ? EXT2_ET_SHORT_READ : r < 0 ? EIO : 0;
}

static errcode_t io_read_blk(io_channel channel, unsigned long block, int count, void *data)
{
	return io_read_blk64(channel, block, count, data);
}

static errcode_t io_write_blk64(io_channel channel, unsigned long long block, int count,
				const void *data)
{
	(void)channel, (void)block, (void)count, (void)data;
	return EROFS;
}

static errcode_t io_write_blk(io_channel channel, unsigned long block, int count, const void *data)
{
	return io_write_blk64(channel, block, count, data);
}

static errcode_t io_flush(io_channel channel)
{
	(void)channel;
	return 0;
}

static struct struct_io_manager io_reader = {
	.magic = EXT2_ET_MAGIC_IO_MANAGER,
	.name = "tbstream",
	.open = io_open,
	.close = io_close,
	.set_blksize = io_set_blksize,
	.read_blk = io_read_blk,
	.write_blk = io_write_blk,
	.flush = io_flush,
	.read_blk64 = io_read_blk64,
	.write_blk64 = io_write_blk64,
};

/* All that the library hands over is a name: it holds the address of ours. */
static errcode_t io_open(const char *name, int flags, io_channel *ret)
{
	io_channel channel = calloc(1, sizeof(*channel));

	(void)flags;
	if (!channel)
		return ENOMEM;
	channel->magic = EXT2_ET_MAGIC_IO_CHANNEL;
	channel->manager = &io_reader;
	channel->name = strdup(name);
	channel->block_size = 1024;
	channel->refcount = 1;
	if (!channel->name || sscanf(name, "%p", &channel->private_data) != 1) {
		free(channel->name);
		free(channel);
		return ENOMEM;
	}
	*ret = channel;
	return 0;
}

static errcode_t io_close(io_channel channel)
{
	if (--channel->refcount > 0)
		return 0;
	free(channel->name);
	free(channel);
	return 0;
}

errcode_t ext_io_open(struct ext_io *io, ext2_filsys *ret)
{
	char name[32];

	snprintf(name, sizeof(name), "%p", (void *)io);
	return ext2fs_open2(name, NULL, EXT2_FLAG_64BITS | EXT2_FLAG_SKIP_MMP, 0, 0, &io_reader,
			    ret);
}

/*
 * Unicode's tables for folders in which case does not matter, 67 kB of them. The library compares
 * names by them and finds places in such folders, which nobody asks it for here: all folders are
 * read whole.
 */
const struct ext2fs_nls_table *ext2fs_load_nls_table(int encoding)
{
	(void)encoding;
	return NULL;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where a file's blocks are: by extents, which the library reads, or by the older tables of block
 * numbers, of which whole empty branches are passed over. The library's own ext2fs_file_read goes
 * block by block, and a hole of a terabyte would take it hours.
 */
#include <errno.h>

#include "codec/bytes.h"
#include "files/ext.h"

/* The first extent that ends behind BLOCK. Returns 1, 0 when there is none, or -errno. */
static int map_extent_find(struct files *files, uint64_t block, struct ext2fs_extent *ret)
{
	struct ext *ext = files->fs;
	errcode_t error = 0;

	if (!ext->extents)
		error = ext2fs_extent_open2(ext->fs, ext->number, ext_inode(ext), &ext->extents);
	if (error)
		return ext_error(files, error);
	error = ext2fs_extent_goto2(ext->extents, 0, block);
	if (error && error != EXT2_ET_EXTENT_NOT_FOUND)
		return ext_error(files, error);
	/* It stands at the extent of BLOCK, or at the one before the hole, or at the first one. */
	error = ext2fs_extent_get(ext->extents, EXT2_EXTENT_CURRENT, ret);
	while (!error && ret->e_lblk + ret->e_len <= block)
		error = ext2fs_extent_get(ext->extents, EXT2_EXTENT_NEXT_LEAF, ret);
	if (error == EXT2_ET_EXTENT_NO_NEXT || error == EXT2_ET_NO_CURRENT_NODE)
		return 0;
	return error ? ext_error(files, error) : 1;
}

static int map_extents(struct files *files, uint64_t block, uint64_t *ret_to, uint64_t *ret_count)
{
	struct ext2fs_extent extent;
	int r = map_extent_find(files, block, &extent);

	if (r < 0)
		return r;
	*ret_to = 0;
	*ret_count = UINT32_MAX;
	if (r == 0)
		return 0;
	if (extent.e_lblk > block) {
		*ret_count = extent.e_lblk - block;
		return 0;
	}
	uint64_t inside = block - extent.e_lblk;

	*ret_count = extent.e_len - inside;
	if (!(extent.e_flags & EXT2_EXTENT_FLAGS_UNINIT))
		*ret_to = extent.e_pblk + inside;
	return 0;
}

/* Twelve blocks stand in the inode, the others in trees of one, two and three levels. */
static int map_tables(struct files *files, uint64_t block, uint64_t *ret_to, uint64_t *ret_count)
{
	struct ext *ext = files->fs;
	uint64_t fanout = ext->fs->blocksize / 4, span = 1;
	uint8_t raw[4];
	uint32_t to;

	if (block < EXT2_NDIR_BLOCKS) {
		*ret_to = ext->inode.i_block[block];
		*ret_count = 1;
		return 0;
	}
	block -= EXT2_NDIR_BLOCKS;
	for (int levels = 1; levels <= 3; levels++) {
		span *= fanout; /* blocks under this tree */
		if (block >= span) {
			block -= span;
			continue;
		}
		to = ext->inode.i_block[EXT2_NDIR_BLOCKS + levels - 1];
		while (to && span > 1) {
			int r;

			span /= fanout;
			r = view_device_read(files->device, raw, sizeof(raw),
					     (uint64_t)to * ext->fs->blocksize +
						     block / span * sizeof(raw));
			if (r < 0)
				return r;
			to = bytes_get32(raw);
			block %= span;
		}
		*ret_to = to;
		*ret_count = span - block;
		return 0;
	}
	*ret_to = 0;
	*ret_count = UINT32_MAX;
	return 0;
}

int ext_map(struct files *files, uint64_t block, uint64_t *ret_to, uint64_t *ret_count)
{
	struct ext *ext = files->fs;
	int r = 0;

	if (block < ext->mapped || block - ext->mapped >= ext->mapped_count) {
		ext->mapped_count = 0;
		r = ext->inode.i_flags & EXT4_EXTENTS_FL
			    ? map_extents(files, block, &ext->mapped_to, &ext->mapped_count)
			    : map_tables(files, block, &ext->mapped_to, &ext->mapped_count);
		if (r < 0) {
			ext->mapped_count = 0;
			return r;
		}
		ext->mapped = block;
	}
	uint64_t inside = block - ext->mapped;

	*ret_to = ext->mapped_to ? ext->mapped_to + inside : 0;
	*ret_count = ext->mapped_count - inside;
	return 0;
}

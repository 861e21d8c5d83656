// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ext2 to ext4, by libext2fs: Linux, Documentation/filesystems/ext4/. The maps are read one group
 * after the other, so that a large file system takes no more memory than its group descriptors.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "codec/bytes.h"
#include "ext/ext_io.h"
#include "used/used_kinds.h"

#define EXT_GROUPS_MOST (1u << 18) /* 16 MiB of descriptors, of 32 TiB */

/* What is free does not depend on these being understood. */
#define EXT_INCOMPAT_KNOWN                                                    \
	(EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_EXTENTS |     \
	 EXT4_FEATURE_INCOMPAT_64BIT | EXT4_FEATURE_INCOMPAT_FLEX_BG |        \
	 EXT2_FEATURE_INCOMPAT_META_BG | EXT4_FEATURE_INCOMPAT_MMP |          \
	 EXT4_FEATURE_INCOMPAT_EA_INODE | EXT4_FEATURE_INCOMPAT_CSUM_SEED |   \
	 EXT4_FEATURE_INCOMPAT_LARGEDIR | EXT4_FEATURE_INCOMPAT_INLINE_DATA | \
	 EXT4_FEATURE_INCOMPAT_ENCRYPT | EXT4_FEATURE_INCOMPAT_CASEFOLD)
#define EXT_RO_COMPAT_KNOWN                                                        \
	(EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE | \
	 EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_GDT_CSUM |      \
	 EXT4_FEATURE_RO_COMPAT_DIR_NLINK | EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE |   \
	 EXT4_FEATURE_RO_COMPAT_QUOTA | EXT4_FEATURE_RO_COMPAT_BIGALLOC |          \
	 EXT4_FEATURE_RO_COMPAT_METADATA_CSUM | EXT4_FEATURE_RO_COMPAT_READONLY |  \
	 EXT4_FEATURE_RO_COMPAT_PROJECT | EXT4_FEATURE_RO_COMPAT_VERITY)

struct ext {
	const struct probe_area *area;
	ext2_filsys fs;
	struct used_map map;
	uint8_t *bits; /* of a group: a block */
	const char **ret_doubt;
};

static int ext_read(void *from, uint64_t offset, void *buf, size_t len)
{
	const struct probe_area *area = from;

	if (offset > area->size || len > area->size - offset)
		return -ERANGE;
	return area->read(area->from, area->start + offset, buf, len);
}

/* Before the library takes memory for what the superblock says. */
static int ext_check_super(const struct probe_area *area, const char **ret_doubt)
{
	uint8_t super[1024];
	int r = used_get(area, 1024, super, sizeof(super), ret_doubt);

	if (r < 0)
		return r;
	uint32_t log = bytes_get32(super + 0x18), per = bytes_get32(super + 0x20);
	uint32_t incompat = bytes_get32(super + 0x60), ro_compat = bytes_get32(super + 0x64);
	uint64_t blocks = bytes_get32(super + 0x04);

	if (incompat & EXT4_FEATURE_INCOMPAT_64BIT)
		blocks |= (uint64_t)bytes_get32(super + 0x150) << 32;
	if (incompat & EXT3_FEATURE_INCOMPAT_RECOVER ||
	    !(bytes_get16(super + 0x3a) & EXT2_VALID_FS))
		return used_doubt("it was not unmounted", ret_doubt);
	if (bytes_get16(super + 0x3a) & EXT2_ERROR_FS)
		return used_doubt("it is marked as damaged", ret_doubt);
	if (incompat & ~EXT_INCOMPAT_KNOWN || ro_compat & ~EXT_RO_COMPAT_KNOWN)
		return used_doubt("it has a feature that this program does not know", ret_doubt);
	/* Descriptors have 64 bytes at most; the library would take what the superblock says. */
	if (log > 6 || per == 0 || blocks == 0 ||
	    (incompat & EXT4_FEATURE_INCOMPAT_64BIT && bytes_get16(super + 0xfe) != 64))
		return used_doubt("its superblock is damaged", ret_doubt);
	if (blocks > area->size >> (10 + log))
		return used_doubt("it goes on behind the end of its partition", ret_doubt);
	if (blocks / per >= EXT_GROUPS_MOST)
		return used_doubt("it has too many groups", ret_doubt);
	return 0;
}

static int ext_error(const struct ext *ext, errcode_t error)
{
	if (error == EXT2_ET_NO_MEMORY || error == ENOMEM)
		return -ENOMEM;
	return error == EIO ? -EIO : used_doubt("it is damaged", ext->ret_doubt);
}

/* COUNT blocks at BLOCK are not free, as far as they are in the group of UNITS that begins at
 * FIRST.
 */
static void ext_take(struct ext *ext, blk64_t first, uint64_t units, blk64_t block, uint64_t count)
{
	uint64_t ratio = EXT2FS_CLUSTER_RATIO(ext->fs);
	blk64_t end = MIN(block + count, first + units * ratio);

	for (block = MAX(block, first); block < end; block++) {
		uint64_t unit = (block - first) / ratio;

		ext->bits[unit / 8] |= 1u << unit % 8;
	}
}

/* The map of a group that was never written to: it holds its own tables and nothing else. */
static int ext_make_map(struct ext *ext, dgrp_t group, blk64_t first, uint64_t units)
{
	ext2_filsys fs = ext->fs;
	uint64_t old = ext2fs_has_feature_meta_bg(fs->super)
			       ? fs->super->s_first_meta_bg
			       : fs->desc_blocks + fs->super->s_reserved_gdt_blocks;
	blk64_t super, descriptors, meta_descriptors;

	errcode_t error =
		ext2fs_super_and_bgd_loc2(fs, group, &super, &descriptors, &meta_descriptors, NULL);
	if (error)
		return ext_error(ext, error);
	memset(ext->bits, 0, fs->blocksize);
	if (super || group == 0)
		ext_take(ext, first, units, super, 1);
	if (descriptors)
		ext_take(ext, first, units, descriptors, old);
	if (meta_descriptors)
		ext_take(ext, first, units, meta_descriptors, 1);
	ext_take(ext, first, units, ext2fs_block_bitmap_loc(fs, group), 1);
	ext_take(ext, first, units, ext2fs_inode_bitmap_loc(fs, group), 1);
	ext_take(ext, first, units, ext2fs_inode_table_loc(fs, group), fs->inode_blocks_per_group);
	return 0;
}

static int ext_read_map(struct ext *ext, dgrp_t group)
{
	blk64_t block = ext2fs_block_bitmap_loc(ext->fs, group);
	uint64_t size = EXT2_CLUSTERS_PER_GROUP(ext->fs->super) / 8;

	if (block <= ext->fs->super->s_first_data_block ||
	    block >= ext2fs_blocks_count(ext->fs->super))
		return used_doubt("a map of its blocks is not where it can be", ext->ret_doubt);
	int r = ext_read((void *)ext->area, block * ext->fs->blocksize, ext->bits,
			 ext->fs->blocksize);

	if (r == 0 &&
	    !ext2fs_block_bitmap_csum_verify(ext->fs, group, (char *)ext->bits, (int)size))
		r = used_doubt("the checksum of a map of its blocks is wrong", ext->ret_doubt);
	return r;
}

static int ext_add_group(struct ext *ext, dgrp_t group)
{
	ext2_filsys fs = ext->fs;
	blk64_t first = ext2fs_group_first_block2(fs, group);
	uint64_t ratio = EXT2FS_CLUSTER_RATIO(fs), free = 0;
	uint64_t units = ext2fs_group_blocks_count(fs, group) / ratio;
	int r;

	if (!ext2fs_group_desc_csum_verify(fs, group))
		return used_doubt("the checksum of a group is wrong", ext->ret_doubt);
	if (ext2fs_has_group_desc_csum(fs) && ext2fs_bg_flags_test(fs, group, EXT2_BG_BLOCK_UNINIT))
		r = ext_make_map(ext, group, first, units);
	else
		r = ext_read_map(ext, group);
	ext->map.origin = first * fs->blocksize;
	if (r == 0)
		r = used_map_add(&ext->map, ext->bits, 0, units, &free);
	if (r == 0 && free != ext2fs_bg_free_blocks_count(fs, group))
		r = used_doubt("a group has another number of free blocks than it says",
			       ext->ret_doubt);
	return r;
}

static bool ext_is_spare(const struct ext *ext, blk64_t block, uint64_t count)
{
	struct spare_range range;

	return spare_next(ext->map.spare, block * ext->fs->blocksize, &range) &&
	       range.start < (block + count) * ext->fs->blocksize;
}

/* Its own tables are never free. */
static int ext_check_tables(struct ext *ext)
{
	ext2_filsys fs = ext->fs;
	int r = spare_finish(ext->map.spare);

	for (dgrp_t group = 0; r == 0 && group < fs->group_desc_count; group++) {
		if (ext_is_spare(ext, ext2fs_block_bitmap_loc(fs, group), 1) ||
		    ext_is_spare(ext, ext2fs_inode_bitmap_loc(fs, group), 1) ||
		    ext_is_spare(ext, ext2fs_inode_table_loc(fs, group),
				 fs->inode_blocks_per_group))
			r = used_doubt("its maps contradict its tables", ext->ret_doubt);
	}
	return r;
}

static int ext_add(struct ext *ext)
{
	ext2_filsys fs = ext->fs;
	uint64_t ratio = EXT2FS_CLUSTER_RATIO(fs), clusters = EXT2_CLUSTERS_PER_GROUP(fs->super);
	int r = 0;

	if (clusters % 8 || clusters / 8 > fs->blocksize ||
	    fs->super->s_blocks_per_group != clusters * ratio ||
	    (ext2fs_blocks_count(fs->super) - fs->super->s_first_data_block) % ratio)
		return used_doubt("its groups are not what they can be", ext->ret_doubt);
	ext->bits = malloc(fs->blocksize);
	if (!ext->bits)
		return -ENOMEM;
	ext->map.unit = fs->blocksize * ratio;
	for (dgrp_t group = 0; r == 0 && group < fs->group_desc_count; group++)
		r = ext_add_group(ext, group);
	free(ext->bits);
	return r < 0 ? r : ext_check_tables(ext);
}

int used_ext(const struct probe_area *area, struct spare *spare, const char **ret_doubt)
{
	struct ext_io io = {.read = ext_read, .from = (void *)area};
	struct ext ext = {.area = area, .map.spare = spare, .ret_doubt = ret_doubt};
	int r = ext_check_super(area, ret_doubt);

	if (r < 0)
		return r;
	errcode_t error = ext_io_open(&io, &ext.fs);

	if (error)
		return ext_error(&ext, error);
	r = ext_add(&ext);
	ext2fs_free(ext.fs);
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ext3 and ext4: the first block of the journal is its own superblock, whose sequence goes on with
 * every mount that writes. Linux, Documentation/filesystems/ext4/: super.rst, group_descr.rst,
 * inodes.rst, ifork.rst. A journal on a device of its own is none of this file system.
 */
#include "io/probe_head_internal.h"

#include <sys/param.h>

#include "codec/bytes.h"

#define EXT_MAGIC	     0xef53u
#define EXT_LOG_SIZE_MOST    6u /* blocks of 64 KiB */
#define EXT_COMPAT_JOURNAL   0x4u
#define EXT_INCOMPAT_META_BG 0x10u
#define EXT_INCOMPAT_64BIT   0x80u
#define EXT_INODE_EXTENTS    0x80000u
#define EXT_INODE	     128u /* bytes of an inode that there are at the least */
#define EXT_EXTENT_MAGIC     0xf30au
#define EXT_EXTENT_DEPTH     5u

struct ext {
	uint64_t block;		 /* bytes */
	uint64_t group, index;	 /* the journal's inode: its group, and its place there */
	uint64_t groups;	 /* where their descriptors are */
	unsigned int descriptor; /* bytes */
	unsigned int inode;	 /* bytes */
};

static bool ext_parse(const uint8_t *super, struct ext *ret)
{
	uint32_t log = bytes_get32(super + 0x18), incompat = bytes_get32(super + 0x60);
	uint32_t journal = bytes_get32(super + 0xe0), per = bytes_get32(super + 0x28);

	if (bytes_get16(super + 0x38) != EXT_MAGIC || log > EXT_LOG_SIZE_MOST ||
	    !(bytes_get32(super + 0x5c) & EXT_COMPAT_JOURNAL) || journal == 0 || per == 0)
		return false;
	*ret = (struct ext){
		.block = UINT64_C(1024) << log,
		.group = (journal - 1) / per,
		.index = (journal - 1) % per,
		.groups = log == 0 ? 2048 : UINT64_C(1024) << log,
		.descriptor = incompat & EXT_INCOMPAT_64BIT ? bytes_get16(super + 0xfe) : 32,
		.inode = bytes_get32(super + 0x4c) ? bytes_get16(super + 0x58) : EXT_INODE,
	};
	/* The descriptors of other groups are elsewhere then. */
	if (incompat & EXT_INCOMPAT_META_BG && ret->group > 0)
		return false;
	return ret->descriptor >= (incompat & EXT_INCOMPAT_64BIT ? 64 : 32) &&
	       ret->inode >= EXT_INODE;
}

/* The first EXT_INODE bytes of the journal's inode. */
static bool ext_inode(const struct probe_area *area, const struct ext *ext, uint8_t *ret)
{
	uint64_t table, offset;
	uint8_t group[64];

	if (!probe_area_get(area, ext->groups + ext->group * ext->descriptor, group,
			    MIN(ext->descriptor, sizeof(group))))
		return false;
	table = bytes_get32(group + 0x08);
	if (ext->descriptor >= sizeof(group))
		table |= (uint64_t)bytes_get32(group + 0x28) << 32;
	return !__builtin_mul_overflow(table, ext->block, &offset) &&
	       !__builtin_add_overflow(offset, ext->index * ext->inode, &offset) &&
	       probe_area_get(area, offset, ret, EXT_INODE);
}

/* The block of a file's first one, from NODE on, the root of its extents, down to a leaf. */
static bool ext_first_extent(const struct probe_area *area, const struct ext *ext,
			     const uint8_t *root, uint64_t *ret)
{
	unsigned int depth = bytes_get16(root + 6);
	uint8_t node[24];
	uint64_t block;

	if (depth > EXT_EXTENT_DEPTH)
		return false;
	memcpy(node, root, sizeof(node));
	for (;; depth--) {
		const uint8_t *entry = node + 12;

		if (bytes_get16(node) != EXT_EXTENT_MAGIC || bytes_get16(node + 2) == 0 ||
		    bytes_get16(node + 6) != depth || bytes_get32(entry) != 0)
			return false;
		if (depth == 0) {
			*ret = bytes_get32(entry + 8) | (uint64_t)bytes_get16(entry + 6) << 32;
			return true;
		}
		block = bytes_get32(entry + 4) | (uint64_t)bytes_get16(entry + 8) << 32;
		/* 48 bits of blocks of 2^16 bytes do not wrap. */
		if (!probe_area_get(area, block * ext->block, node, sizeof(node)))
			return false;
	}
}

bool probe_head_ext(const struct probe_area *area, uint64_t *ret)
{
	uint8_t super[1024], inode[EXT_INODE];
	struct ext ext;
	uint64_t block;

	if (!probe_area_get(area, 1024, super, sizeof(super)) || !ext_parse(super, &ext) ||
	    !ext_inode(area, &ext, inode))
		return false;
	block = bytes_get32(inode + 0x28);
	if (bytes_get32(inode + 0x20) & EXT_INODE_EXTENTS &&
	    !ext_first_extent(area, &ext, inode + 0x28, &block))
		return false;
	if (block == 0)
		return false;
	*ret = block * ext.block;
	return true;
}

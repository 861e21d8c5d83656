// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * XFS: Linux, fs/xfs/libxfs/xfs_format.h. Every allocation group has two B+trees of its free
 * extents, by block (bnobt) and by length (cntbt), whose leaves are lists. Both have to say the
 * same: version 4 has no checksums.
 */
#include "used/used_xfs.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "codec/digest.h"

/* struct xfs_dsb: sb_versionnum, sb_features_ro_compat and sb_features_incompat. */
#define XFS_VERSION_SHARED   0x0200u
#define XFS_RO_COMPAT_KNOWN  0x0fu /* FINOBT, RMAPBT, REFLINK, INOBTCNT */
#define XFS_INCOMPAT_KNOWN   0xefu /* FTYPE to PARENT, but for NEEDSREPAIR */
#define XFS_INCOMPAT_META_ID 0x04u
#define XFS_INCOMPAT_REPAIR  0x10u
#define XFS_LOG_KNOWN	     0x01u /* XATTRS */

#define XFS_GROUPS_MOST (1u << 20) /* 1 PiB in those of 1 GiB, which nobody has */
#define XFS_LEVELS_MOST 9u	   /* XFS_BTREE_MAXLEVELS */
#define XFS_NONE	UINT32_MAX /* NULLAGBLOCK */

uint16_t xfs_get16(const uint8_t *p)
{
	uint16_t value;

	memcpy(&value, p, sizeof(value));
	return be16toh(value);
}

uint32_t xfs_get32(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return be32toh(value);
}

uint64_t xfs_get64(const uint8_t *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof(value));
	return be64toh(value);
}

static int xfs_doubt(const struct xfs *xfs, const char *doubt)
{
	return used_doubt(doubt, xfs->ret_doubt);
}

/* Whether the CRC32C of LEN bytes at BUF is the little-endian one at AT, itself taken as zeros. */
static bool xfs_sum_right(uint8_t *buf, size_t len, size_t at)
{
	uint32_t told;

	memcpy(&told, buf + at, sizeof(told));
	memset(buf + at, 0, sizeof(told));
	return used_crc32c(buf, len) == le32toh(told);
}

uint64_t xfs_offset(const struct xfs *xfs, uint64_t number)
{
	uint64_t group = number >> xfs->group_log;
	uint64_t block = number & ((UINT64_C(1) << xfs->group_log) - 1);

	return (group * xfs->group_blocks + block) * xfs->block;
}

/* Whether COUNT blocks from NUMBER on are in one group. */
static bool xfs_is_there(const struct xfs *xfs, uint64_t number, uint32_t count)
{
	uint64_t group = number >> xfs->group_log;
	uint64_t block = number & ((UINT64_C(1) << xfs->group_log) - 1);

	return group < xfs->groups && block < xfs->group_blocks &&
	       count <= xfs->group_blocks - block &&
	       group * xfs->group_blocks + block + count <= xfs->blocks;
}

static int xfs_check_features(struct xfs *xfs, const uint8_t *super)
{
	unsigned int version = xfs_get16(super + 100);
	uint32_t incompat = xfs_get32(super + 216);

	xfs->sums = (version & 0xf) == 5;
	if ((version & 0xf) != 4 && !xfs->sums)
		return xfs_doubt(xfs, "its version is not known");
	if (super[126])
		return xfs_doubt(xfs, "it is being made or grown");
	if (xfs_get64(super + 16) || version & XFS_VERSION_SHARED)
		return xfs_doubt(xfs, "it has a realtime part");
	if (xfs_get64(super + 48) == 0)
		return xfs_doubt(xfs, "its log is on another device");
	if (!xfs->sums)
		return 0;
	if (incompat & XFS_INCOMPAT_REPAIR)
		return xfs_doubt(xfs, "it needs to be repaired");
	if (incompat & ~XFS_INCOMPAT_KNOWN || xfs_get32(super + 212) & ~XFS_RO_COMPAT_KNOWN ||
	    xfs_get32(super + 220) & ~XFS_LOG_KNOWN)
		return xfs_doubt(xfs, "it has a feature that this program does not know");
	memcpy(xfs->id, super + (incompat & XFS_INCOMPAT_META_ID ? 248 : 32), sizeof(xfs->id));
	return 0;
}

static bool xfs_measures_fit(const struct xfs *xfs, const uint8_t *super)
{
	unsigned int inode_log = super[123];

	return powerof2(xfs->block) && xfs->block >= 512 && xfs->block <= 65536 &&
	       powerof2(xfs->sector) && xfs->sector >= 512 && xfs->sector <= xfs->block &&
	       xfs->groups > 0 && xfs->groups <= XFS_GROUPS_MOST && xfs->group_blocks > 0 &&
	       xfs->group_log <= 31 && xfs->group_blocks <= UINT32_C(1) << xfs->group_log &&
	       inode_log <= 16 && xfs->blocks <= xfs->area->size / xfs->block &&
	       xfs->blocks > (uint64_t)(xfs->groups - 1) * xfs->group_blocks &&
	       xfs->blocks <= (uint64_t)xfs->groups * xfs->group_blocks;
}

static int xfs_parse(struct xfs *xfs, uint8_t *super)
{
	if (memcmp(super, "XFSB", 4) != 0)
		return xfs_doubt(xfs, "its superblock is damaged");
	xfs->block = xfs_get32(super + 4);
	xfs->sector = xfs_get16(super + 102);
	xfs->blocks = xfs_get64(super + 8);
	xfs->group_blocks = xfs_get32(super + 84);
	xfs->groups = xfs_get32(super + 88);
	xfs->group_log = super[124];
	xfs->inode_log = super[123];
	xfs->root = xfs_get64(super + 56);
	xfs->log = xfs_get64(super + 48);
	xfs->log_blocks = xfs_get32(super + 96);
	memcpy(xfs->log_id, super + 32, sizeof(xfs->log_id));
	if (!xfs_measures_fit(xfs, super))
		return xfs_doubt(xfs, "its superblock is damaged, or its end is missing");
	int r = xfs_check_features(xfs, super);

	if (r == 0 && !xfs_is_there(xfs, xfs->log, xfs->log_blocks))
		r = xfs_doubt(xfs, "its log is not where it can be");
	return r;
}

static int xfs_read_super(struct xfs *xfs)
{
	uint8_t super[4096];
	size_t len = sizeof(super);
	int r = used_get(xfs->area, 0, super, MIN(len, xfs->area->size), xfs->ret_doubt);

	if (r == 0)
		r = xfs_parse(xfs, super);
	if (r == 0 && xfs->sums && (xfs->sector > len || !xfs_sum_right(super, xfs->sector, 224)))
		r = xfs_doubt(xfs, "the checksum of its superblock is wrong");
	return r;
}

/* One allocation group, as struct xfs_agf tells of it. */
struct xfs_group {
	struct xfs *xfs;
	uint32_t number, blocks;
	uint32_t free, longest; /* blocks */
};

/* One of its two trees. */
struct xfs_tree {
	const struct xfs_group *group;
	const char *magic;
	bool by_length;
	uint32_t root, levels;
	uint32_t start, len;	/* the last extent so far, or the group's headers */
	uint32_t free, longest; /* blocks so far */
	uint64_t marks;		/* a sum that does not depend on the extents' order */
};

static uint64_t group_offset(const struct xfs_group *group, uint32_t block)
{
	const struct xfs *xfs = group->xfs;

	return ((uint64_t)group->number * xfs->group_blocks + block) * xfs->block;
}

/* The first block behind four sectors of headers: Linux, xfs_verify_agbno(). */
static uint32_t group_first(const struct xfs_group *group)
{
	return howmany(4 * group->xfs->sector, group->xfs->block);
}

static int group_read(struct xfs_group *group, struct xfs_tree trees[2])
{
	static const char *const magics[2][2] = {{"ABTB", "ABTC"}, {"AB3B", "AB3C"}};
	struct xfs *xfs = group->xfs;
	uint8_t *agf = xfs->buf;
	int r = used_get(xfs->area, group_offset(group, 0) + xfs->sector, agf, xfs->sector,
			 xfs->ret_doubt);

	if (r < 0)
		return r;
	uint64_t first = (uint64_t)group->number * xfs->group_blocks;

	group->blocks = MIN(xfs->blocks - first, xfs->group_blocks);
	group->free = xfs_get32(agf + 52);
	group->longest = xfs_get32(agf + 56);
	if (memcmp(agf, "XAGF", 4) != 0 || xfs_get32(agf + 4) != 1 ||
	    xfs_get32(agf + 8) != group->number || xfs_get32(agf + 12) != group->blocks)
		return xfs_doubt(xfs, "a group's header is damaged");
	if (xfs->sums && (memcmp(agf + 64, xfs->id, sizeof(xfs->id)) != 0 ||
			  !xfs_sum_right(agf, xfs->sector, 216)))
		return xfs_doubt(xfs, "the checksum of a group's header is wrong");
	for (size_t i = 0; i < 2; i++) {
		trees[i] = (struct xfs_tree){.group = group,
					     .magic = magics[xfs->sums][i],
					     .by_length = i == 1,
					     .root = xfs_get32(agf + 16 + 4 * i),
					     .levels = xfs_get32(agf + 28 + 4 * i)};
		if (trees[i].levels == 0 || trees[i].levels > XFS_LEVELS_MOST)
			return xfs_doubt(xfs, "a group's header is damaged");
	}
	return 0;
}

static size_t tree_header(const struct xfs *xfs)
{
	return xfs->sums ? 56 : 16;
}

/* Block NUMBER of the tree, which is of LEVEL, with LEFT before it, to the buffer. */
static int tree_read_node(const struct xfs_tree *tree, uint32_t number, unsigned int level,
			  uint32_t left)
{
	struct xfs *xfs = tree->group->xfs;
	uint8_t *node = xfs->buf;
	size_t record = level ? 12 : 8; /* a key and where it leads, or a free extent */

	if (number >= tree->group->blocks)
		return xfs_doubt(xfs, "a tree of what is free leads out of its group");
	uint64_t offset = group_offset(tree->group, number);
	int r = used_get(xfs->area, offset, node, xfs->block, xfs->ret_doubt);

	if (r < 0)
		return r;
	if (memcmp(node, tree->magic, 4) != 0 || xfs_get16(node + 4) != level ||
	    xfs_get16(node + 6) > (xfs->block - tree_header(xfs)) / record ||
	    (level && xfs_get16(node + 6) == 0) || xfs_get32(node + 8) != left)
		return xfs_doubt(xfs, "a tree of what is free is damaged");
	if (xfs->sums &&
	    (xfs_get64(node + 16) != offset / 512 || xfs_get32(node + 48) != tree->group->number ||
	     memcmp(node + 32, xfs->id, sizeof(xfs->id)) != 0 ||
	     !xfs_sum_right(node, xfs->block, 52)))
		return xfs_doubt(xfs, "the checksum of a tree of what is free is wrong");
	return 0;
}

/* Neighbours are one extent, and the group's headers come first. */
static bool tree_rises(const struct xfs_tree *tree, uint32_t start, uint32_t len)
{
	if (start < group_first(tree->group) || start >= tree->group->blocks || len == 0 ||
	    len > tree->group->blocks - start)
		return false;
	if (tree->by_length)
		return len > tree->len || (len == tree->len && start > tree->start);
	return tree->len == 0 || start > tree->start + tree->len;
}

static int tree_doubt_number(const struct xfs *xfs)
{
	return xfs_doubt(xfs, "a group has another number of free blocks than it says");
}

/* The leaf that is in the buffer. */
static int tree_take_leaf(struct xfs_tree *tree)
{
	struct xfs *xfs = tree->group->xfs;
	const uint8_t *record = xfs->buf + tree_header(xfs);
	unsigned int count = xfs_get16(xfs->buf + 6);
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < count; i++, record += 8) {
		uint32_t start = xfs_get32(record), len = xfs_get32(record + 4);

		if (!tree_rises(tree, start, len))
			return xfs_doubt(xfs, "what is free of it overlaps");
		if (len > tree->group->free - tree->free)
			return tree_doubt_number(xfs);
		if (!tree->by_length)
			r = spare_add(xfs->spare, group_offset(tree->group, start),
				      (uint64_t)len * xfs->block);
		tree->start = start;
		tree->len = len;
		tree->free += len;
		tree->longest = MAX(tree->longest, len);
		tree->marks += XXH64(record, 8, 0);
	}
	return r;
}

/* Every extent is behind the one before it, so that a list that bites its tail ends too. */
static int tree_walk(struct xfs_tree *tree)
{
	struct xfs *xfs = tree->group->xfs;
	size_t most = (xfs->block - tree_header(xfs)) / 12;
	uint32_t number = tree->root, left = XFS_NONE;
	int r;

	for (unsigned int level = tree->levels - 1; level > 0; level--) {
		r = tree_read_node(tree, number, level, XFS_NONE);
		if (r < 0)
			return r;
		number = xfs_get32(xfs->buf + tree_header(xfs) + 8 * most);
	}
	do {
		uint32_t before = tree->free;

		r = tree_read_node(tree, number, 0, left);
		if (r == 0)
			r = tree_take_leaf(tree);
		if (r < 0)
			return r;
		left = number;
		number = xfs_get32(xfs->buf + 12);
		if (number != XFS_NONE && tree->free == before)
			return xfs_doubt(xfs, "a tree of what is free is damaged");
	} while (number != XFS_NONE);
	if (tree->free != tree->group->free || tree->longest != tree->group->longest)
		return tree_doubt_number(xfs);
	return 0;
}

static int xfs_add_group(struct xfs *xfs, uint32_t number)
{
	struct xfs_group group = {.xfs = xfs, .number = number};
	struct xfs_tree trees[2];
	int r = group_read(&group, trees);

	for (size_t i = 0; r == 0 && i < 2; i++)
		r = tree_walk(&trees[i]);
	if (r == 0 && trees[0].marks != trees[1].marks)
		r = xfs_doubt(xfs, "two trees of what is free contradict each other");
	return r;
}

static bool xfs_is_spare(const struct xfs *xfs, uint64_t number, uint32_t count)
{
	uint64_t offset = xfs_offset(xfs, number);
	struct spare_range range;

	return spare_next(xfs->spare, offset, &range) &&
	       range.start < offset + (uint64_t)count * xfs->block;
}

/* The log and the root folder are never free. */
static int xfs_check_spare(const struct xfs *xfs)
{
	uint64_t root = xfs->root >> xfs->inode_log;
	int r = spare_finish(xfs->spare);

	if (r == 0 && (!xfs_is_there(xfs, root, 1) || xfs_is_spare(xfs, root, 1) ||
		       xfs_is_spare(xfs, xfs->log, xfs->log_blocks)))
		r = xfs_doubt(xfs, "its maps contradict its superblock");
	return r;
}

int used_xfs(const struct probe_area *area, struct spare *spare, const char **ret_doubt)
{
	struct xfs xfs = {.area = area, .spare = spare, .ret_doubt = ret_doubt};
	int r = xfs_read_super(&xfs);

	if (r == 0)
		r = xfs_log_check(&xfs);
	if (r < 0)
		return r;
	xfs.buf = malloc(xfs.block);
	if (!xfs.buf)
		return -ENOMEM;
	for (uint32_t i = 0; r == 0 && i < xfs.groups; i++)
		r = xfs_add_group(&xfs, i);
	if (r == 0)
		r = xfs_check_spare(&xfs);
	free(xfs.buf);
	return r;
}

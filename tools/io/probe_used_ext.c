// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ext2 to ext4: Linux, Documentation/filesystems/ext4/super.rst and group_descr.rst. The kernel
 * writes the superblock's free count when it unmounts and hardly before, so of a machine that
 * crashed it can be months old; the groups' own it writes back all the time, and adds up when it
 * mounts (fs/ext4/balloc.c: ext4_count_free_clusters).
 */
#include "io/probe_used_internal.h"

#include <sys/param.h>

#include "codec/bytes.h"

#define EXT_MAGIC	  0xef53u
#define EXT_LOG_SIZE_MOST 6u	     /* blocks of 64 KiB */
#define EXT_GROUPS_MOST	  (1u << 17) /* 8 MiB of descriptors, of 16 TiB */

#define EXT_STATE_VALID	     0x1u
#define EXT_INCOMPAT_RECOVER 0x4u
#define EXT_INCOMPAT_META_BG 0x10u
#define EXT_INCOMPAT_64BIT   0x80u
#define EXT_COMPAT_BIGALLOC  0x200u

struct ext {
	uint64_t block; /* bytes */
	uint64_t blocks;
	uint64_t free;		 /* as the superblock says */
	bool unmounted;		 /* and so the superblock is right */
	uint64_t groups;	 /* 0: their descriptors are not in one piece */
	unsigned int descriptor; /* bytes */
	unsigned int shift;	 /* a group counts units of 2^shift blocks */
};

/* A number of 64 bits in halves. */
static uint64_t ext_number(const uint8_t *low, const uint8_t *high, bool wide)
{
	return bytes_get32(low) | (wide ? (uint64_t)bytes_get32(high) << 32 : 0);
}

static bool ext_parse_groups(const uint8_t *super, struct ext *ext)
{
	bool wide = bytes_get32(super + 0x60) & EXT_INCOMPAT_64BIT;
	uint64_t first = bytes_get32(super + 0x14), per = bytes_get32(super + 0x20);

	ext->descriptor = wide ? bytes_get16(super + 0xfe) : 32;
	if (bytes_get32(super + 0x64) & EXT_COMPAT_BIGALLOC)
		ext->shift = bytes_get32(super + 0x1c) - bytes_get32(super + 0x18);
	if (first >= ext->blocks || per == 0 || ext->shift > 20 || ext->descriptor > 1024 ||
	    ext->descriptor < (wide ? 64 : 32) || !powerof2(ext->descriptor))
		return false;
	ext->groups = (ext->blocks - first + per - 1) / per;
	if (ext->groups > EXT_GROUPS_MOST || bytes_get32(super + 0x60) & EXT_INCOMPAT_META_BG)
		ext->groups = 0;
	return true;
}

static bool ext_parse(const uint8_t *super, struct ext *ret)
{
	uint32_t log = bytes_get32(super + 0x18), incompat = bytes_get32(super + 0x60);
	bool wide = incompat & EXT_INCOMPAT_64BIT;

	if (bytes_get16(super + 0x38) != EXT_MAGIC || log > EXT_LOG_SIZE_MOST)
		return false;
	*ret = (struct ext){
		.block = UINT64_C(1024) << log,
		.blocks = ext_number(super + 0x04, super + 0x150, wide),
		.free = ext_number(super + 0x0c, super + 0x158, wide),
		.unmounted = bytes_get16(super + 0x3a) & EXT_STATE_VALID &&
			     !(incompat & EXT_INCOMPAT_RECOVER),
	};
	return ext_parse_groups(super, ret);
}

/* The sum of what the groups say, in blocks. */
static bool ext_count(const struct probe_area *area, const struct ext *ext, uint64_t *ret)
{
	uint64_t offset = ext->block == 1024 ? 2048 : ext->block; /* behind the superblock's */
	uint8_t part[8192];
	uint64_t sum = 0, n;

	for (uint64_t left = ext->groups; left > 0; left -= n) {
		n = MIN(left, sizeof(part) / ext->descriptor);
		if (!probe_area_get(area, offset, part, n * ext->descriptor))
			return false;
		offset += n * ext->descriptor;
		for (size_t i = 0; i < n; i++) {
			const uint8_t *group = part + i * ext->descriptor;

			sum += bytes_get16(group + 0x0c);
			if (ext->descriptor >= 64)
				sum += (uint64_t)bytes_get16(group + 0x2c) << 16;
		}
	}
	*ret = sum << ext->shift;
	return true;
}

bool probe_used_ext(const struct probe_area *area, struct probe_used *ret)
{
	uint8_t super[1024];
	struct ext ext;

	if (!probe_area_get(area, 1024, super, sizeof(super)) || !ext_parse(super, &ext))
		return false;
	if (ext.groups ? !ext_count(area, &ext, &ext.free) : !ext.unmounted)
		return false;
	return probe_used_put(area, ext.block, ext.blocks, ext.free, ret);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What the file systems' readers share, and those to which a superblock is enough: XFS, btrfs. */
#include "io/probe_used_internal.h"

#include <endian.h>
#include <string.h>
#include <sys/param.h>

#include "codec/bytes.h"

bool probe_used_bits(const struct probe_area *area, uint64_t offset, uint64_t bits, uint64_t *count)
{
	uint64_t words[2048] = {0}, n;

	for (; bits > 0; bits -= n) {
		n = MIN(bits, 8 * sizeof(words));
		if (!probe_area_get(area, offset, words, (n + 7) / 8))
			return false;
		if (n % 64)
			words[n / 64] &= htole64((UINT64_C(1) << n % 64) - 1);
		for (size_t i = 0; i < (n + 63) / 64; i++)
			*count += (uint64_t)__builtin_popcountll(words[i]);
		offset += n / 8;
	}
	return true;
}

bool probe_used_put(const struct probe_area *area, uint64_t unit, uint64_t units, uint64_t free,
		    struct probe_used *ret)
{
	if (unit == 0 || units == 0 || units > area->size / unit || free > units)
		return false;
	*ret = (struct probe_used){.size = units * unit, .used = (units - free) * unit};
	return true;
}

static uint64_t big_endian64(const uint8_t *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof(value));
	return be64toh(value);
}

/*
 * Linux, fs/xfs/libxfs/xfs_format.h: struct xfs_dsb. A realtime device is not counted. Exact after
 * an unmount; of a file system in use it was right when that was idle last (xfs_log_worker).
 */
static bool xfs_read(const struct probe_area *area, struct probe_used *ret)
{
	uint8_t super[512];

	if (!probe_area_get(area, 0, super, sizeof(super)) || memcmp(super, "XFSB", 4) != 0)
		return false;
	uint64_t size = big_endian64(super) & UINT32_MAX; /* behind the magic */

	if (size < 512 || size > 65536 || !powerof2(size))
		return false;
	return probe_used_put(area, size, big_endian64(super + 8), big_endian64(super + 144), ret);
}

/*
 * btrfs' documentation, "On-disk format", superblock. What is stored twice counts once, so
 * such a file system is full before it says so. The devices of several share one count.
 */
static bool btrfs_read(const struct probe_area *area, struct probe_used *ret)
{
	uint8_t super[4096];

	if (!probe_area_get(area, 65536, super, sizeof(super)) ||
	    memcmp(super + 0x40, "_BHRfS_M", 8) != 0 || bytes_get64(super + 0x88) != 1)
		return false;
	uint64_t total = bytes_get64(super + 0x70), used = bytes_get64(super + 0x78);

	return used <= total && probe_used_put(area, 1, total, total - used, ret);
}

static const struct {
	const char *type;
	bool (*read)(const struct probe_area *area, struct probe_used *ret);
} readers[] = {
	{"ext2", probe_used_ext},  {"ext3", probe_used_ext},	{"ext4", probe_used_ext},
	{"xfs", xfs_read},	   {"btrfs", btrfs_read},	{"vfat", probe_used_fat},
	{"ntfs", probe_used_ntfs}, {"exfat", probe_used_exfat},
};

static int used_read_disk(void *from, uint64_t offset, void *buf, size_t len)
{
	return disk_read(*(const struct disk **)from, offset, buf, len);
}

bool probe_used_read(const struct disk *disk, uint64_t start, uint64_t size, const char *type,
		     struct probe_used *ret)
{
	const struct probe_area area = {
		.read = used_read_disk, .from = &disk, .start = start, .size = size};

	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		if (strcmp(readers[i].type, type) == 0)
			return readers[i].read(&area, ret);
	}
	return false;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/probe_ntfs.h"

#include <errno.h>
#include <string.h>
#include <sys/param.h>

#include "codec/bytes.h"

#define ATTR_NONE     UINT32_MAX /* behind the last one */
#define ATTR_RESIDENT 24u	 /* bytes of the head of one that is, and of one that is not */
#define ATTR_RUNS     64u

/* 1 to 0x80 as it is, from 0xf4 on minus a power of two's exponent: true_sectors_per_clst(). */
static uint32_t cluster_sectors(uint8_t value)
{
	if (value >= 0xf4)
		return 1u << (256 - value);
	return value <= 0x80 && powerof2(value) ? value : 0;
}

static bool ntfs_parse(const uint8_t *boot, struct probe_ntfs *ret)
{
	uint32_t sector = bytes_get16(boot + 11), per = cluster_sectors(boot[13]);
	int8_t record = (int8_t)boot[64];

	if (memcmp(boot + 3, "NTFS    ", 8) != 0 || sector < 512 || sector > 4096 ||
	    !powerof2(sector) || per == 0)
		return false;
	*ret = (struct probe_ntfs){
		.clusters = bytes_get64(boot + 40) / per,
		.mft = bytes_get64(boot + 48),
		.mirror = bytes_get64(boot + 56),
		.cluster = per * sector,
		.record = record > 0 ? (uint32_t)record * per * sector : 0,
	};
	if (record < 0 && record >= -12)
		ret->record = 1u << -record;
	return ret->record >= NTFS_SECTOR && ret->record <= NTFS_RECORD_MOST &&
	       ret->record % NTFS_SECTOR == 0 && ret->mft < ret->clusters;
}

bool probe_ntfs_open(const struct probe_area *area, struct probe_ntfs *ret)
{
	uint8_t boot[512];

	return probe_area_get(area, 0, boot, sizeof(boot)) && ntfs_parse(boot, ret) &&
	       ret->clusters <= area->size / ret->cluster;
}

bool probe_ntfs_fix(uint8_t *block, uint32_t size)
{
	uint32_t at = bytes_get16(block + 4), count = bytes_get16(block + 6);

	if (count != size / NTFS_SECTOR + 1 || at + 2 * count > NTFS_SECTOR - 2)
		return false;
	for (uint32_t i = 1; i < count; i++) {
		uint8_t *end = block + i * NTFS_SECTOR - 2;

		if (memcmp(end, block + at, 2) != 0)
			return false;
		memcpy(end, block + at + 2 * i, 2);
	}
	return true;
}

/* Its number is before the fixups since NTFS 3.1. */
bool probe_ntfs_is_record(const struct probe_ntfs *ntfs, uint8_t *record, uint64_t number)
{
	return memcmp(record, "FILE", 4) == 0 && probe_ntfs_fix(record, ntfs->record) &&
	       (bytes_get16(record + 4) < 48 || bytes_get32(record + 44) == (uint32_t)number);
}

static bool attr_parse(struct probe_ntfs_attr *attr)
{
	const uint8_t *start = attr->start;

	if (start[9] && bytes_get16(start + 10) + 2u * start[9] > attr->len)
		return false;
	attr->resident = start[8] == 0;
	if (!attr->resident) {
		attr->size = attr->len < ATTR_RUNS ? 0 : bytes_get64(start + 48);
		attr->valid = attr->len < ATTR_RUNS ? 0 : bytes_get64(start + 56);
		return attr->len >= ATTR_RUNS && attr->valid <= attr->size;
	}
	attr->size = attr->valid = bytes_get32(start + 16);
	attr->value = start + bytes_get16(start + 20);
	return bytes_get16(start + 20) <= attr->len &&
	       attr->size <= attr->len - bytes_get16(start + 20);
}

int probe_ntfs_next(const struct probe_ntfs *ntfs, const uint8_t *record, uint32_t *at,
		    struct probe_ntfs_attr *ret)
{
	if (*at == 0)
		*at = bytes_get16(record + 20);
	if (*at > ntfs->record - 4)
		return -EUCLEAN;
	*ret = (struct probe_ntfs_attr){.start = record + *at, .type = bytes_get32(record + *at)};
	if (ret->type == ATTR_NONE)
		return 0;
	if (*at > ntfs->record - ATTR_RESIDENT)
		return -EUCLEAN;
	ret->len = bytes_get32(ret->start + 4);
	if (ret->len < ATTR_RESIDENT || ret->len > ntfs->record - *at || !attr_parse(ret))
		return -EUCLEAN;
	*at += ret->len;
	return 1;
}

static bool attr_is_called(const struct probe_ntfs_attr *attr, const char *name)
{
	const uint8_t *own = attr->start + bytes_get16(attr->start + 10);

	if (attr->start[9] != strlen(name))
		return false;
	for (size_t i = 0; name[i]; i++) {
		if (bytes_get16(own + 2 * i) != (uint8_t)name[i])
			return false;
	}
	return true;
}

int probe_ntfs_find(const struct probe_ntfs *ntfs, const uint8_t *record, uint32_t type,
		    const char *name, struct probe_ntfs_attr *ret)
{
	uint32_t at = 0;
	int r;

	do {
		r = probe_ntfs_next(ntfs, record, &at, ret);
	} while (r > 0 && (ret->type != type || !attr_is_called(ret, name)));
	return r;
}

bool probe_ntfs_is_plain(const struct probe_ntfs_attr *attr)
{
	return !attr->resident && bytes_get16(attr->start + 12) == 0 &&
	       bytes_get64(attr->start + 16) == 0;
}

int probe_ntfs_next_run(const struct probe_ntfs *ntfs, const struct probe_ntfs_attr *attr,
			struct probe_ntfs_run *run)
{
	if (run->at == 0)
		run->at = bytes_get16(attr->start + 32);
	if (run->at < ATTR_RUNS || run->at >= attr->len)
		return run->at == attr->len ? 0 : -EUCLEAN;
	const uint8_t *p = attr->start + run->at;
	unsigned int width = p[0] & 15, jump = p[0] >> 4;

	if (p[0] == 0)
		return 0;
	if (width == 0 || width > 8 || jump > 8 || width + jump >= attr->len - run->at)
		return -EUCLEAN;
	uint64_t step = bytes_get(p + 1 + width, jump);

	if (jump > 0 && p[width + jump] & 0x80) /* negative */
		step |= jump < 8 ? UINT64_MAX << 8 * jump : 0;
	run->lcn += step;
	run->at += 1 + width + jump;
	run->count = bytes_get(p + 1, width);
	run->hole = jump == 0;
	if (run->count == 0 ||
	    (!run->hole && (run->lcn >= ntfs->clusters || run->count > ntfs->clusters - run->lcn)))
		return -EUCLEAN;
	return 1;
}

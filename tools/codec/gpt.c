// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec/gpt.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/param.h>

#include "codec/bytes.h"
#include "codec/chunk.h"

/* The header's fields (table 5-5), offsets in it. */
#define GPT_SIGNATURE	 "EFI PART"
#define GPT_REVISION	 8
#define GPT_HEADER_SIZE	 12
#define GPT_HEADER_CRC	 16
#define GPT_MY_LBA	 24
#define GPT_OTHER_LBA	 32
#define GPT_FIRST_USABLE 40
#define GPT_LAST_USABLE	 48
#define GPT_ARRAY_LBA	 72
#define GPT_COUNT	 80
#define GPT_ENTRY_SIZE	 84
#define GPT_ARRAY_CRC	 88
#define GPT_HEADER_LEAST 92
#define GPT_REVISION_1	 0x00010000

/* An entry's (table 5-6): unused when its type is zero. */
#define GPT_ENTRY_LEAST 128
#define GPT_ENTRY_TYPE	16 /* bytes */
#define GPT_ENTRY_FIRST 32
#define GPT_ENTRY_LAST	40

/* The protective MBR's (tables 5-3 and 5-4). */
#define MBR_ENTRIES	446
#define MBR_ENTRY	16
#define MBR_COUNT	4
#define MBR_ENTRY_TYPE	4
#define MBR_ENTRY_SIZE	12
#define MBR_PROTECTIVE	0xee
#define MBR_SECTOR_MOST UINT32_MAX

/* CRC-32 as in zip, four bits at a time: it runs over some kilobytes once. */
static uint32_t gpt_crc(const uint8_t *data, size_t len)
{
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
		0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	uint32_t crc = ~0u;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

/* The header's checksum, its own field taken as zero. */
static uint32_t gpt_header_crc(const uint8_t *header, uint32_t size)
{
	uint8_t copy[4096];

	memcpy(copy, header, size);
	bytes_put32(copy + GPT_HEADER_CRC, 0);
	return gpt_crc(copy, size);
}

static bool gpt_header_valid(const uint8_t *header, uint32_t sector)
{
	uint32_t size = bytes_get32(header + GPT_HEADER_SIZE);

	return bytes_get32(header + GPT_REVISION) == GPT_REVISION_1 && size >= GPT_HEADER_LEAST &&
	       size <= MIN(sector, 4096u) &&
	       bytes_get32(header + GPT_HEADER_CRC) == gpt_header_crc(header, size) &&
	       bytes_get64(header + GPT_MY_LBA) == 1;
}

static uint64_t gpt_array_sectors(const struct gpt *gpt)
{
	return (gpt->array_size + gpt->sector - 1) / gpt->sector;
}

/* The entries have to be where partitions are not, and within the LEN bytes that we have. */
static bool gpt_array_valid(const struct gpt *gpt, uint32_t entry_size, size_t len)
{
	return entry_size >= GPT_ENTRY_LEAST && !(entry_size & (entry_size - 1)) &&
	       gpt->array_size && gpt->array >= 2 && gpt->array < len / gpt->sector &&
	       gpt->array_size <= len - gpt->array * gpt->sector &&
	       gpt->first >= gpt->array + gpt_array_sectors(gpt) && gpt->last >= gpt->first - 1 &&
	       gpt->backup > gpt->last && gpt->backup < (uint64_t)INT64_MAX / gpt->sector;
}

/* Where the partitions end. Returns 0 or -EBADMSG for one that is nowhere. */
static int gpt_end(const uint8_t *array, uint32_t count, uint32_t entry_size, struct gpt *gpt)
{
	for (uint32_t i = 0; i < count; i++, array += entry_size) {
		uint64_t first = bytes_get64(array + GPT_ENTRY_FIRST);
		uint64_t last = bytes_get64(array + GPT_ENTRY_LAST);

		if (chunk_is_zero(array, GPT_ENTRY_TYPE))
			continue;
		if (first < gpt->first || last < first || last > gpt->last)
			return -EBADMSG;
		gpt->end = MAX(gpt->end, last + 1);
	}
	return 0;
}

static int gpt_read_at(const uint8_t *head, size_t len, uint32_t sector, struct gpt *ret)
{
	const uint8_t *header = head + sector;
	struct gpt gpt = {.sector = sector};

	if (len < 2 * (size_t)sector ||
	    memcmp(header, GPT_SIGNATURE, sizeof(GPT_SIGNATURE) - 1) != 0)
		return -ENOMSG;
	if (!gpt_header_valid(header, sector))
		return -EBADMSG;
	uint32_t count = bytes_get32(header + GPT_COUNT);
	uint32_t entry_size = bytes_get32(header + GPT_ENTRY_SIZE);
	if ((uint64_t)count * entry_size > GPT_ARRAY_MOST)
		return -EBADMSG;
	gpt.array = bytes_get64(header + GPT_ARRAY_LBA);
	gpt.array_size = count * entry_size;
	gpt.backup = bytes_get64(header + GPT_OTHER_LBA);
	gpt.first = bytes_get64(header + GPT_FIRST_USABLE);
	gpt.last = bytes_get64(header + GPT_LAST_USABLE);
	if (!gpt_array_valid(&gpt, entry_size, len))
		return -EBADMSG;
	const uint8_t *array = head + gpt.array * sector;
	if (bytes_get32(header + GPT_ARRAY_CRC) != gpt_crc(array, gpt.array_size))
		return -EBADMSG;
	int r = gpt_end(array, count, entry_size, &gpt);
	if (r < 0)
		return r;
	*ret = gpt;
	return 0;
}

int gpt_read(const uint8_t *head, size_t len, uint32_t sector, struct gpt *ret)
{
	if (sector)
		return sector < GPT_SECTOR_LEAST ? -ENOMSG : gpt_read_at(head, len, sector, ret);
	int r = gpt_read_at(head, len, GPT_SECTOR_LEAST, ret);

	return r == -ENOMSG ? gpt_read_at(head, len, 4096, ret) : r;
}

uint64_t gpt_backup_size(const struct gpt *gpt)
{
	return (gpt_array_sectors(gpt) + 1) * gpt->sector;
}

static void gpt_header_put(uint8_t *header, uint64_t my, uint64_t other, uint64_t last,
			   uint64_t array)
{
	bytes_put64(header + GPT_MY_LBA, my);
	bytes_put64(header + GPT_OTHER_LBA, other);
	bytes_put64(header + GPT_LAST_USABLE, last);
	bytes_put64(header + GPT_ARRAY_LBA, array);
	bytes_put32(header + GPT_HEADER_CRC,
		    gpt_header_crc(header, bytes_get32(header + GPT_HEADER_SIZE)));
}

/*
 * A protective entry that is alone, or covered the whole disk, covers it again; what else a hybrid
 * one says is its own.
 */
static void gpt_mbr_put(uint8_t *mbr, uint64_t old_last, uint64_t last)
{
	int used = 0;

	for (int i = 0; i < MBR_COUNT; i++)
		used += mbr[MBR_ENTRIES + i * MBR_ENTRY + MBR_ENTRY_TYPE] != 0;
	for (int i = 0; i < MBR_COUNT; i++) {
		uint8_t *entry = mbr + MBR_ENTRIES + i * MBR_ENTRY;
		uint32_t size = bytes_get32(entry + MBR_ENTRY_SIZE);

		if (entry[MBR_ENTRY_TYPE] == MBR_PROTECTIVE &&
		    (used == 1 || size == MIN(old_last, MBR_SECTOR_MOST)))
			bytes_put32(entry + MBR_ENTRY_SIZE, (uint32_t)MIN(last, MBR_SECTOR_MOST));
	}
}

int gpt_move(const struct gpt *gpt, uint8_t *head, uint64_t size, uint8_t *ret_backup,
	     uint64_t *ret_offset)
{
	uint64_t sectors = size / gpt->sector, array_sectors = gpt_array_sectors(gpt);
	uint64_t usable = MAX(gpt->end, gpt->first);
	uint8_t *header = head + gpt->sector;

	if (sectors < usable || sectors - usable < array_sectors + 1)
		return -ENOSPC;
	uint64_t last = sectors - 1, array = last - array_sectors;
	uint8_t *backup = ret_backup + array_sectors * gpt->sector;

	memset(ret_backup, 0, gpt_backup_size(gpt));
	memcpy(ret_backup, head + gpt->array * gpt->sector, gpt->array_size);
	memcpy(backup, header, gpt->sector);
	gpt_header_put(backup, last, 1, array - 1, array);
	gpt_header_put(header, 1, last, array - 1, gpt->array);
	gpt_mbr_put(head, gpt->backup, last);
	*ret_offset = array * gpt->sector;
	return 0;
}

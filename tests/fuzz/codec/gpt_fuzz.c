// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads INPUT as the beginning of a disk with a GPT, its checksums put right, since no input would
 * get past them; what was taken is moved to disks of several sizes and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/bytes.h"
#include "codec/gpt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECTOR 512u

static uint32_t fuzz_crc(const uint8_t *data, size_t len)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	return ~crc;
}

static void fuzz_seal(uint8_t *head, size_t size)
{
	uint8_t *header = head + SECTOR;
	uint64_t array = bytes_get64(header + 72);
	uint64_t len = (uint64_t)bytes_get32(header + 80) * bytes_get32(header + 84);
	uint32_t header_size = bytes_get32(header + 12);

	if (array < size / SECTOR && len <= size - array * SECTOR)
		bytes_put32(header + 88, fuzz_crc(head + array * SECTOR, len));
	bytes_put32(header + 16, 0);
	if (header_size <= SECTOR)
		bytes_put32(header + 16, fuzz_crc(header, header_size));
}

static void fuzz_move(const struct gpt *gpt, uint8_t *head, size_t size, uint64_t sectors)
{
	size_t len = gpt_backup_size(gpt);
	uint8_t *backup = malloc(len);
	struct gpt moved;
	uint64_t offset;

	if (!backup)
		abort();
	if (gpt_move(gpt, head, sectors * gpt->sector, backup, &offset) == 0 &&
	    (offset + len != sectors * gpt->sector || offset < gpt->end * gpt->sector ||
	     gpt_read(head, size, gpt->sector, &moved) != 0 || moved.end != gpt->end ||
	     moved.backup != sectors - 1))
		abort();
	free(backup);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *head = malloc(size ? size : 1);
	struct gpt gpt;

	if (!head)
		abort();
	if (size)
		memcpy(head, data, size);
	gpt_read(data, size, 0, &gpt);
	if (size >= 2 * SECTOR)
		fuzz_seal(head, size);
	if (gpt_read(head, size, SECTOR, &gpt) == 0) {
		fuzz_move(&gpt, head, size, gpt.end);
		fuzz_move(&gpt, head, size, gpt.end + 3);
		fuzz_move(&gpt, head, size, gpt.end + 1000);
		fuzz_move(&gpt, head, size, 1ull << 40);
	}
	free(head);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "pattern.h"

#include <endian.h>
#include <string.h>

/* Word k of 8 bytes, little-endian, is mix((k + 1) * FACTOR); mix undoes itself, and INVERSE the
 * factor, modulo 2^64. */
#define FACTOR	UINT64_C(0x9e3779b97f4a7c15)
#define INVERSE UINT64_C(0xf1de83e19937733d)
#define FAR	(UINT64_C(1) << 44)

static uint64_t mix(uint64_t word)
{
	return word ^ word >> 32;
}

static uint64_t word_at(uint64_t offset)
{
	return htole64(mix((offset / 8 + 1) * FACTOR));
}

void pattern_fill(uint8_t *data, size_t size, uint64_t offset)
{
	while (size) {
		uint64_t word = word_at(offset);
		size_t skip = offset % 8, count = 8 - skip;

		if (count > size)
			count = size;
		memcpy(data, (uint8_t *)&word + skip, count);
		data += count;
		size -= count;
		offset += count;
	}
}

size_t pattern_check(const uint8_t *data, size_t size, uint64_t offset)
{
	uint8_t wanted[4096];
	size_t done = 0;

	while (done < size) {
		size_t count = size - done < sizeof(wanted) ? size - done : sizeof(wanted);

		pattern_fill(wanted, count, offset + done);
		if (memcmp(data + done, wanted, count))
			break;
		done += count;
	}
	for (; done < size; done++) {
		pattern_fill(wanted, 1, offset + done);
		if (data[done] != wanted[0])
			break;
	}
	return done;
}

int64_t pattern_find(const uint8_t data[8])
{
	uint64_t word;

	memcpy(&word, data, sizeof(word));
	word = mix(le64toh(word)) * INVERSE - 1;
	return word < FAR ? (int64_t)(word * 8) : -1;
}

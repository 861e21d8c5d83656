// SPDX-License-Identifier: GPL-2.0-or-later
/* The record that tells what of the source could not be read: UNREADABLE. */
#include <errno.h>

#include "codec/bytes.h"
#include "codec/wire.h"

#define WIRE_MISSING_HEADER 8
#define WIRE_RANGE	    16
#define WIRE_DEVICE_MOST    ((uint64_t)CHUNK_COUNT_MOST * CHUNK_SIZE_MOST)

/* Whether RANGE is one that may stand behind END, where the one before it ended (0: none did). */
static bool wire_range_follows(const struct wire_range *range, uint64_t end, bool first)
{
	return range->length > 0 && range->length <= WIRE_DEVICE_MOST &&
	       range->offset <= WIRE_DEVICE_MOST - range->length && (first || range->offset > end);
}

int wire_unreadable_put(const struct wire_range *ranges, uint32_t count, void *buf, size_t capacity)
{
	uint64_t end = 0;
	uint8_t *p = buf;

	if (count > WIRE_RANGES_MOST)
		return -EINVAL;
	if (capacity < WIRE_MISSING_HEADER + (size_t)count * WIRE_RANGE)
		return -ENOBUFS;
	p = bytes_put32(p, count);
	p = bytes_put32(p, 0);
	for (uint32_t i = 0; i < count; i++) {
		if (!wire_range_follows(&ranges[i], end, i == 0))
			return -EINVAL;
		end = ranges[i].offset + ranges[i].length;
		p = bytes_put64(p, ranges[i].offset);
		p = bytes_put64(p, ranges[i].length);
	}
	return (int)(WIRE_MISSING_HEADER + count * WIRE_RANGE);
}

void wire_unreadable_range(const void *payload, uint32_t index, struct wire_range *ret)
{
	const uint8_t *p = (const uint8_t *)payload + WIRE_MISSING_HEADER;

	p += (size_t)index * WIRE_RANGE;
	ret->offset = bytes_get64(p);
	ret->length = bytes_get64(p + 8);
}

int wire_unreadable_get(const void *payload, size_t len, uint32_t *ret_count)
{
	const uint8_t *p = payload;
	struct wire_range range;
	uint64_t end = 0;

	if (len < WIRE_MISSING_HEADER || bytes_get32(p + 4) != 0)
		return -EBADMSG;
	uint32_t count = bytes_get32(p);
	if (count > WIRE_RANGES_MOST || len != WIRE_MISSING_HEADER + (size_t)count * WIRE_RANGE)
		return -EBADMSG;
	for (uint32_t i = 0; i < count; i++) {
		wire_unreadable_range(payload, i, &range);
		if (!wire_range_follows(&range, end, i == 0))
			return -EBADMSG;
		end = range.offset + range.length;
	}
	*ret_count = count;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The records while chunks flow: DATA, ZERO, ACK (and KEEPALIVE), TIME. */
#include <errno.h>
#include <string.h>

#include "codec/bytes.h"
#include "codec/wire.h"

#define WIRE_ZERO 24
#define WIRE_ACK  8
#define WIRE_TIME 24
#define TIME_MOST (UINT64_C(1) << 60) /* 36 years */

_Static_assert(8 + IMAGE_ENTRY == WIRE_DATA, "DATA is an index and an entry, then the frame");

int wire_data_put(const struct wire_data *data, uint8_t buf[WIRE_DATA])
{
	if (data->index >= CHUNK_COUNT_MOST || !image_entry_valid(&data->entry))
		return -EINVAL;
	image_entry_put(&data->entry, bytes_put64(buf, data->index));
	return WIRE_DATA;
}

int wire_data_get(const void *payload, size_t len, struct wire_data *ret)
{
	const uint8_t *p = payload;
	struct wire_data data;

	if (len < WIRE_DATA)
		return -EBADMSG;
	data.index = bytes_get64(p);
	data.frame = p + WIRE_DATA;
	if (data.index >= CHUNK_COUNT_MOST || image_entry_get(p + 8, &data.entry) != 0)
		return -EBADMSG;
	if (data.entry.stored_size != len - WIRE_DATA)
		return -EBADMSG;
	if (data.entry.stored_hash != digest_stored(data.frame, data.entry.stored_size))
		return -EBADMSG;
	*ret = data;
	return 0;
}

static bool wire_zero_valid(const struct wire_zero *zero)
{
	if (zero->count < 1 || zero->count > CHUNK_COUNT_MOST)
		return false;
	if (zero->first > CHUNK_COUNT_MOST - zero->count)
		return false;
	/* What comes again comes as DATA, first and last. */
	return (zero->flags & ~(IMAGE_ENTRY_FLAGS & ~(uint32_t)IMAGE_ENTRY_SLOT)) == 0 &&
	       (zero->flags & IMAGE_ENTRY_ZERO);
}

int wire_zero_put(const struct wire_zero *zero, void *buf, size_t capacity)
{
	struct wire_zero whole = *zero;
	uint8_t *p = buf;

	whole.flags |= IMAGE_ENTRY_ZERO;
	if (!wire_zero_valid(&whole))
		return -EINVAL;
	if (capacity < WIRE_ZERO)
		return -ENOBUFS;
	p = bytes_put64(p, whole.first);
	p = bytes_put64(p, whole.count);
	p = bytes_put32(p, whole.flags);
	bytes_put32(p, 0);
	return WIRE_ZERO;
}

int wire_zero_get(const void *payload, size_t len, struct wire_zero *ret)
{
	const uint8_t *p = payload;
	struct wire_zero zero;

	if (len != WIRE_ZERO || bytes_get32(p + 20) != 0)
		return -EBADMSG;
	zero.first = bytes_get64(p);
	zero.count = bytes_get64(p + 8);
	zero.flags = bytes_get32(p + 16);
	if (!wire_zero_valid(&zero))
		return -EBADMSG;
	*ret = zero;
	return 0;
}

int wire_ack_put(const struct wire_ack *ack, void *buf, size_t capacity)
{
	if (ack->chunks > CHUNK_COUNT_MOST)
		return -EINVAL;
	if (capacity < WIRE_ACK)
		return -ENOBUFS;
	bytes_put64(buf, ack->chunks);
	return WIRE_ACK;
}

int wire_ack_get(const void *payload, size_t len, struct wire_ack *ret)
{
	uint64_t chunks;

	if (len != WIRE_ACK)
		return -EBADMSG;
	chunks = bytes_get64(payload);
	if (chunks > CHUNK_COUNT_MOST)
		return -EBADMSG;
	ret->chunks = chunks;
	return 0;
}

static bool wire_time_valid(const struct wire_time *time)
{
	return time->waited <= TIME_MOST && time->worked <= TIME_MOST && time->stored <= TIME_MOST;
}

int wire_time_put(const struct wire_time *time, void *buf, size_t capacity)
{
	if (!wire_time_valid(time))
		return -EINVAL;
	if (capacity < WIRE_TIME)
		return -ENOBUFS;
	bytes_put64(bytes_put64(bytes_put64(buf, time->waited), time->worked), time->stored);
	return WIRE_TIME;
}

int wire_time_get(const void *payload, size_t len, struct wire_time *ret)
{
	const uint8_t *p = payload;
	struct wire_time time;

	if (len != WIRE_TIME)
		return -EBADMSG;
	time = (struct wire_time){bytes_get64(p), bytes_get64(p + 8), bytes_get64(p + 16)};
	if (!wire_time_valid(&time))
		return -EBADMSG;
	*ret = time;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec/image_redo.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "codec/bytes.h"
#include "codec/image_tag.h"

#define REDO_FIXED (IMAGE_FRAME_HEADER + IMAGE_TAG + 24)
#define REDO_PART  16 /* before its bytes */
#define REDO_HASH  8

size_t image_redo_size(const struct image_redo *redo)
{
	size_t len = REDO_FIXED + IMAGE_REDO_FOOTER;

	for (uint32_t i = 0; i < redo->count; i++)
		len += REDO_PART + (size_t)redo->parts[i].len;
	return len;
}

static uint64_t redo_hash(const uint8_t *frame, size_t len)
{
	return digest_stored(frame + IMAGE_FRAME_HEADER, len - IMAGE_FRAME_HEADER - REDO_HASH);
}

int image_redo_put(const struct image_redo *redo, void *buf, size_t capacity)
{
	uint8_t *p = buf;

	if (!redo->count || redo->count > IMAGE_REDO_PARTS)
		return -EINVAL;
	size_t len = image_redo_size(redo);
	if (len > INT_MAX)
		return -EINVAL;
	if (len > capacity)
		return -ENOBUFS;
	p = image_tag_put(p, IMAGE_REDO, len);
	p = bytes_put_all(p, redo->transfer_id, sizeof(redo->transfer_id));
	p = bytes_put32(p, redo->count);
	p = bytes_put32(p, 0);
	for (uint32_t i = 0; i < redo->count; i++) {
		const struct image_redo_part *part = &redo->parts[i];

		p = bytes_put64(p, part->at);
		p = bytes_put32(p, part->len);
		p = bytes_put32(p, 0);
		if (part->bytes)
			memcpy(p, part->bytes, part->len);
		else
			memset(p, 0, part->len);
		p += part->len;
	}
	p = bytes_put64(p, len);
	bytes_put64(p, redo_hash(buf, len));
	return (int)len;
}

/* Reads one part at P, of which LEFT bytes are there. Returns how many it takes, or -EBADMSG. */
static long redo_part_get(const uint8_t *p, size_t left, uint64_t limit,
			  struct image_redo_part *ret)
{
	if (left < REDO_PART)
		return -EBADMSG;
	ret->at = bytes_get64(p);
	ret->len = bytes_get32(p + 8);
	ret->bytes = p + REDO_PART;
	if (bytes_get32(p + 12) || ret->len > left - REDO_PART || ret->at > limit ||
	    ret->len > limit - ret->at)
		return -EBADMSG;
	return REDO_PART + (long)ret->len;
}

int image_redo_get(const void *buf, size_t len, uint64_t limit, struct image_redo *ret)
{
	const uint8_t *frame = buf, *p = frame + IMAGE_FRAME_HEADER + IMAGE_TAG;
	uint8_t tag[IMAGE_FRAME_HEADER + IMAGE_TAG];
	struct image_redo redo = {0};

	if (len < REDO_FIXED + IMAGE_REDO_FOOTER || len > INT_MAX)
		return -EBADMSG;
	image_tag_put(tag, IMAGE_REDO, len);
	const uint8_t *end = frame + len - IMAGE_REDO_FOOTER;
	if (memcmp(frame, tag, sizeof(tag)) != 0 || image_redo_length(end) != len ||
	    bytes_get64(end + 8) != redo_hash(frame, len))
		return -EBADMSG;
	memcpy(redo.transfer_id, p, sizeof(redo.transfer_id));
	redo.count = bytes_get32(p + 16);
	if (!redo.count || redo.count > IMAGE_REDO_PARTS || bytes_get32(p + 20))
		return -EBADMSG;
	p = frame + REDO_FIXED;
	for (uint32_t i = 0; i < redo.count; i++) {
		long n = redo_part_get(p, (size_t)(end - p), limit, &redo.parts[i]);

		if (n < 0)
			return -EBADMSG;
		p += n;
	}
	if (p != end)
		return -EBADMSG;
	*ret = redo;
	return 0;
}

uint64_t image_redo_length(const uint8_t footer[IMAGE_REDO_FOOTER])
{
	return bytes_get64(footer);
}

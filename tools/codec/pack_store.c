// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec/pack_store.h"

#include <errno.h>
#include <string.h>

#include "codec/bytes.h"
#include "codec/digest.h"

#define STORE_MAGIC	   0xfd2fb528u
#define STORE_BLOCK	   (128u << 10) /* the most that a block may hold */
#define STORE_BLOCK_HEADER 3
#define STORE_CHECKSUM	   4
/* The descriptor: one segment, so no window, and a checksum; the content size's field has 4 bytes.
 */
#define STORE_DESCRIPTOR (0x80 | 0x20 | 0x04)
#define STORE_HEADER	 (4 + 1 + 4)

static size_t store_size(size_t len)
{
	size_t blocks = len ? (len + STORE_BLOCK - 1) / STORE_BLOCK : 1;

	return STORE_HEADER + blocks * STORE_BLOCK_HEADER + len + STORE_CHECKSUM;
}

int pack_store(const void *chunk, size_t len, void *frame, size_t capacity, size_t *ret_len)
{
	const uint8_t *at = chunk;
	XXH64_state_t checksum;
	size_t left = len;
	uint8_t *out;

	if (capacity < store_size(len))
		return -ENOBUFS;
	XXH64_reset(&checksum, 0);
	out = bytes_put32(frame, STORE_MAGIC);
	*out++ = STORE_DESCRIPTOR;
	out = bytes_put32(out, len);
	do {
		size_t n = left < STORE_BLOCK ? left : STORE_BLOCK;

		left -= n;
		out = bytes_put(out, n << 3 | !left, STORE_BLOCK_HEADER);
		/* A block's bytes are in the cache when they are copied. */
		XXH64_update(&checksum, at, n);
		memcpy(out, at, n);
		at += n;
		out += n;
	} while (left);
	bytes_put32(out, (uint32_t)XXH64_digest(&checksum));
	*ret_len = store_size(len);
	return 0;
}

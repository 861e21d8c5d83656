// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads INPUT, behind two bytes that say how long the chunk should be, as a frame; and packs INPUT
 * as a chunk, which has to come back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_frame(struct pack *pack, const uint8_t *frame, size_t frame_len, size_t len)
{
	uint8_t *chunk = malloc(len ? len : 1);
	int err;

	if (!chunk)
		abort();
	err = pack_restore(pack, frame, frame_len, chunk, len);
	if (err == 0 && pack_check(frame, frame_len, len) != 0)
		abort();
	free(chunk);
}

static void fuzz_chunk(struct pack *pack, const uint8_t *chunk, size_t len)
{
	uint8_t *frame = malloc(PACK_FRAME_MOST), *restored = malloc(len ? len : 1), *exact;
	size_t frame_len;

	if (!frame || !restored || pack_chunk(pack, chunk, len, frame, PACK_FRAME_MOST, &frame_len))
		abort();
	exact = realloc(frame, frame_len);
	if (!exact || pack_restore(pack, exact, frame_len, restored, len) != 0)
		abort();
	if (memcmp(restored, chunk, len) != 0)
		abort();
	free(exact);
	free(restored);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pack *pack;

	if (size < 2 || size > CHUNK_SIZE_MOST)
		return 0;
	if (pack_new(PACK_LEVEL_DEFAULT, &pack) != 0)
		abort();
	fuzz_frame(pack, data + 2, size - 2, data[0] | (size_t)data[1] << 8);
	fuzz_chunk(pack, data + 2, size - 2);
	pack_free(pack);
	return 0;
}

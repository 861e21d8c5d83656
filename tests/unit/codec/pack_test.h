/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the unit tests of frames share. */
#ifndef PACK_TEST_H
#define PACK_TEST_H

#include "codec_test.h"

#include <zstd.h>

#include "codec/pack.h"

#define PACK_SMALL 5000u

enum pack_filling { PACK_ZEROS, PACK_TEXT, PACK_NOISE };

static inline void pack_fill(uint8_t *data, size_t len, enum pack_filling filling)
{
	memset(data, 0, len);
	if (filling == PACK_NOISE)
		test_noise(data, len, len);
	for (size_t i = 0; filling == PACK_TEXT && i < len; i++)
		data[i] = (uint8_t)("the quick brown fox jumps "[i % 26] ^ (i / 997 & 7));
}

/* A frame of ours: LEN bytes of text. free() it. */
static inline uint8_t *pack_frame(size_t len, size_t *ret_len)
{
	uint8_t *chunk = malloc(len + 1), *frame = malloc(PACK_FRAME_MOST), *copy;
	struct pack *pack;

	assert_non_null(chunk);
	assert_non_null(frame);
	assert_int_equal(pack_new(PACK_LEVEL_DEFAULT, &pack), 0);
	pack_fill(chunk, len, PACK_TEXT);
	assert_int_equal(pack_chunk(pack, chunk, len, frame, PACK_FRAME_MOST, ret_len), 0);
	pack_free(pack);
	copy = test_copy(frame, *ret_len);
	free(frame);
	free(chunk);
	return copy;
}

#endif

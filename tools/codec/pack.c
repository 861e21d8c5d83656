// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

#include "codec/pack.h"
#include "codec/pack_store.h"

#define PACK_WINDOW_LOG 23
/* From this level on zstd searches so long in what does not compress that looking first pays. */
#define PACK_LEVEL_SLOW	    5
#define PACK_SAMPLE	    (32u << 10)
#define PACK_SAMPLES	    4
#define PACK_SAMPLE_BECOMES (PACK_SAMPLE - PACK_SAMPLE / 64) /* or less: it compresses */

/* The two contexts live in memory taken once, so that nothing can fail for memory later on. */
struct pack {
	ZSTD_CCtx *compressor;
	ZSTD_DCtx *decompressor;
	void *compressor_memory;
	void *decompressor_memory;
	int most, level;
	int set; /* the compressor's level: level, or a lower one for what does not compress */
};

/* zstd's parameters follow the input's length, and those for a short one can need more room. */
static size_t pack_compressor_size(int most)
{
	static const unsigned long long lengths[] = {16u << 10, 128u << 10, 256u << 10,
						     CHUNK_SIZE_MOST};
	size_t size = 0;

	for (int level = PACK_LEVEL_LEAST; level <= most; level++) {
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			ZSTD_compressionParameters params = ZSTD_getCParams(level, lengths[i], 0);
			size_t of_level = ZSTD_estimateCCtxSize_usingCParams(params);

			if (of_level > size)
				size = of_level;
		}
	}
	return size;
}

static int pack_set(struct pack *pack, int level)
{
	if (pack->set != level &&
	    ZSTD_isError(ZSTD_CCtx_setParameter(pack->compressor, ZSTD_c_compressionLevel, level)))
		return -EINVAL;
	pack->set = level;
	return 0;
}

static int pack_start_compressor(struct pack *pack)
{
	size_t size = pack_compressor_size(pack->most);

	pack->compressor_memory = malloc(size);
	if (!pack->compressor_memory)
		return -ENOMEM;
	pack->compressor = ZSTD_initStaticCCtx(pack->compressor_memory, size);
	if (!pack->compressor)
		return -ENOMEM;
	if (ZSTD_isError(ZSTD_CCtx_setParameter(pack->compressor, ZSTD_c_contentSizeFlag, 1)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(pack->compressor, ZSTD_c_checksumFlag, 1)))
		return -EINVAL;
	return pack_set(pack, pack->level);
}

static int pack_start(struct pack *pack)
{
	size_t size = ZSTD_estimateDCtxSize();

	pack->decompressor_memory = malloc(size);
	if (!pack->decompressor_memory)
		return -ENOMEM;
	pack->decompressor = ZSTD_initStaticDCtx(pack->decompressor_memory, size);
	if (!pack->decompressor)
		return -ENOMEM;
	if (ZSTD_isError(ZSTD_DCtx_setParameter(pack->decompressor, ZSTD_d_windowLogMax,
						PACK_WINDOW_LOG)))
		return -EINVAL;
	return pack->most == PACK_LEVEL_NONE ? 0 : pack_start_compressor(pack);
}

size_t pack_memory(int level)
{
	return pack_compressor_size(level) + ZSTD_estimateDCtxSize();
}

int pack_new(int level, struct pack **ret)
{
	struct pack *pack;
	int err;

	if (level < PACK_LEVEL_NONE || level > PACK_LEVEL_MOST)
		return -EINVAL;
	pack = calloc(1, sizeof(*pack));
	if (!pack)
		return -ENOMEM;
	pack->most = pack->level = level;
	err = pack_start(pack);
	if (err) {
		pack_free(pack);
		return err;
	}
	*ret = pack;
	return 0;
}

void pack_free(struct pack *pack)
{
	if (!pack)
		return;
	free(pack->compressor_memory);
	free(pack->decompressor_memory);
	free(pack);
}

int pack_level(struct pack *pack, int level)
{
	if (level < PACK_LEVEL_NONE || level > pack->most)
		return -EINVAL;
	pack->level = level;
	return 0;
}

/*
 * Whether a chunk of LEN bytes, of which only samples are looked at, may compress. It takes a
 * hundredth of the time that it saves.
 */
static bool pack_compresses(struct pack *pack, const uint8_t *chunk, size_t len, void *frame,
			    size_t capacity)
{
	if (len < 2 * PACK_SAMPLES * PACK_SAMPLE || capacity < ZSTD_COMPRESSBOUND(PACK_SAMPLE))
		return true;
	for (size_t i = 0; i < PACK_SAMPLES; i++) {
		const uint8_t *sample = chunk + i * (len / PACK_SAMPLES);
		size_t done =
			ZSTD_compress2(pack->compressor, frame, capacity, sample, PACK_SAMPLE);

		if (ZSTD_isError(done) || done <= PACK_SAMPLE_BECOMES)
			return true;
	}
	return false;
}

static int pack_compress(struct pack *pack, const void *chunk, size_t len, void *frame,
			 size_t capacity, size_t *ret_len)
{
	bool slow = pack->level >= PACK_LEVEL_SLOW;
	int r = pack_set(pack, slow ? PACK_LEVEL_LEAST : pack->level);

	if (r == 0 && slow && pack_compresses(pack, chunk, len, frame, capacity))
		r = pack_set(pack, pack->level);
	if (r < 0)
		return r;
	size_t done = ZSTD_compress2(pack->compressor, frame, capacity, chunk, len);
	if (ZSTD_isError(done))
		return ZSTD_getErrorCode(done) == ZSTD_error_dstSize_tooSmall ? -ENOBUFS : -EIO;
	*ret_len = done;
	return 0;
}

int pack_chunk(struct pack *pack, const void *chunk, size_t len, void *frame, size_t capacity,
	       size_t *ret_len)
{
	if (pack->level == PACK_LEVEL_NONE)
		return pack_store(chunk, len, frame, capacity, ret_len);
	return pack_compress(pack, chunk, len, frame, capacity, ret_len);
}

int pack_entry(struct pack *pack, const void *chunk, size_t len, void *frame, size_t capacity,
	       struct image_entry *ret)
{
	size_t stored;

	digest_chunk(chunk, len, &ret->digest);
	int r = pack_chunk(pack, chunk, len, frame, capacity, &stored);
	if (r < 0)
		return r;
	ret->stored_size = stored;
	ret->stored_hash = digest_stored(frame, stored);
	return 0;
}

int pack_restore(struct pack *pack, const void *frame, size_t frame_len, void *chunk, size_t len)
{
	size_t done;
	int err = pack_check(frame, frame_len, len);

	if (err)
		return err;
	done = ZSTD_decompressDCtx(pack->decompressor, chunk, len, frame, frame_len);
	if (ZSTD_isError(done) || done != len)
		return -EBADMSG;
	return 0;
}

size_t pack_bound(size_t len)
{
	return ZSTD_compressBound(len);
}

size_t pack_length(const void *frame, size_t len)
{
	ZSTD_frameHeader header;

	if (ZSTD_getFrameHeader(&header, frame, len) != 0 || header.frameType != ZSTD_frame)
		return 0;
	size_t found = ZSTD_findFrameCompressedSize(frame, len);

	return ZSTD_isError(found) ? 0 : found;
}

int pack_chunk_length(const struct chunk_map *map, uint64_t index, const void *frame,
		      size_t frame_len, uint32_t *ret)
{
	ZSTD_frameHeader header;

	if (!chunk_map_open(map)) {
		*ret = chunk_length(map, index);
		return 0;
	}
	if (ZSTD_getFrameHeader(&header, frame, frame_len) != 0 ||
	    header.frameContentSize > map->chunk_size || (index && !header.frameContentSize))
		return -EBADMSG;
	*ret = header.frameContentSize;
	return 0;
}

int pack_check(const void *frame, size_t frame_len, size_t len)
{
	ZSTD_frameHeader header;
	const uint8_t *bytes = frame;

	if (frame_len < PACK_FRAME_LEAST || frame_len > PACK_FRAME_MOST || len > CHUNK_SIZE_MOST)
		return -EBADMSG;
	if (ZSTD_getFrameHeader(&header, frame, frame_len) != 0)
		return -EBADMSG;
	if (header.frameType != ZSTD_frame || header.frameContentSize != len)
		return -EBADMSG;
	/* zstd tells no id from an id of zero, so the descriptor's two bits are read. */
	if (header.dictID != 0 || (bytes[4] & 3) != 0 || !header.checksumFlag)
		return -EBADMSG;
	if (header.windowSize > 1ull << PACK_WINDOW_LOG)
		return -EBADMSG;
	return ZSTD_findFrameCompressedSize(frame, frame_len) == frame_len ? 0 : -EBADMSG;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One chunk to one independent zstd frame and back (RFC 8878): content size and XXH64 checksum in
 * every frame, no dictionary, window at most 8 MiB. The same level and library give the same bytes.
 */
#ifndef CODEC_PACK_H
#define CODEC_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "codec/chunk.h"
#include "codec/image.h"

#define PACK_LEVEL_AUTO	   (-1) /* no packer's, but what its owner chooses by */
#define PACK_LEVEL_NONE	   0	/* stored as it is */
#define PACK_LEVEL_LEAST   1
#define PACK_LEVEL_MOST	   19
#define PACK_LEVEL_DEFAULT 1

/* The most that one chunk of CHUNK_SIZE_MOST bytes can become (ZSTD_compressBound). */
#define PACK_FRAME_MOST ((size_t)CHUNK_SIZE_MOST + (CHUNK_SIZE_MOST >> 8) + 64)

/* The least that a chunk can become: magic, descriptor, content size, a block header, checksum. */
#define PACK_FRAME_LEAST ((size_t)4 + 1 + 1 + 3 + 4)

/* A compressor and decompressor with its working memory; one thread at a time. */
struct pack;

/* What a packer for levels up to LEVEL takes of memory, bytes. */
size_t pack_memory(int level);
/*
 * Makes a packer for LEVEL (PACK_LEVEL_NONE, PACK_LEVEL_LEAST..MOST), which can pack at all below
 * it too. Returns 0, -EINVAL or -ENOMEM.
 */
int pack_new(int level, struct pack **ret);
/* Frees PACK; NULL is fine. */
void pack_free(struct pack *pack);
/* From now on chunks are packed at LEVEL, not above pack_new's, or else -EINVAL is returned. */
int pack_level(struct pack *pack, int level);

/*
 * Compresses LEN bytes at CHUNK into one frame at FRAME, which holds CAPACITY (PACK_FRAME_MOST
 * always suffices) bytes. Returns 0 and the frame's length, -ENOBUFS or -EIO.
 */
int pack_chunk(struct pack *pack, const void *chunk, size_t len, void *frame, size_t capacity,
	       size_t *ret_len);

/*
 * The same, of a chunk of which everything else is wanted too: RET's digest, stored_size and
 * stored_hash are set, its flags are not.
 */
int pack_entry(struct pack *pack, const void *chunk, size_t len, void *frame, size_t capacity,
	       struct image_entry *ret);

/*
 * Decompresses the frame of FRAME_LEN bytes at FRAME, which must hold exactly LEN bytes, to CHUNK.
 * Returns 0, -EBADMSG when it is not such a frame or its checksum is wrong, or -ENOMEM.
 */
int pack_restore(struct pack *pack, const void *frame, size_t frame_len, void *chunk, size_t len);

/* The most that LEN bytes can become (ZSTD_compressBound): the length of a slot. */
size_t pack_bound(size_t len);

/* The length of the zstd frame that begins at FRAME, by its headers; 0: none is there whole. */
size_t pack_length(const void *frame, size_t len);

/*
 * The length in bytes of chunk INDEX (< chunk_count) of MAP, which the FRAME_LEN bytes at FRAME
 * hold: what MAP says; of an open one what the frame's header does. Returns 0, or -EBADMSG when no
 * chunk of that place is so long. Nothing else of the frame is looked at.
 */
int pack_chunk_length(const struct chunk_map *map, uint64_t index, const void *frame,
		      size_t frame_len, uint32_t *ret);

/*
 * Whether the FRAME_LEN bytes at FRAME are by their headers one zstd frame, and nothing else, of
 * LEN content bytes, with checksum, without dictionary, window at most 8 MiB. Returns 0 or
 * -EBADMSG. The content itself is not decompressed.
 */
int pack_check(const void *frame, size_t frame_len, size_t len);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a device is cut into chunks. Chunk N is data frame N of the image; every chunk is CHUNK_SIZE
 * bytes long but the last, which may be shorter. A device of no bytes has one chunk of no bytes, so
 * that an image always begins with a data frame.
 *
 * A map is open while nobody knows how long the device will be, a stream: HEAD can have such a one.
 * It ends with the first chunk that is shorter, or with any other one but an empty one; whoever has
 * all of them closes the map by its size.
 */
#ifndef CODEC_CHUNK_H
#define CODEC_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNK_SIZE	 (4u << 20) /* what we write */
#define CHUNK_SIZE_LEAST 4096u	    /* what we read: a power of two between these */
#define CHUNK_SIZE_MOST	 (4u << 20)
#define CHUNK_COUNT_MOST (1u << 26) /* 256 TiB of 4 MiB chunks; a seek table below 4 GiB */

#define CHUNK_OPEN UINT64_MAX /* the size of an open map */

struct chunk_map {
	uint64_t size;	     /* of the device, bytes; or CHUNK_OPEN */
	uint32_t chunk_size; /* bytes, a power of two */
};

/* Whether MAP is one that a HEAD can have (chunk size in bounds, not too many chunks; or open). */
bool chunk_map_valid(const struct chunk_map *map);

/* Whether MAP is open. MAP must be valid, here and below. */
bool chunk_map_open(const struct chunk_map *map);
/* The size in bytes; 0 while it is not known. */
uint64_t chunk_map_known(const struct chunk_map *map);

/* The number of chunks, at least 1; of an open map the most that there can be. */
uint64_t chunk_count(const struct chunk_map *map);

/* Byte offset of chunk INDEX on the device. */
uint64_t chunk_offset(const struct chunk_map *map, uint64_t index);

/* Bytes of the first COUNT chunks (all of them, if there are fewer); in an open map the most. */
uint64_t chunk_bytes(const struct chunk_map *map, uint64_t count);

/* Length in bytes of chunk INDEX (< chunk_count); in an open map the most that it can have. */
uint32_t chunk_length(const struct chunk_map *map, uint64_t index);

/* Whether another chunk can follow the first COUNT, which have SIZE bytes together. */
bool chunk_follows(const struct chunk_map *map, uint64_t count, uint64_t size);

/* Whether all LEN bytes at DATA are zero. */
bool chunk_is_zero(const void *data, size_t len);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a device is cut into chunks. Chunk N is data frame N of the image; every chunk is CHUNK_SIZE
 * bytes long but the last, which may be shorter. A device of no bytes has one chunk of no bytes, so
 * that an image always begins with a data frame.
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

struct chunk_map {
	uint64_t size;	     /* of the device, bytes */
	uint32_t chunk_size; /* bytes, a power of two */
};

/* Whether MAP is one that an image can have (chunk size in bounds, not too many chunks). */
bool chunk_map_valid(const struct chunk_map *map);

/* The number of chunks, at least 1. MAP must be valid, here and below. */
uint64_t chunk_count(const struct chunk_map *map);

/* Byte offset of chunk INDEX on the device. */
uint64_t chunk_offset(const struct chunk_map *map, uint64_t index);

/* Length in bytes of chunk INDEX (< chunk_count). */
uint32_t chunk_length(const struct chunk_map *map, uint64_t index);

/* Whether all LEN bytes at DATA are zero. */
bool chunk_is_zero(const void *data, size_t len);

#endif

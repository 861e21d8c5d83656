/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A frame that holds a chunk as it is: raw blocks, nothing of zstd's library. For pack.c only. */
#ifndef CODEC_PACK_STORE_H
#define CODEC_PACK_STORE_H

#include <stddef.h>

/*
 * Makes the frame of the LEN (<= CHUNK_SIZE_MOST) bytes at CHUNK in FRAME, which has room for
 * CAPACITY. Returns 0 and its length, or -ENOBUFS. Source: RFC 8878, 3.1.1.
 */
int pack_store(const void *chunk, size_t len, void *frame, size_t capacity, size_t *ret_len);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image being read from a descriptor, front to back, every frame decompressed and every digest,
 * CHECKPOINT, table and sum checked on the way. Never seeks, so that a pipe or a stream will do,
 * and holds no table in memory.
 */
#ifndef IO_LOAD_H
#define IO_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "codec/image.h"

struct load;
struct view;

struct load_chunk {
	uint64_t index;
	struct image_entry entry; /* flags: without a view only IMAGE_ENTRY_ZERO is known */
	const uint8_t *frame;	  /* entry.stored_size bytes, until the next call */
	const uint8_t *content;	  /* length bytes, until the next call */
	uint32_t length;
};

/*
 * Starts to read an image from FD (which stays the caller's): its first frame and HEAD. Returns 0;
 * -ENOMSG when this is no image of ours (load_why tells what it is), -EBADMSG, -EINTR or another
 * -errno. *ret is set whatever is returned, for load_why, but for -ENOMEM.
 */
int load_new(int fd, struct load **ret);
void load_free(struct load *load); /* NULL is fine */

/* Has chunks be unpacked by THREADS at once (0: one). */
void load_threads(struct load *load, unsigned int threads);

/* How long was waited for what is read, nanoseconds. */
int64_t load_time(const struct load *load);

/* HEAD. Where its map is open it is closed when the trailer is reached; see load_hold_against. */
const struct image_head *load_head(const struct load *load);

/*
 * From now on every chunk is held against TABLE of VIEW, which was opened on the same file and
 * stays open, before load_next gives it out, and HEAD's map is the view's, which is closed. Without
 * it a chunk in another's place shows at the next CHECKPOINT only, when it may have been used.
 */
void load_hold_against(struct load *load, const struct view *view);

/*
 * The next chunk: 1. 0 when the trailer was reached and the whole image is right. -EBADMSG when
 * something is not, with a sentence in load_why that names the place; -EINTR or another -errno.
 */
int load_next(struct load *load, struct load_chunk *ret);

/* The manifest, after load_next returned 0. Borrowed. */
json_t *load_manifest(const struct load *load);
/* The root, as computed from what was read so far. */
void load_root(const struct load *load, struct digest *ret);
const char *load_why(const struct load *load);
/*
 * Chunks, from the first on, that were read and that right CHECKPOINTs speak of, and the bytes of
 * the device in them.
 */
uint64_t load_confirmed(const struct load *load, uint64_t *ret_bytes);
/* Whether what failed is that the input ended too early. */
bool load_cut(const struct load *load);

#endif

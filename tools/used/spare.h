/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranges of bytes that nothing uses. There can be as many in a file system as it has files, so that
 * they are bounded: where there are too many the shortest are forgotten, and count as used.
 */
#ifndef USED_SPARE_H
#define USED_SPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPARE_RANGES_MOST 32768	 /* 512 KiB of memory, and a manifest of 1 MiB at most */
#define SPARE_LEAST	  16384u /* bytes of a range; more once there were too many */

struct spare;

struct spare_range {
	uint64_t start, end; /* bytes; END is the first one behind it */
};

/* Of an area of SIZE bytes, all of which are used. Returns NULL without memory. */
struct spare *spare_new(uint64_t size);
void spare_free(struct spare *spare); /* NULL is fine */

/*
 * Nothing uses LEN bytes at OFFSET. In any order; one that begins where the last one ended is one
 * with it. Returns 0, -EUCLEAN where they are not in the area, or -ENOMEM.
 */
int spare_add(struct spare *spare, uint64_t offset, uint64_t len);
/*
 * Behind the last spare_add: puts them in order and joins neighbours. Returns 0, or -EUCLEAN where
 * two overlap: whoever counts a byte twice is wrong.
 */
int spare_finish(struct spare *spare);
/* All of FROM, which is finished, SHIFT bytes further on. Returns as spare_add. */
int spare_merge(struct spare *into, const struct spare *from, uint64_t shift);

/* Of what is finished: the first range that ends behind OFFSET. False where there is none. */
bool spare_next(const struct spare *spare, uint64_t offset, struct spare_range *ret);
uint64_t spare_bytes(const struct spare *spare);
size_t spare_count(const struct spare *spare);

#endif

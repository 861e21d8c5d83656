/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where an image holds nothing but zeros, without a look at its data: chunks whose digest is that
 * of zeros, and the ranges that the manifest calls unallocated.
 */
#ifndef NBDKIT_EXTENTS_H
#define NBDKIT_EXTENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "io/view.h"

struct extents;

enum extents_kind {
	EXTENTS_DATA,
	EXTENTS_ZERO, /* zeros that somebody wrote */
	EXTENTS_HOLE, /* zeros since nothing uses the range */
};

/*
 * Takes the ranges of VIEW's manifest, which is not needed any more then. A manifest comes from
 * elsewhere: from the first range on that is not behind the one before it, or not in the device,
 * none is taken. Returns 0 or -ENOMEM.
 */
int extents_new(const struct view *view, struct extents **ret);
void extents_free(struct extents *extents); /* NULL is fine */

/* Whether chunk INDEX, which must exist, is zeros by its digest: 1 or 0, or as view_entry. */
int extents_chunk_zero(const struct extents *extents, uint64_t index);

/*
 * Tells ADD, in order and without gaps, what bytes OFFSET to OFFSET + COUNT - 1 (COUNT > 0, all in
 * the device) are. What an ADD returns that is not 0 ends it, with that. It also ends after enough
 * chunks that one call is short, with less than COUNT. Returns 0, or as view_entry.
 */
typedef int extents_add(void *arg, uint64_t offset, uint64_t length, enum extents_kind kind);
int extents_list(const struct extents *extents, uint64_t offset, uint64_t count, extents_add *add,
		 void *arg);

#endif

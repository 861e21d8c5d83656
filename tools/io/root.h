/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root of an image whose chunks come in order, of which some may come again. As long as none
 * may, nothing is kept, unless it is asked for; from the first on that may, 32 bytes a chunk.
 */
#ifndef IO_ROOT_H
#define IO_ROOT_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/chunk.h"
#include "codec/image.h"
#include "io/spool.h"

struct root {
	struct digest_state state; /* over all that came first */
	struct digest_state before;
	struct spool *spool; /* of the chunks from FIRST on; NULL: none is kept */
	uint64_t count, first;
	bool filled;
};

void root_start(struct root *root);
/* Before the first chunk: all are kept, beside the file FD (spool_new). Returns 0 or -errno. */
int root_keep(struct root *root, int fd);
void root_clear(struct root *root);
/* The next chunk; with SLOT in its flags it may come again. Returns 0 or -errno. */
int root_add(struct root *root, const struct image_entry *entry);
/* The digest and the flags of chunk INDEX. Returns 1, 0 where they are not kept, or -errno. */
int root_get(struct root *root, uint64_t index, struct image_entry *ret);
/* Chunk INDEX comes again, as ENTRY. Returns 0; -EINVAL where it may not; or another -errno. */
int root_fill(struct root *root, uint64_t index, const struct image_entry *entry);
/* Returns 0 and the root of an image with MAP, or -errno. */
int root_read(struct root *root, const struct chunk_map *map, struct digest *ret);

#endif

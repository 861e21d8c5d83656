/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image being written to a descriptor, front to back: data frames with HEAD and CHECKPOINTs
 * between them, then the trailer. Never seeks, so that a pipe or a stream will do, but for slots,
 * which are for files.
 */
#ifndef IO_STORE_H
#define IO_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "codec/image.h"

struct resume;
struct store;

/*
 * Starts an image on FD (which stays the caller's) with HEAD, whose map may be open. Writes nothing
 * yet. 0 or -errno.
 */
int store_new(int fd, const struct image_head *head, struct store **ret);
/*
 * Goes on with the image in the file FD behind what RESUME keeps of it, whose spool is taken, and
 * cuts off and syncs the rest. HEAD stays the file's own. Returns 0 or -errno.
 */
int store_continue(int fd, struct resume *resume, struct store **ret);
void store_free(struct store *store); /* NULL is fine */

/*
 * Appends the next chunk as the frame that ENTRY tells of; in an open map its header tells how long
 * the chunk is. What was written is synced now and then, where FD can be.
 * Returns 0, -EOVERFLOW where none can follow, or another -errno.
 */
int store_chunk(struct store *store, const struct image_entry *entry, const uint8_t *frame);
/*
 * Appends COUNT chunks of zeros (FLAGS as in an entry), whole ones in an open map. Returns as
 * above.
 */
int store_zero(struct store *store, uint64_t count, uint32_t flags);
/*
 * Whether chunks can be filled later: FD is a regular file. Only then may an entry have the flag
 * SLOT, for which room is left behind the frame, and that of chunk 0 never.
 */
bool store_fills(const struct store *store);
/*
 * Has chunk INDEX, which was appended with SLOT, be another frame, whose ENTRY has SLOT too. Before
 * store_finish. Where a CHECKPOINT speaks of it, slot and CHECKPOINT change together, whenever the
 * program or the power dies (io/redo.h), and what was there is on the medium as long as the new is
 * not. Returns 0 or -errno: -EINVAL where there is no slot.
 */
int store_fill(struct store *store, uint64_t index, const struct image_entry *entry,
	       const uint8_t *frame);
/*
 * Writes the trailer: table, MANIFEST (completed by manifest_finish), sum and seek table. The root
 * is returned. It may not be synced yet, but nothing that was has failed. Returns 0 or -errno.
 */
int store_finish(struct store *store, json_t *manifest, struct digest *ret_root);

/* Syncs all that was written. Returns 1, 0 where FD cannot be synced, or -errno. */
int store_sync(struct store *store);

/* HEAD as it stands in the image. */
const struct image_head *store_head(const struct store *store);
uint64_t store_chunks(const struct store *store);
/* Those of them that a CHECKPOINT speaks of: what is kept when the program dies now. */
uint64_t store_kept(const struct store *store);
/* The entries of chunks FIRST .. FIRST + COUNT - 1, which must be there. Returns 0 or -errno. */
int store_entries(struct store *store, uint64_t first, uint32_t count, struct image_entry *ret);
/* Bytes of the image that were written. */
uint64_t store_size(const struct store *store);

#endif

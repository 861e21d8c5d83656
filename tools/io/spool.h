/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The digest table of an image while it grows: 32 bytes for every 4 MiB of a device, kept in a
 * nameless file, because a table of a large disk must not be held in memory.
 */
#ifndef IO_SPOOL_H
#define IO_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "codec/image.h"

struct spool;

/* Makes one; beside the regular file OUT_FD where that can be, else in memory. 0 or -errno. */
int spool_new(int out_fd, struct spool **ret);
void spool_free(struct spool *spool); /* NULL is fine */

uint64_t spool_count(const struct spool *spool);
/* Appends an entry. Returns 0 or -errno. */
int spool_add(struct spool *spool, const struct image_entry *entry);
/* Has entry INDEX, which exists, be ENTRY. Returns 0 or -errno. */
int spool_put(struct spool *spool, uint64_t index, const struct image_entry *entry);
/* Feeds all digests in order to STATE. Returns 0 or -errno. */
int spool_digests(struct spool *spool, struct digest_state *state);
/*
 * Copies the encoded entries FIRST .. FIRST + COUNT - 1, which must exist, to BUF (COUNT *
 * IMAGE_ENTRY bytes). Returns 0 or -errno.
 */
int spool_read(struct spool *spool, uint64_t first, uint32_t count, uint8_t *buf);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the sender tells what of its source could not be read: in OFFER, of an image, and at the end.
 */
#ifndef SEND_MISSING_H
#define SEND_MISSING_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "io/link.h"
#include "source/source.h"

/*
 * MANIFEST of a disk of SIZE bytes as OFFER has it: where it is too long for that, its unreadable
 * ranges are fewer and longer. Returns 0 and a string (free) of *ret_len bytes, or -ENOMEM.
 */
int send_missing_offer(const json_t *manifest, uint64_t size, char **ret, size_t *ret_len);
/*
 * Before the next chunk of SOURCE: where FILLS, it goes on at once behind what cannot be read, and
 * comes back at the end; else it retries at once, and where TELL says so.
 */
void send_missing_retries(struct source *source, bool fills, bool tell);
/* Behind the last chunk of SOURCE: what there is still to do, if there is. */
void send_missing_tell(const struct source *source);
/* UNREADABLE, with all of them. Returns 0 and a record, or -ENOMEM. */
int send_missing_record(const json_t *manifest, uint64_t size, struct link_record **ret);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a pipe gave and the receiver has not confirmed: packed chunks in memory, so that they can be
 * sent again when the stream breaks.
 */
#ifndef SOURCE_KEEP_H
#define SOURCE_KEEP_H

#include "source/source.h"

#define KEEP_MOST  (64u << 20) /* bytes that are kept at most, */
#define KEEP_PART  8u	       /* and no more than this part of the machine's memory, */
#define KEEP_LEAST (9u << 20)  /* and always two chunks */

struct keep;

/* Keeps MOST bytes, KEEP_LEAST at least. Returns 0 or -ENOMEM. */
int keep_new(size_t most, struct keep **ret);
void keep_free(struct keep *keep); /* NULL is fine */
/* How much this machine should keep, bytes. */
size_t keep_fitting(void);

/* Whether there may be no room for another chunk before something is dropped. */
bool keep_full(const struct keep *keep);
/* CHUNK, the next one, with its frame, which is copied. Returns 0 or -ENOMEM. */
int keep_add(struct keep *keep, const struct source_chunk *chunk);
/* The chunks below FIRST, none that keep_get has yet to give, are needed no more. */
void keep_drop(struct keep *keep, uint64_t first);
/* The number of the chunk that keep_add takes next. */
uint64_t keep_end(const struct keep *keep);
/*
 * The digest over those of all chunks below INDEX, dropped ones too, which keep_get then begins
 * with. Returns 0, or -ESPIPE where these chunks are not kept, or never came.
 */
int keep_seek(struct keep *keep, uint64_t index, struct digest *ret);
/* The next chunk behind keep_seek, borrowed until it is dropped: true, or false at the end. */
bool keep_get(struct keep *keep, struct source_chunk *ret);

#endif

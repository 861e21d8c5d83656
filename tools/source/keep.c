// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/keep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/queue.h>

#include "codec/pack.h"
#include "io/machine.h"

struct kept {
	STAILQ_ENTRY(kept) link;
	struct source_chunk chunk;
	uint8_t frame[];
};

#define KEPT_MOST (sizeof(struct kept) + PACK_FRAME_MOST)

struct keep {
	STAILQ_HEAD(, kept) chunks;
	uint64_t first, end;	    /* those below first are dropped */
	size_t bytes, most;	    /* of chunks */
	struct digest_state before; /* over the digests of the chunks below first */
	struct kept *next;	    /* that keep_get gives; NULL: those are all */
};

int keep_new(size_t most, struct keep **ret)
{
	struct keep *keep = calloc(1, sizeof(*keep));

	if (!keep)
		return -ENOMEM;
	STAILQ_INIT(&keep->chunks);
	digest_start(&keep->before);
	_Static_assert(2 * KEPT_MOST <= KEEP_LEAST, "two chunks");
	keep->most = MAX(most, KEEP_LEAST);
	*ret = keep;
	return 0;
}

static void keep_drop_one(struct keep *keep)
{
	struct kept *kept = STAILQ_FIRST(&keep->chunks);

	digest_update(&keep->before, kept->chunk.entry.digest.bytes, DIGEST_SIZE);
	keep->bytes -= sizeof(*kept) + kept->chunk.entry.stored_size;
	keep->first++;
	STAILQ_REMOVE_HEAD(&keep->chunks, link);
	free(kept);
}

void keep_drop(struct keep *keep, uint64_t first)
{
	while (keep->first < MIN(first, keep->end))
		keep_drop_one(keep);
}

void keep_free(struct keep *keep)
{
	if (!keep)
		return;
	keep_drop(keep, keep->end);
	free(keep);
}

size_t keep_fitting(void)
{
	return MIN(KEEP_MOST, machine_memory() / KEEP_PART);
}

bool keep_full(const struct keep *keep)
{
	return keep->bytes + KEPT_MOST > keep->most;
}

int keep_add(struct keep *keep, const struct source_chunk *chunk)
{
	size_t len = chunk->entry.stored_size;
	struct kept *kept = malloc(sizeof(*kept) + len);

	if (!kept)
		return -ENOMEM;
	kept->chunk = *chunk;
	kept->chunk.frame = kept->frame;
	if (len)
		memcpy(kept->frame, chunk->frame, len);
	STAILQ_INSERT_TAIL(&keep->chunks, kept, link);
	keep->bytes += sizeof(*kept) + len;
	keep->end++;
	return 0;
}

uint64_t keep_end(const struct keep *keep)
{
	return keep->end;
}

int keep_seek(struct keep *keep, uint64_t index, struct digest *ret)
{
	struct digest_state state = keep->before;
	struct kept *kept = STAILQ_FIRST(&keep->chunks);

	if (index < keep->first || index > keep->end)
		return -ESPIPE;
	for (; kept && kept->chunk.index < index; kept = STAILQ_NEXT(kept, link))
		digest_update(&state, kept->chunk.entry.digest.bytes, DIGEST_SIZE);
	keep->next = kept;
	digest_read(&state, ret);
	return 0;
}

bool keep_get(struct keep *keep, struct source_chunk *ret)
{
	if (!keep->next)
		return false;
	*ret = keep->next->chunk;
	keep->next = STAILQ_NEXT(keep->next, link);
	return true;
}

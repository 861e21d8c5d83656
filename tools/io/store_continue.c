// SPDX-License-Identifier: GPL-2.0-or-later
/* An image that goes on where an earlier run was cut. */
#include <errno.h>
#include <unistd.h>

#include "io/out.h"
#include "io/resume.h"
#include "io/store_internal.h"

static int store_take_entry(struct store *store, const uint8_t *raw)
{
	struct image_entry entry;
	int r = image_entry_get(raw, &entry);

	if (r < 0)
		return r;
	digest_update(&store->root, entry.digest.bytes, DIGEST_SIZE);
	if (entry.flags & IMAGE_ENTRY_SLOT && store->slots++ == STORE_SLOTS_MOST)
		return -EFBIG;
	return 0;
}

/* As if all that is there had just been written. */
static int store_take(struct store *store, struct resume *resume)
{
	uint64_t count = resume_chunks(resume);
	int r = 0;

	if (ftruncate(store->fd, resume->end) || lseek(store->fd, resume->end, SEEK_SET) < 0)
		return -errno;
	store->spool = resume->spool;
	resume->spool = NULL;
	store->written = store->synced = resume->end;
	store->checkpointed = count;
	store->size = chunk_bytes(&store->head.map, count);
	for (uint64_t i = 0; r == 0 && i < count;) {
		uint32_t n = count - i < STORE_ENTRIES ? count - i : STORE_ENTRIES;

		r = spool_read(store->spool, i, n, store->buf);
		for (uint32_t at = 0; r == 0 && at < n; at++)
			r = store_take_entry(store, store->buf + (size_t)at * IMAGE_ENTRY);
		i += n;
	}
	if (r < 0)
		return r;
	store_slots_start(store);
	return out_sync(store->fd);
}

int store_continue(int fd, struct resume *resume, struct store **ret)
{
	struct store *store = NULL;
	int r = store_make(fd, &resume->head, &store);

	if (r == 0)
		r = store_take(store, resume);
	if (r < 0) {
		store_free(store);
		return r;
	}
	*ret = store;
	return 0;
}

int store_entries(struct store *store, uint64_t first, uint32_t count, struct image_entry *ret)
{
	uint8_t raw[IMAGE_ENTRY];
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < count; i++) {
		r = spool_read(store->spool, first + i, 1, raw);
		if (r == 0)
			r = image_entry_get(raw, &ret[i]);
	}
	return r;
}

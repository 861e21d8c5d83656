// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading a restored disk back: what the disk took is not always what it gives. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/pack.h"
#include "io/disk.h"
#include "io/spool.h"
#include "io/stop.h"
#include "io/target.h"
#include "sink/sink_disk.h"

#define VERIFY_ENTRIES 256u /* read from the spool at once */

int sink_disk_digest_start(struct sink *sink)
{
	int r = spool_new(sink->disk->fd, &sink->spool);

	return r < 0 ? sink_fail(sink, r, "the digests cannot be kept: %s", strerror(-r)) : 0;
}

/* The digest of chunk INDEX: the next one, or one that comes again. */
static int verify_put(struct sink *sink, uint64_t index, const struct image_entry *entry)
{
	int r = index < spool_count(sink->spool) ? spool_put(sink->spool, index, entry)
						 : spool_add(sink->spool, entry);

	return r < 0 ? sink_fail(sink, r, "the digests cannot be kept: %s", strerror(-r)) : 0;
}

int sink_disk_digest(struct sink *sink, uint64_t index, const struct sink_chunk *chunk,
		     uint32_t kept)
{
	struct image_entry entry = *chunk->entry;

	if (!sink->spool || (!kept && chunk->length))
		return 0;
	if (kept < chunk->length)
		digest_chunk(chunk->content, kept, &entry.digest);
	entry.flags = 0;
	return verify_put(sink, index, &entry);
}

/* Of zeros no digest is needed: the flag says it all. */
int sink_disk_digest_zeros(struct sink *sink, uint64_t count)
{
	const struct image_entry entry = {.flags = IMAGE_ENTRY_ZERO,
					  .stored_size = PACK_FRAME_LEAST};
	int r = 0;

	if (!sink->spool)
		return 0;
	while (count-- && r == 0)
		r = verify_put(sink, spool_count(sink->spool), &entry);
	return r;
}

static bool verify_right(const struct image_entry *entry, const uint8_t *content, uint32_t len)
{
	struct digest digest;

	if (entry->flags & IMAGE_ENTRY_ZERO)
		return chunk_is_zero(content, len);
	digest_chunk(content, len, &digest);
	return digest_equal(&digest, &entry->digest);
}

static int verify_chunk(struct sink *sink, const struct disk *medium, const uint8_t *encoded,
			uint64_t offset, uint32_t len, uint8_t *content)
{
	struct image_entry entry;
	int r = image_entry_get(encoded, &entry);

	/* The disk is whole by now: no longer a matter of leaving off. */
	if (stop_signal())
		return sink_fail(sink, -ECANCELED,
				 "interrupted: %s was written and synced, and read back up to byte "
				 "%llu",
				 sink->name, (unsigned long long)offset);
	if (r == 0)
		r = disk_read_medium(medium, offset, content, len);
	if (r < 0)
		return sink_fail(sink, r, "%s cannot be read back at byte %llu: %s", sink->name,
				 (unsigned long long)offset, strerror(-r));
	if (!verify_right(&entry, content, len))
		return sink_fail(sink, -EIO,
				 "%s does not give back what was written to bytes %llu to %llu: "
				 "the disk or what it hangs on is failing, do not use it",
				 sink->name, (unsigned long long)offset,
				 (unsigned long long)(offset + len - 1));
	return 0;
}

static int verify_chunks(struct sink *sink, const struct disk *medium, uint8_t *content,
			 struct progress *progress)
{
	const struct chunk_map map = {.size = sink->size, .chunk_size = sink->head.map.chunk_size};
	uint8_t encoded[VERIFY_ENTRIES * IMAGE_ENTRY];
	uint64_t count = chunk_count(&map);
	int r = 0;

	for (uint64_t i = 0; r == 0 && i < count; i++) {
		uint32_t at = i % VERIFY_ENTRIES;
		uint32_t n = count - i < VERIFY_ENTRIES ? count - i : VERIFY_ENTRIES;

		if (at == 0)
			r = spool_read(sink->spool, i, n, encoded);
		if (r < 0)
			return sink_fail(sink, r, "the digests cannot be read: %s", strerror(-r));
		r = verify_chunk(sink, medium, encoded + at * IMAGE_ENTRY, chunk_offset(&map, i),
				 chunk_length(&map, i), content);
		if (r == 0)
			progress_update(progress, chunk_offset(&map, i) + chunk_length(&map, i), 0);
	}
	return r;
}

int sink_disk_verify(struct sink *sink)
{
	/* Programs that read the objects follow the transfer alone. */
	enum progress_mode mode =
		sink->options.progress == PROGRESS_JSON ? PROGRESS_NONE : sink->options.progress;
	uint8_t *content = aligned_alloc(DISK_ALIGN, CHUNK_SIZE_MOST);
	struct progress *progress = NULL;
	struct disk *medium = NULL;
	int r = content ? disk_open_medium(target_disk(sink->target), &medium) : -ENOMEM;

	if (r < 0) {
		sink_fail(sink, r, "%s cannot be read back: %s", sink->name, strerror(-r));
	} else {
		progress = progress_new(mode, "reading back", sink->size);
		r = verify_chunks(sink, medium, content, progress);
		progress_end(progress);
	}
	disk_close(medium);
	free(content);
	return r;
}

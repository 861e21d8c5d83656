// SPDX-License-Identifier: GPL-2.0-or-later
/* Sending without records, with nobody to confirm it: an image, or bytes as they are. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/disk.h"
#include "io/out.h"
#include "io/rescue.h"
#include "io/store.h"
#include "send/send_internal.h"
#include "send/send_missing.h"
#include "ui/missing.h"

/* Chunks of which more could be read since they were written. */
static int send_plain_again(struct source *source, struct store *store)
{
	struct source_chunk chunk;
	int r;

	send_missing_tell(source);
	while ((r = source_again(source, &chunk)) != 0) {
		if (r == 1)
			r = store_fill(store, chunk.index, &chunk.entry, chunk.frame);
		if (r < 0 && r != -EAGAIN)
			break;
	}
	return r;
}

/* Chunks of zeros are written together: when there are many, or something else is to be done. */
struct plain_zeros {
	uint32_t count, flags;
};

static int send_plain_zeros(struct store *store, struct plain_zeros *zeros)
{
	uint32_t count = zeros->count;

	zeros->count = 0;
	return store_zero(store, count, zeros->flags);
}

static int send_plain_chunk(struct store *store, struct plain_zeros *zeros,
			    const struct source_chunk *chunk)
{
	bool alike = chunk->zero && chunk->entry.flags == zeros->flags;
	int r = 0;

	if (!alike || zeros->count == SEND_ZEROS_MOST)
		r = send_plain_zeros(store, zeros);
	if (r < 0)
		return r;
	if (!chunk->zero)
		return store_chunk(store, &chunk->entry, chunk->frame);
	zeros->flags = chunk->entry.flags;
	zeros->count++;
	return 0;
}

int send_plain(struct source *source, int fd, struct progress *progress, struct send_result *ret,
	       char *ret_why, size_t len)
{
	const struct image_head *head = source_head(source);
	struct source_chunk chunk = {0};
	struct plain_zeros zeros = {0};
	struct send_clock clock = {0};
	struct store *store = NULL;
	int r = store_new(fd, head, &store);

	*ret = (struct send_result){0};
	ret->peer.status = WIRE_STATUS_FAILED;
	if (r == 0)
		send_missing_retries(source, store_fills(store), true);
	send_time_begin(&clock, source);
	while (r == 0 && ((r = source_next(source, &chunk)) == 1 || r == -EAGAIN)) {
		r = r == 1 ? send_plain_chunk(store, &zeros, &chunk)
			   : send_plain_zeros(store, &zeros);
		send_progress_level(progress, source);
		progress_update(progress, chunk_offset(&head->map, chunk.index), store_size(store));
	}
	if (r == 0)
		r = send_plain_zeros(store, &zeros);
	if (r == 0)
		r = send_plain_again(source, store);
	if (r == 0)
		r = store_finish(store, source_manifest(source), &ret->root);
	send_time_end(&clock, source);
	send_time_plain(&clock, fd, &ret->time);
	if (r == 0) {
		ret->size = head->map.size;
		ret->missing = missing_tell(source_manifest(source), head->map.size, ret->where,
					    sizeof(ret->where));
		ret->stored = store_size(store);
		progress_update(progress, ret->size, ret->stored);
	} else if (source_why(source)[0]) {
		snprintf(ret_why, len, "%s", source_why(source));
	} else {
		snprintf(ret_why, len, "the image cannot be written: %s", strerror(-r));
	}
	store_free(store);
	return r;
}

int send_raw(const char *path, int fd, struct progress *progress, struct send_result *ret,
	     char *ret_why, size_t len)
{
	struct send_clock clock = {.began = stop_now()};
	struct disk *disk = NULL;
	char *buf = aligned_alloc(DISK_ALIGN, CHUNK_SIZE);
	int r = buf ? disk_open_source(path, &disk) : -ENOMEM;

	if (r < 0) {
		snprintf(ret_why, len, "%s cannot be opened for reading: %s", path, strerror(-r));
		free(buf);
		return r;
	}
	*ret = (struct send_result){.size = disk->size};
	ret->peer.status = WIRE_STATUS_FAILED;
	for (uint64_t at = 0; r == 0 && at < disk->size;) {
		size_t n = disk->size - at < CHUNK_SIZE ? disk->size - at : CHUNK_SIZE;
		int64_t began = stop_now();

		r = disk_read(disk, at, buf, n);
		clock.source.read += stop_now() - began;
		if (r < 0) {
			snprintf(ret_why, len, "%s cannot be read at byte %" PRIu64 ": %s", path,
				 r == -EIO ? rescue_locate(disk, at, buf, n) : at, strerror(-r));
			break;
		}
		r = out_write(fd, buf, n);
		if (r < 0)
			snprintf(ret_why, len, "the stream cannot be written: %s", strerror(-r));
		at += n;
		ret->stored = at;
		progress_update(progress, at, at);
	}
	clock.all = stop_now() - clock.began;
	send_time_plain(&clock, fd, &ret->time);
	disk_close(disk);
	free(buf);
	return r;
}

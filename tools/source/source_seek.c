// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading again what was read before: for a transfer that goes on, and for what must not change. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#include "source/source_kinds.h"

static int seek_fail(struct source *source, int r, const char *why)
{
	snprintf(source->why, sizeof(source->why), "%s cannot be sent: %s", source->disk->path,
		 why[0] ? why : strerror(-r));
	return r;
}

/* Begins the image again. */
static int seek_front(struct source *source)
{
	struct load *load = NULL;
	int r = lseek(source->disk->fd, 0, SEEK_SET) < 0 ? -errno : 0;

	if (r == 0)
		r = load_new(source->disk->fd, &load);
	if (r < 0) {
		seek_fail(source, r, load ? load_why(load) : "");
		load_free(load);
		return r;
	}
	load_hold_against(load, source->view);
	if (!source->part_size)
		load_threads(load, source->threads);
	load_free(source->load);
	source->load = load;
	/* A partition's is its own. */
	if (!source->identity)
		source->head.identity = load_head(load)->identity;
	source->in_chunk = false;
	return 0;
}

/* A partition's chunks are skipped by the reading of the next one. */
static int seek_image(struct source *source, uint64_t index)
{
	struct source_chunk chunk;
	int r = seek_front(source);

	while (r == 0 && !source->part_size && index--) {
		r = source_next(source, &chunk);
		/* It had all of them when it was opened. */
		if (r == 0)
			r = seek_fail(source, -EBADMSG, "it has changed");
		r = r < 0 ? r : 0;
	}
	return r;
}

int source_seek(struct source *source, uint64_t index)
{
	/* What a pipe gave is gone, but for what it keeps: source_go_on. */
	if (source->stream)
		return index == source->next ? 0 : -ESPIPE;
	source_ahead_forget(source);
	source->next = source->read = index;
	source->data = source->more = 0;
	/* At its end there is still to be said what is missing. */
	if (source->rescue)
		return rescue_seek(source->rescue,
				   MIN(chunk_offset(&source->head.map, index), source->disk->size));
	source->ended = index == chunk_count(&source->head.map);
	return source->load && !source->ended ? seek_image(source, index) : 0;
}

static int seek_prepare(struct source *source)
{
	if (!source->job.content)
		source->job.content = malloc(CHUNK_SIZE_MOST);
	if (!source->job.content)
		return -ENOMEM;
	if (!source->load || source->window)
		return 0;
	return view_device_open(source->view, source->part_start, source->head.map.size,
				&source->window);
}

/* Out of an image: by its table, which holds for every chunk that is read. */
static int seek_read_image(struct source *source, uint64_t offset, void *buf, size_t len)
{
	const char *why = "";
	int r;

	view_device_begin(source->window, UINT64_MAX);
	r = view_device_read(source->window, buf, len, offset);
	if (r < 0)
		view_device_failed(source->window, &why);
	return r < 0 ? seek_fail(source, r, why) : 0;
}

/* As they are on the disk or, AS_SENT, without what is left out. */
static int seek_read(struct source *source, uint64_t offset, void *buf, size_t len, bool as_sent)
{
	int r;

	if (source->load)
		return seek_read_image(source, offset, buf, len);
	r = source->used && as_sent ? source_used_read(source, offset, buf, len, &offset)
				    : disk_read(source->disk, offset, buf, len);
	if (r == -EIO && source->rescue)
		return -ENODATA;
	if (r < 0)
		snprintf(source->why, sizeof(source->why),
			 "%s cannot be read at byte %" PRIu64 ": %s", source->disk->path, offset,
			 strerror(-r));
	return r;
}

int source_digest(struct source *source, uint64_t index, struct digest *ret)
{
	uint32_t len = chunk_length(&source->head.map, index);
	int r = source->stream ? -ESPIPE : seek_prepare(source);

	if (r == -ESPIPE)
		return r;
	if (r < 0)
		return seek_fail(source, r, "");
	/* What is known to be bad is not touched without need. */
	if (source_rescue_failed(source, index))
		return -ENODATA;
	r = seek_read(source, chunk_offset(&source->head.map, index), source->job.content, len,
		      true);
	if (r == 0)
		digest_chunk(source->job.content, len, ret);
	return r;
}

int source_peek(struct source *source, uint64_t offset, void *buf, size_t len)
{
	const struct chunk_map *map = &source->head.map;
	int r = source->stream ? -ESPIPE : seek_prepare(source);

	if (r < 0)
		return r;
	if (offset > map->size || len > map->size - offset)
		return -ERANGE;
	for (uint64_t i = offset / map->chunk_size; i * map->chunk_size < offset + len; i++) {
		if (source_rescue_failed(source, i))
			return -ENODATA;
	}
	return seek_read(source, offset, buf, len, false);
}

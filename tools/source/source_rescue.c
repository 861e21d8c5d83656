// SPDX-License-Identifier: GPL-2.0-or-later
/* A dying disk as the source: what cannot be read goes as zeros, and the manifest lists it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/manifest_missing.h"
#include "io/mapfile.h"
#include "io/stop.h"
#include "source/source_kinds.h"

#define SAVE_TIME (30 * STOP_SECOND) /* between two writings of the mapfile */

static int rescue_setup(struct source *source, unsigned int retries, const char *mapfile,
			char *ret_why, size_t len)
{
	struct rescue_map *map = NULL;
	struct rescue_reader reader;
	int r = rescue_disk_new(source->disk, &source->rescue_disk);

	if (r < 0)
		return r;
	rescue_disk_reader(source->rescue_disk, &reader);
	r = mapfile ? mapfile_read(mapfile, reader.size, *reader.sector, &map, ret_why, len)
		    : rescue_map_new(reader.size, &map);
	if (r == 0)
		r = rescue_new(&reader, retries, map, &source->rescue);
	if (r < 0)
		rescue_map_free(map);
	return r;
}

int source_rescue(struct source *source, unsigned int retries, const char *mapfile, char *ret_why,
		  size_t len)
{
	ret_why[0] = '\0';
	if (source->load) {
		snprintf(ret_why, len,
			 "%s is an image, which has what its disk could give: --rescue is for the "
			 "disk",
			 source->disk->path);
		return -EINVAL;
	}
	int r = rescue_setup(source, retries, mapfile, ret_why, len);
	if (r == 0 && mapfile) {
		source->mapfile = strdup(mapfile);
		r = source->mapfile ? source_rescue_save(source) : -ENOMEM;
		if (r < 0)
			snprintf(ret_why, len, "the mapfile %s cannot be written: %s", mapfile,
				 strerror(-r));
	}
	if (r < 0 && !ret_why[0])
		snprintf(ret_why, len, "%s cannot be rescued: %s", source->disk->path,
			 strerror(-r));
	return r;
}

bool source_rescued(const struct source *source)
{
	return source->rescue != NULL;
}

void source_rescue_later(struct source *source, bool later)
{
	rescue_later(source->rescue, later);
	source->later = later;
}

bool source_comes_again(const struct source *source)
{
	return source->later;
}

uint64_t source_missing(const struct source *source)
{
	const struct rescue_map *map = source->rescue ? rescue_map(source->rescue) : NULL;

	return map ? rescue_map_bytes(map, 0, rescue_map_size(map), RESCUE_MISSING) : 0;
}

int source_rescue_save(struct source *source)
{
	struct rescue_state state;

	if (!source->mapfile)
		return 0;
	source->mapfile_due = stop_now() + SAVE_TIME;
	rescue_state(source->rescue, &state);
	return mapfile_write(source->mapfile, rescue_map(source->rescue), &state);
}

static int rescue_fail(struct source *source, int r)
{
	struct rescue_state state;

	rescue_state(source->rescue, &state);
	if (r == -EINTR)
		snprintf(source->why, sizeof(source->why), "interrupted");
	else if (r == -ENODEV)
		snprintf(source->why, sizeof(source->why),
			 "%s has disappeared, at byte %" PRIu64
			 ": it was pulled, or has failed as a whole; switch it off and on, and "
			 "begin again",
			 source->disk->path, state.position);
	else
		snprintf(source->why, sizeof(source->why),
			 "%s cannot be read at byte %" PRIu64 ": %s, which is no bad sector",
			 source->disk->path, state.position, strerror(-r));
	return r;
}

/* A mapfile that cannot be written now and then is told of at the end. */
static void rescue_save_sometimes(struct source *source)
{
	if (source->mapfile && stop_now() >= source->mapfile_due)
		source_rescue_save(source);
}

int source_rescue_read(struct source *source, uint64_t offset, uint32_t len, uint32_t *ret_flags)
{
	int r = rescue_chunk(source->rescue, offset, source->job.content, len);

	if (r < 0)
		return rescue_fail(source, r);
	*ret_flags = r ? IMAGE_ENTRY_UNREADABLE : 0;
	if (r && source->later && offset > 0)
		*ret_flags |= IMAGE_ENTRY_SLOT;
	rescue_save_sometimes(source);
	return 0;
}

int source_rescue_have(struct source *source, uint64_t index, uint32_t flags)
{
	const struct chunk_map *map = &source->head.map;

	if (!source->rescue)
		return 0;
	return rescue_have(source->rescue, chunk_offset(map, index), chunk_length(map, index),
			   flags & IMAGE_ENTRY_UNREADABLE, flags & IMAGE_ENTRY_SLOT);
}

/* Whether a byte of chunk INDEX has a status among STATUSES. */
static bool rescue_any(const struct source *source, uint64_t index, const char *statuses)
{
	const struct chunk_map *map = &source->head.map;

	return source->rescue &&
	       rescue_map_bytes(rescue_map(source->rescue), chunk_offset(map, index),
				chunk_length(map, index), statuses) > 0;
}

bool source_lacks(const struct source *source, uint64_t index)
{
	return rescue_any(source, index, RESCUE_MISSING);
}

bool source_lost(const struct source *source, uint64_t index)
{
	const char lost[] = {RESCUE_LOST, '\0'};

	return rescue_any(source, index, lost);
}

bool source_rescue_failed(const struct source *source, uint64_t index)
{
	return rescue_any(source, index, RESCUE_FAILED);
}

/* Chunk INDEX, as it is in source->job, to come again. */
static int again_pack(struct source *source, uint64_t index, struct source_chunk *ret)
{
	struct source_job *job = &source->job;

	job->len = chunk_length(&source->head.map, index);
	job->look = false;
	job->level = source->level;
	job->chunk = (struct source_chunk){.index = index, .entry.flags = IMAGE_ENTRY_SLOT};
	if (source_lacks(source, index))
		job->chunk.entry.flags |= IMAGE_ENTRY_UNREADABLE;
	int r = source_pack(&source->packer, job);
	if (r == 1)
		*ret = job->chunk;
	return r;
}

static int reread(struct source *source, uint64_t index, bool ours, struct source_chunk *ret)
{
	const struct chunk_map *map = &source->head.map;
	int64_t began = stop_now();
	int r = rescue_reread(source->rescue, chunk_offset(map, index), source->job.content,
			      chunk_length(map, index), ours);

	source_time_read(source, began);
	if (r < 0)
		return rescue_fail(source, r);
	return r ? again_pack(source, index, ret) : 0;
}

int source_reread(struct source *source, uint64_t index, bool ours, struct source_chunk *ret)
{
	source_time_enter(source);
	int r = reread(source, index, ours, ret);
	source_time_leave(source);
	return r;
}

static int again(struct source *source, struct source_chunk *ret)
{
	const struct chunk_map *map = &source->head.map;
	int64_t began = stop_now();
	uint64_t offset;
	uint32_t len;

	int r = rescue_again(source->rescue, map->chunk_size, source->job.content, &offset, &len);
	source_time_read(source, began);
	if (r < 0 && r != -EAGAIN)
		return rescue_fail(source, r);
	rescue_save_sometimes(source);
	if (r == 0)
		return source_rescue_end(source);
	return r < 0 ? r : again_pack(source, offset / map->chunk_size, ret);
}

int source_again(struct source *source, struct source_chunk *ret)
{
	if (!source->later)
		return 0;
	source_time_enter(source);
	int r = again(source, ret);
	source_time_leave(source);
	return r;
}

int source_rescue_end(struct source *source)
{
	const struct rescue_map *map = rescue_map(source->rescue);

	source->merged = rescue_map_merged(map);
	return manifest_missing_put(source->manifest, map);
}

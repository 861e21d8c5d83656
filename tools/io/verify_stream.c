// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "io/load.h"
#include "io/machine.h"
#include "io/verify.h"

/* What of an image is right although its end is not. */
static void stream_confirmed(const struct load *load, struct verify_result *ret)
{
	const struct chunk_map *map = &load_head(load)->map;
	uint64_t bytes, chunks = load_confirmed(load, &bytes);
	size_t used = strlen(ret->why);
	char *at = ret->why + used;
	size_t room = sizeof(ret->why) - used;

	if (chunks == chunk_count(map))
		snprintf(at, room, "; all of its chunks are right, but its end is not");
	else if (chunks && chunk_map_open(map))
		snprintf(at, room,
			 "; it is right up to the CHECKPOINT behind chunk %" PRIu64 " (%" PRIu64
			 " bytes of the stream)",
			 chunks - 1, bytes);
	else if (chunks)
		snprintf(at, room,
			 "; it is right up to the CHECKPOINT behind chunk %" PRIu64 " (%" PRIu64
			 " of %" PRIu64 " bytes of the device)",
			 chunks - 1, bytes, map->size);
	else
		snprintf(at, room, "; no CHECKPOINT stands before that to confirm a chunk");
}

static int stream_chunks(struct load *load, const struct verify_options *options,
			 struct verify_result *ret)
{
	const struct chunk_map *map = &load_head(load)->map;
	struct load_chunk chunk;
	int r;

	while ((r = load_next(load, &chunk)) == 1)
		if (options->tell)
			options->tell(options->arg, chunk_offset(map, chunk.index),
				      chunk_map_known(map));
	if (!chunk_map_open(map)) {
		ret->size = map->size;
		ret->chunks = chunk_count(map);
	}
	if (r == 0 && options->tell)
		options->tell(options->arg, map->size, map->size);
	return r;
}

int verify_stream(int fd, const struct verify_options *options, struct verify_result *ret)
{
	struct load *load = NULL;
	bool begun;
	int r = load_new(fd, &load);

	*ret = (struct verify_result){0};
	begun = r == 0;
	if (begun) {
		load_threads(load, machine_threads(options->threads));
		r = stream_chunks(load, options, ret);
	}
	if (r == 0)
		load_root(load, &ret->root);
	if (r == 0 && options->manifest)
		*options->manifest = json_incref(load_manifest(load));
	if (r < 0 && load)
		snprintf(ret->why, sizeof(ret->why), "%s", load_why(load));
	if (r == -EBADMSG && begun)
		stream_confirmed(load, ret);
	if (r == -EBADMSG && load && load_cut(load))
		r = -ENODATA;
	if (r < 0 && !ret->why[0])
		snprintf(ret->why, sizeof(ret->why), "reading it failed: %s", strerror(-r));
	load_free(load);
	return r;
}

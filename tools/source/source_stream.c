// SPDX-License-Identifier: GPL-2.0-or-later
/* Standard input as the source: `tar c /home | tbsend -`. Only its end tells how long it is. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "io/out.h"
#include "io/probe.h"
#include "io/stop.h"
#include "source/source_kinds.h"

#define STREAM_WAIT (STOP_SECOND / 5)

static int stream_start(struct source *source, int level)
{
	int r = source_new_transfer(source);

	if (r == 0)
		r = probe_stream("-", &source->manifest);
	if (r == 0)
		r = source_set_identity(source, json_object_get(source->manifest, "source"));
	return r < 0 ? r : source_prepare_pack(source, level);
}

int source_open_stream(int fd, int level, struct source **ret, char *ret_why, size_t len)
{
	struct source *source = calloc(1, sizeof(*source));

	if (!source)
		return -ENOMEM;
	source->stream = true;
	source->fd = fd;
	source->head.map = (struct chunk_map){.size = CHUNK_OPEN, .chunk_size = CHUNK_SIZE};
	int r = stream_start(source, level);
	if (r < 0) {
		snprintf(ret_why, len, "standard input cannot be sent: %s", strerror(-r));
		source_close(source);
		return r;
	}
	*ret = source;
	return 0;
}

/* Up to LEN bytes. Returns them, 0 at the end, -EAGAIN when none came for a while, or -errno. */
static ssize_t stream_read(struct source *source, void *buf, size_t len)
{
	int r = stop_poll(source->fd, POLLIN, stop_deadline(STREAM_WAIT));

	if (r == -ETIMEDOUT)
		return -EAGAIN;
	return r < 0 ? r : out_read(source->fd, buf, len);
}

/* A whole chunk: what a pipe gives at once is less, and says nothing about the end. */
static int stream_fill(struct source *source)
{
	while (source->filled < CHUNK_SIZE) {
		ssize_t n = stream_read(source, source->content + source->filled,
					CHUNK_SIZE - source->filled);

		if (n == 0)
			break;
		if (n < 0 && n != -EAGAIN)
			snprintf(source->why, sizeof(source->why),
				 "standard input cannot be read at byte %" PRIu64 ": %s",
				 chunk_offset(&source->head.map, source->next) + source->filled,
				 n == -EINTR ? "interrupted" : strerror(-n));
		if (n < 0)
			return n;
		source->filled += n;
	}
	return 0;
}

static int stream_next_new(struct source *source, struct source_chunk *ret)
{
	struct chunk_map *map = &source->head.map;
	struct source_chunk chunk = {.index = source->next};

	if (!chunk_map_open(map))
		return 0;
	if (source->keep && keep_full(source->keep))
		return -ENOBUFS;
	int r = stream_fill(source);
	if (r < 0)
		return r;
	uint32_t len = source->filled;

	source->filled = 0;
	if (len && source->next == CHUNK_COUNT_MOST) {
		snprintf(source->why, sizeof(source->why),
			 "standard input is longer than an image can be, %" PRIu64
			 " bytes: send it in parts",
			 chunk_offset(map, CHUNK_COUNT_MOST));
		return -EFBIG;
	}
	if (len < CHUNK_SIZE)
		map->size = chunk_offset(map, source->next) + len;
	if (!len && source->next)
		return 0;
	/* "Zeros" goes without a length. */
	chunk.zero = len == CHUNK_SIZE && chunk_is_zero(source->content, len);
	r = source_pack(source, len, &chunk);
	if (r == 1 && source->keep)
		r = keep_add(source->keep, &chunk) < 0 ? -ENOMEM : 1;
	if (r < 0)
		return r;
	source->next++;
	*ret = chunk;
	return 1;
}

int source_next_stream(struct source *source, struct source_chunk *ret)
{
	if (!source->keep || !keep_get(source->keep, ret))
		return stream_next_new(source, ret);
	source->next++;
	return 1;
}

bool source_is_stream(const struct source *source)
{
	return source->stream;
}

int source_keep(struct source *source, size_t most)
{
	if (!source->stream || source->keep)
		return 0;
	return keep_new(most ? most : keep_fitting(), &source->keep);
}

void source_confirm(struct source *source, uint64_t count)
{
	if (source->keep)
		keep_drop(source->keep, MIN(count, source->next));
}

int source_go_on(struct source *source, uint64_t index, const struct digest *given)
{
	struct digest digest;

	if (index == source->next && index == 0)
		return 0;
	if (!source->keep || keep_seek(source->keep, index, &digest) < 0) {
		snprintf(source->why, sizeof(source->why),
			 "standard input cannot be gone on with from chunk %" PRIu64
			 ": what it gave is kept only until the receiver has it, and while both "
			 "programs run; start both again",
			 index);
		return -ESPIPE;
	}
	if (!digest_equal(&digest, given)) {
		snprintf(source->why, sizeof(source->why),
			 "the receiver has something else than standard input gave: start both "
			 "programs again");
		return -ESTALE;
	}
	source->next = index;
	return 0;
}

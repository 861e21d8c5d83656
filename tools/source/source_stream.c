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

/* Up to LEN bytes. Returns them, 0 at the end, -EAGAIN when none came for WAIT, or -errno. */
static ssize_t stream_read(struct source *source, void *buf, size_t len, int64_t wait)
{
	int r = stop_poll(source->fd, POLLIN, stop_deadline(wait));

	if (r == -ETIMEDOUT)
		return -EAGAIN;
	return r < 0 ? r : out_read(source->fd, buf, len);
}

/* A whole chunk: what a pipe gives at once is less, and says nothing about the end. */
static int stream_fill(struct source *source, uint8_t *content, int64_t wait)
{
	while (source->filled < CHUNK_SIZE) {
		ssize_t n = stream_read(source, content + source->filled,
					CHUNK_SIZE - source->filled, wait);

		if (n == 0)
			break;
		if (n < 0 && n != -EAGAIN)
			snprintf(source->why, sizeof(source->why),
				 "standard input cannot be read at byte %" PRIu64 ": %s",
				 chunk_offset(&source->head.map, source->read) + source->filled,
				 n == -EINTR ? "interrupted" : strerror(-n));
		if (n < 0)
			return n;
		source->filled += n;
	}
	return 0;
}

int source_read_stream(struct source *source, struct source_job *job, bool wait)
{
	struct chunk_map *map = &source->head.map;

	if (!chunk_map_open(map))
		return 0;
	int r = stream_fill(source, job->content, wait ? STREAM_WAIT : 0);
	if (r < 0)
		return r;
	uint32_t len = source->filled;

	source->filled = 0;
	if (len && source->read == CHUNK_COUNT_MOST) {
		snprintf(source->why, sizeof(source->why),
			 "standard input is longer than an image can be, %" PRIu64
			 " bytes: send it in parts",
			 chunk_offset(map, CHUNK_COUNT_MOST));
		return -EFBIG;
	}
	if (len < CHUNK_SIZE)
		map->size = chunk_offset(map, source->read) + len;
	if (!len && source->read)
		return 0;
	job->len = len;
	/* "Zeros" goes without a length. */
	job->look = len == CHUNK_SIZE;
	return 1;
}

int source_next_stream(struct source *source, struct source_chunk *ret)
{
	if (source->keep && keep_get(source->keep, ret)) {
		source->next++;
		return 1;
	}
	if (!chunk_map_open(&source->head.map) && source->next == source->read)
		return 0;
	if (source->keep && keep_full(source->keep))
		return -ENOBUFS;
	int r = source_next_packed(source, ret);
	if (r == 1 && source->keep && keep_add(source->keep, ret) < 0)
		return -ENOMEM;
	return r;
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

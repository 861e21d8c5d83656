// SPDX-License-Identifier: GPL-2.0-or-later
/* The disk's own bytes into a pipe: `tbrecv -d | ...`. */
#include <errno.h>
#include <string.h>

#include "io/out.h"
#include "sink/sink_kinds.h"

static int sink_raw_write(struct sink *sink, const void *buf, size_t len)
{
	int r = out_write(sink->fd, buf, len);

	if (r == 0)
		sink->stored += len;
	else if (r == -EPIPE)
		sink_fail(sink, r, "the program that reads %s has ended", sink->name);
	else if (r != -EINTR)
		sink_fail(sink, r, "%s cannot be written: %s", sink->name, strerror(-r));
	return r;
}

static int sink_raw_begin(struct sink *sink, const json_t *manifest)
{
	(void)sink;
	(void)manifest;
	return 0;
}

static int sink_raw_chunk(struct sink *sink, const struct sink_chunk *chunk)
{
	return sink_raw_write(sink, chunk->content, chunk->length);
}

static int sink_raw_zero(struct sink *sink, uint64_t count, uint32_t flags)
{
	static char zeros[65536]; /* not const, which would be in the program's file */

	(void)flags;
	for (uint64_t i = sink->chunks; i < sink->chunks + count; i++) {
		uint32_t left = chunk_length(&sink->head.map, i);

		while (left) {
			uint32_t n = left < sizeof(zeros) ? left : sizeof(zeros);
			int r = sink_raw_write(sink, zeros, n);

			if (r < 0)
				return r;
			left -= n;
		}
	}
	return 0;
}

static int sink_raw_sync(struct sink *sink)
{
	int r = out_sync(sink->fd);

	if (r < 0)
		return sink_fail(sink, r, "%s cannot be synced: %s", sink->name, strerror(-r));
	return 0;
}

static int sink_raw_finish(struct sink *sink, json_t *manifest, enum sink_end *ret)
{
	int r = out_sync(sink->fd);

	(void)manifest;
	if (r < 0)
		return sink_fail(sink, r, "%s cannot be synced: %s", sink->name, strerror(-r));
	*ret = r ? SINK_DURABLE : SINK_WRITTEN;
	return 0;
}

static void sink_raw_close(struct sink *sink)
{
	(void)sink;
}

static const struct sink_ops sink_raw_ops = {
	.begin = sink_raw_begin,
	.chunk = sink_raw_chunk,
	.zero = sink_raw_zero,
	.sync = sink_raw_sync,
	.finish = sink_raw_finish,
	.close = sink_raw_close,
};

int sink_open_raw(int fd, const struct sink_options *options, struct sink **ret)
{
	struct sink *sink = sink_new(&sink_raw_ops, "standard output");

	if (!sink)
		return -ENOMEM;
	sink->options = *options;
	sink->fd = fd;
	*ret = sink;
	return 0;
}

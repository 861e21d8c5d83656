// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink/sink.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/stop.h"
#include "sink/sink_kinds.h"

struct sink *sink_new(const struct sink_ops *ops, const char *name)
{
	struct sink *sink = calloc(1, sizeof(*sink));

	if (!sink)
		return NULL;
	sink->ops = ops;
	sink->fd = -1;
	sink->name = strdup(name);
	if (!sink->name) {
		free(sink);
		return NULL;
	}
	return sink;
}

int sink_fail(struct sink *sink, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(sink->why, sizeof(sink->why), format, args);
	va_end(args);
	return error;
}

void sink_close(struct sink *sink)
{
	if (!sink)
		return;
	sink->ops->close(sink);
	free(sink->name);
	free(sink);
}

int sink_begin(struct sink *sink, const struct image_head *head, const json_t *manifest)
{
	sink->head = *head;
	return sink->ops->begin(sink, manifest);
}

const struct image_head *sink_head(const struct sink *sink)
{
	return &sink->head;
}

uint64_t sink_chunks(const struct sink *sink)
{
	return sink->chunks;
}

int sink_entry(struct sink *sink, uint64_t first, uint32_t count, struct image_entry *ret)
{
	return sink->ops->entries ? sink->ops->entries(sink, first, count, ret) : -EOPNOTSUPP;
}

int sink_fd(const struct sink *sink)
{
	return sink->image ? sink_fd(sink->image) : sink->fd;
}

/* What SINK did since BEGAN took its time. Returns R. */
static int sink_took(struct sink *sink, int64_t began, int r)
{
	sink->time += stop_now() - began;
	return r;
}

int64_t sink_time(const struct sink *sink)
{
	return sink->time;
}

int sink_chunk(struct sink *sink, const struct sink_chunk *chunk)
{
	int64_t began = stop_now();
	int r = sink_took(sink, began, sink->ops->chunk(sink, chunk));

	if (r == 0)
		sink->chunks++;
	return r;
}

int sink_zero(struct sink *sink, uint64_t count, uint32_t flags)
{
	int64_t began = stop_now();
	int r = sink_took(sink, began, sink->ops->zero(sink, count, flags));

	if (r == 0)
		sink->chunks += count;
	return r;
}

bool sink_fills(const struct sink *sink)
{
	return sink->ops->fills && sink->ops->fills(sink);
}

int sink_fill(struct sink *sink, uint64_t index, const struct sink_chunk *chunk)
{
	int64_t began = stop_now();

	return sink_took(sink, began, sink->ops->fill(sink, index, chunk));
}

int sink_sync(struct sink *sink)
{
	int64_t began = stop_now();

	return sink_took(sink, began, sink->ops->sync(sink));
}

int sink_finish(struct sink *sink, json_t *manifest, enum sink_end *ret)
{
	int64_t began = stop_now();

	return sink_took(sink, began, sink->ops->finish(sink, manifest, ret));
}

uint64_t sink_stored(const struct sink *sink)
{
	return sink->stored;
}

const char *sink_why(const struct sink *sink)
{
	return sink->why;
}

const char *sink_note(const struct sink *sink)
{
	return sink->note;
}

const char *sink_name(const struct sink *sink)
{
	return sink->name;
}

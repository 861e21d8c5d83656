// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/view.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/out.h"
#include "io/view_internal.h"

int view_fail(struct view *view, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(view->why, sizeof(view->why), format, args);
	va_end(args);
	return error;
}

void view_close(struct view *view)
{
	if (!view)
		return;
	json_decref(view->manifest);
	free(view->front.identity);
	free(view->marks);
	free(view);
}

const char *view_why(const struct view *view)
{
	return view->why;
}

const struct image_head *view_head(const struct view *view)
{
	return view->begun ? &view->front.head : NULL;
}

json_t *view_manifest(const struct view *view)
{
	return view->manifest;
}

uint64_t view_size(const struct view *view)
{
	return view->size;
}

uint64_t view_data_size(const struct view *view)
{
	return view->trailer.table;
}

uint32_t view_frames(const struct view *view)
{
	return view->trailer.frames;
}

void view_root(const struct view *view, struct digest *ret)
{
	*ret = view->root;
}

int view_read(const struct view *view, void *buf, size_t len, uint64_t offset)
{
	ssize_t n = out_read_at(view->fd, buf, len, offset);

	if (n < 0)
		return n;
	return (size_t)n == len ? 0 : -EBADMSG;
}

int view_read_entries(const struct view *view, uint64_t first, uint32_t count, void *buf)
{
	return view_read(view, buf, (size_t)count * IMAGE_ENTRY,
			 view->trailer.table + IMAGE_TABLE_HEADER + first * IMAGE_ENTRY);
}

int view_entry(const struct view *view, uint64_t index, struct image_entry *ret)
{
	uint8_t raw[IMAGE_ENTRY];
	int r = view_read_entries(view, index, 1, raw);

	return r < 0 ? r : image_entry_get(raw, ret);
}

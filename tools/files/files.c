// SPDX-License-Identifier: GPL-2.0-or-later
#include "files/files.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "files/files_kinds.h"

/* What one call may read beside what it is asked for: tables on the way, and a whole folder. */
#define FILES_WORK (256ull << 20)
#define FILES_LIST (2ull << 30)
#define FILES_OPEN (1ull << 30)

int files_fail(struct files *files, int error, const char *format, ...)
{
	va_list args;

	if (files->why[0])
		return error;
	va_start(args, format);
	vsnprintf(files->why, sizeof(files->why), format, args);
	va_end(args);
	return error;
}

static void files_begin(struct files *files, uint64_t most)
{
	files->why[0] = '\0';
	view_device_begin(files->device, most);
}

/* The image's own failure explains all that a library made of it. */
static int files_end(struct files *files, int r)
{
	const char *why;
	int failed = view_device_failed(files->device, &why);

	if (r >= 0)
		return r;
	if (failed && *why)
		snprintf(files->why, sizeof(files->why), "%s", why);
	if (failed)
		r = failed == -E2BIG ? -EBADMSG : failed;
	if (r == -ERANGE)
		r = files_fail(files, -EBADMSG,
			       "the %s file system is damaged: it points out of its partition",
			       files->kind);
	else if (r == -EBADMSG)
		files_fail(files, r, "the %s file system is damaged", files->kind);
	else
		files_fail(files, r, "%s", strerror(-r));
	return r;
}

int files_open(struct view_device *device, struct files **ret)
{
	struct files *files = calloc(1, sizeof(*files));
	const struct files_ops *ops;
	int r;

	if (!files)
		return -ENOMEM;
	files->device = device;
	*ret = files;
	r = files_kind_detect(files, &ops);
	if (r == 0 && !files->kind[0])
		r = files_fail(files, -ENOMSG, "no file system is known there");
	else if (r == 0 && !ops)
		r = files_fail(files, -EOPNOTSUPP, "%s cannot be read by this program",
			       files->kind);
	if (r == 0) {
		files_begin(files, FILES_OPEN);
		files->ops = ops;
		r = ops->open(files);
	}
	return files_end(files, r);
}

void files_close(struct files *files)
{
	if (!files)
		return;
	if (files->ops && files->fs)
		files->ops->close(files);
	free(files);
}

const char *files_kind(const struct files *files)
{
	return files->kind;
}

const char *files_note(const struct files *files)
{
	return files->note;
}

const char *files_why(const struct files *files)
{
	return files->why;
}

bool files_unreadable(const struct files *files)
{
	return files->unreadable;
}

uint64_t files_root(const struct files *files)
{
	return files->root;
}

static int stat_checked(struct files *files, uint64_t id, struct files_stat *ret)
{
	struct files_stat stat = {0};
	int r = files->ops->stat(files, id, &stat);

	if (r == 0 && stat.size > INT64_MAX)
		r = files_fail(files, -EBADMSG, "the %s file system is damaged: an absurd size",
			       files->kind);
	if (r == 0)
		*ret = stat;
	return r;
}

int files_stat(struct files *files, uint64_t id, struct files_stat *ret)
{
	files_begin(files, FILES_WORK);
	return files_end(files, stat_checked(files, id, ret));
}

/* Where file ID ends. */
static int files_size(struct files *files, uint64_t id, uint64_t *ret)
{
	struct files_stat stat;

	if (!files->sized || files->id != id) {
		int r = stat_checked(files, id, &stat);

		if (r < 0)
			return r;
		if (!S_ISREG(stat.mode))
			return S_ISDIR(stat.mode) ? -EISDIR : -EINVAL;
		files->id = id;
		files->size = stat.size;
		files->sized = true;
	}
	*ret = files->size;
	return 0;
}

int files_read(struct files *files, uint64_t id, void *buf, uint32_t len, uint64_t offset)
{
	uint64_t size;
	int r;

	files_begin(files, FILES_WORK + 2 * (uint64_t)len);
	r = files_size(files, id, &size);
	if (r == 0 && (offset >= size || len == 0))
		return 0;
	if (len > INT32_MAX)
		len = INT32_MAX;
	if (r == 0 && len > size - offset)
		len = size - offset;
	if (r == 0)
		r = files->ops->read(files, id, buf, len, offset);
	files->unreadable = view_device_unreadable(files->device);
	return files_end(files, r < 0 ? r : (int)len);
}

int files_hole(struct files *files, uint64_t id, uint64_t offset, uint64_t *ret)
{
	uint64_t size, len = 0;
	int r;

	files_begin(files, FILES_WORK);
	r = files_size(files, id, &size);
	if (r == 0 && offset < size && files->ops->hole)
		r = files->ops->hole(files, id, offset, &len);
	if (r == 0)
		*ret = offset < size && len > size - offset ? size - offset : len;
	return files_end(files, r);
}

int files_readlink(struct files *files, uint64_t id, char ret[FILES_LINK_MOST])
{
	int r = -EINVAL;

	files_begin(files, FILES_WORK);
	if (files->ops->readlink)
		r = files->ops->readlink(files, id, ret, FILES_LINK_MOST - 1);
	if (r >= 0 && (r == 0 || memchr(ret, '\0', r)))
		r = files_fail(files, -EBADMSG,
			       "the %s file system is damaged: a symlink to nowhere", files->kind);
	if (r > 0) {
		ret[r] = '\0';
		r = 0;
	}
	return files_end(files, r);
}

int files_list_add(struct files_list *list, uint64_t id, const char *name, size_t len,
		   uint32_t type)
{
	if ((len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.'))
		return 0;
	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 64;
		struct files_entry *more = reallocarray(list->entries, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		list->entries = more;
		list->room = room;
	}
	if (list->count == FILES_LIST_MOST || list->names_len + len + 1 > FILES_NAMES_MOST)
		return -E2BIG;
	if (list->names_len + len + 1 > list->names_room) {
		size_t room = 2 * list->names_room + len + 4096;
		char *more = realloc(list->names, room);

		if (!more)
			return -ENOMEM;
		list->names = more;
		list->names_room = room;
	}
	memcpy(list->names + list->names_len, name, len);
	list->names[list->names_len + len] = '\0';
	list->entries[list->count++] = (struct files_entry){.id = id, .len = len, .type = type};
	list->names_len += len + 1;
	return 0;
}

static int list_compare(const void *a, const void *b)
{
	const struct files_entry *x = a, *y = b;
	int r = memcmp(x->name, y->name, x->len < y->len ? x->len : y->len);

	return r ? r : x->len < y->len ? -1 : x->len > y->len;
}

int files_list(struct files *files, uint64_t id, struct files_list *ret)
{
	struct files_list list = {0};
	struct files_stat stat;
	size_t at = 0;
	int r;

	files_begin(files, FILES_LIST);
	r = stat_checked(files, id, &stat);
	if (r == 0 && !S_ISDIR(stat.mode))
		r = -ENOTDIR;
	if (r == 0)
		r = files->ops->list(files, id, &list);
	if (r == -E2BIG)
		files_fail(files, r, "more than %u entries or %llu bytes of names are in it",
			   FILES_LIST_MOST, FILES_NAMES_MOST);
	if (r < 0) {
		files_list_free(&list);
		return files_end(files, r);
	}
	/* The names have stopped moving only now. */
	for (size_t i = 0; i < list.count; i++) {
		list.entries[i].name = list.names + at;
		at += list.entries[i].len + 1;
	}
	if (list.count)
		qsort(list.entries, list.count, sizeof(*list.entries), list_compare);
	*ret = list;
	return 0;
}

void files_list_free(struct files_list *list)
{
	free(list->entries);
	free(list->names);
	*list = (struct files_list){0};
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Names and paths. */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "codec/bytes.h"
#include "files/files_kinds.h"

#define NAME_DEPTH_MOST 4096 /* folders above one file */

bool files_name_safe(const char *name, size_t len)
{
	if (len == 0 || memchr(name, '/', len) || memchr(name, '\0', len))
		return false;
	return !(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')));
}

size_t files_utf16(const uint8_t *text, size_t count, char *ret)
{
	char *out = ret;

	for (size_t i = 0; i < count; i++) {
		uint32_t point = bytes_get16(text + 2 * i);
		uint32_t next = i + 1 < count ? bytes_get16(text + 2 * i + 2) : 0;

		if ((point & 0xfc00) == 0xd800 && (next & 0xfc00) == 0xdc00) {
			point = 0x10000 + ((point & 0x3ff) << 10) + (next & 0x3ff);
			i++;
			*out++ = 0xf0 | point >> 18;
			*out++ = 0x80 | (point >> 12 & 0x3f);
			*out++ = 0x80 | (point >> 6 & 0x3f);
			*out++ = 0x80 | (point & 0x3f);
		} else if (point >= 0x800) {
			*out++ = 0xe0 | point >> 12;
			*out++ = 0x80 | (point >> 6 & 0x3f);
			*out++ = 0x80 | (point & 0x3f);
		} else if (point >= 0x80) {
			*out++ = 0xc0 | point >> 6;
			*out++ = 0x80 | (point & 0x3f);
		} else {
			*out++ = point;
		}
	}
	return out - ret;
}

/* The way from the root to where we are, for "..". */
struct name_walk {
	struct files *files;
	uint64_t ids[NAME_DEPTH_MOST];
	size_t depth;
	int followed;
};

static int name_lookup(struct files *files, uint64_t folder, const char *name, size_t len,
		       struct files_entry *ret)
{
	const struct files_entry *found = NULL;
	struct files_list list;
	int r = files_list(files, folder, &list);

	if (r < 0)
		return r;
	for (size_t i = 0; i < list.count; i++) {
		const struct files_entry *entry = &list.entries[i];

		if (entry->len != len)
			continue;
		if (memcmp(entry->name, name, len) == 0) {
			found = entry;
			break;
		}
		if (files->ops->caseless && strncasecmp(entry->name, name, len) == 0)
			found = entry;
	}
	if (found)
		*ret = *found;
	files_list_free(&list);
	return found ? 0 : files_fail(files, -ENOENT, "there is no such file");
}

static int walk_path(struct name_walk *walk, const char *path, bool follow);

/* One step down. A symlink is walked from the folder that it is in. */
static int walk_step(struct name_walk *walk, const char *name, size_t len, bool follow)
{
	struct files *files = walk->files;
	struct files_entry entry = {0};
	char target[FILES_LINK_MOST];
	struct files_stat stat;
	int r = name_lookup(files, walk->ids[walk->depth], name, len, &entry);

	if (r == 0)
		r = files_stat(files, entry.id, &stat);
	if (r < 0)
		return r;
	if (S_ISLNK(stat.mode) && follow) {
		if (++walk->followed > FILES_FOLLOW_MOST)
			return files_fail(files, -ELOOP, "its symlinks lead in circles");
		r = files_readlink(files, entry.id, target);
		return r < 0 ? r : walk_path(walk, target, true);
	}
	if (walk->depth + 1 == NAME_DEPTH_MOST)
		return files_fail(files, -ENAMETOOLONG, "its folders are too deep");
	walk->ids[++walk->depth] = entry.id;
	return 0;
}

static int walk_path(struct name_walk *walk, const char *path, bool follow)
{
	int r = 0;

	if (*path == '/')
		walk->depth = 0;
	while (r == 0 && *path) {
		size_t len = strcspn(path, "/");
		const char *next = path + len + strspn(path + len, "/");

		if (len == 2 && path[0] == '.' && path[1] == '.')
			walk->depth -= walk->depth > 0;
		else if (len && !(len == 1 && path[0] == '.'))
			/* What a slash follows has to be a folder. */
			r = walk_step(walk, path, len, follow || path[len] == '/');
		path = next;
	}
	return r;
}

int files_find(struct files *files, const char *path, bool follow, uint64_t *ret)
{
	struct name_walk walk = {.files = files, .ids = {files->root}};
	struct files_stat stat;
	int r = walk_path(&walk, path, follow);
	if (r < 0)
		return r;
	*ret = walk.ids[walk.depth];
	if (*path && path[strlen(path) - 1] == '/') {
		r = files_stat(files, *ret, &stat);
		if (r == 0 && !S_ISDIR(stat.mode))
			r = files_fail(files, -ENOTDIR, "it is no folder");
	}
	return r;
}

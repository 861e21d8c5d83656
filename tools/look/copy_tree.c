// SPDX-License-Identifier: GPL-2.0-or-later
/* Folders, and what is to be done with each kind of file. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "look/copy_internal.h"
#include "io/stop.h"
#include "ui/msg.h"

int copy_source_failed(struct copy *copy, int r)
{
	copy->result.failed++;
	if (r == -EINTR)
		msg_error("interrupted at %s", copy->path);
	else
		msg_error("%s is not copied: %s", copy->path, files_why(copy->files));
	return r == -EINTR || r == -ENOMEM ? r : 0;
}

/* What only this name is to blame for lets the others be tried. */
int copy_target_failed(struct copy *copy, const char *name, int r)
{
	copy->result.failed++;
	if (r == -EEXIST || r == -EISDIR || r == -ENOTDIR || r == -ELOOP)
		msg_error("%s is not copied: %s exists%s", copy->path, name,
			  r != -EEXIST		? " and is of another kind"
			  : copy->options.force ? ""
						: "; --force replaces it");
	else
		msg_error("%s cannot be written to %s: %s", copy->path, name, strerror(-r));
	switch (r) {
	case -EEXIST:
	case -EISDIR:
	case -ENOTDIR:
	case -ELOOP:
	case -ENAMETOOLONG:
	case -EILSEQ:
	case -EINVAL:
	case -EFBIG: return 0;
	default: return r;
	}
}

/* "/" and NAME behind the path. Returns the length to go back to, or -ENOMEM. */
static ssize_t tree_enter(struct copy *copy, const char *name, size_t len)
{
	size_t before = copy->path_len;
	bool slash = before && copy->path[before - 1] != '/';

	if (before + len + 2 > copy->path_room) {
		size_t room = 2 * copy->path_room + len + 2;
		char *more = realloc(copy->path, room);

		if (!more)
			return -ENOMEM;
		copy->path = more;
		copy->path_room = room;
	}
	if (slash)
		copy->path[copy->path_len++] = '/';
	memcpy(copy->path + copy->path_len, name, len);
	copy->path_len += len;
	copy->path[copy->path_len] = '\0';
	return before;
}

static void tree_leave(struct copy *copy, size_t before)
{
	copy->path_len = before;
	copy->path[before] = '\0';
}

static int tree_refuse(struct copy *copy, const char *why)
{
	copy->result.failed++;
	msg_error("%s is not copied: %s", copy->path, why);
	return 0;
}

int copy_children(struct copy *copy, int folder, uint64_t id)
{
	struct files_list list;
	int r = files_seen_add(&copy->seen, id);

	if (r == 0)
		return tree_refuse(copy, "the file system is damaged: it was in another folder");
	if (r < 0)
		return tree_refuse(copy, "there are too many folders");
	if (copy->depth == FILES_DEPTH_MOST)
		return tree_refuse(copy, "its folders are too deep");
	r = files_list(copy->files, id, &list);
	if (r < 0)
		return copy_source_failed(copy, r);
	copy->depth++;
	for (size_t i = 0; r == 0 && i < list.count; i++) {
		const struct files_entry *entry = &list.entries[i];
		ssize_t before = tree_enter(copy, entry->name, entry->len);

		if (before < 0) {
			msg_error("out of memory");
			r = before;
			break;
		}
		if (files_name_safe(entry->name, entry->len))
			r = copy_node(copy, folder, entry->name, entry->id);
		else
			tree_refuse(copy, "no file can have that name");
		tree_leave(copy, before);
	}
	copy->depth--;
	files_list_free(&list);
	return r;
}

static int tree_folder(struct copy *copy, int folder, const char *name, uint64_t id,
		       const struct files_stat *stat)
{
	bool made = mkdirat(folder, name, 0700) == 0;
	int fd, r;

	if (!made && (errno != EEXIST || !copy->options.force))
		return copy_target_failed(copy, name, -errno);
	fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return copy_target_failed(copy, name, -errno);
	copy->result.folders += made;
	r = copy_children(copy, fd, id);
	/* Last, for a folder that nothing may be written to. */
	if (made) {
		int err = copy_attributes(copy, fd, stat);

		if (err < 0 && r == 0)
			r = copy_target_failed(copy, name, err);
	}
	close(fd);
	return r;
}

int copy_node(struct copy *copy, int folder, const char *name, uint64_t id)
{
	struct files_stat stat;
	struct stat there;
	int r = stop_signal() ? -EINTR : files_stat(copy->files, id, &stat);

	if (r < 0)
		return copy_source_failed(copy, r);
	if (!S_ISDIR(stat.mode) && !copy->options.force &&
	    fstatat(folder, name, &there, AT_SYMLINK_NOFOLLOW) == 0)
		return copy_target_failed(copy, name, -EEXIST);
	switch (stat.mode & S_IFMT) {
	case S_IFREG: return copy_file(copy, folder, name, id, &stat);
	case S_IFLNK: return copy_link(copy, folder, name, id, &stat);
	case S_IFDIR: return tree_folder(copy, folder, name, id, &stat);
	case S_IFCHR:
	case S_IFBLK:
		copy->result.skipped++;
		msg_warn("%s is left out: it is a device node", copy->path);
		return 0;
	case S_IFIFO:
	case S_IFSOCK:
		copy->result.skipped++;
		msg_warn("%s is left out: it is a pipe or a socket", copy->path);
		return 0;
	default: return tree_refuse(copy, "the file system is damaged: it is of no known kind");
	}
}

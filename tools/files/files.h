/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of a file system in an image, without mounting it: one interface, one file for every
 * kind (files_kinds.h). Everything is read-only, and everything that comes from the file system may
 * be hostile: names are any bytes, sizes any numbers, folders can hold themselves. What can be
 * checked without knowing what it is for is checked here; who writes names to a disk looks at them
 * with files_name_safe. Single-threaded.
 */
#ifndef FILES_FILES_H
#define FILES_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "io/view_device.h"

#define FILES_NAME_MOST	  1024u	       /* bytes of one name */
#define FILES_LINK_MOST	  4096u	       /* bytes of a symlink's target, its NUL included */
#define FILES_LIST_MOST	  (1u << 24)   /* entries of one folder */
#define FILES_NAMES_MOST  (1ull << 30) /* bytes of all their names */
#define FILES_FOLLOW_MOST 40	       /* symlinks on the way to one file */

struct files;

/*
 * Opens the file system that fills DEVICE, which stays the caller's and has to outlive it. Returns
 * 0; -ENOMSG when there is none that is known; -EOPNOTSUPP when there is one that this program
 * cannot read; -EBADMSG when it or the image is damaged; or -errno. *ret is set whatever is
 * returned, for files_why and files_kind, but for -ENOMEM.
 */
int files_open(struct view_device *device, struct files **ret);
void files_close(struct files *files); /* NULL is fine */

const char *files_kind(const struct files *files); /* "ext4"; "" when it is not known */
/* What a user has to know of it ("it was not unmounted, ..."), or "". */
const char *files_note(const struct files *files);
/* Why the last call failed: a sentence without its subject. */
const char *files_why(const struct files *files);
/* Whether the last files_read gave zeros for what the source's disk could not read. */
bool files_unreadable(const struct files *files);

struct files_stat {
	uint32_t mode; /* type and permissions, as st_mode */
	bool owned;    /* permissions, uid and gid are the file system's own, not made up */
	uint32_t uid, gid, links;
	uint64_t size;
	struct timespec mtime, atime;
};

/* A file is known by a number that only its file system understands. */
uint64_t files_root(const struct files *files);
/* All of these return 0 or -errno: -EBADMSG when the file system or the image is damaged. */
int files_stat(struct files *files, uint64_t id, struct files_stat *ret);

struct files_entry {
	uint64_t id;
	const char *name; /* any bytes, a NUL behind them */
	size_t len;
	uint32_t type; /* S_IFDIR and so on; 0: files_stat knows */
};

struct files_list {
	struct files_entry *entries; /* sorted by name, without "." and ".." */
	size_t count, room;
	char *names;
	size_t names_len, names_room;
};

/* The entries of folder ID; -ENOTDIR when it is none; -E2BIG when there are too many. */
int files_list(struct files *files, uint64_t id, struct files_list *ret);
void files_list_free(struct files_list *list);

/*
 * Reads up to LEN bytes at OFFSET of file ID to BUF. Returns how many, 0 at the end, or -errno. A
 * file is best read from its first byte to its last.
 */
int files_read(struct files *files, uint64_t id, void *buf, uint32_t len, uint64_t offset);
/*
 * How many bytes from OFFSET on are known to be a hole: *ret, which may be 0, and never reaches
 * behind the file's end.
 */
int files_hole(struct files *files, uint64_t id, uint64_t offset, uint64_t *ret);
/* The target of symlink ID, NUL-terminated. */
int files_readlink(struct files *files, uint64_t id, char ret[FILES_LINK_MOST]);

/*
 * The file at PATH, from the root on, "." and ".." as in a shell. Symlinks on the way are followed,
 * within the file system; the last one is if FOLLOW. Where names differ only by case in file
 * systems that do not care, the one that is exact is taken, else any. Returns 0, -ENOENT, -ENOTDIR,
 * -ELOOP or another -errno.
 */
int files_find(struct files *files, const char *path, bool follow, uint64_t *ret);

/* Whether a file of that name can be made in a folder without leaving it. */
bool files_name_safe(const char *name, size_t len);

#endif

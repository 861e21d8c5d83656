/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between files.c and the file systems. A new one is a file with a struct files_ops, and a line in
 * files_kind.c.
 */
#ifndef FILES_FILES_KINDS_H
#define FILES_FILES_KINDS_H

#include "files/files.h"

/*
 * What a file system has to do. All return -errno, where files_fail may have told why; open sets
 * files->root, and files->fs before anything fails that close has to free. ids come from list or
 * root, but the folder that they were in may have lied. The device has been told how much may be
 * read.
 */
struct files_ops {
	bool caseless; /* names are found in whatever case */
	int (*open)(struct files *files);
	void (*close)(struct files *files);
	int (*stat)(struct files *files, uint64_t id, struct files_stat *ret);
	/* Calls files_list_add for every entry; "." and ".." may be among them. */
	int (*list)(struct files *files, uint64_t id, struct files_list *list);
	/* LEN bytes at OFFSET, all of them before the end that stat told. Returns 0. */
	int (*read)(struct files *files, uint64_t id, void *buf, uint32_t len, uint64_t offset);
	/* As files_hole; NULL where holes are not known. OFFSET lies before the end. */
	int (*hole)(struct files *files, uint64_t id, uint64_t offset, uint64_t *ret);
	/* Up to LEN bytes of the target; returns how many. NULL where there are no symlinks. */
	int (*readlink)(struct files *files, uint64_t id, char *buf, size_t len);
};

extern const struct files_ops files_ext, files_fat, files_ntfs;

struct files {
	struct view_device *device;
	const struct files_ops *ops; /* NULL when it could not be opened */
	void *fs;		     /* what ops keeps */
	uint64_t root;
	char kind[32], note[160], why[320];
	/* The file that was last read. */
	uint64_t id, size;
	bool sized, unreadable;
};

/* Notes why, and returns ERROR. The first one counts. */
__attribute__((format(printf, 3, 4))) int files_fail(struct files *files, int error,
						     const char *format, ...);
/* For a list: a name of any bytes. Returns 0, -E2BIG or -ENOMEM. */
int files_list_add(struct files_list *list, uint64_t id, const char *name, size_t len,
		   uint32_t type);

/*
 * What the device begins with: sets files->kind, and *ret to what reads it, or NULL. Returns 0 or
 * -errno.
 */
int files_kind_detect(struct files *files, const struct files_ops **ret);

/*
 * COUNT UTF-16LE units at TEXT as UTF-8 to RET, of 3 * COUNT bytes at least; half a pair is written
 * as if it were a character, so that two names never become one. Returns the length.
 */
size_t files_utf16(const uint8_t *text, size_t count, char *ret);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One file of a list, in each of the ways that it can be shown. */
#ifndef LIST_ENTRY_H
#define LIST_ENTRY_H

#include "look/list.h"
#include "ui/table.h"

struct list_entry {
	const char *folder; /* its path */
	const char *name;
	size_t len;
	bool known; /* all of stat; else stat.mode is its type at most */
	struct files_stat stat;
	char target[FILES_LINK_MOST]; /* of a symlink */
};

/* Folder and name as a new string, or NULL. A NUL in the name ends it. */
char *list_entry_path(const struct list_entry *entry);
/* The table that the rows go to; NULL where there is none. */
struct table *list_entry_table(const struct options *options);
void list_entry_row(const struct list_entry *entry, struct table *table);
void list_entry_name(const struct list_entry *entry);
/*
 * A line {"path": "/etc/fstab", "type": "file", ...}. A path that is not UTF-8 has U+FFFD for every
 * byte that is not, and its bytes are in "path_hex"; so has a symlink's "target".
 */
void list_entry_json(const struct list_entry *entry);
/* The folder's line above its entries. */
void list_entry_heading(const char *path, bool gap);

#endif

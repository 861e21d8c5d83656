// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "codec/text.h"
#include "files/files_seen.h"
#include "io/stop.h"
#include "look/list.h"
#include "look/list_entry.h"
#include "programs.h"
#include "ui/msg.h"
#include "ui/table.h"

struct list_walk {
	const struct options *options;
	struct files *files;
	struct files_seen seen;
	bool failed, ended; /* something, or the whole */
	unsigned int depth;
};

static void walk_failed(struct list_walk *walk, const char *path, int r)
{
	walk->failed = true;
	if (r == -EINTR)
		msg_error("interrupted");
	else
		msg_error("%s cannot be listed: %s", path, files_why(walk->files));
	walk->ended |= r == -EINTR || r == -ENOMEM;
}

/* What is to be known of ENTRY, whose type may be all that is asked for. */
static int walk_look(struct list_walk *walk, const char *folder, const struct files_entry *entry,
		     struct list_entry *ret)
{
	const struct options *options = walk->options;
	int r = 0;

	*ret = (struct list_entry){
		.folder = folder, .name = entry->name, .len = entry->len, .stat.mode = entry->type};
	ret->known = options->details || options->json || entry->type == 0;
	if (ret->known)
		r = files_stat(walk->files, entry->id, &ret->stat);
	if (r == 0 && ret->known && S_ISLNK(ret->stat.mode))
		r = files_readlink(walk->files, entry->id, ret->target);
	if (r < 0) {
		char *path = list_entry_path(ret);

		walk_failed(walk, path ? path : entry->name, r);
		free(path);
		ret->known = false;
	}
	return r;
}

static void walk_show(struct list_walk *walk, struct table *table, const struct list_entry *entry)
{
	if (walk->options->json)
		list_entry_json(entry);
	else if (walk->options->details)
		list_entry_row(entry, table);
	else
		list_entry_name(entry);
}

/* The folders of a list, one after the other. */
static void walk_folder(struct list_walk *walk, const char *path, uint64_t id);

static void walk_down(struct list_walk *walk, const char *path, const struct files_list *list)
{
	for (size_t i = 0; i < list->count && !walk->ended; i++) {
		const struct list_entry entry = {
			.folder = path, .name = list->entries[i].name, .len = list->entries[i].len};
		char *below;

		if (!S_ISDIR(list->entries[i].type))
			continue;
		below = list_entry_path(&entry);
		if (!below) {
			msg_error("out of memory");
			walk->ended = walk->failed = true;
			return;
		}
		walk_folder(walk, below, list->entries[i].id);
		free(below);
	}
}

static void walk_list(struct list_walk *walk, const char *path, struct files_list *list)
{
	struct table *table = list_entry_table(walk->options);
	struct list_entry entry;

	if (walk->options->recursive && !walk->options->json)
		list_entry_heading(path, walk->depth > 1);
	for (size_t i = 0; i < list->count && !walk->ended; i++) {
		if (stop_signal()) {
			walk_failed(walk, path, -EINTR);
			break;
		}
		int r = walk_look(walk, path, &list->entries[i], &entry);

		if (r == 0)
			list->entries[i].type = entry.stat.mode & S_IFMT;
		walk_show(walk, table, &entry);
	}
	table_print(table, stdout, 0);
}

static void walk_folder(struct list_walk *walk, const char *path, uint64_t id)
{
	struct files_list list;
	int r = files_seen_add(&walk->seen, id);

	if (r == 0 || walk->depth == FILES_DEPTH_MOST) {
		msg_error("%s cannot be listed: %s", path,
			  r ? "its folders are too deep"
			    : "the file system is damaged: it was in another folder");
		walk->failed = true;
		return;
	}
	r = r < 0 ? r : files_list(walk->files, id, &list);
	if (r < 0) {
		walk_failed(walk, path, r);
		return;
	}
	walk->depth++;
	walk_list(walk, path, &list);
	if (walk->options->recursive)
		walk_down(walk, path, &list);
	walk->depth--;
	files_list_free(&list);
}

/* A file that was named itself. */
static void walk_file(struct list_walk *walk, const char *path, uint64_t id)
{
	struct table *table = list_entry_table(walk->options);
	const struct files_entry entry = {.id = id, .name = path, .len = strlen(path)};
	struct list_entry look;

	if (walk_look(walk, "", &entry, &look) == 0)
		walk_show(walk, table, &look);
	table_print(table, stdout, 0);
}

int list_files(const struct options *options, const struct place *place, struct files *files)
{
	struct list_walk walk = {.options = options, .files = files};
	struct files_stat stat;
	uint64_t id;
	/* As ls does: with -l a symlink is shown, not what it points at. */
	int r = files_find(files, place->path, !options->details, &id);

	if (r == 0)
		r = files_stat(files, id, &stat);
	if (r < 0)
		walk_failed(&walk, place->path, r);
	else if (S_ISDIR(stat.mode))
		walk_folder(&walk, place->path, id);
	else
		walk_file(&walk, place->path, id);
	files_seen_free(&walk.seen);
	if (fflush(stdout) != 0) {
		msg_error("standard output: %s", strerror(errno));
		walk.failed = true;
	}
	return walk.failed ? EXIT_FAILED : EXIT_VERIFIED;
}

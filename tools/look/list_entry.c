// SPDX-License-Identifier: GPL-2.0-or-later
#include "look/list_entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "codec/text.h"
#include "programs.h"

static char *entry_join(const struct list_entry *entry, size_t *ret_len)
{
	size_t folder = strlen(entry->folder);
	bool slash = folder && entry->folder[folder - 1] != '/';
	char *path = malloc(folder + entry->len + 2);

	if (!path)
		return NULL;
	memcpy(path, entry->folder, folder);
	if (slash)
		path[folder++] = '/';
	memcpy(path + folder, entry->name, entry->len);
	*ret_len = folder + entry->len;
	path[*ret_len] = '\0';
	return path;
}

char *list_entry_path(const struct list_entry *entry)
{
	size_t len;

	return entry_join(entry, &len);
}

struct table *list_entry_table(const struct options *options)
{
	static const char *const headings[] = {"Size", "Mode", "Owner", "Time", "Name"};
	size_t columns = sizeof(headings) / sizeof(headings[0]);
	struct table *table;

	if (options->json || !options->details)
		return NULL;
	table = table_new(columns, 1);
	for (size_t i = 0; i < columns; i++)
		table_add(table, headings[i]);
	return table;
}

static const struct entry_type {
	uint32_t type;
	char letter;
	const char *name;
} entry_types[] = {
	{S_IFREG, '-', "file"},	   {S_IFDIR, 'd', "folder"}, {S_IFLNK, 'l', "symlink"},
	{S_IFCHR, 'c', "char"},	   {S_IFBLK, 'b', "block"},  {S_IFIFO, 'p', "pipe"},
	{S_IFSOCK, 's', "socket"}, {0, '?', "unknown"},
};

static const struct entry_type *entry_type(uint32_t mode)
{
	const struct entry_type *type = entry_types;

	while (type->type && type->type != (mode & S_IFMT))
		type++;
	return type;
}

static const char *entry_mode(uint32_t mode, char ret[11])
{
	static const char letters[] = "rwxrwxrwx";

	ret[0] = entry_type(mode)->letter;
	for (int i = 0; i < 9; i++)
		ret[1 + i] = mode & 0400 >> i ? letters[i] : '-';
	if (mode & S_ISUID)
		ret[3] = mode & 0100 ? 's' : 'S';
	if (mode & S_ISGID)
		ret[6] = mode & 010 ? 's' : 'S';
	if (mode & S_ISVTX)
		ret[9] = mode & 01 ? 't' : 'T';
	ret[10] = '\0';
	return ret;
}

/* The name with a slash behind a folder's, and a symlink's target; without control characters. */
static char *entry_shown(const struct list_entry *entry)
{
	size_t target = strlen(entry->target), at;
	char *text = malloc(entry->len + target + 8);

	if (!text)
		return NULL;
	/* A NUL is none of a name's bytes, but hostile ones have some. */
	for (at = 0; at < entry->len; at++)
		text[at] = entry->name[at] ? entry->name[at] : '?';
	text[at] = '\0';
	at = text_put(text, at + 1, text);
	if (S_ISDIR(entry->stat.mode))
		text[at++] = '/';
	text[at] = '\0';
	if (target) {
		memcpy(text + at, " -> ", 4);
		at += 4 + text_put(entry->target, target + 1, text + at + 4);
		text[at] = '\0';
	}
	return text;
}

void list_entry_row(const struct list_entry *entry, struct table *table)
{
	char text[40], *shown = entry_shown(entry);
	const struct files_stat *stat = &entry->stat;
	time_t seconds = stat->mtime.tv_sec;
	struct tm tm;

	if (!entry->known)
		stat = &(const struct files_stat){0};
	snprintf(text, sizeof(text), "%llu", (unsigned long long)stat->size);
	table_add(table, entry->known ? text : "?");
	table_add(table, entry_mode(entry->known ? stat->mode : 0, text));
	*text = '\0';
	if (stat->owned)
		snprintf(text, sizeof(text), "%u:%u", stat->uid, stat->gid);
	table_add(table, text);
	*text = '\0';
	if (entry->known && localtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
	table_add(table, text);
	table_add(table, shown ? shown : "?");
	free(shown);
}

void list_entry_name(const struct list_entry *entry)
{
	char *shown = entry_shown(entry);

	puts(shown ? shown : "?");
	free(shown);
}

/* The length of the UTF-8 character at TEXT, of which LEN bytes are there; 0: there is none. */
static size_t entry_character(const char *text, size_t len)
{
	for (size_t size = 1; size <= 4 && size <= len; size++) {
		json_t *string = json_stringn(text, size);

		json_decref(string);
		if (string)
			return size;
	}
	return 0;
}

/* Sets KEY to the LEN bytes at TEXT, and KEY_hex beside it where they are not UTF-8. */
static void entry_set(json_t *object, const char *key, const char *text, size_t len)
{
	json_t *string = json_stringn(text, len);
	char *lossy = string ? NULL : malloc(3 * len + 1);
	char *hex = string ? NULL : malloc(2 * len + 1);
	char hex_key[16];
	size_t n = 0;

	if (lossy && hex) {
		for (size_t i = 0; i < len; i++)
			snprintf(hex + 2 * i, 3, "%02x", (unsigned char)text[i]);
		for (size_t i = 0, step; i < len; i += step ? step : 1) {
			step = entry_character(text + i, len - i);
			memcpy(lossy + n, step ? text + i : "\xef\xbf\xbd", step ? step : 3);
			n += step ? step : 3;
		}
		snprintf(hex_key, sizeof(hex_key), "%s_hex", key);
		json_object_set_new(object, hex_key, json_string(hex));
		string = json_stringn(lossy, n);
	}
	json_object_set_new(object, key, string);
	free(lossy);
	free(hex);
}

void list_entry_json(const struct list_entry *entry)
{
	const struct files_stat *stat = &entry->stat;
	json_t *object = json_object();
	char mode[8];
	size_t len;
	char *path = entry_join(entry, &len);

	if (path)
		entry_set(object, "path", path, len);
	free(path);
	json_object_set_new(object, "type",
			    json_string(entry_type(entry->known ? stat->mode : 0)->name));
	if (entry->known) {
		json_object_set_new(object, "size", json_integer(stat->size));
		json_object_set_new(object, "mtime", json_integer(stat->mtime.tv_sec));
	}
	if (entry->known && stat->owned) {
		snprintf(mode, sizeof(mode), "%04o", stat->mode & 07777);
		json_object_set_new(object, "mode", json_string(mode));
		json_object_set_new(object, "uid", json_integer(stat->uid));
		json_object_set_new(object, "gid", json_integer(stat->gid));
		json_object_set_new(object, "links", json_integer(stat->links));
	}
	if (*entry->target)
		entry_set(object, "target", entry->target, strlen(entry->target));
	program_json_out(object, 0);
}

void list_entry_heading(const char *path, bool gap)
{
	char *clean = malloc(strlen(path) + 1);

	if (clean) {
		clean[text_put(path, strlen(path), clean)] = '\0';
		printf("%s%s:\n", gap ? "\n" : "", clean);
	}
	free(clean);
}

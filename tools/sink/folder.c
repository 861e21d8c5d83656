// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "codec/manifest.h"
#include "codec/text.h"
#include "sink/folder_name.h"
#include "io/out.h"

#define FOLDER_TEXT 255 /* bytes of a peer's string in the index */

struct folder {
	char *path, *parent;
	bool force;
	bool indexed;  /* the index that is there is ours */
	char *index;   /* its path, once the first image came */
	json_t *files; /* what it says of the images */
	json_t *about; /* and of all */
};

struct folder_why {
	char *text;
	size_t len;
};

__attribute__((format(printf, 3, 4))) static int folder_fail(const struct folder_why *why,
							     int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why->text, why->len, format, args);
	va_end(args);
	return error;
}

bool folder_meant(const char *path)
{
	size_t len = strlen(path);
	struct stat st;

	return (len && path[len - 1] == '/') || (!stat(path, &st) && S_ISDIR(st.st_mode));
}

/* PATH without slashes at its end, and its parent. */
static int folder_set_path(struct folder *folder, const char *path)
{
	size_t len = strlen(path);
	char *copy;

	while (len > 1 && path[len - 1] == '/')
		len--;
	folder->path = strndup(path, len);
	copy = strndup(path, len);
	folder->parent = copy ? strdup(dirname(copy)) : NULL;
	free(copy);
	return folder->path && folder->parent ? 0 : -ENOMEM;
}

static int folder_check(const struct folder *folder, const struct folder_why *why)
{
	struct stat st;

	if (!stat(folder->path, &st)) {
		if (!S_ISDIR(st.st_mode))
			return folder_fail(
				why, -ENOTDIR,
				"%s is a file: name a folder, or leave out the / behind it "
				"to write one image",
				folder->path);
		if (access(folder->path, W_OK | X_OK))
			return folder_fail(
				why, -errno,
				"nothing can be written into %s: %s; choose another folder",
				folder->path, strerror(errno));
		return 0;
	}
	if (errno != ENOENT)
		return folder_fail(why, -errno, "%s cannot be used: %s", folder->path,
				   strerror(errno));
	if (access(folder->parent, W_OK | X_OK))
		return folder_fail(why, -errno,
				   "the folder %s cannot be made in %s: %s; make it, or choose "
				   "another one",
				   folder->path, folder->parent, strerror(errno));
	return 0;
}

int folder_open(const char *path, bool force, struct folder **ret, char *ret_why, size_t len)
{
	struct folder_why why = {ret_why, len};
	struct folder *folder = calloc(1, sizeof(*folder));
	int r = folder ? folder_set_path(folder, path) : -ENOMEM;

	if (r == 0) {
		folder->force = force;
		folder->files = json_array();
		r = folder->files ? folder_check(folder, &why) : -ENOMEM;
	}
	if (r == -ENOMEM)
		folder_fail(&why, r, "out of memory");
	if (r < 0)
		folder_close(folder);
	else
		*ret = folder;
	return r;
}

void folder_close(struct folder *folder)
{
	if (!folder)
		return;
	free(folder->path);
	free(folder->parent);
	free(folder->index);
	json_decref(folder->files);
	json_decref(folder->about);
	free(folder);
}

const char *folder_path(const struct folder *folder)
{
	return folder->path;
}

/* A string that came from the peer, so that it harms neither memory nor a terminal. */
static json_t *folder_text(const char *text)
{
	char clean[FOLDER_TEXT];

	return json_stringn(clean, text_put(text, sizeof(clean), clean));
}

/* A file system may hold "a" and "A" for one name. */
static bool folder_has(const struct folder *folder, const char *name)
{
	const json_t *image;
	size_t i;

	json_array_foreach(folder->files, i, image) if (!strcasecmp(manifest_string(image, "file"),
								    name)) return true;
	return false;
}

/* The first image gives the index its name. */
static int folder_choose_index(struct folder *folder, const json_t *manifest, const char *host,
			       const struct folder_why *why)
{
	if (folder->index)
		return 0;
	if (asprintf(&folder->index, "%s/%s.json", folder->path, host) < 0) {
		folder->index = NULL;
		return folder_fail(why, -ENOMEM, "out of memory");
	}
	if (!access(folder->index, F_OK) && !folder->force)
		return folder_fail(why, -EEXIST,
				   "%s exists, which tells of an earlier transfer: choose another "
				   "folder, or give --force to overwrite it",
				   folder->index);
	folder->about = json_pack("{s:s, s:o, s:I, s:O}", "tool", "tbstream " TBSTREAM_VERSION,
				  "host", folder_text(manifest_string(manifest, "host.name")),
				  "created", (json_int_t)time(NULL), "images", folder->files);
	return folder->about ? 0 : folder_fail(why, -ENOMEM, "out of memory");
}

int folder_choose(struct folder *folder, const json_t *manifest, const json_t *identity, char **ret,
		  char *ret_why, size_t len)
{
	char host[FOLDER_NAME_PART + 1], disk[FOLDER_NAME_PART + 1], name[FOLDER_NAME_MOST + 1];
	struct folder_why why = {ret_why, len};
	unsigned int number = 1;

	folder_name_part(manifest_string(manifest, "host.name"), "machine", host);
	folder_name_disk(manifest_string(identity, "path"), disk);
	do {
		folder_name_image(host, disk, number++, name);
	} while (folder_has(folder, name));
	int r = folder_choose_index(folder, manifest, host, &why);
	if (r < 0)
		return r;
	return asprintf(ret, "%s/%s", folder->path, name) < 0
		       ? folder_fail(&why, -ENOMEM, "out of memory")
		       : 0;
}

int folder_make(struct folder *folder, char *ret_why, size_t len)
{
	struct folder_why why = {ret_why, len};

	/* As private as the images in it. */
	if (mkdir(folder->path, 0700)) {
		if (errno == EEXIST)
			return 0;
		return folder_fail(&why, -errno, "the folder %s cannot be made: %s", folder->path,
				   strerror(errno));
	}
	int r = out_sync_folder(folder->parent);
	if (r < 0) {
		folder_unmake(folder);
		return folder_fail(&why, r, "the folder %s cannot be synced: %s", folder->parent,
				   strerror(-r));
	}
	return 1;
}

void folder_unmake(struct folder *folder)
{
	rmdir(folder->path);
}

/* Writes TEXT to PART and renames it to the index. Returns 0 or -errno. */
static int folder_replace_index(struct folder *folder, const char *part, const char *text)
{
	bool over = folder->force || folder->indexed;
	int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	int r = out_write(fd, text, strlen(text));
	if (r == 0)
		r = out_write(fd, "\n", 1);
	if (r == 0)
		r = out_sync(fd);
	close(fd);
	if (r >= 0)
		r = out_rename(part, folder->index, over);
	if (r < 0)
		unlink(part);
	return r < 0 ? r : out_sync_folder(folder->path);
}

static int folder_write_index(struct folder *folder)
{
	char *text = json_dumps(folder->about, JSON_INDENT(2) | JSON_ENSURE_ASCII), *part = NULL;
	int r = -ENOMEM;

	if (text && asprintf(&part, "%s.part", folder->index) >= 0)
		r = folder_replace_index(folder, part, text);
	free(part);
	free(text);
	return r;
}

int folder_add(struct folder *folder, const struct folder_image *image, char *ret_why, size_t len)
{
	struct folder_why why = {ret_why, len};
	json_t *entry = json_pack(
		"{s:s, s:o, s:O, s:O, s:I, s:s, s:s}", "file", strrchr(image->path, '/') + 1,
		"host", folder_text(manifest_string(image->manifest, "host.name")), "source",
		image->identity, "size", json_object_get(image->manifest, "size"), "stored",
		(json_int_t)image->stored, "root", manifest_string(image->manifest, "root"),
		"transfer", manifest_string(image->manifest, "transfer"));
	int r = json_array_append_new(folder->files, entry) ? -ENOMEM : 0;

	if (r == 0)
		r = folder_write_index(folder);
	if (r == 0)
		folder->indexed = true;
	else if (r != -EINTR)
		folder_fail(&why, r, "%s is whole, but the index %s cannot be written: %s",
			    image->path, folder->index, strerror(-r));
	return r;
}

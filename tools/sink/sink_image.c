// SPDX-License-Identifier: GPL-2.0-or-later
/* An image as the sink: on standard output, or in a file under a name of its own. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "io/out.h"
#include "io/store.h"
#include "sink/sink_kinds.h"

#define IMAGE_FAT_MOST UINT32_MAX /* bytes of a file on FAT */

static int sink_image_error(struct sink *sink, int r)
{
	if (r == -EINTR)
		return r;
	if (r == -ENOSPC || r == -EDQUOT)
		return sink_fail(sink, r, "no space is left for %s: make room and begin again",
				 sink->name);
	if (r == -EFBIG)
		return sink_fail(sink, r,
				 "%s has become larger than its file system takes: choose another "
				 "one and begin again",
				 sink->name);
	if (r == -EPIPE)
		return sink_fail(sink, r, "the program that reads %s has ended", sink->name);
	return sink_fail(sink, r, "%s cannot be written: %s", sink->name, strerror(-r));
}

/* The folder that the image goes into (free), or NULL. */
static char *sink_image_folder(const struct sink *sink)
{
	char *copy = strdup(sink->name), *folder = copy ? strdup(dirname(copy)) : NULL;

	free(copy);
	return folder;
}

/* Whether the image goes onto FAT. A file under a name of its own is not there yet. */
static bool sink_image_on_fat(const struct sink *sink)
{
	char *folder = sink->part ? sink_image_folder(sink) : NULL;
	struct statfs fs;
	int r = folder ? statfs(folder, &fs) : fstatfs(sink->fd, &fs);

	free(folder);
	return r == 0 && fs.f_type == MSDOS_SUPER_MAGIC;
}

static int sink_image_begin(struct sink *sink, const json_t *manifest)
{
	int r;

	(void)manifest;
	if (chunk_map_known(&sink->head.map) > IMAGE_FAT_MOST && !sink->options.force &&
	    sink_image_on_fat(sink))
		return sink_fail(sink, -EFBIG,
				 "%s is on a FAT file system, whose files end at 4 GiB: choose "
				 "another one, or give --force if the image will be smaller",
				 sink->name);
	if (sink->part) {
		r = open(sink->part,
			 O_WRONLY | O_CREAT | O_CLOEXEC | (sink->options.force ? O_TRUNC : O_EXCL),
			 0600);
		if (r < 0 && errno == EEXIST)
			return sink_fail(sink, -EEXIST,
					 "%s is there from an earlier run: remove it, or give "
					 "--force to overwrite it",
					 sink->part);
		if (r < 0)
			return sink_image_error(sink, -errno);
		sink->fd = r;
	}
	r = store_new(sink->fd, &sink->head, &sink->store);
	return r < 0 ? sink_image_error(sink, r) : 0;
}

static int sink_image_chunk(struct sink *sink, const struct sink_chunk *chunk)
{
	int r = store_chunk(sink->store, chunk->entry, chunk->frame);

	sink->stored = store_size(sink->store);
	return r < 0 ? sink_image_error(sink, r) : 0;
}

static int sink_image_zero(struct sink *sink, uint64_t count, uint32_t flags)
{
	int r = store_zero(sink->store, count, flags);

	sink->stored = store_size(sink->store);
	return r < 0 ? sink_image_error(sink, r) : 0;
}

static int sink_image_sync(struct sink *sink)
{
	int r = out_sync(sink->fd);

	return r < 0 ? sink_image_error(sink, r) : 0;
}

static int sink_image_sync_folder(struct sink *sink)
{
	char *folder = sink_image_folder(sink);
	int r = folder ? out_sync_folder(folder) : -ENOMEM;

	free(folder);
	return r;
}

static int sink_image_finish(struct sink *sink, json_t *manifest, enum sink_end *ret)
{
	struct digest root;
	int r = store_finish(sink->store, manifest, &root);

	sink->stored = store_size(sink->store);
	if (r == 0)
		r = out_sync(sink->fd);
	if (r < 0)
		return sink_image_error(sink, r);
	*ret = r ? SINK_DURABLE : SINK_WRITTEN;
	if (!sink->part)
		return 0;
	r = out_rename(sink->part, sink->name, sink->options.force);
	if (r < 0)
		return sink_fail(sink, r, "the image is whole, but %s cannot be renamed to %s: %s",
				 sink->part, sink->name, strerror(-r));
	r = sink_image_sync_folder(sink);
	return r < 0 ? sink_image_error(sink, r) : 0;
}

static void sink_image_close(struct sink *sink)
{
	store_free(sink->store);
	if (sink->part && sink->fd >= 0)
		close(sink->fd);
	free(sink->part);
}

static const struct sink_ops sink_image_ops = {
	.begin = sink_image_begin,
	.chunk = sink_image_chunk,
	.zero = sink_image_zero,
	.sync = sink_image_sync,
	.finish = sink_image_finish,
	.close = sink_image_close,
};

int sink_open_image(int fd, const struct sink_options *options, struct sink **ret)
{
	struct sink *sink = sink_new(&sink_image_ops, "standard output");

	if (!sink)
		return -ENOMEM;
	sink->options = *options;
	sink->fd = fd;
	*ret = sink;
	return 0;
}

int sink_open_file(const char *path, const struct sink_options *options, struct sink **ret,
		   char *ret_why, size_t len)
{
	struct stat st;

	if (!stat(path, &st) && S_ISDIR(st.st_mode)) {
		snprintf(ret_why, len, "%s is a folder: name a file in it, such as %s/disk.zst",
			 path, path);
		return -EISDIR;
	}
	if (!access(path, F_OK) && !options->force) {
		snprintf(ret_why, len,
			 "%s exists: choose another name, or give --force to overwrite it", path);
		return -EEXIST;
	}
	if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
		snprintf(ret_why, len,
			 "%s is no regular file: an image goes into a file; to restore onto a "
			 "disk say `tbrecv %s`",
			 path, path);
		return -EINVAL;
	}
	struct sink *sink = sink_new(&sink_image_ops, path);

	if (!sink)
		return -ENOMEM;
	sink->options = *options;
	if (asprintf(&sink->part, "%s.part", path) < 0) {
		sink->part = NULL;
		sink_close(sink);
		return -ENOMEM;
	}
	*ret = sink;
	return 0;
}

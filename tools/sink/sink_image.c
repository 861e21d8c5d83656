// SPDX-License-Identifier: GPL-2.0-or-later
/* An image as the sink: on standard output, or in a file under a name of its own. */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "io/store.h"
#include "sink/sink_part.h"

#define IMAGE_FAT_MOST UINT32_MAX /* bytes of a file on FAT */

static int sink_image_error(struct sink *sink, int r)
{
	if (r == -EINTR)
		return r;
	if (r == -ENOSPC || r == -EDQUOT)
		return sink_fail(sink, r, "%s for %s: make room%s",
				 r == -ENOSPC ? "no space is left" : "the disk quota is used up",
				 sink->name, sink->note[0] ? "" : " and begin again");
	if (r == -EFBIG)
		return sink_fail(sink, r,
				 "%s has become larger than its file system, or `ulimit -f`, "
				 "allows: choose another place, or raise the limit",
				 sink->name);
	if (r == -EPIPE)
		return sink_fail(sink, r, "the program that reads %s has ended", sink->name);
	return sink_fail(sink, r, "%s cannot be written: %s", sink->name, strerror(-r));
}

/* Whether the image goes onto FAT. A file under a name of its own is not there yet. */
static bool sink_image_on_fat(const struct sink *sink)
{
	char *folder = sink->part ? sink_part_folder(sink) : NULL;
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
	if (sink->part)
		return sink_part_begin(sink);
	r = store_new(sink->fd, &sink->head, &sink->store);
	return r < 0 ? sink_image_error(sink, r) : 0;
}

/* The file that the descriptor writes from its beginning on, by its path; else "". */
static void sink_image_path(const struct sink *sink, char *ret, size_t len)
{
	char link[32];
	struct stat st, named;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", sink->fd);
	ssize_t n = readlink(link, ret, len - 1);
	ret[n < 0 ? 0 : n] = '\0';
	if (fstat(sink->fd, &st) || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != sink->stored ||
	    stat(ret, &named) || st.st_dev != named.st_dev || st.st_ino != named.st_ino)
		ret[0] = '\0';
}

/* How to go on with it, as soon as there is something to go on with. */
static void sink_image_note(struct sink *sink)
{
	char path[384];

	if (sink->note[0] || !store_kept(sink->store))
		return;
	if (chunk_map_open(&sink->head.map)) {
		if (sink->part)
			snprintf(sink->note, sizeof(sink->note),
				 "nobody can go on with a stream: `tbrecv -o %s --restart` begins "
				 "anew",
				 sink->name);
		return;
	}
	if (sink->part) {
		/* --force begins anew, and without it the image that it was to replace is in the
		 * way. */
		snprintf(sink->note, sizeof(sink->note),
			 "%s keeps what arrived: %s`tbrecv -o %s` goes on with it", sink->part,
			 access(sink->name, F_OK) ? "" : "move the old image away, and ",
			 sink->name);
		return;
	}
	sink_image_path(sink, path, sizeof(path));
	if (path[0])
		snprintf(sink->note, sizeof(sink->note),
			 "it keeps what arrived: `tbrecv -o %s --resume` goes on with it", path);
}

static int sink_image_took(struct sink *sink, int r)
{
	sink->stored = store_size(sink->store);
	sink_image_note(sink);
	return r < 0 ? sink_image_error(sink, r) : 0;
}

static int sink_image_chunk(struct sink *sink, const struct sink_chunk *chunk)
{
	return sink_image_took(sink, store_chunk(sink->store, chunk->entry, chunk->frame));
}

static int sink_image_zero(struct sink *sink, uint64_t count, uint32_t flags)
{
	return sink_image_took(sink, store_zero(sink->store, count, flags));
}

static bool sink_image_fills(const struct sink *sink)
{
	return store_fills(sink->store);
}

static int sink_image_fill(struct sink *sink, uint64_t index, const struct sink_chunk *chunk)
{
	int r = store_fill(sink->store, index, chunk->entry, chunk->frame);

	return r < 0 ? sink_image_error(sink, r) : 0;
}

static int sink_image_sync(struct sink *sink)
{
	int r = store_sync(sink->store);

	return r < 0 ? sink_image_error(sink, r) : 0;
}

static int sink_image_finish(struct sink *sink, json_t *manifest, enum sink_end *ret)
{
	struct digest root;
	int r = store_finish(sink->store, manifest, &root);

	sink->stored = store_size(sink->store);
	if (r == 0)
		r = store_sync(sink->store);
	if (r < 0)
		return sink_image_error(sink, r);
	*ret = r ? SINK_DURABLE : SINK_WRITTEN;
	sink->note[0] = '\0';
	return sink->part ? sink_part_finish(sink) : 0;
}

static int sink_image_entries(struct sink *sink, uint64_t first, uint32_t count,
			      struct image_entry *ret)
{
	return store_entries(sink->store, first, count, ret);
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
	.fills = sink_image_fills,
	.fill = sink_image_fill,
	.sync = sink_image_sync,
	.finish = sink_image_finish,
	.close = sink_image_close,
	.entries = sink_image_entries,
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
	struct sink *sink = sink_new(&sink_image_ops, path);

	if (!sink)
		return -ENOMEM;
	sink->options = *options;
	if (asprintf(&sink->part, "%s.part", path) < 0) {
		sink->part = NULL;
		sink_close(sink);
		return -ENOMEM;
	}
	int r = sink_part_check(sink);
	if (r < 0) {
		snprintf(ret_why, len, "%s", sink->why);
		sink_close(sink);
		return r;
	}
	*ret = sink;
	return 0;
}

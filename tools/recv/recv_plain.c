// SPDX-License-Identifier: GPL-2.0-or-later
/* Receiving without records: an image as it is, or bytes as they are. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/manifest.h"
#include "io/load.h"
#include "io/out.h"
#include "io/view.h"
#include "recv/recv.h"
#include "ui/missing.h"

#define RAW_ONCE (256u << 10)

static int recv_plain_sink(struct sink *sink, int r, char *ret_why, size_t len)
{
	if (r < 0)
		snprintf(ret_why, len, "%s", r == -EINTR ? "interrupted" : sink_why(sink));
	return r;
}

/*
 * An image in a file is looked at from its end before anything of it is used: *ret, which stays
 * NULL for a pipe.
 */
static int recv_plain_view(int fd, struct view **ret, char *ret_why, size_t len)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || lseek(fd, 0, SEEK_CUR))
		return 0;
	int r = view_open(fd, ret);
	if (r < 0)
		snprintf(ret_why, len, "the image cannot be used: %s",
			 *ret ? view_why(*ret) : strerror(-r));
	return r;
}

/* Of a pipe HEAD's identity is all that is known before the trailer. */
static int recv_plain_begin(struct load *load, const struct view *view, struct sink *sink,
			    char *ret_why, size_t len)
{
	const struct image_head *head = load_head(load);
	json_t *identity = NULL, *manifest = view ? json_copy(view_manifest(view)) : json_object();
	int r = manifest_parse(head->identity, head->identity_len, &identity);

	if (r < 0 || !manifest || json_object_set(manifest, "source", identity)) {
		snprintf(ret_why, len, "the image's HEAD is damaged");
		r = -EBADMSG;
	} else {
		if (view)
			load_hold_against(load, view);
		r = recv_plain_sink(sink, sink_begin(sink, head, manifest), ret_why, len);
	}
	json_decref(identity);
	json_decref(manifest);
	return r;
}

static int recv_plain_chunks(struct load *load, struct sink *sink, struct progress *progress,
			     char *ret_why, size_t len)
{
	const struct chunk_map *map = &load_head(load)->map;
	struct load_chunk chunk;
	int r;

	while ((r = load_next(load, &chunk)) == 1) {
		struct sink_chunk out = {
			.entry = &chunk.entry,
			.frame = chunk.frame,
			.content = chunk.content,
			.length = chunk.length,
		};

		r = recv_plain_sink(sink, sink_chunk(sink, &out), ret_why, len);
		if (r < 0)
			return r;
		progress_update(progress, chunk_offset(map, chunk.index), sink_stored(sink));
	}
	return r;
}

int recv_plain(int fd, struct sink *sink, const struct recv_options *options,
	       struct recv_result *ret, char *ret_why, size_t len)
{
	struct progress *progress = NULL;
	struct load *load = NULL;
	struct view *view = NULL;
	int64_t began = stop_now();

	ret_why[0] = '\0';
	*ret = (struct recv_result){0};
	int r = recv_plain_view(fd, &view, ret_why, len);
	if (r == 0)
		r = load_new(fd, &load);
	if (r == 0)
		load_threads(load, options->threads);
	if (r == 0)
		r = recv_plain_begin(load, view, sink, ret_why, len);
	if (r == 0) {
		progress = progress_new(options->progress, sink_name(sink),
					chunk_map_known(&load_head(load)->map));
		r = recv_plain_chunks(load, sink, progress, ret_why, len);
	}
	if (r == 0) {
		ret->size = load_head(load)->map.size;
		load_root(load, &ret->root);
		ret->missing = missing_tell(load_manifest(load), ret->size, ret->where,
					    sizeof(ret->where));
		r = recv_plain_sink(sink, sink_finish(sink, load_manifest(load), &ret->end),
				    ret_why, len);
	}
	ret->stored = sink_stored(sink);
	if (load) {
		ret->time.waited = load_time(load);
		ret->time.stored = sink_time(sink);
		ret->time.worked = stop_now() - began - ret->time.waited - ret->time.stored;
	}
	if (r == 0)
		progress_update(progress, ret->size, ret->stored);
	else if (!ret_why[0] && load && load_why(load)[0])
		snprintf(ret_why, len, "the image cannot be used: %s", load_why(load));
	else if (!ret_why[0])
		snprintf(ret_why, len, "the image cannot be read: %s", strerror(-r));
	progress_end(progress);
	load_free(load);
	view_close(view);
	return r;
}

int recv_raw(int fd, int out_fd, struct recv_result *ret, char *ret_why, size_t len)
{
	char *buf = malloc(RAW_ONCE);
	ssize_t n = buf ? 1 : -ENOMEM;
	int r = 0;

	*ret = (struct recv_result){.end = SINK_WRITTEN};
	while (n > 0) {
		n = out_read(fd, buf, RAW_ONCE);
		if (n > 0)
			r = out_write(out_fd, buf, n);
		if (n < 0 || r < 0)
			break;
		ret->size += n;
	}
	ret->stored = ret->size;
	if (n < 0)
		snprintf(ret_why, len, "the stream cannot be read: %s", strerror(-n));
	else if (r < 0)
		snprintf(ret_why, len, "the output cannot be written: %s", strerror(-r));
	else if ((r = out_sync(out_fd)) < 0)
		snprintf(ret_why, len, "the output cannot be synced: %s", strerror(-r));
	if (r > 0)
		ret->end = SINK_DURABLE;
	free(buf);
	return n < 0 ? (int)n : r < 0 ? r : 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* A folder as the sink: an image in it, under a name that its manifest gives, and the index. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/manifest.h"
#include "sink/folder.h"
#include "sink/sink_kinds.h"

/* What the image in the folder says is what this sink says. */
static int sink_folder_took(struct sink *sink, int r)
{
	sink->stored = sink->image->stored;
	sink->note[0] = '\0';
	if (sink->image->note[0])
		snprintf(sink->note, sizeof(sink->note),
			 "%s keeps what arrived: `tbrecv -o %s/` goes on with it",
			 sink->image->part, folder_path(sink->folder));
	if (r < 0)
		memcpy(sink->why, sink->image->why, sizeof(sink->why));
	return r;
}

/* Nothing was refused so far: the folder, and the image's part file in it. */
static int sink_folder_start(struct sink *sink, const json_t *manifest)
{
	int made = folder_make(sink->folder, sink->why, sizeof(sink->why));

	if (made < 0)
		return made;
	int r = sink_folder_took(sink, sink_begin(sink->image, &sink->head, manifest));
	if (r == 0) {
		sink->head = sink->image->head;
		sink->chunks = sink->image->chunks;
	}
	if (r < 0 && made)
		folder_unmake(sink->folder);
	return r;
}

static int sink_folder_begin(struct sink *sink, const json_t *manifest)
{
	char *path = NULL;
	int r = manifest_parse(sink->head.identity, sink->head.identity_len, &sink->identity);

	if (r < 0)
		return sink_fail(sink, r, "the image's HEAD is damaged");
	r = folder_choose(sink->folder, manifest, sink->identity, &path, sink->why,
			  sizeof(sink->why));
	if (r < 0)
		return r;
	free(sink->name);
	sink->name = path;
	r = sink_open_file(path, &sink->options, &sink->image, sink->why, sizeof(sink->why));
	return r < 0 ? r : sink_folder_start(sink, manifest);
}

static int sink_folder_chunk(struct sink *sink, const struct sink_chunk *chunk)
{
	return sink_folder_took(sink, sink_chunk(sink->image, chunk));
}

static int sink_folder_zero(struct sink *sink, uint64_t count, uint32_t flags)
{
	return sink_folder_took(sink, sink_zero(sink->image, count, flags));
}

static bool sink_folder_fills(const struct sink *sink)
{
	return sink_fills(sink->image);
}

static int sink_folder_fill(struct sink *sink, uint64_t index, const struct sink_chunk *chunk)
{
	return sink_folder_took(sink, sink_fill(sink->image, index, chunk));
}

static int sink_folder_sync(struct sink *sink)
{
	return sink_folder_took(sink, sink_sync(sink->image));
}

static int sink_folder_finish(struct sink *sink, json_t *manifest, enum sink_end *ret)
{
	int r = sink_folder_took(sink, sink_finish(sink->image, manifest, ret));
	struct folder_image image = {
		.path = sink->name,
		.manifest = manifest,
		.identity = sink->identity,
		.stored = sink->stored,
	};

	return r < 0 ? r : folder_add(sink->folder, &image, sink->why, sizeof(sink->why));
}

static int sink_folder_entries(struct sink *sink, uint64_t first, uint32_t count,
			       struct image_entry *ret)
{
	return sink_entry(sink->image, first, count, ret);
}

static void sink_folder_close(struct sink *sink)
{
	sink_close(sink->image);
	json_decref(sink->identity);
}

static const struct sink_ops sink_folder_ops = {
	.begin = sink_folder_begin,
	.chunk = sink_folder_chunk,
	.zero = sink_folder_zero,
	.fills = sink_folder_fills,
	.fill = sink_folder_fill,
	.sync = sink_folder_sync,
	.finish = sink_folder_finish,
	.close = sink_folder_close,
	.entries = sink_folder_entries,
};

int sink_open_folder(struct folder *folder, const struct sink_options *options, struct sink **ret)
{
	struct sink *sink = sink_new(&sink_folder_ops, "the folder");

	if (!sink)
		return -ENOMEM;
	sink->options = *options;
	sink->folder = folder;
	*ret = sink;
	return 0;
}

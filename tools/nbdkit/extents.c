// SPDX-License-Identifier: GPL-2.0-or-later
#include "nbdkit/extents.h"

#include <stdlib.h>
#include <errno.h>

#include "codec/manifest_table.h"

#define EXTENTS_CHUNKS_MOST 1024 /* looked at in one call: 4 GiB of 4 MiB chunks */
#define EXTENTS_ADDS_MOST   8192 /* told in one call */

struct extents_range {
	uint64_t from, end; /* bytes of the device */
};

struct extents {
	const struct view *view;
	const struct chunk_map *map;
	struct digest full, last; /* of zeros as long as a chunk, and as the last one */
	size_t count;
	struct extents_range ranges[];
};

static int extents_zeros(size_t len, struct digest *ret)
{
	void *zeros = calloc(1, len ? len : 1);

	if (!zeros)
		return -ENOMEM;
	digest_chunk(zeros, len, ret);
	free(zeros);
	return 0;
}

static void extents_ranges(struct extents *extents, const json_t *manifest, size_t count)
{
	uint64_t behind = 0, offset, length;

	for (size_t i = 0; i < count; i++) {
		if (!manifest_range_get(manifest, "unallocated", i, &offset, &length) ||
		    offset < behind || offset > extents->map->size ||
		    length > extents->map->size - offset)
			return;
		behind = offset + length;
		if (length)
			extents->ranges[extents->count++] = (struct extents_range){offset, behind};
	}
}

int extents_new(const struct view *view, struct extents **ret)
{
	const json_t *manifest = view_manifest(view);
	const struct chunk_map *map = &view_head(view)->map;
	size_t count = manifest_range_count(manifest, "unallocated");
	struct extents *extents = malloc(sizeof(*extents) + count * sizeof(extents->ranges[0]));

	if (!extents)
		return -ENOMEM;
	*extents = (struct extents){.view = view, .map = map};
	int r = extents_zeros(map->chunk_size, &extents->full);

	if (r == 0)
		r = extents_zeros(chunk_length(map, chunk_count(map) - 1), &extents->last);
	if (r < 0) {
		extents_free(extents);
		return r;
	}
	extents_ranges(extents, manifest, count);
	*ret = extents;
	return 0;
}

void extents_free(struct extents *extents)
{
	free(extents);
}

/* The digest cannot lie, as a flag could: data that is not zeros would not go with it. */
static bool extents_entry_zero(const struct extents *extents, uint64_t index,
			       const struct image_entry *entry)
{
	bool last = index == chunk_count(extents->map) - 1;

	return digest_equal(&entry->digest, last ? &extents->last : &extents->full);
}

int extents_chunk_zero(const struct extents *extents, uint64_t index)
{
	struct image_entry entry;
	int r = view_entry(extents->view, index, &entry);

	return r < 0 ? r : extents_entry_zero(extents, index, &entry);
}

/* The first range that ends behind OFFSET; count where none does. */
static size_t extents_find(const struct extents *extents, uint64_t offset)
{
	size_t low = 0, high = extents->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (extents->ranges[middle].end > offset)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* One call of extents_list, which puts together what is of one kind. */
struct extents_pass {
	extents_add *add;
	void *arg;
	unsigned int adds;
	uint64_t from, end; /* not told yet */
	enum extents_kind kind;
};

static int extents_flush(struct extents_pass *pass)
{
	if (pass->from == pass->end)
		return 0;
	pass->adds++;
	return pass->add(pass->arg, pass->from, pass->end - pass->from, pass->kind);
}

/* It is of KIND up to END. */
static int extents_take(struct extents_pass *pass, uint64_t end, enum extents_kind kind)
{
	if (kind != pass->kind) {
		int r = extents_flush(pass);

		if (r)
			return r;
		pass->from = pass->end;
		pass->kind = kind;
	}
	pass->end = end;
	return 0;
}

/*
 * Up to END, the chunk's, by turns: what is in a range, and what is between two. Only a chunk whose
 * entry says so has ranges that were left out.
 */
static int extents_chunk(const struct extents *extents, struct extents_pass *pass, uint64_t end,
			 bool zero, bool holes)
{
	enum extents_kind rest = zero ? EXTENTS_ZERO : EXTENTS_DATA;
	size_t i = holes || zero ? extents_find(extents, pass->end) : extents->count;

	while (pass->end < end && pass->adds < EXTENTS_ADDS_MOST) {
		uint64_t from = i < extents->count ? extents->ranges[i].from : end;
		bool hole = from <= pass->end;
		uint64_t to = hole ? extents->ranges[i++].end : from;
		int r = extents_take(pass, to < end ? to : end, hole ? EXTENTS_HOLE : rest);

		if (r)
			return r;
	}
	return 0;
}

int extents_list(const struct extents *extents, uint64_t offset, uint64_t count, extents_add *add,
		 void *arg)
{
	struct extents_pass pass = {.add = add, .arg = arg, .from = offset, .end = offset};
	uint64_t end = offset + count;

	for (unsigned int i = 0; pass.end < end && i < EXTENTS_CHUNKS_MOST; i++) {
		uint64_t index = pass.end / extents->map->chunk_size;
		uint64_t next = (index + 1) * extents->map->chunk_size;
		struct image_entry entry;
		int r = view_entry(extents->view, index, &entry);

		if (r == 0)
			r = extents_chunk(extents, &pass, next < end ? next : end,
					  extents_entry_zero(extents, index, &entry),
					  entry.flags & IMAGE_ENTRY_UNALLOCATED);
		if (r)
			return r;
		if (pass.adds >= EXTENTS_ADDS_MOST)
			break;
	}
	return extents_flush(&pass);
}

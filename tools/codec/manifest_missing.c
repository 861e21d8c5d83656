// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec/manifest_missing.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/param.h>

#include "codec/manifest_table.h"

struct missing_range {
	uint64_t offset, len;
};

static int missing_compare(const void *a, const void *b)
{
	const struct missing_range *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

/* The ranges within SIZE bytes, COUNT at most, in order. Returns how many there are. */
static size_t missing_collect(const json_t *manifest, uint64_t size, size_t count,
			      struct missing_range *ret)
{
	size_t found = 0;
	uint64_t offset, len;

	for (size_t i = 0; i < count; i++)
		if (manifest_range_get(manifest, "unreadable", i, &offset, &len) && offset < size)
			ret[found++] = (struct missing_range){offset, MIN(len, size - offset)};
	qsort(ret, found, sizeof(*ret), missing_compare);
	return found;
}

int manifest_missing_get(const json_t *manifest, uint64_t size, struct rescue_map **ret)
{
	size_t count = manifest_range_count(manifest, "unreadable");
	struct missing_range *ranges = calloc(count + 1, sizeof(*ranges));
	struct rescue_map *map = NULL;
	int r = ranges ? rescue_map_new(size, &map) : -ENOMEM;

	if (r == 0)
		r = rescue_map_set(map, 0, size, RESCUE_FINISHED);
	/* A map grows cheaply only at its end, and others write manifests as they like. */
	if (r == 0)
		count = missing_collect(manifest, size, count, ranges);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = rescue_map_set(map, ranges[i].offset, ranges[i].len, RESCUE_BAD);
	free(ranges);
	if (r < 0)
		rescue_map_free(map);
	else
		*ret = map;
	return r;
}

int manifest_missing_put(json_t *manifest, const struct rescue_map *map)
{
	json_t *ranges = json_array();
	uint64_t len, at = 0;
	int err = 0;

	while (!err && (at = rescue_map_next(map, at, RESCUE_MISSING, &len), len > 0)) {
		err = json_array_append_new(ranges,
					    json_pack("[I, I]", (json_int_t)at, (json_int_t)len));
		at += len;
	}
	if (!err && json_array_size(ranges))
		err = json_object_set(manifest, "unreadable", ranges);
	else if (!err)
		json_object_del(manifest, "unreadable");
	json_decref(ranges);
	return err ? -ENOMEM : 0;
}

uint64_t manifest_missing_bytes(const json_t *manifest, uint64_t size)
{
	struct rescue_map *map;

	if (!manifest_range_count(manifest, "unreadable") ||
	    manifest_missing_get(manifest, size, &map) < 0)
		return 0;
	uint64_t bytes = rescue_map_bytes(map, 0, size, RESCUE_MISSING);

	rescue_map_free(map);
	return bytes;
}

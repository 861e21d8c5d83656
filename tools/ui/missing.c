// SPDX-License-Identifier: GPL-2.0-or-later
#include "ui/missing.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>

#include "codec/manifest.h"
#include "codec/manifest_missing.h"
#include "codec/manifest_table.h"
#include "ui/msg.h"

#define PARTITIONS_MOST 256u /* that are looked at: a bound on the time */
#define PLACES_MOST	4u   /* that are named */

struct places {
	char *text;
	size_t len;
	unsigned int count;
};

/* BYTES lie at WHERE, "in partition 2". */
static void places_add(struct places *places, uint64_t bytes, const char *where)
{
	size_t used = strlen(places->text);
	char size[24];

	if (places->count++ < PLACES_MOST)
		snprintf(places->text + used, places->len - used, "%s%s %s",
			 places->count == 1 ? ": " : ", ", msg_size(bytes, size), where);
}

/* What of MAP lies in each partition, each of which is finished then. */
static void places_partitions(struct places *places, const json_t *manifest, struct rescue_map *map)
{
	size_t count = MIN(manifest_partition_count(manifest), PARTITIONS_MOST);
	uint64_t size = rescue_map_size(map);
	struct manifest_partition part;
	char where[160];

	for (size_t i = 0; i < count; i++) {
		if (!manifest_partition_get(manifest, i, &part) || part.start >= size)
			continue;
		uint64_t len = MIN(part.size, size - part.start);
		uint64_t bytes = rescue_map_bytes(map, part.start, len, RESCUE_MISSING);

		if (!bytes)
			continue;
		snprintf(where, sizeof(where), "in partition %" PRIu64 "%s%.16s%s%.72s%s",
			 part.number, *part.fs ? ", " : "", part.fs, *part.label ? " \"" : "",
			 part.label, *part.label ? "\"" : "");
		places_add(places, bytes, where);
		rescue_map_set(map, part.start, len, RESCUE_FINISHED);
	}
}

/* How many ranges there are. */
static size_t missing_ranges(const struct rescue_map *map)
{
	uint64_t len, at = 0;
	size_t count = 0;

	while ((at = rescue_map_next(map, at, RESCUE_MISSING, &len), len > 0)) {
		count++;
		at += len;
	}
	return count;
}

uint64_t missing_tell(const json_t *manifest, uint64_t size, char *ret, size_t len)
{
	struct places places = {.text = ret, .len = len};
	const char *contents = manifest_string(manifest, "contents.type");
	struct rescue_map *map = NULL;
	char text[64];

	*ret = '\0';
	if (!manifest_range_count(manifest, "unreadable") ||
	    manifest_missing_get(manifest, size, &map) < 0)
		return 0;
	uint64_t bytes = rescue_map_bytes(map, 0, size, RESCUE_MISSING), rest;
	size_t ranges = missing_ranges(map);

	if (bytes)
		snprintf(ret, len, "%s in %zu range%s", msg_size(bytes, text), ranges,
			 ranges == 1 ? "" : "s");
	if (bytes && manifest_partition_count(manifest)) {
		places_partitions(&places, manifest, map);
		rest = rescue_map_bytes(map, 0, size, RESCUE_MISSING);
		if (rest)
			places_add(&places, rest, "outside all partitions");
	} else if (bytes && *contents) {
		snprintf(text, sizeof(text), "in its %.16s", contents);
		places_add(&places, bytes, text);
	}
	if (places.count > PLACES_MOST)
		snprintf(ret + strlen(ret), len - strlen(ret), ", and in %u more",
			 places.count - PLACES_MOST);
	rescue_map_free(map);
	return bytes;
}

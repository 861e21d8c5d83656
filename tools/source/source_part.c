// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One partition of an image as the source. It begins anywhere in a chunk of the image, and so is
 * cut into chunks of its own, which are packed anew. All of the image is read, since only its end
 * says that it is right.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "codec/manifest.h"
#include "codec/manifest_table.h"
#include "source/source_kinds.h"

/* The partition's place in the image's manifest. Returns whether it has one. */
static bool part_find(const json_t *manifest, int number, size_t *ret_index,
		      struct manifest_partition *ret)
{
	for (size_t i = 0; i < manifest_partition_count(manifest); i++) {
		if (!manifest_partition_get(manifest, i, ret) || ret->number != (uint64_t)number)
			continue;
		*ret_index = i;
		return true;
	}
	return false;
}

/* "1, 2, 5", to RET of LEN bytes. */
static void part_list(const json_t *manifest, char *ret, size_t len)
{
	struct manifest_partition part;
	size_t at = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < manifest_partition_count(manifest) && at < len - 24; i++) {
		if (manifest_partition_get(manifest, i, &part))
			at += snprintf(ret + at, len - at, "%s%" PRIu64, at ? ", " : "",
				       part.number);
	}
}

static int part_fail(struct source *source, int number)
{
	char list[200];

	part_list(source->manifest, list, sizeof(list));
	snprintf(source->why, sizeof(source->why), "the disk in it has no partition %d: %s%s",
		 number, list[0] ? "it has " : "its partition table is not known", list);
	return -ENOENT;
}

/* What of the disk's ranges under KEY is within the partition, counted from its start. */
static void part_put_ranges(const struct source *source, json_t *manifest, const char *key)
{
	uint64_t from = source->part_start, to = from + source->part_size;
	json_t *ranges = json_array();
	uint64_t start, length;

	for (size_t i = 0; i < manifest_range_count(source->manifest, key); i++) {
		if (!manifest_range_get(source->manifest, key, i, &start, &length))
			continue;
		uint64_t end = MIN(start + length, to);

		start = MAX(start, from);
		if (start < end)
			json_array_append_new(ranges,
					      json_pack("[I, I]", (json_int_t)(start - from),
							(json_int_t)(end - start)));
	}
	if (json_array_size(ranges))
		json_object_set(manifest, key, ranges);
	json_decref(ranges);
}

/* The disk's identity as its partition's: the path is the one that the kernel gives. */
static json_t *part_identity(const struct source *source, int number)
{
	json_t *identity = NULL;
	char path[1200];

	if (manifest_parse(source->head.identity, source->head.identity_len, &identity) < 0)
		return NULL;
	const char *disk = json_string_value(json_object_get(identity, "path"));
	size_t len = disk ? strlen(disk) : 0;

	if (len && len < sizeof(path) - 16) {
		bool digit = disk[len - 1] >= '0' && disk[len - 1] <= '9';

		snprintf(path, sizeof(path), "%s%s%d", disk, digit ? "p" : "", number);
		json_object_set_new(identity, "path", json_string(path));
	}
	json_object_set_new(identity, "kind", json_string("partition"));
	return identity;
}

static json_t *part_manifest(const struct source *source, const json_t *part,
			     const json_t *identity)
{
	json_t *manifest = json_object(), *about = json_deep_copy(identity);

	json_object_set_new(about, "size", json_integer((json_int_t)source->part_size));
	json_object_set_new(about, "logical_sector", json_integer(source->head.logical_sector));
	json_object_set_new(about, "physical_sector", json_integer(source->head.physical_sector));
	json_object_set_new(manifest, "source", about);
	json_object_set(manifest, "host", json_object_get(source->manifest, "host"));
	json_object_set_new(manifest, "tool", json_string("tbstream " TBSTREAM_VERSION));
	json_object_set(manifest, "contents", json_object_get(part, "fs"));
	part_put_ranges(source, manifest, "unallocated");
	part_put_ranges(source, manifest, "unreadable");
	return manifest;
}

int source_open_part(struct source *source, int number, int level)
{
	const json_t *parts =
		json_object_get(json_object_get(source->manifest, "table"), "partitions");
	struct manifest_partition part;
	size_t index;

	if (!part_find(source->manifest, number, &index, &part))
		return part_fail(source, number);
	if (!part.size || part.start > source->head.map.size ||
	    part.size > source->head.map.size - part.start) {
		snprintf(source->why, sizeof(source->why),
			 "partition %d is not within the disk that it holds", number);
		return -EINVAL;
	}
	source->part_start = part.start;
	source->part_size = part.size;
	json_t *identity = part_identity(source, number);
	json_t *manifest =
		identity ? part_manifest(source, json_array_get(parts, index), identity) : NULL;
	int r = manifest ? source_set_identity(source, identity) : -ENOMEM;

	json_decref(identity);
	if (manifest) {
		json_decref(source->manifest);
		source->manifest = manifest;
	}
	source->head.map = (struct chunk_map){.size = part.size, .chunk_size = CHUNK_SIZE};
	return r < 0 ? r : source_prepare_pack(source, level);
}

/* The next chunk of the image: 1, 0 at its right end, or -errno. */
static int part_load(struct source *source)
{
	int r = load_next(source->load, &source->loaded);

	source->in_chunk = r == 1;
	if (r < 0)
		snprintf(source->why, sizeof(source->why), "%s cannot be sent: %s",
			 source->disk->path, load_why(source->load));
	return r;
}

/* Fills LEN bytes at OUT from byte OFFSET of the image's disk on. */
static int part_read(struct source *source, uint64_t offset, uint8_t *out, uint32_t len)
{
	const struct chunk_map *map = &load_head(source->load)->map;

	while (len) {
		uint64_t start = chunk_offset(map, source->loaded.index);
		uint64_t end = start + source->loaded.length;

		if (!source->in_chunk || offset >= end) {
			int r = part_load(source);

			if (r <= 0)
				return r < 0 ? r : -EBADMSG;
			continue;
		}
		uint32_t n = MIN(len, end - offset);

		memcpy(out, source->loaded.content + (offset - start), n);
		out += n;
		offset += n;
		len -= n;
	}
	return 0;
}

int source_read_part(struct source *source, struct source_job *job)
{
	const struct chunk_map *map = &source->head.map;
	int r;

	if (source->read == chunk_count(map)) {
		while ((r = part_load(source)) == 1)
			;
		return r;
	}
	job->len = chunk_length(map, source->read);
	job->look = true;
	r = part_read(source, source->part_start + chunk_offset(map, source->read), job->content,
		      job->len);
	return r < 0 ? r : 1;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec/manifest_table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "codec/manifest.h"

#define WHERE_MOST 3 /* partitions named for one range */

static json_t *manifest_partitions(const json_t *manifest)
{
	return json_object_get(json_object_get(manifest, "table"), "partitions");
}

/* An integer that is there and not negative. */
static bool manifest_number(const json_t *value, uint64_t *ret)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*ret = json_integer_value(value);
	return true;
}

size_t manifest_partition_count(const json_t *manifest)
{
	return json_array_size(manifest_partitions(manifest));
}

bool manifest_partition_get(const json_t *manifest, size_t index, struct manifest_partition *ret)
{
	const json_t *object = json_array_get(manifest_partitions(manifest), index);
	struct manifest_partition partition = {
		.type = manifest_string(object, "type"),
		.name = manifest_string(object, "name"),
		.uuid = manifest_string(object, "uuid"),
		.fs = manifest_string(object, "fs.type"),
		.label = manifest_string(object, "fs.label"),
		.fs_uuid = manifest_string(object, "fs.uuid"),
	};

	if (!manifest_number(json_object_get(object, "number"), &partition.number) ||
	    !manifest_number(json_object_get(object, "start"), &partition.start) ||
	    !manifest_number(json_object_get(object, "size"), &partition.size))
		return false;
	manifest_used_get(json_object_get(object, "fs"), &partition.fs_size, &partition.fs_used);
	*ret = partition;
	return true;
}

bool manifest_used_get(const json_t *fs, uint64_t *ret_size, uint64_t *ret_used)
{
	uint64_t size, used;

	if (!manifest_number(json_object_get(fs, "size"), &size) ||
	    !manifest_number(json_object_get(fs, "used"), &used) || size == 0 || used > size)
		return false;
	*ret_size = size;
	*ret_used = used;
	return true;
}

size_t manifest_range_count(const json_t *manifest, const char *key)
{
	return json_array_size(json_object_get(manifest, key));
}

bool manifest_range_get(const json_t *manifest, const char *key, size_t index, uint64_t *ret_offset,
			uint64_t *ret_length)
{
	const json_t *range = json_array_get(json_object_get(manifest, key), index);

	return json_array_size(range) == 2 &&
	       manifest_number(json_array_get(range, 0), ret_offset) &&
	       manifest_number(json_array_get(range, 1), ret_length);
}

/* A string that grows up to its room. */
struct where {
	char *text;
	size_t len, used;
};

__attribute__((format(printf, 2, 3))) static void where_add(struct where *where, const char *format,
							    ...)
{
	va_list args;

	va_start(args, format);
	int n = vsnprintf(where->text + where->used, where->len - where->used, format, args);
	va_end(args);
	if (n > 0)
		where->used += (size_t)n;
	if (where->used >= where->len)
		where->used = where->len - 1;
}

static void where_add_fs(struct where *where, const char *fs, const char *name)
{
	if (*fs)
		where_add(where, ", %.16s", fs);
	if (*name)
		where_add(where, "%s\"%.72s\"", *fs ? " " : ", ", name);
}

void manifest_where(const json_t *manifest, uint64_t from, uint64_t length, char *ret, size_t len)
{
	size_t count = manifest_partition_count(manifest), found = 0;
	struct where where = {.text = ret, .len = len};
	struct manifest_partition partition;
	const char *contents = manifest_string(manifest, "contents.type");

	*ret = '\0';
	if (!count && *contents)
		where_add(&where, "in its %.16s", contents);
	for (size_t i = 0; i < count; i++) {
		/* Both numbers are below 2^63, so that their sum does not wrap. */
		if (!manifest_partition_get(manifest, i, &partition) || !partition.size ||
		    partition.start >= from + length || from >= partition.start + partition.size)
			continue;
		if (found++ >= WHERE_MOST)
			continue;
		where_add(&where, "%spartition %" PRIu64, found == 1 ? "in " : " and ",
			  partition.number);
		where_add_fs(&where, partition.fs,
			     *partition.label ? partition.label : partition.name);
	}
	if (found > WHERE_MOST)
		where_add(&where, " and %zu more", found - WHERE_MOST);
	if (count && !found)
		where_add(&where, "outside all partitions");
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>

#include "codec/manifest.h"
#include "codec/manifest_table.h"
#include "look/list.h"
#include "programs.h"
#include "ui/msg.h"
#include "ui/table.h"

static void partition_print(struct table *table, const char *number, uint64_t size, const char *fs,
			    const char *label, const char *name)
{
	char text[24];

	table_add(table, number);
	table_add(table, msg_size(size, text));
	table_add(table, fs);
	table_add(table, label);
	table_add(table, name);
}

static void partition_json(const char *path, json_t *number, uint64_t start, uint64_t size,
			   const char *fs, const char *label, const char *name)
{
	program_json_out(json_pack("{s:o, s:o, s:I, s:I, s:s, s:s, s:s}", "image",
				   program_json_text(path), "part", number, "start",
				   (json_int_t)start, "size", (json_int_t)size, "fs", fs, "label",
				   label, "name", name),
			 0);
}

int list_partitions(const struct place *place, const struct view *view, bool json)
{
	static const char *const headings[] = {"Part", "Size", "Holds", "Label", "Name"};
	size_t columns = sizeof(headings) / sizeof(headings[0]), count;
	const json_t *manifest = view_manifest(view);
	struct table *table = json ? NULL : table_new(columns, 2);
	const char *fs = manifest_string(manifest, "contents.type");
	const char *label = manifest_string(manifest, "contents.label");
	uint64_t size = view_head(view)->map.size;
	struct manifest_partition partition;

	for (size_t i = 0; i < columns; i++)
		table_add(table, headings[i]);
	count = manifest_partition_count(manifest);
	/* A file system on the whole disk, and a disk of which nothing is known. */
	if (!count && json)
		partition_json(place->image, json_string("disk"), 0, size, fs, label, "");
	else if (!count)
		partition_print(table, "disk", size, *fs ? fs : "?", label, "");
	for (size_t i = 0; i < count; i++) {
		char number[24];

		if (!manifest_partition_get(manifest, i, &partition))
			continue;
		snprintf(number, sizeof(number), "%" PRIu64, partition.number);
		if (json)
			partition_json(place->image, json_integer(partition.number),
				       partition.start, partition.size, partition.fs,
				       partition.label, partition.name);
		else
			partition_print(table, number, partition.size, partition.fs,
					partition.label, partition.name);
	}
	table_print(table, stdout, 0);
	return EXIT_VERIFIED;
}

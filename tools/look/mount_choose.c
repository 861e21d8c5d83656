// SPDX-License-Identifier: GPL-2.0-or-later
/* Which part of an image is meant. The manifest comes from elsewhere: nothing in it is trusted. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "codec/manifest.h"
#include "codec/manifest_table.h"
#include "look/mount.h"
#include "ui/msg.h"
#include "ui/table.h"

static bool choose_get(const json_t *manifest, size_t index, uint64_t size,
		       struct mount_choice *ret)
{
	struct manifest_partition partition;

	/* Both numbers are below 2^63. */
	if (!manifest_partition_get(manifest, index, &partition) || !partition.number ||
	    !partition.size || partition.start > size || partition.size > size - partition.start)
		return false;
	*ret = (struct mount_choice){
		.number = partition.number,
		.from = partition.start,
		.length = partition.size,
		.fs = partition.fs,
		.name = *partition.label ? partition.label : partition.name,
	};
	return true;
}

static void choose_list(const json_t *manifest, uint64_t size)
{
	static const char *const headings[] = {"Nr", "Size", "Holds", "Label"};
	size_t columns = sizeof(headings) / sizeof(headings[0]);
	struct table *table = table_new(columns, 2);
	struct mount_choice choice;
	char text[24];

	for (size_t i = 0; i < columns; i++)
		table_add(table, headings[i]);
	for (size_t i = 0; i < manifest_partition_count(manifest); i++) {
		if (!choose_get(manifest, i, size, &choice))
			continue;
		snprintf(text, sizeof(text), "%" PRIu64, choice.number);
		table_add(table, text);
		table_add(table, msg_size(choice.length, text));
		table_add(table, choice.fs);
		table_add(table, choice.name);
	}
	table_print(table, stderr, 2);
}

/* The whole device. */
static int choose_device(const json_t *manifest, const char *image, uint64_t size, uint64_t number,
			 struct mount_choice *ret)
{
	if (number) {
		msg_error("%s has no partitions; without --partition the whole of it is mounted",
			  image);
		return -EINVAL;
	}
	*ret = (struct mount_choice){
		.length = size,
		.fs = manifest_string(manifest, "contents.type"),
		.name = manifest_string(manifest, "contents.label"),
	};
	return 0;
}

int mount_choose(const json_t *manifest, const char *image, uint64_t size, uint64_t number,
		 struct mount_choice *ret)
{
	struct mount_choice choice, found = {0}, with_fs = {0};
	size_t total = 0, count = 0, fs_count = 0;

	if (!manifest_partition_count(manifest))
		return choose_device(manifest, image, size, number, ret);
	for (size_t i = 0; i < manifest_partition_count(manifest); i++) {
		if (!choose_get(manifest, i, size, &choice))
			continue;
		total++;
		if (number && choice.number != number)
			continue;
		found = choice;
		count++;
		if (mount_fs_find(choice.fs)) {
			with_fs = choice;
			fs_count++;
		}
	}
	if (count == 1 || fs_count == 1) {
		*ret = count == 1 ? found : with_fs;
		return 0;
	}
	if (!total) {
		msg_error("%s names no partition that could be there; `tbstream info %s` shows its "
			  "table",
			  image, image);
		return -EINVAL;
	}
	if (number)
		msg_error("%s has no partition %" PRIu64 "; name one of these:", image, number);
	else
		msg_error("%s has several partitions; name one by --partition=N:", image);
	choose_list(manifest, size);
	return -EINVAL;
}

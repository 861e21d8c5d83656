// SPDX-License-Identifier: GPL-2.0-or-later
/* tbsend --used: what is left out, said before anything is sent. */
#include <stdio.h>
#include <string.h>

#include "programs.h"
#include "tbsend.h"
#include "ui/msg.h"
#include "used/used.h"

static json_t *used_part_json(const struct used_part *part)
{
	json_t *object = json_pack("{s:I, s:I, s:s, s:I}", "start", (json_int_t)part->start, "size",
				   (json_int_t)part->size, "type", part->type, "unallocated",
				   (json_int_t)part->spare);

	if (part->number)
		json_object_set_new(object, "number", json_integer(part->number));
	if (part->whole[0])
		json_object_set_new(object, "whole", json_string(part->whole));
	return object;
}

static void used_json(const char *path, const struct used *used)
{
	json_t *parts = json_array();

	for (size_t i = 0; i < used->count; i++)
		json_array_append_new(parts, used_part_json(&used->parts[i]));
	program_json(json_pack("{s:s, s:s, s:I, s:o}", "event", "used", "source", path,
			       "unallocated", (json_int_t)spare_bytes(used->spare), "partitions",
			       parts));
}

/* "partition 2, ext4, 40 GiB". */
static void used_part_name(const struct used_part *part, char *ret, size_t len)
{
	char number[32] = "the disk", size[24];

	if (part->number)
		snprintf(number, sizeof(number), "partition %d", part->number);
	snprintf(ret, len, "%s, %s%s%s", number, part->type, part->type[0] ? ", " : "",
		 msg_size(part->size, size));
}

static void used_part_tell(const struct used_part *part)
{
	char name[128], size[24];

	used_part_name(part, name, sizeof(name));
	if (part->whole[0])
		msg_note("  %s: all of it is sent, for %s", name, part->whole);
	else
		msg_note("  %s: %s are not sent", name, msg_size(part->spare, size));
}

void tbsend_tell_used(const char *path, const struct used *used, uint64_t size, bool json)
{
	char spare[24], all[24];

	if (json) {
		used_json(path, used);
		return;
	}
	if (!spare_count(used->spare))
		msg_note("%s: nothing is left out: all of it is in use, or may be", path);
	else
		msg_note(
			"%s: %s of %s are left out, since no file system uses them: deleted files will "
			"not be in the image",
			path, msg_size(spare_bytes(used->spare), spare), msg_size(size, all));
	for (size_t i = 0; i < used->count; i++)
		used_part_tell(&used->parts[i]);
}

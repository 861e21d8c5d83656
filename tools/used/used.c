// SPDX-License-Identifier: GPL-2.0-or-later
#include "used/used.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/probe_table.h"
#include "used/used_kinds.h"

#define GPT_BACKUP (33u * 512) /* its entries and header, to the disk's end, at least */

static const struct {
	const char *type; /* libblkid's name */
	int (*read)(const struct probe_area *area, struct spare *spare, const char **ret_doubt);
} readers[] = {
	{"ext2", used_ext},	  {"ext3", used_ext},	     {"ext4", used_ext},
	{"vfat", used_fat},	  {"exfat", used_exfat},     {"swap", used_swap},
	{"swsuspend", used_swap}, {"LVM2_member", used_lvm}, {"xfs", used_xfs},
	{"ntfs", used_ntfs},	  {"btrfs", used_btrfs},
};

static int used_read_disk(void *from, uint64_t offset, void *buf, size_t len)
{
	return disk_read(from, offset, buf, len);
}

static void part_whole(struct used_part *part, const char *why)
{
	snprintf(part->whole, sizeof(part->whole), "%s", why);
}

/* What INDEX of the readers finds in PART is added to SPARE, all of it or nothing. */
static int part_read(const struct disk *disk, struct used_part *part, size_t index,
		     struct spare *spare)
{
	const struct probe_area area = {.read = used_read_disk,
					.from = (void *)disk,
					.start = part->start,
					.size = part->size};
	struct spare *own = spare_new(part->size);
	const char *doubt = "";
	int r = own ? readers[index].read(&area, own, &doubt) : -ENOMEM;

	if (r == 0)
		r = spare_finish(own);
	if (r == 0) {
		part->spare = spare_bytes(own);
		r = spare_merge(spare, own, part->start);
	}
	spare_free(own);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		part->spare = 0;
		part_whole(part, *doubt ? doubt : r == -EUCLEAN ? "it is damaged" : strerror(-r));
	}
	return 0;
}

static int part_find(const struct disk *disk, struct used_part *part, struct spare *spare)
{
	for (size_t i = 0; !part->whole[0] && i < sizeof(readers) / sizeof(readers[0]); i++) {
		if (strcmp(readers[i].type, part->type) == 0)
			return part_read(disk, part, i, spare);
	}
	if (!part->whole[0])
		part_whole(part, part->type[0] ? "what is in use of it is not known"
					       : "nobody knows what it holds");
	return 0;
}

/* The box of an MBR's logical partitions, which lie in it. */
static bool part_is_extended(const struct probe_part *part)
{
	return strcmp(part->type, "0x05") == 0 || strcmp(part->type, "0x0f") == 0 ||
	       strcmp(part->type, "0x85") == 0;
}

static bool part_overlaps(const struct probe_table *table, size_t index)
{
	const struct probe_part *part = &table->parts[index];

	for (size_t i = 0; i < table->count; i++) {
		const struct probe_part *other = &table->parts[i];

		/* Of what is beyond the disk the numbers are below 2^63. */
		if (i != index && !part_is_extended(other) &&
		    other->start < part->start + part->size &&
		    part->start < other->start + other->size)
			return true;
	}
	return false;
}

/*
 * A system that hibernates has its file systems mounted. btrfs has no mark for that, and its memory
 * knows of blocks that were written since, which the trees on the disk do not.
 */
static bool table_sleeps(const struct probe_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		if (strcmp(table->parts[i].fs.type, "swsuspend") == 0)
			return true;
	}
	return false;
}

/* Why the partition is all used whatever it holds, or "". */
static const char *part_doubt(const struct disk *disk, const struct probe_table *table,
			      size_t index)
{
	const struct probe_part *part = &table->parts[index];

	if (part->start > disk->size || part->size > disk->size - part->start)
		return "it goes on behind the end of the disk";
	if (part_is_extended(part))
		return "it is the box of others";
	if (part->start == 0 ||
	    (strcmp(table->type, "gpt") == 0 && disk->size - part->start - part->size < GPT_BACKUP))
		return "the partition table lies in it";
	if (part_overlaps(table, index))
		return "it overlaps another one";
	if (table_sleeps(table))
		return "a system hibernates in a partition of this disk, and may use it";
	return part->fs.ambiguous ? "it has the marks of several file systems" : "";
}

static void part_take(struct used_part *part, const struct probe_fs *fs)
{
	_Static_assert(sizeof(part->type) == sizeof(fs->type), "as long as libblkid's");
	memcpy(part->type, fs->type, sizeof(part->type));
}

/* A disk with partitions that is a part of something: that has its own idea of where they are. */
static int used_find_parts(const struct disk *disk, const struct probe_table *table,
			   struct used *used)
{
	struct probe_fs whole;
	int r = probe_table_whole(disk, &whole);

	for (size_t i = 0; r == 0 && i < table->count; i++) {
		struct used_part *part = &used->parts[used->count++];

		part->number = table->parts[i].number;
		part->start = table->parts[i].start;
		part->size = table->parts[i].size;
		part_take(part, &table->parts[i].fs);
		part_whole(part, part_doubt(disk, table, i));
		if (whole.type[0] || whole.ambiguous)
			snprintf(part->whole, sizeof(part->whole), "the whole disk is marked as %s",
				 whole.ambiguous ? "several things" : whole.type);
		r = part_find(disk, part, used->spare);
	}
	return r;
}

static int used_find_whole(const struct disk *disk, const struct probe_table *table,
			   struct used *used)
{
	struct used_part *part = &used->parts[used->count++];

	part->size = disk->size;
	part_take(part, &table->fs);
	/* A boot sector can look like an MBR without partitions; other tables are no accident. */
	if (table->type[0] && strcmp(table->type, "dos") != 0)
		part_whole(part, "it has an empty partition table");
	if (table->fs.ambiguous)
		part_whole(part, "it has the marks of several file systems");
	return part_find(disk, part, used->spare);
}

static int used_fill(const struct disk *disk, const struct probe_table *table, struct used *used)
{
	used->parts = calloc(table->count + 1, sizeof(*used->parts));
	if (!used->parts)
		return -ENOMEM;
	int r = table->count ? used_find_parts(disk, table, used)
			     : used_find_whole(disk, table, used);

	return r < 0 ? r : spare_finish(used->spare);
}

int used_find(const struct disk *disk, struct used **ret)
{
	struct used *used = calloc(1, sizeof(*used));
	struct probe_table table;

	if (!used)
		return -ENOMEM;
	used->spare = spare_new(disk->size);
	int r = used->spare ? probe_table_read(disk, &table) : -ENOMEM;

	if (r == 0) {
		r = used_fill(disk, &table, used);
		probe_table_clear(&table);
	}
	if (r < 0) {
		used_free(used);
		return r;
	}
	*ret = used;
	return 0;
}

void used_free(struct used *used)
{
	if (!used)
		return;
	spare_free(used->spare);
	free(used->parts);
	free(used);
}

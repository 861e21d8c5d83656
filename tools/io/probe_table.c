// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/probe_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include <blkid/blkid.h>

#include "codec/text.h"

#define BLKID_SECTOR 512u  /* libblkid counts in these whatever the disk's sectors are */
#define START_READ   4096u /* what must be readable for an opinion */
#define SECTOR_OTHER 4096u /* of disks that do not have sectors of 512 bytes */

static void table_text(char *text, size_t size, const char *value)
{
	text[value ? text_put(value, size - 1, text) : 0] = '\0';
}

#define TEXT_PUT(text, value) table_text(text, sizeof(text), value)

static void value_put(blkid_probe probe, const char *name, char *text, size_t size)
{
	const char *value = NULL;

	if (blkid_probe_lookup_value(probe, name, &value, NULL) < 0)
		value = NULL;
	table_text(text, size, value);
}

#define VALUE_PUT(probe, name, text) value_put(probe, name, text, sizeof(text))

/* The file system in SIZE bytes at OFFSET, which the caller has held against the disk. */
static int fs_read(const struct disk *disk, uint64_t offset, uint64_t size, struct probe_fs *fs)
{
	blkid_probe probe;
	int rc;

	probe = blkid_new_probe();
	if (!probe)
		return -ENOMEM;
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_LABEL | BLKID_SUBLKS_UUID |
							 BLKID_SUBLKS_TYPE | BLKID_SUBLKS_VERSION);
	if (blkid_probe_set_device(probe, disk->fd, offset, size) == 0) {
		rc = blkid_do_safeprobe(probe);
		if (rc == 0) {
			VALUE_PUT(probe, "TYPE", fs->type);
			VALUE_PUT(probe, "LABEL", fs->label);
			VALUE_PUT(probe, "UUID", fs->uuid);
			VALUE_PUT(probe, "VERSION", fs->version);
		}
		fs->ambiguous = rc == -2;
	}
	blkid_free_probe(probe);
	return 0;
}

/* In bytes; nonsense becomes what is within no disk, and still fits JSON's integers. */
static uint64_t sectors_to_bytes(blkid_loff_t sectors)
{
	int64_t bytes;

	if (sectors < 0 || __builtin_mul_overflow(sectors, BLKID_SECTOR, &bytes))
		return INT64_MAX;
	return bytes;
}

static bool part_is_within(const struct probe_part *part, const struct disk *disk)
{
	return part->size > 0 && part->start <= disk->size &&
	       part->size <= disk->size - part->start;
}

static int part_read(const struct disk *disk, blkid_partition from, struct probe_part *part)
{
	const char *type = blkid_partition_get_type_string(from);

	part->number = blkid_partition_get_partno(from);
	part->start = sectors_to_bytes(blkid_partition_get_start(from));
	part->size = sectors_to_bytes(blkid_partition_get_size(from));
	TEXT_PUT(part->type, type);
	if (!type)
		snprintf(part->type, sizeof(part->type), "0x%02x",
			 (unsigned int)blkid_partition_get_type(from));
	TEXT_PUT(part->uuid, blkid_partition_get_uuid(from));
	TEXT_PUT(part->name, blkid_partition_get_name(from));
	if (blkid_partition_is_extended(from) || !part_is_within(part, disk))
		return 0;
	return fs_read(disk, part->start, part->size, &part->fs);
}

static int parts_read(const struct disk *disk, blkid_partlist list, struct probe_table *table)
{
	blkid_parttable from = blkid_partlist_get_table(list);
	int count = blkid_partlist_numof_partitions(list);
	int err = 0;

	if (!from)
		return 0;
	TEXT_PUT(table->type, blkid_parttable_get_type(from));
	TEXT_PUT(table->uuid, blkid_parttable_get_id(from));
	count = MIN(MAX(count, 0), PROBE_PARTITIONS_MOST);
	table->parts = calloc(count + 1, sizeof(*table->parts));
	if (!table->parts)
		return -ENOMEM;
	for (int i = 0; !err && i < count; i++) {
		err = part_read(disk, blkid_partlist_get_partition(list, i), &table->parts[i]);
		table->count++;
	}
	return err;
}

/* With sectors of SECTOR bytes; 0 for what the device says, or 512 for a file. */
static int table_read(const struct disk *disk, unsigned int sector, struct probe_table *table)
{
	blkid_partlist list = NULL;
	blkid_probe probe;
	int err = 0;

	probe = blkid_new_probe();
	if (!probe)
		return -ENOMEM;
	blkid_probe_enable_superblocks(probe, 0);
	blkid_probe_enable_partitions(probe, 1);
	/* In this order: taking the device over sets its own, or the default for a file. */
	if (blkid_probe_set_device(probe, disk->fd, 0, 0) == 0 &&
	    (sector == 0 || blkid_probe_set_sectorsize(probe, sector) == 0))
		list = blkid_probe_get_partitions(probe);
	if (list)
		err = parts_read(disk, list, table);
	blkid_free_probe(probe);
	return err;
}

int probe_table_read(const struct disk *disk, struct probe_table *ret)
{
	struct probe_table table = {0};
	char start[START_READ];
	int err;

	if (disk->size == 0) {
		*ret = table;
		return 0;
	}
	err = disk_read(disk, 0, start, MIN(disk->size, sizeof(start)));
	if (err)
		return err;
	err = table_read(disk, 0, &table);
	if (!err && !disk->block && table.type[0] == '\0')
		err = table_read(disk, SECTOR_OTHER, &table);
	if (!err && table.count == 0)
		err = fs_read(disk, 0, disk->size, &table.fs);
	/* libblkid asks the kernel for random access on the descriptor that it is given. */
	posix_fadvise(disk->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (err) {
		probe_table_clear(&table);
		return err;
	}
	*ret = table;
	return 0;
}

int probe_table_whole(const struct disk *disk, struct probe_fs *ret)
{
	struct probe_fs fs = {0};
	int r = fs_read(disk, 0, disk->size, &fs);

	posix_fadvise(disk->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	*ret = fs;
	return r;
}

void probe_table_clear(struct probe_table *table)
{
	free(table->parts);
	*table = (struct probe_table){0};
}

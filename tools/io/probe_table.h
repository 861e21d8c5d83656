/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is on a disk, as libblkid tells it: partition table and file systems. For probe*.c only. */
#ifndef IO_PROBE_TABLE_H
#define IO_PROBE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/disk.h"

/* As many partitions as the kernel takes of one disk; what is beyond is left out. */
#define PROBE_PARTITIONS_MOST 256

/* All strings are UTF-8 without control characters, "" where unknown. */
struct probe_fs {
	char type[32]; /* libblkid's name: "ext4", "crypto_LUKS" */
	char label[160], uuid[64], version[32];
	bool ambiguous; /* several contradict each other: no type */
};

struct probe_part {
	int number;
	uint64_t start, size; /* bytes; nothing says that they are within the disk */
	char type[40];	      /* GPT: a UUID; MBR: "0x83" */
	char uuid[40], name[160];
	struct probe_fs fs;
};

struct probe_table {
	char type[16], uuid[40]; /* "gpt", "dos", ...; "" for an unpartitioned device */
	struct probe_part *parts;
	size_t count;
	struct probe_fs fs; /* of a device without partitions */
};

/*
 * Looks at DISK, by its descriptor alone: partitions need no nodes in /dev, and it may be a file.
 * Returns 0 and a table (probe_table_clear), or -errno, -EIO where its beginning cannot be read.
 */
int probe_table_read(const struct disk *disk, struct probe_table *ret);
void probe_table_clear(struct probe_table *table);
/*
 * What DISK as a whole is said to be, though it has partitions: a part of a RAID, say. Returns 0 or
 * -ENOMEM.
 */
int probe_table_whole(const struct disk *disk, struct probe_fs *ret);

#endif

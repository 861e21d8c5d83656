/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of FAT12, FAT16 and FAT32 (Microsoft's FAT specification, 2005): fat.c (the
 * operations), fat_chain.c (clusters), fat_name.c (names and times).
 */
#ifndef FILES_FAT_H
#define FILES_FAT_H

#include "files/files_kinds.h"

#define FAT_ENTRY	32u		     /* bytes of a folder's entry */
#define FAT_FOLDER_MOST (65536u * FAT_ENTRY) /* bytes of a folder */
#define FAT_NAME_UNITS	260u		     /* 20 entries of 13 UTF-16 units */

struct fat {
	uint32_t bits;		  /* 12, 16 or 32 */
	uint32_t cluster;	  /* bytes */
	uint32_t clusters;	  /* the last one's number is clusters + 1 */
	uint64_t table, data;	  /* offsets on the device: the FAT, cluster 2 */
	uint64_t root, root_size; /* of FAT12 and FAT16: offset and bytes; root_size 0: a chain */
	uint32_t root_cluster;	  /* of FAT32 */
	/* Where the chain was last read: cluster number INDEX of the chain from FIRST on. */
	uint32_t first, index, at;
};

/* A folder's entry that is a file or a folder. */
struct fat_entry {
	uint8_t raw[FAT_ENTRY];
	uint32_t first; /* cluster; 0: none */
	uint32_t size;	/* bytes; 0 for folders */
	bool folder;
};

/*
 * Finds cluster number INDEX of the chain that begins with FIRST. Returns 1, 0 when the chain ends
 * before it, or -errno.
 */
int fat_chain(struct files *files, uint32_t first, uint32_t index, uint32_t *ret);
static inline uint64_t fat_place(const struct fat *fat, uint32_t cluster)
{
	return fat->data + (uint64_t)(cluster - 2) * fat->cluster;
}

/* A long name that is being put together: its entries come before the file's own, last one first.
 */
struct fat_long {
	uint8_t units[2 * FAT_NAME_UNITS];
	uint32_t next, count; /* entries: the one to come, and how many in all; 0: none is begun */
	uint8_t sum;
};

/* Takes an entry of a long name. What does not fit is forgotten, and the short name is used. */
void fat_long_add(struct fat_long *name, const uint8_t *entry);
/* The name of ENTRY to RET of FILES_NAME_MOST bytes: the long one, where it is whole and ENTRY's.
 * Returns its length; NAME is empty then. */
size_t fat_name(struct fat_long *name, const uint8_t *entry, char *ret);
/* A date and a time of day, which FAT has without a zone: this machine's is taken. */
struct timespec fat_time(uint16_t date, uint16_t time);

#endif

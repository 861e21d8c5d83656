/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A block device or a file as the source or the target of a transfer. Knows no wire and no image.
 */
#ifndef IO_DISK_H
#define IO_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk {
	int fd;
	int direct;    /* for writing past the page cache; -1: not this one */
	char *path;    /* as the user gave it: for messages */
	uint64_t size; /* bytes */
	uint32_t logical_sector, physical_sector; /* bytes; 0 for a file */
	bool block;				  /* a block device */
	bool discard;				  /* the caller's wish, see disk_zero */
};

/*
 * Opens PATH, a block device or a regular file, for reading. Returns 0 and a disk (disk_close), or
 * -errno: -ENOTBLK for anything else, -EISDIR for a folder, -ENOMEDIUM for an empty drive.
 */
int disk_open_source(const char *path, struct disk **ret);

/*
 * Opens PATH, a block device or an existing regular file, for writing; a block device O_EXCL, so
 * that the kernel refuses one that is mounted or held (-EBUSY) and nobody can mount it until
 * disk_close. Writes nothing. Returns 0 or -errno, as above; -EROFS where it cannot be written.
 */
int disk_open_target(const char *path, struct disk **ret);
void disk_close(struct disk *disk); /* NULL is fine */

/*
 * Reads, or writes, all of LEN bytes at OFFSET. Returns 0 or -errno; a medium error is -EIO however
 * the device says it (NVMe: ENODATA), an end before LEN is -ENODATA. What is written to a device
 * from a buffer aligned to DISK_ALIGN, and is in whole sectors, goes past the page cache, which
 * takes a fifth of the processor's time.
 */
#define DISK_ALIGN 4096u
int disk_read(const struct disk *disk, uint64_t offset, void *buf, size_t len);
int disk_write(const struct disk *disk, uint64_t offset, const void *buf, size_t len);
/*
 * Has LEN bytes at OFFSET read as zeros, by the device itself where it can; with disk->discard, and
 * in a file always, without keeping room for them where that can be. Returns 0 or -errno.
 */
int disk_zero(const struct disk *disk, uint64_t offset, uint64_t len);
/* The next offset from OFFSET on that is not in a hole; disk->size when there is none. */
uint64_t disk_next_data(const struct disk *disk, uint64_t offset);
/* Everything written is on the medium. Returns 0 or -errno. */
int disk_sync(const struct disk *disk);
/*
 * Opens a second descriptor for DISK that reads what is on the medium: past the page cache, or,
 * where the file system cannot do that, with the page cache emptied. Returns 0 and a disk
 * (disk_close), or -errno.
 */
int disk_open_medium(const struct disk *disk, struct disk **ret);
/*
 * Reads all of LEN bytes at OFFSET, a multiple of DISK_ALIGN, from a disk of
 * disk_open_medium. BUF is aligned so, and has room up to the next multiple. Returns as disk_read.
 */
int disk_read_medium(const struct disk *medium, uint64_t offset, void *buf, size_t len);
/* Asks the kernel to read the partition table anew (BLKRRPART). Returns 0 or -errno; a file: 0. */
int disk_reread_table(const struct disk *disk);

/*
 * What holds the block device PATH or a part of it: "mounted on /home", "mounted read-only on
 * /mnt", "swap", "held by dm-0", written to RET (LEN bytes). Returns 1 when something does, 0 when
 * nothing does, or -errno. A file: 0.
 */
int disk_user(const char *path, char *ret, size_t len);

/*
 * Whether what FD reads stands on DISK: it is DISK, or shares bytes with it as a disk and its
 * partition do, or is a file in a file system there.
 */
bool disk_holds(const struct disk *disk, int fd);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What uses a block device or a part of it; disk.h's disk_user tells it in words. */
#ifndef IO_DISK_USER_H
#define IO_DISK_USER_H

#include <stdbool.h>
#include <sys/types.h>

struct disk_user {
	bool mounted;	/* by a file system, read-only ones too */
	bool writable;	/* one of them can be written to */
	bool held;	/* swap, or a device on top of it: dm, md, bcache */
	char text[256]; /* the first of them: "mounted on /home", "" where there is none */
};

/*
 * Looks for users of DEVICE, of its partitions and, where it is a partition, of its disk as a
 * whole. Sees the mounts of our own mount namespace only; O_EXCL sees all. Returns 0 or -errno.
 */
int disk_user_find(dev_t device, struct disk_user *ret);

#endif

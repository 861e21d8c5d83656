/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A block device's folder in sysfs, through descriptors: the kernel resolves its links, so that
 * ".." is the device's parent (Linux Documentation/ABI/stable/sysfs-block).
 */
#ifndef IO_DISK_SYSFS_H
#define IO_DISK_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The folder of DEVICE: a descriptor to close, or -errno. */
int disk_sysfs_open(dev_t device);

/* Reads at most LEN bytes of file NAME below DIR. Returns their number or -errno. */
ssize_t disk_sysfs_bytes(int dir, const char *name, void *ret, size_t len);

/*
 * The text of file NAME below DIR, cut to LEN - 1 bytes, without the white space around it. Returns
 * whether there was any; RET is "" where not.
 */
bool disk_sysfs_text(int dir, const char *name, char *ret, size_t len);

/* As disk_sysfs_text, for the last component of what link NAME leads to ("scsi" of subsystem). */
bool disk_sysfs_link(int dir, const char *name, char *ret, size_t len);

/* Whether there is a NAME below DIR. */
bool disk_sysfs_has(int dir, const char *name);

/* The device number in file `dev` of DIR. Returns whether there is one. */
bool disk_sysfs_device(int dir, dev_t *ret);

/* The disk that DEVICE is or is a part of; DEVICE itself where sysfs does not know it. */
dev_t disk_sysfs_whole(dev_t device);

/* Takes the white space off both ends of TEXT, in place. */
void disk_sysfs_trim(char *text);

/*
 * Calls EACH with every name in the folder NAME below DIR, in no order, until it returns non-zero.
 * Returns that value, or 0; a folder that is not there has no names.
 */
int disk_sysfs_each(int dir, const char *name, int (*each)(void *arg, int dir, const char *name),
		    void *arg);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who has a character device open. Several openers of one stream would mix their bytes, and
 * flock(2) tells only of those that take it: dd does not.
 */
#ifndef IO_PAIR_HOLDER_H
#define IO_PAIR_HOLDER_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Writes "NAME (PID)" of another process that has DEVICE open to RET (LEN bytes), "" when there is
 * none that we may see. Returns how many there are.
 */
int pair_holder_find(dev_t device, char *ret, size_t len);

/*
 * Opens PATH, a character device, for ourselves alone: read and write, non-blocking, with flock(2).
 * Returns a descriptor; -EBUSY with the holder's name, or "another process", in RET_HOLDER; -ENOTTY
 * for something else than a character device; or another -errno.
 */
int pair_holder_open(const char *path, char *ret_holder, size_t len);

#endif

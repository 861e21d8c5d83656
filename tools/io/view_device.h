/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device in an image, or a window of it such as a partition, read at any byte: the chunks that
 * are asked for are decompressed, checked, and kept while there is room. One thread's.
 *
 * Libraries that read file systems try again, go on and forget errors; the device remembers the
 * first one. And a hostile file system can make them read for ever; the device counts.
 */
#ifndef IO_VIEW_DEVICE_H
#define IO_VIEW_DEVICE_H

#include <stdbool.h>

#include "io/view.h"

/* Decompressed chunks that are kept: 32 MiB of them, which is 8 of the size that we write. */
#define VIEW_DEVICE_CACHE (32u << 20)

struct view_device;

/*
 * Makes one over SIZE bytes from byte START of the device in VIEW, which has to outlive it. Returns
 * 0, -ERANGE when the device does not hold all of them, or -ENOMEM.
 */
int view_device_open(const struct view *view, uint64_t start, uint64_t size,
		     struct view_device **ret);
void view_device_close(struct view_device *device); /* NULL is fine */

uint64_t view_device_size(const struct view_device *device);  /* of the window, bytes */
uint64_t view_device_loads(const struct view_device *device); /* chunks decompressed so far */

/*
 * Begins a piece of work that has no need to read more than MOST bytes: what failed before is
 * forgotten.
 */
void view_device_begin(struct view_device *device, uint64_t most);

/*
 * Reads all of LEN bytes at OFFSET of the window. Returns 0; -ERANGE when they are not all in it;
 * -EBADMSG when the chunk is damaged; -EINTR when a stop signal came; -E2BIG when the work that was
 * begun has read too much; or another -errno.
 */
int view_device_read(struct view_device *device, void *buf, size_t len, uint64_t offset);

/*
 * The first error since view_device_begin but -ERANGE, which is a file system's own fault: 0 or
 * -errno, and its sentence, "" where only the errno tells.
 */
int view_device_failed(const struct view_device *device, const char **ret_why);
/* Whether bytes were read since view_device_begin that the source could not read: zeros stand
 * there. */
bool view_device_unreadable(const struct view_device *device);

#endif

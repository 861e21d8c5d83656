// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/ntfs_device.h"

struct ntfs_window {
	struct view_device *device;
	s64 offset;
};

static int window_open(struct ntfs_device *dev, int flags)
{
	(void)flags;
	NDevSetReadOnly(dev);
	NDevSetOpen(dev);
	return 0;
}

static int window_close(struct ntfs_device *dev)
{
	NDevClearOpen(dev);
	free(dev->d_private);
	dev->d_private = NULL;
	return 0;
}

static s64 window_seek(struct ntfs_device *dev, s64 offset, int whence)
{
	struct ntfs_window *window = dev->d_private;
	s64 base = whence == SEEK_SET	? 0
		   : whence == SEEK_CUR ? window->offset
					: (s64)view_device_size(window->device);

	if (__builtin_add_overflow(base, offset, &offset) || offset < 0) {
		errno = EINVAL;
		return -1;
	}
	window->offset = offset;
	return offset;
}

static s64 window_pread(struct ntfs_device *dev, void *buf, s64 count, s64 offset)
{
	struct ntfs_window *window = dev->d_private;
	s64 size = view_device_size(window->device);

	if (offset < 0 || count < 0) {
		errno = EINVAL;
		return -1;
	}
	if (offset >= size)
		return 0;
	if (count > size - offset)
		count = size - offset;
	int r = view_device_read(window->device, buf, count, offset);

	if (r < 0) {
		errno = r == -ENOMEM ? ENOMEM : EIO;
		return -1;
	}
	return count;
}

static s64 window_read(struct ntfs_device *dev, void *buf, s64 count)
{
	struct ntfs_window *window = dev->d_private;
	s64 n = window_pread(dev, buf, count, window->offset);

	if (n > 0)
		window->offset += n;
	return n;
}

static s64 window_pwrite(struct ntfs_device *dev, const void *buf, s64 count, s64 offset)
{
	(void)dev, (void)buf, (void)count, (void)offset;
	errno = EROFS;
	return -1;
}

static s64 window_write(struct ntfs_device *dev, const void *buf, s64 count)
{
	return window_pwrite(dev, buf, count, 0);
}

static int window_sync(struct ntfs_device *dev)
{
	(void)dev;
	return 0;
}

static int window_stat(struct ntfs_device *dev, struct stat *buf)
{
	struct ntfs_window *window = dev->d_private;

	*buf = (struct stat){.st_mode = S_IFREG | 0400,
			     .st_size = (off_t)view_device_size(window->device)};
	return 0;
}

static int window_ioctl(struct ntfs_device *dev, unsigned long request, void *argp)
{
	(void)dev, (void)request, (void)argp;
	errno = EOPNOTSUPP;
	return -1;
}

static struct ntfs_device_operations window_operations = {
	.open = window_open,
	.close = window_close,
	.seek = window_seek,
	.read = window_read,
	.write = window_write,
	.pread = window_pread,
	.pwrite = window_pwrite,
	.sync = window_sync,
	.stat = window_stat,
	.ioctl = window_ioctl,
};

struct ntfs_device *ntfs_device_new(struct view_device *device)
{
	struct ntfs_window *window = malloc(sizeof(*window));
	struct ntfs_device *dev;

	if (!window)
		return NULL;
	*window = (struct ntfs_window){.device = device};
	dev = ntfs_device_alloc("image", 0, &window_operations, window);
	if (!dev)
		free(window);
	return dev;
}

/*
 * The library can map Windows' users to this machine's, which is not asked for here. The C
 * library's own functions for it would load shared libraries into a static program, as the linker
 * warns.
 */
struct passwd *getpwnam(const char *name)
{
	(void)name;
	return NULL;
}

struct passwd *getpwuid(uid_t uid)
{
	(void)uid;
	return NULL;
}

struct group *getgrnam(const char *name)
{
	(void)name;
	return NULL;
}

struct group *getgrgid(gid_t gid)
{
	(void)gid;
	return NULL;
}

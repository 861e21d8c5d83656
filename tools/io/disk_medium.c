// SPDX-License-Identifier: GPL-2.0-or-later
/* A disk as it is on the medium: what the page cache still knows of it proves nothing. */
#include "io/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int disk_open_medium(const struct disk *disk, struct disk **ret)
{
	struct disk *medium;
	char path[32];
	int err;

	err = disk_sync(disk);
	if (err)
		return err;
	if (disk->block && ioctl(disk->fd, BLKFLSBUF, 0) < 0 && errno != EACCES)
		return -errno;
	medium = calloc(1, sizeof(*medium));
	if (!medium)
		return -ENOMEM;
	*medium = *disk;
	medium->direct = -1;
	/* The very file that was written, whatever its name leads to by now. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", disk->fd);
	medium->path = strdup(disk->path);
	medium->fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC | O_NOCTTY);
	if (medium->fd < 0 && errno == EINVAL) {
		posix_fadvise(disk->fd, 0, 0, POSIX_FADV_DONTNEED);
		medium->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	}
	err = medium->fd < 0 ? -errno : medium->path ? 0 : -ENOMEM;
	if (err) {
		disk_close(medium);
		return err;
	}
	*ret = medium;
	return 0;
}

int disk_read_medium(const struct disk *medium, uint64_t offset, void *buf, size_t len)
{
	const size_t align = medium->block ? medium->logical_sector : DISK_ALIGN;
	const size_t want = (len + align - 1) / align * align;
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pread(medium->fd, (char *)buf + done, want - done, offset + done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == ENODATA || errno == EILSEQ || errno == EREMOTEIO ? -EIO
											 : -errno;
		if (n == 0)
			return -ENODATA;
		done += n;
	}
	return 0;
}

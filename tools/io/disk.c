// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/param.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WRITE_LONG (1u << 20)	/* bytes in a file that are put on the medium at once */
#define ZERO_ALIGN 4096u	/* never less: BLKZEROOUT drops whole pages of the page cache */
#define ZERO_MOST  (256u << 20) /* per ioctl: it cannot be interrupted */

/* What may be opened: a FIFO or a tape would block or move when opened just to see what it is. */
static int path_check(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return S_ISBLK(st.st_mode) || S_ISREG(st.st_mode) ? 0 : -ENOTBLK;
}

static int block_measure(struct disk *disk)
{
	unsigned int physical;
	int logical;

	if (ioctl(disk->fd, BLKGETSIZE64, &disk->size) < 0 ||
	    ioctl(disk->fd, BLKSSZGET, &logical) < 0)
		return -errno;
	if (disk->size == 0)
		return -ENOMEDIUM;
	if (ioctl(disk->fd, BLKPBSZGET, &physical) < 0)
		physical = logical;
	disk->logical_sector = logical;
	disk->physical_sector = physical;
	return 0;
}

static int disk_measure(struct disk *disk)
{
	struct stat st;

	if (fstat(disk->fd, &st) < 0)
		return -errno;
	if (S_ISBLK(st.st_mode)) {
		disk->block = true;
		return block_measure(disk);
	}
	if (!S_ISREG(st.st_mode))
		return -ENOTBLK;
	disk->size = st.st_size;
	return 0;
}

static int disk_open(const char *path, int flags, struct disk **ret)
{
	struct disk *disk;
	int err;

	err = path_check(path);
	if (err)
		return err;
	disk = calloc(1, sizeof(*disk));
	if (!disk)
		return -ENOMEM;
	disk->direct = -1;
	disk->fd = open(path, flags | O_CLOEXEC | O_NOCTTY);
	if (disk->fd < 0) {
		err = -errno;
		goto fail;
	}
	err = disk_measure(disk);
	if (err)
		goto fail;
	disk->path = strdup(path);
	if (!disk->path) {
		err = -ENOMEM;
		goto fail;
	}
	*ret = disk;
	return 0;
fail:
	disk_close(disk);
	return err;
}

int disk_open_source(const char *path, struct disk **ret)
{
	int err;

	err = disk_open(path, O_RDONLY, ret);
	if (!err)
		posix_fadvise((*ret)->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return err;
}

static bool device_is_readonly(const char *path)
{
	int readonly = 0;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return false;
	if (ioctl(fd, BLKROGET, &readonly) < 0)
		readonly = 0;
	close(fd);
	return readonly;
}

/* A second descriptor, since the first one writes what is not aligned. */
static int direct_open(const struct disk *disk)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", disk->fd);
	return open(path, O_WRONLY | O_DIRECT | O_CLOEXEC | O_NOCTTY);
}

int disk_open_target(const char *path, struct disk **ret)
{
	struct disk *disk = NULL;
	struct stat st;
	bool block;
	int err;

	/* O_EXCL without O_CREAT has a meaning for block devices only. */
	block = stat(path, &st) == 0 && S_ISBLK(st.st_mode);
	err = disk_open(path, O_RDWR | (block ? O_EXCL : 0), &disk);
	/* Some kernels open a read-only device for writing all the same, others say EACCES. */
	if (block && (err == 0 || err == -EACCES || err == -EPERM) && device_is_readonly(path))
		err = -EROFS;
	if (err) {
		disk_close(disk);
		return err;
	}
	if (block)
		disk->direct = direct_open(disk);
	*ret = disk;
	return 0;
}

void disk_close(struct disk *disk)
{
	if (!disk)
		return;
	if (disk->fd >= 0)
		close(disk->fd);
	if (disk->direct >= 0)
		close(disk->direct);
	free(disk->path);
	free(disk);
}

/* The errors that the kernel's block layer makes of a bad medium (block/blk-core.c, blk_errors). */
static int medium_error(int errnum)
{
	switch (errnum) {
	case ENODATA:
	case EILSEQ:
	case EREMOTEIO: return -EIO;
	default: return -errnum;
	}
}

int disk_read(const struct disk *disk, uint64_t offset, void *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pread(disk->fd, (char *)buf + done, len - done, offset + done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return medium_error(errno);
		if (n == 0)
			return -ENODATA;
		done += n;
	}
	return 0;
}

static bool write_is_aligned(const struct disk *disk, uint64_t offset, const char *buf, size_t len)
{
	return disk->direct >= 0 && (uintptr_t)buf % DISK_ALIGN == 0 &&
	       offset % disk->logical_sector == 0 && len % disk->logical_sector == 0;
}

int disk_write(const struct disk *disk, uint64_t offset, const void *buf, size_t len)
{
	int fd = write_is_aligned(disk, offset, buf, len) ? disk->direct : disk->fd;
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pwrite(fd, (const char *)buf + done, len - done, offset + done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EINVAL && fd == disk->direct) {
			fd = disk->fd; /* this device wants more than that */
			continue;
		}
		if (n < 0)
			return medium_error(errno);
		if (n == 0)
			return -ENOSPC;
		done += n;
	}
	/* So that a sync finds little left; where this cannot be, and of what fails, that tells. */
	if (!disk->block && len >= WRITE_LONG)
		sync_file_range(disk->fd, offset, len, SYNC_FILE_RANGE_WRITE);
	return 0;
}

static int zero_by_writing(const struct disk *disk, uint64_t offset, uint64_t len)
{
	static char zeros[1u << 16]; /* not const, which would be in the program's file */
	size_t n;
	int err;

	while (len > 0) {
		n = MIN(len, sizeof(zeros));
		err = disk_write(disk, offset, zeros, n);
		if (err)
			return err;
		offset += n;
		len -= n;
	}
	return 0;
}

/*
 * OFFSET and LEN are multiples of what the device can do. A hole in a block device is a discard
 * that the kernel knows to read as zeros (block/fops.c, blkdev_fallocate), which BLKDISCARD is not.
 */
static int zero_aligned(const struct disk *disk, uint64_t offset, uint64_t len)
{
	uint64_t range[2] = {offset, len};
	int rc = -1;

	do {
		if (!disk->block || disk->discard)
			rc = fallocate(disk->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset,
				       len);
		if (rc < 0 && disk->block)
			rc = ioctl(disk->fd, BLKZEROOUT, range);
	} while (rc < 0 && errno == EINTR);
	if (rc == 0)
		return 0;
	if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL || errno == ENOTTY)
		return zero_by_writing(disk, offset, len);
	return medium_error(errno);
}

int disk_zero(const struct disk *disk, uint64_t offset, uint64_t len)
{
	const uint64_t align = MAX(disk->logical_sector, ZERO_ALIGN);
	uint64_t end, n;
	int err = 0;

	if (__builtin_add_overflow(offset, len, &end) || end > INT64_MAX)
		return -EINVAL;
	while (!err && offset < end) {
		if (offset % align != 0 || end - offset < align) {
			n = MIN(end - offset, align - offset % align);
			err = zero_by_writing(disk, offset, n);
		} else {
			n = MIN((end - offset) / align * align, ZERO_MOST);
			err = zero_aligned(disk, offset, n);
		}
		offset += n;
	}
	return err;
}

uint64_t disk_next_data(const struct disk *disk, uint64_t offset)
{
	off_t data;

	if (disk->block || offset >= disk->size)
		return MIN(offset, disk->size);
	data = lseek(disk->fd, offset, SEEK_DATA);
	if (data < 0)
		return errno == ENXIO ? disk->size : offset;
	return MIN((uint64_t)data, disk->size);
}

int disk_sync(const struct disk *disk)
{
	int rc;

	do {
		rc = fdatasync(disk->fd);
	} while (rc < 0 && errno == EINTR);
	return rc < 0 ? medium_error(errno) : 0;
}

int disk_reread_table(const struct disk *disk)
{
	const struct timespec pause = {.tv_nsec = 50000000};
	int tries = 20;

	if (!disk->block)
		return 0;
	/* EBUSY passes where udev is just looking into a partition of the old table. */
	while (ioctl(disk->fd, BLKRRPART) < 0) {
		if (errno != EBUSY || --tries == 0)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return 0;
}

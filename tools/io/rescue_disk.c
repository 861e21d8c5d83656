// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A dying disk as it is read: past the page cache, for there one bad sector takes the whole page
 * with it, and readahead goes on into the bad region by itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/param.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "io/rescue.h"

#define FILE_SECTOR 512u
#define PAGE	    4096u

struct rescue_disk {
	const struct disk *disk;
	int direct; /* -1: the page cache it is */
	uint32_t sector;
};

int rescue_disk_new(const struct disk *disk, struct rescue_disk **ret)
{
	struct rescue_disk *rescue = calloc(1, sizeof(*rescue));
	uint32_t sector = MAX(disk->physical_sector, disk->logical_sector);
	char path[32];

	if (!rescue)
		return -ENOMEM;
	rescue->disk = disk;
	rescue->sector = disk->block ? MIN(sector, RESCUE_PIECE) : FILE_SECTOR;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", disk->fd);
	rescue->direct = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC | O_NOCTTY);
	if (rescue->direct < 0)
		rescue->sector = MAX(rescue->sector, PAGE);
	posix_fadvise(disk->fd, 0, 0, POSIX_FADV_RANDOM);
	*ret = rescue;
	return 0;
}

void rescue_disk_free(struct rescue_disk *disk)
{
	if (!disk)
		return;
	if (disk->direct >= 0)
		close(disk->direct);
	free(disk);
}

/*
 * Whether the disk at PATH in sysfs, or the one that it is a partition of, was given up: SCSI says
 * "offline", NVMe "dead" and "deleting".
 */
static bool state_is_gone(const char *path)
{
	static const char *const files[] = {"device/state", "../device/state"};
	char name[96], state[32];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(name, sizeof(name), "%s/%s", path, files[i]);
		int fd = open(name, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? 0 : read(fd, state, sizeof(state) - 1);

		if (fd >= 0)
			close(fd);
		state[n > 0 ? n : 0] = '\0';
		if (strstr(state, "offline") || strstr(state, "dead") || strstr(state, "deleting"))
			return true;
	}
	return false;
}

/* A disk that was pulled may say EIO to everything for as long as it is held open. */
static bool disk_is_gone(const struct disk *disk)
{
	uint64_t size = 0;
	char path[64];
	struct stat st;

	if (!disk->block)
		return false;
	if (ioctl(disk->fd, BLKGETSIZE64, &size) < 0 || size == 0 || fstat(disk->fd, &st))
		return true;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(st.st_rdev), minor(st.st_rdev));
	return (access("/sys/dev/block", F_OK) == 0 && access(path, F_OK) < 0) ||
	       state_is_gone(path);
}

/* What the block layer makes of a bad medium; its ENODATA is no end. */
static int read_error(int errnum)
{
	return errnum == ENODATA || errnum == EILSEQ || errnum == EREMOTEIO ? -EIO : -errnum;
}

/* As disk_read, past the page cache; -EINVAL where that cannot be. */
static int read_direct(const struct rescue_disk *disk, uint64_t offset, char *buf, size_t len)
{
	size_t want = roundup(len, disk->sector), done = 0;

	while (done < len) {
		ssize_t n = pread(disk->direct, buf + done, want - done, offset + done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return read_error(errno);
		if (n == 0)
			return -ENODATA;
		done += n;
	}
	return 0;
}

static int rescue_disk_read(void *arg, uint64_t offset, void *buf, size_t len)
{
	struct rescue_disk *disk = arg;
	int r = disk->direct >= 0 ? read_direct(disk, offset, buf, len) : -EINVAL;

	if (r == -EINVAL && disk->direct >= 0) {
		close(disk->direct);
		disk->direct = -1;
		disk->sector = MAX(disk->sector, PAGE);
	}
	if (r == -EINVAL)
		r = disk_read(disk->disk, offset, buf, len);
	switch (r) {
	case -EIO:
	case -ETIMEDOUT: return disk_is_gone(disk->disk) ? -ENODEV : -EIO;
	/* The end: one that was pulled has no bytes any more. */
	case -ENODATA: return disk_is_gone(disk->disk) ? -ENODEV : r;
	case -ENXIO:
	case -ENOMEDIUM: return -ENODEV;
	default: return r;
	}
}

void rescue_disk_reader(struct rescue_disk *disk, struct rescue_reader *ret)
{
	*ret = (struct rescue_reader){
		.read = rescue_disk_read,
		.arg = disk,
		.sector = &disk->sector,
		.size = disk->disk->size,
	};
}

/* Reads [AT, END) in blocks of UNIT. Returns the first that fails, or END. */
static uint64_t locate_in(const struct rescue_reader *reader, uint64_t at, uint64_t end,
			  uint32_t unit, void *buf)
{
	while (at < end) {
		uint32_t len = MIN(end - at, unit - at % unit);

		if (reader->read(reader->arg, at, buf, len) < 0)
			return at;
		at += len;
	}
	return end;
}

uint64_t rescue_locate(const struct disk *disk, uint64_t offset, void *buf, uint32_t len)
{
	struct rescue_disk *rescue;
	struct rescue_reader reader;
	uint64_t end = offset + len;

	if (rescue_disk_new(disk, &rescue) < 0)
		return offset;
	rescue_disk_reader(rescue, &reader);
	uint64_t at = locate_in(&reader, offset, end, RESCUE_PIECE, buf);
	uint64_t stop = MIN(end, at + RESCUE_PIECE);
	uint64_t bad = at == end ? offset : locate_in(&reader, at, stop, *reader.sector, buf);

	rescue_disk_free(rescue);
	return bad == stop ? at : bad;
}

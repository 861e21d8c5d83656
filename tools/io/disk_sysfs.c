// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/disk_sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define SPACE " \t\r\n\v\f"

int disk_sysfs_open(dev_t device)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(device), minor(device));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

ssize_t disk_sysfs_bytes(int dir, const char *name, void *ret, size_t len)
{
	size_t done = 0;
	ssize_t n = 0;
	int fd;

	fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (done < len && (n = read(fd, (char *)ret + done, len - done)) > 0)
		done += n;
	n = n < 0 ? -errno : (ssize_t)done;
	close(fd);
	return n;
}

void disk_sysfs_trim(char *text)
{
	size_t skip = strspn(text, SPACE);
	size_t len = strlen(text + skip);

	while (len > 0 && strchr(SPACE, text[skip + len - 1]))
		len--;
	memmove(text, text + skip, len);
	text[len] = '\0';
}

bool disk_sysfs_text(int dir, const char *name, char *ret, size_t len)
{
	ssize_t n;

	n = disk_sysfs_bytes(dir, name, ret, len - 1);
	ret[n > 0 ? n : 0] = '\0';
	disk_sysfs_trim(ret);
	return ret[0] != '\0';
}

bool disk_sysfs_link(int dir, const char *name, char *ret, size_t len)
{
	char target[PATH_MAX];
	const char *last;
	ssize_t n;

	ret[0] = '\0';
	n = readlinkat(dir, name, target, sizeof(target) - 1);
	if (n <= 0)
		return false;
	target[n] = '\0';
	last = strrchr(target, '/');
	snprintf(ret, len, "%s", last ? last + 1 : target);
	return ret[0] != '\0';
}

bool disk_sysfs_has(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, 0) == 0;
}

bool disk_sysfs_device(int dir, dev_t *ret)
{
	unsigned int major, minor;
	char text[32];

	if (!disk_sysfs_text(dir, "dev", text, sizeof(text)) ||
	    sscanf(text, "%u:%u", &major, &minor) != 2)
		return false;
	*ret = makedev(major, minor);
	return true;
}

dev_t disk_sysfs_whole(dev_t device)
{
	int dir, disk;

	dir = disk_sysfs_open(device);
	if (dir < 0)
		return device;
	if (disk_sysfs_has(dir, "partition")) {
		disk = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (disk >= 0) {
			disk_sysfs_device(disk, &device);
			close(disk);
		}
	}
	close(dir);
	return device;
}

int disk_sysfs_each(int dir, const char *name, int (*each)(void *arg, int dir, const char *name),
		    void *arg)
{
	struct dirent *entry;
	int rc = 0;
	DIR *list;
	int fd;

	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	list = fdopendir(fd);
	if (!list) {
		close(fd);
		return 0;
	}
	while (rc == 0 && (entry = readdir(list))) {
		if (entry->d_name[0] != '.')
			rc = each(arg, fd, entry->d_name);
	}
	closedir(list);
	return rc;
}

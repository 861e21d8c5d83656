// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Devices are known by their numbers alone: names differ between kinds of disks (sda1, nvme0n1p1,
 * mmcblk0p1), and an initramfs may have no links to them.
 */
#include "io/disk_user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "io/disk.h"
#include "io/disk_sysfs.h"

#define DEVICES_MOST 512 /* a disk and its partitions: the kernel has 256 of them at most */

struct search {
	dev_t devices[DEVICES_MOST];
	size_t count;
	struct disk_user *user;
};

static void search_add(struct search *search, dev_t device)
{
	if (search->count < DEVICES_MOST)
		search->devices[search->count++] = device;
}

static bool search_has(const struct search *search, dev_t device)
{
	for (size_t i = 0; i < search->count; i++) {
		if (search->devices[i] == device)
			return true;
	}
	return false;
}

/* Whether PATH is one of the devices. */
static bool search_has_node(const struct search *search, const char *path)
{
	struct stat st;

	return path[0] == '/' && stat(path, &st) == 0 && S_ISBLK(st.st_mode) &&
	       search_has(search, st.st_rdev);
}

static int partition_add(void *arg, int dir, const char *name)
{
	struct search *search = arg;
	dev_t device;
	int fd;

	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (disk_sysfs_has(fd, "partition") && disk_sysfs_device(fd, &device))
		search_add(search, device);
	close(fd);
	return 0;
}

static int search_start(struct search *search, dev_t device)
{
	int dir, disk;

	search_add(search, device);
	dir = disk_sysfs_open(device);
	if (dir < 0)
		return dir;
	if (disk_sysfs_has(dir, "partition")) {
		disk = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (disk >= 0 && disk_sysfs_device(disk, &device))
			search_add(search, device);
		if (disk >= 0)
			close(disk);
	} else {
		disk_sysfs_each(dir, ".", partition_add, search);
	}
	close(dir);
	return 0;
}

/* Decodes the \040 of /proc's tables in place. */
static void octal_decode(char *text)
{
	char *out = text;
	unsigned int c;
	int n;

	while (*text) {
		n = 0;
		if (sscanf(text, "\\%3o%n", &c, &n) == 1 && n == 4) {
			*out++ = (char)c;
			text += 4;
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
}

/*
 * One line of mountinfo (Linux Documentation/filesystems/proc.rst section 3.5): the device is in
 * its third field, or, where a file system has an anonymous one (btrfs), in the source. A writable
 * mount is what people must hear of first.
 */
static void mount_check(struct search *search, char *line)
{
	struct disk_user *user = search->user;
	char *point = NULL, *source = NULL, *tail;
	char options[3] = "";
	unsigned int major, minor;
	bool ours, writable;

	tail = strstr(line, " - ");
	if (!tail || sscanf(line, "%*u %*u %u:%u %*s %ms", &major, &minor, &point) != 3)
		return;
	if (sscanf(tail, " - %*s %ms %2s", &source, options) >= 1) {
		octal_decode(source);
		ours = search_has(search, makedev(major, minor)) ||
		       (major == 0 && search_has_node(search, source));
		writable = strcmp(options, "ro") != 0;
		if (ours && (!user->mounted || (writable && !user->writable))) {
			octal_decode(point);
			snprintf(user->text, sizeof(user->text), "mounted %son %s",
				 writable ? "" : "read-only ", point);
			user->mounted = true;
			user->writable = writable;
		}
	}
	free(source);
	free(point);
}

/* One line of /proc/swaps: the device's path comes first. */
static void swap_check(struct search *search, char *line)
{
	line[strcspn(line, " \t")] = '\0';
	octal_decode(line);
	if (!search_has_node(search, line))
		return;
	search->user->held = true;
	if (search->user->text[0] == '\0')
		snprintf(search->user->text, sizeof(search->user->text), "swap");
}

static int lines_check(struct search *search, const char *path,
		       void (*check)(struct search *search, char *line))
{
	char *line = NULL;
	size_t size = 0;
	FILE *file;
	int err;

	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (getline(&line, &size, file) >= 0)
		check(search, line);
	err = ferror(file) ? -EIO : 0;
	free(line);
	fclose(file);
	return err;
}

static int holder_check(void *arg, int dir, const char *name)
{
	struct disk_user *user = arg;

	(void)dir;
	user->held = true;
	if (user->text[0] == '\0')
		snprintf(user->text, sizeof(user->text), "held by %.200s", name);
	return 1;
}

static void holders_check(struct search *search)
{
	int dir;

	for (size_t i = 0; i < search->count; i++) {
		dir = disk_sysfs_open(search->devices[i]);
		if (dir < 0)
			continue;
		disk_sysfs_each(dir, "holders", holder_check, search->user);
		close(dir);
	}
}

int disk_user_find(dev_t device, struct disk_user *ret)
{
	struct disk_user user = {0};
	struct search search = {.user = &user};
	int err;

	err = search_start(&search, device);
	if (!err)
		err = lines_check(&search, "/proc/self/mountinfo", mount_check);
	if (err)
		return err;
	err = lines_check(&search, "/proc/swaps", swap_check);
	if (err && err != -ENOENT) /* a kernel without swap */
		return err;
	holders_check(&search);
	*ret = user;
	return 0;
}

int disk_user(const char *path, char *ret, size_t len)
{
	struct disk_user user;
	struct stat st;
	int err;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISBLK(st.st_mode))
		return 0;
	err = disk_user_find(st.st_rdev, &user);
	if (err)
		return err;
	if (!user.mounted && !user.held)
		return 0;
	snprintf(ret, len, "%s", user.text);
	return 1;
}

bool disk_holds(const struct disk *disk, int fd)
{
	struct disk_user user = {0};
	struct search search = {.user = &user};
	struct stat here, there;

	if (fstat(disk->fd, &here) < 0 || fstat(fd, &there) < 0)
		return false;
	if (!disk->block)
		return S_ISREG(there.st_mode) && here.st_dev == there.st_dev &&
		       here.st_ino == there.st_ino;
	if (!S_ISBLK(there.st_mode) && !S_ISREG(there.st_mode))
		return false;
	search_start(&search, here.st_rdev);
	return search_has(&search, S_ISBLK(there.st_mode) ? there.st_rdev : there.st_dev);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/pair_holder.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/pair_sysfs.h"

static bool pair_holder_has(int proc, const char *pid, dev_t device)
{
	char path[32];
	struct dirent *entry;
	bool found = false;
	DIR *fds;
	int fd;

	snprintf(path, sizeof(path), "%.20s/fd", pid);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	fds = fdopendir(fd);
	if (!fds) {
		close(fd);
		return false;
	}
	while (!found && (entry = readdir(fds))) {
		struct stat st;

		found = fstatat(fd, entry->d_name, &st, 0) == 0 && S_ISCHR(st.st_mode) &&
			st.st_rdev == device;
	}
	closedir(fds);
	return found;
}

int pair_holder_find(dev_t device, char *ret, size_t len)
{
	struct dirent *entry;
	int count = 0;
	DIR *proc;

	ret[0] = '\0';
	proc = opendir("/proc");
	if (!proc)
		return 0;
	while ((entry = readdir(proc))) {
		char path[32], name[32];

		if (!isdigit((unsigned char)entry->d_name[0]) || atoi(entry->d_name) == getpid() ||
		    !pair_holder_has(dirfd(proc), entry->d_name, device))
			continue;
		snprintf(path, sizeof(path), "%.20s/comm", entry->d_name);
		if (count++ == 0 && pair_sysfs_read(dirfd(proc), path, name, sizeof(name)) > 0)
			snprintf(ret, len, "%s (%s)", name, entry->d_name);
	}
	closedir(proc);
	return count;
}

int pair_holder_open(const char *path, char *ret_holder, size_t len)
{
	struct stat st;
	int fd, err;

	/* Asked before the open: to open the device as a second one is felt by the first. */
	if (stat(path, &st))
		return -errno;
	if (!S_ISCHR(st.st_mode))
		return -ENOTTY;
	if (pair_holder_find(st.st_rdev, ret_holder, len))
		return -EBUSY;
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		err = errno == EWOULDBLOCK ? -EBUSY : -errno;
		close(fd);
		if (err == -EBUSY && !pair_holder_find(st.st_rdev, ret_holder, len))
			snprintf(ret_holder, len, "another process");
		return err;
	}
	return fd;
}

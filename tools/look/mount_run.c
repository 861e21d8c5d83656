// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a mount leaves for its end: RUN/dir and RUN/image, links to both; RUN/disk, where nbdfuse
 * shows its file; RUN/pid; RUN/log. Process ids are not trusted: the lock of RUN/log tells whether
 * a server runs, which has it as its standard error.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io/spawn.h"
#include "io/stop.h"
#include "look/mount.h"

#define RUN_PATIENCE (5 * STOP_SECOND)

int mount_fail(struct mount_run *run, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(run->why, sizeof(run->why), format, args);
	va_end(args);
	return error;
}

/* A server that died leaves a mount that answers nothing else. */
bool mount_is_there(const char *path)
{
	struct statx st;

	if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, 0, &st))
		return errno == ENOTCONN;
	return st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* RUN/NAME. The folder's path is short enough for it. */
static const char *run_path(const struct mount_run *run, const char *name, char ret[PATH_MAX])
{
	snprintf(ret, PATH_MAX, "%.*s/%s", PATH_MAX - 32, run->folder, name);
	return ret;
}

/* The folder of all mounts of this user. */
static int run_base(struct mount_run *run, char *ret, size_t len)
{
	const char *user = geteuid() ? getenv("XDG_RUNTIME_DIR") : "/run";
	struct stat st;

	if (!user || *user != '/')
		return mount_fail(
			run, -ENOENT,
			"XDG_RUNTIME_DIR names no folder for what runs; log in, or set it");
	if ((size_t)snprintf(ret, len, "%s/tbstream", user) >= len)
		return mount_fail(run, -ENAMETOOLONG, "%s is too long a path", user);
	if (mkdir(ret, 0700) && errno != EEXIST)
		return mount_fail(run, -errno, "%s cannot be made: %s", ret, strerror(errno));
	if (lstat(ret, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 022)
		return mount_fail(run, -EPERM,
				  "%s is no folder that only you can write to; remove it", ret);
	return 0;
}

int mount_run_new(const char *dir, const char *image, struct mount_run *ret)
{
	char base[PATH_MAX - 64], path[PATH_MAX], folder[PATH_MAX];

	*ret = (struct mount_run){.log = -1};
	int r = run_base(ret, base, sizeof(base));

	if (r < 0)
		return r;
	snprintf(ret->dir, sizeof(ret->dir), "%s", dir);
	snprintf(folder, sizeof(folder), "%s/mount-XXXXXX", base);
	if (!mkdtemp(folder))
		return mount_fail(ret, -errno, "%s cannot be made: %s", folder, strerror(errno));
	memcpy(ret->folder, folder, sizeof(folder));
	if (symlink(dir, run_path(ret, "dir", path)) ||
	    symlink(image, run_path(ret, "image", path)) ||
	    mkdir(run_path(ret, "disk", path), 0700))
		return mount_fail(ret, -errno, "%s cannot be made: %s", path, strerror(errno));
	run_path(ret, "log", path);
	ret->log = open(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (ret->log < 0 || flock(ret->log, LOCK_EX | LOCK_NB))
		return mount_fail(ret, -errno, "%s cannot be made: %s", path, strerror(errno));
	return 0;
}

/* Whether the folder NAME of BASE is that of a mount at DIR. */
static bool run_is_at(const char *base, const char *name, const char *dir, struct mount_run *run)
{
	char path[PATH_MAX], target[PATH_MAX];

	if (strncmp(name, "mount-", 6))
		return false;
	if ((size_t)snprintf(run->folder, sizeof(run->folder), "%s/%s", base, name) >=
	    sizeof(run->folder))
		return false;
	ssize_t n = readlink(run_path(run, "dir", path), target, sizeof(target) - 1);

	target[n < 0 ? 0 : n] = '\0';
	return n > 0 && !strcmp(target, dir);
}

int mount_run_find(const char *dir, struct mount_run *ret)
{
	char base[PATH_MAX - 64], path[PATH_MAX];
	struct dirent *entry;
	bool found = false;

	*ret = (struct mount_run){.log = -1};
	int r = run_base(ret, base, sizeof(base));
	if (r < 0)
		return r;
	DIR *folder = opendir(base);
	if (!folder)
		return mount_fail(ret, -errno, "%s cannot be read: %s", base, strerror(errno));
	while (!found && (entry = readdir(folder)))
		found = run_is_at(base, entry->d_name, dir, ret);
	closedir(folder);
	if (!found) {
		ret->folder[0] = '\0';
		rmdir(base);
		return mount_fail(ret, -ENOENT, "nothing that `tbstream mount` mounted is at %s",
				  dir);
	}
	snprintf(ret->dir, sizeof(ret->dir), "%s", dir);
	ret->log = open(run_path(ret, "log", path), O_RDWR | O_CLOEXEC);
	return 0;
}

/* The server ends when its file is no longer mounted. */
static int run_wait(struct mount_run *run)
{
	int64_t deadline = stop_deadline(RUN_PATIENCE);
	struct timespec pause = {.tv_nsec = 10000000};

	if (run->server) {
		if (spawn_wait(run->server, deadline, false) < 0)
			spawn_kill(run->server);
		run->server = 0;
		return 0;
	}
	while (run->log >= 0 && flock(run->log, LOCK_EX | LOCK_NB)) {
		if (stop_now() > deadline)
			return mount_fail(run, -EBUSY,
					  "the server of %s/disk/nbd does not end; try again",
					  run->folder);
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int run_remove(struct mount_run *run)
{
	static const char *const names[] = {"pid", "image", "log"};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(run_path(run, names[i], path));
	if (rmdir(run_path(run, "disk", path)) && errno != ENOENT)
		return mount_fail(run, -errno, "%s cannot be removed: %s", path, strerror(errno));
	/* Without this one the folder would not be found again. */
	unlink(run_path(run, "dir", path));
	if (rmdir(run->folder))
		return mount_fail(run, -errno, "%s cannot be removed: %s", run->folder,
				  strerror(errno));
	*strrchr(run->folder, '/') = '\0';
	rmdir(run->folder);
	run->folder[0] = '\0';
	return 0;
}

int mount_run_end(struct mount_run *run, const struct mount_programs *programs)
{
	char disk[PATH_MAX];
	int r = 0;

	if (!run->folder[0])
		return 0;
	run_path(run, "disk", disk);
	/* A server that did not get so far has nothing to end by itself for. */
	if (run->server && !mount_is_there(disk)) {
		spawn_kill(run->server);
		run->server = 0;
	}
	if (mount_is_there(run->dir))
		r = mount_detach(run, programs, run->dir, 0);
	/* The loop device is taken down after its file system, and then lets go of the file. */
	if (r == 0 && mount_is_there(disk))
		r = mount_detach(run, programs, disk, RUN_PATIENCE);
	if (r == 0)
		r = run_wait(run);
	return r == 0 ? run_remove(run) : r;
}

void mount_run_clear(struct mount_run *run)
{
	if (run->log >= 0)
		close(run->log);
	run->log = -1;
}

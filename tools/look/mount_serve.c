// SPDX-License-Identifier: GPL-2.0-or-later
/* The programs between an image and its mount. All of them are other projects'. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io/spawn.h"
#include "io/stop.h"
#include "look/mount.h"
#include "ui/msg.h"

#define SERVE_PATIENCE \
	(120 * STOP_SECOND) /* the trailer of a large image is read from a slow disk */
#define SERVE_GLANCE	 (STOP_SECOND / 50) /* nbdfuse tells by a file only that it is ready */
#define SERVE_LOG_MOST	 (64u << 10)	    /* bytes: it lies in memory */
#define PROGRAM_PATIENCE (60 * STOP_SECOND)

static int programs_need(const char *name, const char *package, char ret[PATH_MAX])
{
	int r = spawn_find(name, ret, PATH_MAX);

	if (r < 0)
		msg_error("%s is missing, without which nothing is mounted: install it (Debian's "
			  "package is %s)",
			  name, package);
	return r;
}

static int programs_plugin(const char *nbdkit)
{
	const char *argv[] = {nbdkit, "--dump-plugin", "tbimage", NULL};
	char text[1024];
	int r = spawn_run(argv, stop_deadline(PROGRAM_PATIENCE), true, text, sizeof(text));

	if (r == 0)
		return 0;
	if (r == -EINTR)
		msg_error("interrupted: nothing is mounted");
	else if (strstr(text, "nbdkit-tbimage-plugin.so: cannot open"))
		msg_error("nbdkit has no plugin for images: `make install-plugin` in tbstream's "
			  "sources installs nbdkit-tbimage-plugin.so where it looks for it");
	else
		msg_error("nbdkit cannot use its plugin for images: %.*s", (int)strcspn(text, "\n"),
			  text);
	return r < 0 ? r : -ENOENT;
}

int mount_programs_find(const struct mount_fs *fs, struct mount_programs *ret)
{
	bool root = geteuid() == 0;
	int r = root ? programs_need("umount", "mount", ret->umount)
		     : programs_need("fusermount3", "fuse3", ret->umount);

	if (r < 0 || !fs)
		return r;
	r = root ? programs_need("mount", "mount", ret->mount)
		 : programs_need("fuse2fs", "fuse2fs", ret->mount);
	if (r == 0)
		r = programs_need("nbdkit", "nbdkit", ret->nbdkit);
	if (r == 0)
		r = programs_need("nbdfuse", "libnbd-bin", ret->nbdfuse);
	return r == 0 ? programs_plugin(ret->nbdkit) : r;
}

/* The first line of the server's last words. */
static int serve_failed(struct mount_run *run, int r)
{
	char text[512];
	ssize_t n;

	if (r == -EINTR)
		return mount_fail(run, r, "interrupted");
	if (r == -ETIMEDOUT)
		return mount_fail(run, r, "its server was not ready in time");
	n = pread(run->log, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	return mount_fail(run, -EIO, "it cannot be served: %.*s", (int)strcspn(text, "\n"),
			  n > 0 ? text : "its server ended without a word");
}

static int serve_wait(struct mount_run *run)
{
	int64_t deadline = stop_deadline(SERVE_PATIENCE);
	char pid[PATH_MAX + 8];
	int r;

	snprintf(pid, sizeof(pid), "%s/pid", run->folder);
	do {
		r = spawn_wait(run->server, stop_deadline(SERVE_GLANCE), true);
		if (r == -ETIMEDOUT && access(pid, F_OK) == 0)
			return 0;
	} while (r == -ETIMEDOUT && stop_now() < deadline);
	if (r >= 0)
		run->server = 0;
	return serve_failed(run, r);
}

int mount_serve(struct mount_run *run, const struct mount_programs *programs, const char *image,
		const struct mount_choice *choice)
{
	char disk[PATH_MAX + 8], pid[PATH_MAX + 8], file[PATH_MAX + 8], offset[40], range[40];
	/*
	 * nbdfuse ends when its file is unmounted, and nbdkit when nbdfuse is gone, in whatever
	 * way: exitlast, since a change of the user makes the kernel forget --exit-with-parent.
	 */
	const char *argv[20] = {programs->nbdfuse,
				"-r",
				"-P",
				pid,
				disk,
				"[",
				programs->nbdkit,
				"--exit-with-parent",
				"--filter=exitlast",
				"--filter=offset",
				"tbimage",
				file,
				offset,
				range};
	size_t count = 14;
	struct spawn spawn = {
		.argv = argv, .output = run->log, .apart = true, .file_most = SERVE_LOG_MOST};

	/* The image may be hostile: of root its decoder keeps only the open file. */
	if (geteuid() == 0) {
		argv[count++] = "--user=65534";
		argv[count++] = "--group=65534";
	}
	argv[count] = "]";
	snprintf(disk, sizeof(disk), "%s/disk", run->folder);
	snprintf(pid, sizeof(pid), "%s/pid", run->folder);
	snprintf(file, sizeof(file), "file=%s", image);
	snprintf(offset, sizeof(offset), "offset=%" PRIu64, choice->from);
	snprintf(range, sizeof(range), "range=%" PRIu64, choice->length);
	int r = spawn_start(&spawn, &run->server);

	if (r < 0)
		return mount_fail(run, r, "%s cannot be started: %s", argv[0], strerror(-r));
	return serve_wait(run);
}

int mount_attach(struct mount_run *run, const struct mount_programs *programs,
		 const struct mount_fs *fs)
{
	char file[PATH_MAX + 16], options[128], text[512];
	const char *const as_root[] = {programs->mount, "-t", fs->kernel, "-o",
				       options,		file, run->dir,	  NULL};
	const char *const as_user[] = {programs->mount, file, run->dir, "-o",
				       "ro,norecovery", NULL};

	snprintf(file, sizeof(file), "%s/disk/nbd", run->folder);
	snprintf(options, sizeof(options), "%s,loop,nosuid,nodev", fs->options);
	int r = spawn_run(geteuid() ? as_user : as_root, stop_deadline(PROGRAM_PATIENCE), true,
			  text, sizeof(text));

	if (r == 0)
		return 0;
	if (r < 0)
		return mount_fail(run, r,
				  r == -EINTR ? "interrupted" : "mounting it took too long");
	return mount_fail(run, -EIO, "%.*s", (int)strcspn(text, "\n"),
			  *text ? text : "mount failed without a word");
}

int mount_detach(struct mount_run *run, const struct mount_programs *programs, const char *path,
		 int64_t patience)
{
	int64_t deadline = stop_deadline(patience);
	struct timespec pause = {.tv_nsec = 50000000};
	const char *as_root[] = {programs->umount, path, NULL};
	const char *as_user[] = {programs->umount, "-u", path, NULL};
	char text[512];
	int r;

	for (;;) {
		r = spawn_run(geteuid() ? as_user : as_root, stop_deadline(PROGRAM_PATIENCE), false,
			      text, sizeof(text));
		if (r == 0 || stop_now() >= deadline)
			break;
		nanosleep(&pause, NULL);
	}
	if (r == 0)
		return 0;
	return mount_fail(run, -EBUSY, "%.*s", (int)strcspn(text, "\n"),
			  *text ? text : "umount failed without a word");
}

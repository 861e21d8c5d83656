// SPDX-License-Identifier: GPL-2.0-or-later
/* tbstream mount: an image's file system as a folder, read-only. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/view.h"
#include "look/mount.h"
#include "programs.h"
#include "ui/msg.h"

/* What the image is, in words for messages: `partition 2 ("root", ext4) of laptop.zst`. */
static void mount_describe(const struct mount_choice *choice, const char *image, char *ret,
			   size_t len)
{
	char number[40] = "", name[80] = "";

	if (choice->number)
		snprintf(number, sizeof(number), "partition %llu of ",
			 (unsigned long long)choice->number);
	if (*choice->name)
		snprintf(name, sizeof(name), " \"%.72s\"", choice->name);
	snprintf(ret, len, "%s%.512s (%.16s%s)", number, image,
		 *choice->fs ? choice->fs : "nothing known", name);
}

static int mount_open_failed(const char *image, int r, const char *why)
{
	if (r == -EINTR)
		msg_error("interrupted: nothing is mounted");
	else if (r == -ESPIPE)
		msg_error("%s cannot be mounted: it is no regular file, of which any part can be "
			  "read; copy it to one",
			  image);
	else if (r == -EBADMSG || r == -ENODATA)
		msg_error(
			"%s cannot be mounted: %s; `tbstream verify %s` tells what of it is right",
			image, why, image);
	else
		msg_error("%s cannot be mounted: %s", image, why);
	return r;
}

/* Opens IMAGE, which is looked at here so that what is wrong with it is said in our words. */
static int mount_open(const char *image, int *ret_fd, struct view **ret)
{
	struct view *view = NULL;
	int fd = open(image, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : 0;

	if (r < 0) {
		msg_error("%s cannot be opened for reading: %s", image, strerror(-r));
		return r;
	}
	r = view_open(fd, &view);
	if (r < 0) {
		mount_open_failed(image, r, view ? view_why(view) : strerror(-r));
		view_close(view);
		close(fd);
		return r;
	}
	*ret_fd = fd;
	*ret = view;
	return 0;
}

/* The folder DIR as an absolute path, where nothing is mounted yet. */
static int mount_target(const char *dir, char ret[PATH_MAX])
{
	struct stat st;
	int r = !realpath(dir, ret) || stat(ret, &st) ? -errno : 0;

	if (r < 0) {
		msg_error("nothing can be mounted at %s: %s", dir, strerror(-r));
		return r;
	}
	if (!S_ISDIR(st.st_mode)) {
		msg_error("%s is no folder: make one, and name that", dir);
		return -ENOTDIR;
	}
	if (mount_is_there(ret)) {
		msg_error("something is mounted at %s already: `tbstream umount %s` ends what "
			  "`tbstream mount` has mounted",
			  dir, dir);
		return -EBUSY;
	}
	return 0;
}

/* How to mount CHOICE; NULL after a sentence. */
static const struct mount_fs *mount_how(const struct mount_choice *choice, const char *image)
{
	const struct mount_fs *fs = mount_fs_find(choice->fs);
	char what[768];

	mount_describe(choice, image, what, sizeof(what));
	if (!fs)
		msg_error("%s holds no file system that can be mounted; `nbdkit tbimage %s` serves "
			  "the disk to programs that know what it holds",
			  what, image);
	else if (geteuid() && !fs->fuse)
		msg_error("only root can mount %s; `tbstream ls` and `tbstream cp` look into it "
			  "without",
			  what);
	return fs && (geteuid() == 0 || fs->fuse) ? fs : NULL;
}

/* From here on there is something to undo. */
static int mount_do(struct mount_run *run, const struct mount_programs *programs, const char *image,
		    const struct mount_choice *choice, const struct mount_fs *fs)
{
	int r = mount_serve(run, programs, image, choice);

	return r == 0 ? mount_attach(run, programs, fs) : r;
}

static int mount_choice(const struct options *options, const struct mount_choice *choice)
{
	const char *name = options->arguments[0];
	char dir[PATH_MAX], image[PATH_MAX], what[768];
	const struct mount_fs *fs = mount_how(choice, name);
	struct mount_programs programs;
	struct mount_run run = {.log = -1};
	int r = fs ? mount_target(options->arguments[1], dir) : -EINVAL;

	if (r == 0)
		r = mount_programs_find(fs, &programs);
	if (r < 0)
		return r;
	if (!realpath(name, image)) {
		msg_error("%s cannot be found again: %s", name, strerror(errno));
		return -ENOENT;
	}
	mount_describe(choice, name, what, sizeof(what));
	r = mount_run_new(dir, image, &run);
	if (r == 0)
		r = mount_do(&run, &programs, image, choice, fs);
	if (r == 0)
		msg_note("%s is mounted at %s, read-only; `tbstream umount %s` ends it", what, dir,
			 dir);
	else
		msg_error("%s is not mounted: %s", what, run.why);
	if (r < 0 && mount_run_end(&run, &programs) < 0)
		msg_error("%s is left of it: %s", run.folder, run.why);
	mount_run_clear(&run);
	return r;
}

int tbstream_mount(int argc, char **argv)
{
	struct mount_choice choice;
	struct options options;
	struct view *view = NULL;
	int fd = -1, code = program_start(OPTIONS_MOUNT, argc, argv, &options);

	if (code >= 0)
		return code;
	if (options.count != 2) {
		msg_error("which image, and where? Say `tbstream mount laptop.zst /mnt`");
		return EXIT_USAGE;
	}
	if (mount_open(options.arguments[0], &fd, &view) < 0)
		return EXIT_FAILED;
	int r = mount_choose(view_manifest(view), options.arguments[0], view_head(view)->map.size,
			     options.partition, &choice);

	if (r == 0)
		r = mount_choice(&options, &choice);
	view_close(view);
	close(fd);
	return r == 0 ? EXIT_VERIFIED : EXIT_FAILED;
}

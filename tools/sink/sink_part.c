// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink/sink_part.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/manifest.h"
#include "codec/manifest_identity.h"
#include "codec/text.h"
#include "io/out.h"
#include "io/redo.h"
#include "io/resume.h"
#include "io/store.h"
#include "io/view.h"

/* A part file is never a link to something else, and what is no file must not make us wait. */
#define PART_OPEN (O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

/* What helps against R, behind the sentence that names it. */
static const char *part_way_out(int r)
{
	switch (r) {
	case -EROFS:
	case -EACCES:
	case -EPERM: return ": choose a folder that can be written to";
	case -ENOENT:
	case -ENOTDIR: return ": choose a folder that exists";
	case -ENOSPC:
	case -EDQUOT: return ": make room, and begin again";
	default: return "";
	}
}

static int part_error(struct sink *sink, const char *path, int r)
{
	if (r == -EINTR)
		return r;
	return sink_fail(sink, r, "%s cannot be opened: %s%s", path, strerror(-r), part_way_out(r));
}

/* An image stands under the name: whether it is one that can be gone on with. */
static int part_check_image(struct sink *sink)
{
	struct view *view = NULL;
	int fd = open(sink->name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return part_error(sink, sink->name, -errno);
	int r = view_open(fd, &view);
	bool cut = r == -ENODATA || r == -EBADMSG;

	view_close(view);
	close(fd);
	if (r == -EINTR)
		return r;
	/* One that was killed behind the rename could not say that it was done. */
	if (!sink->options.resume && r == 0)
		return sink_fail(sink, -EEXIST,
				 "%s exists and may be whole already: `tbstream verify %s` tells; "
				 "to receive again choose another name, or give --force to "
				 "overwrite it",
				 sink->name, sink->name);
	if (!sink->options.resume)
		return sink_fail(sink, -EEXIST,
				 "%s exists%s: choose another name, or give --force to overwrite "
				 "it",
				 sink->name,
				 cut ? " and is not complete, but --resume may go on with it" : "");
	if (r == 0)
		return sink_fail(sink, -EEXIST, "%s is complete already: nothing is left to resume",
				 sink->name);
	if (!cut)
		return sink_fail(sink, -EINVAL,
				 "%s is no image that could be resumed: leave out "
				 "--resume, and choose another name",
				 sink->name);
	if (!access(sink->part, F_OK))
		return sink_fail(
			sink, -EEXIST,
			"%s and %s are both there: remove the one that is not to be resumed",
			sink->name, sink->part);
	return 0;
}

int sink_part_check(struct sink *sink)
{
	struct stat st;

	if (stat(sink->name, &st)) {
		if (sink->options.resume && access(sink->part, F_OK))
			return sink_fail(sink, -ENOENT,
					 "nothing is there to resume, neither %s nor %s: leave out "
					 "--resume to begin",
					 sink->name, sink->part);
		return 0;
	}
	if (!S_ISREG(st.st_mode))
		return sink_fail(
			sink, -EINVAL,
			"%s is no regular file: an image goes into a file; to restore onto "
			"a disk say `tbrecv %s`",
			sink->name, sink->name);
	return sink->options.force ? 0 : part_check_image(sink);
}

/* FD is the file PATH, and nobody else's as long as it is open. */
static int part_hold(struct sink *sink, int fd, const char *path)
{
	struct stat st, named;

	if (fstat(fd, &st))
		return part_error(sink, path, -errno);
	if (!S_ISREG(st.st_mode))
		return sink_fail(sink, -EINVAL,
				 "%s is no regular file: remove it, or choose another name", path);
	/* Some file systems have no locks. Whoever was faster may have renamed or replaced it. */
	if ((flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) || stat(path, &named) ||
	    st.st_dev != named.st_dev || st.st_ino != named.st_ino)
		return sink_fail(sink, -EBUSY,
				 "%s is being written by another tbrecv: wait for it, or choose "
				 "another name",
				 path);
	return 0;
}

char *sink_part_folder(const struct sink *sink)
{
	char *copy = strdup(sink->name), *folder = copy ? strdup(dirname(copy)) : NULL;

	free(copy);
	return folder;
}

static int part_sync_folder(struct sink *sink)
{
	char *folder = sink_part_folder(sink);
	int r = folder ? out_sync_folder(folder) : -ENOMEM;

	free(folder);
	return r;
}

/* A new file, so that nobody has it open. */
static int part_create(struct sink *sink)
{
	int fd = open(sink->part, PART_OPEN | O_CREAT | O_EXCL, 0600);

	if (fd < 0)
		return part_error(sink, sink->part, -errno);
	sink->fd = fd;
	int r = part_hold(sink, fd, sink->part);
	if (r < 0)
		return r;
	r = part_sync_folder(sink);
	if (r == 0)
		r = store_new(fd, &sink->head, &sink->store);
	return r < 0 ? part_error(sink, sink->part, r) : 0;
}

static int part_replace(struct sink *sink)
{
	if (unlink(sink->part))
		return part_error(sink, sink->part, -errno);
	return part_create(sink);
}

/* "Samsung SSD S5GXNX0R123456", or what else is known of the disk. */
static void part_disk(const struct image_head *head, char ret[128])
{
	json_t *identity = NULL;
	char text[256] = "";

	if (manifest_parse(head->identity, head->identity_len, &identity) == 0) {
		const char *model = manifest_string(identity, "model");
		const char *serial = manifest_string(identity, "serial");

		snprintf(text, sizeof(text), "%s%s%s", model, *model && *serial ? " " : "", serial);
		if (!text[0])
			snprintf(text, sizeof(text), "%s", manifest_string(identity, "path"));
	}
	json_decref(identity);
	ret[text_put(text, 127, ret)] = '\0';
}

/* RESUME is ours: goes on with the file, which gets the part file's name where it has IMAGE's. */
static int part_continue(struct sink *sink, struct resume *resume, bool named)
{
	int r = named ? out_rename(sink->name, sink->part, false) : 0;

	if (r == 0)
		r = part_sync_folder(sink);
	if (r == 0)
		r = store_continue(sink->fd, resume, &sink->store);
	if (r < 0)
		return part_error(sink, named ? sink->name : sink->part, r);
	sink->head = *store_head(sink->store);
	sink->chunks = store_chunks(sink->store);
	sink->stored = store_size(sink->store);
	return 0;
}

/* The option that begins anew. */
static const char *part_anew(bool named)
{
	return named ? "--force" : "--restart";
}

/* There is a file, but nothing in it yet. */
static int part_empty(struct sink *sink, const char *path, bool named)
{
	if (!sink->options.resume)
		return part_replace(sink);
	return sink_fail(sink, -ENODATA,
			 "too little is in %s to go on with: give %s instead of --resume to begin "
			 "anew",
			 path, part_anew(named));
}

struct part_progress {
	const struct sink *sink;
	struct progress *progress;
};

static void part_looked(void *arg, uint64_t bytes, uint64_t size)
{
	struct part_progress *part = arg;

	/* Programs that read the progress wait for that of the transfer. */
	if (!part->progress && part->sink->options.progress != PROGRESS_JSON)
		part->progress = progress_new(part->sink->options.progress,
					      "looking at what is there", size);
	progress_update(part->progress, bytes, 0);
}

static int part_look(const struct sink *sink, struct resume *ret, char *why, size_t len)
{
	struct part_progress part = {.sink = sink};
	const struct resume_options options = {
		.recheck = sink->options.recheck,
		.looked = part_looked,
		.arg = &part,
	};
	int r = resume_open(sink->fd, &options, ret, why, len);

	progress_end(part.progress);
	return r;
}

/* What an earlier run left. */
static int part_resume(struct sink *sink, const char *path, bool named)
{
	struct resume resume;
	char why[256], disk[128];
	int r = redo_finish(sink->fd);

	if (r < 0)
		return part_error(sink, path, r);
	r = part_look(sink, &resume, why, sizeof(why));
	if (r == -EINTR)
		return r;
	if (r == -ENODATA)
		return part_empty(sink, path, named);
	if (r < 0)
		return sink_fail(sink, r,
				 "%s is there, but %s: choose another name, or give %s to begin "
				 "anew",
				 path, why, part_anew(named));
	if (!manifest_identity_same(&resume.head, &sink->head)) {
		part_disk(&resume.head, disk);
		r = sink_fail(sink, -EEXIST,
			      "%s holds the beginning of another disk (%s): choose another name, "
			      "or give %s to begin anew",
			      path, disk, part_anew(named));
	} else if (!resume_chunks(&resume)) {
		r = part_empty(sink, path, named);
	} else if (!sink->options.resumes) {
		r = sink_fail(sink, -EEXIST,
			      "%s is there from an earlier run: choose another name, or give "
			      "--restart to begin anew",
			      path);
	} else {
		r = part_continue(sink, &resume, named);
	}
	resume_clear(&resume);
	return r;
}

int sink_part_begin(struct sink *sink)
{
	const char *path = sink->part;
	int fd = open(path, PART_OPEN);

	if (fd < 0 && errno == ENOENT && sink->options.resume)
		fd = open(path = sink->name, PART_OPEN);
	if (fd < 0)
		return errno == ENOENT ? part_create(sink) : part_error(sink, path, -errno);
	sink->fd = fd;
	int r = part_hold(sink, fd, path);
	if (r < 0)
		return r;
	if (sink->options.force || sink->options.restart)
		r = part_replace(sink);
	else
		r = part_resume(sink, path, path == sink->name);
	/* The file that was replaced. */
	if (fd != sink->fd)
		close(fd);
	return r;
}

int sink_part_finish(struct sink *sink)
{
	int r = out_rename(sink->part, sink->name, sink->options.force);

	if (r < 0)
		return sink_fail(sink, r, "the image is whole, but %s cannot be renamed to %s: %s",
				 sink->part, sink->name, strerror(-r));
	r = part_sync_folder(sink);
	return r < 0 ? sink_fail(sink, r, "%s is whole, but its folder cannot be synced: %s",
				 sink->name, strerror(-r))
		     : 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The image, the partition and the file system of a place, and what is wrong with them. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/manifest.h"
#include "codec/manifest_table.h"
#include "look/place.h"
#include "programs.h"
#include "ui/msg.h"

static bool open_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

static int open_failed(const struct place *place, int r, const char *why)
{
	if (r == -EINTR)
		msg_error("interrupted");
	else if (r == -ENODATA)
		msg_error("%s is not complete, so its files cannot be reached: `tbstream verify "
			  "%s` tells how far it is right",
			  place->image, place->image);
	else if (r == -ESPIPE)
		msg_error("%s is no regular file: an image is read from its end, which a pipe or a "
			  "device does not show; copy it to a file",
			  place->image);
	else
		msg_error("%s cannot be read: %s; `tbstream verify %s` tells what of it is right",
			  place->image, why, place->image);
	return EXIT_FAILED;
}

int place_open(const char *text, struct place *ret, struct place_files *files)
{
	int r = place_split(text, open_exists, ret);

	if (r == -EINVAL) {
		msg_error("'%s' names no partition of %s: say %s:2:/path, with a number that "
			  "`tbstream ls %s` shows, or %s:disk:/path",
			  text, ret->image, ret->image, ret->image, ret->image);
		return EXIT_USAGE;
	}
	if (r < 0) {
		msg_error("out of memory");
		return EXIT_FAILED;
	}
	files->fd = open(ret->image, O_RDONLY | O_CLOEXEC);
	if (files->fd < 0) {
		msg_error("%s cannot be opened for reading: %s", ret->image, strerror(errno));
		return EXIT_FAILED;
	}
	r = view_open(files->fd, &files->view);
	if (r < 0)
		return open_failed(ret, r, files->view ? view_why(files->view) : strerror(-r));
	return -1;
}

/* The bytes of PLACE's part. Returns 0, or -ENOENT when the table has no such partition. */
static int open_range(const struct place *place, const struct view *view, uint64_t *ret_start,
		      uint64_t *ret_size, const char **ret_fs)
{
	const json_t *manifest = view_manifest(view);
	size_t count = manifest_partition_count(manifest);
	struct manifest_partition partition;

	*ret_start = 0;
	*ret_size = view_head(view)->map.size;
	*ret_fs = manifest_string(manifest, "contents.type");
	if (place->part != PLACE_PARTITION)
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (!manifest_partition_get(manifest, i, &partition) ||
		    partition.number != place->number)
			continue;
		*ret_start = partition.start;
		*ret_size = partition.size;
		*ret_fs = partition.fs;
		return 0;
	}
	return -ENOENT;
}

static const char *open_part_name(const struct place *place, char ret[40])
{
	if (place->part == PLACE_PARTITION)
		snprintf(ret, 40, "partition %" PRIu64, place->number);
	else
		snprintf(ret, 40, "the whole disk");
	return ret;
}

static void open_files_failed(const struct place *place, const struct files *files, int r,
			      const char *fs)
{
	const char *kind = files && *files_kind(files) ? files_kind(files) : fs;
	char part[40];

	open_part_name(place, part);
	if (r == -EINTR)
		msg_error("interrupted");
	else if (r == -EOPNOTSUPP || (r == -ENOMSG && *kind))
		msg_error(
			"%s of %s holds %s: %s; `tbstream mount` lets the kernel read it, as root",
			part, place->image, kind,
			r == -ENOMSG ? "this program reads ext2 to ext4 and FAT by itself"
				     : files_why(files));
	else if (r == -ENOMSG)
		msg_error(
			"%s of %s holds no file system that is known here: `tbstream ls %s` lists "
			"its partitions",
			part, place->image, place->image);
	else
		msg_error("%s of %s cannot be read: %s", part, place->image,
			  files ? files_why(files) : strerror(-r));
}

int place_open_files(const struct place *place, struct place_files *files)
{
	uint64_t start, size;
	const char *fs;
	char part[40];
	int r = open_range(place, files->view, &start, &size, &fs);

	open_part_name(place, part);
	if (r < 0) {
		msg_error("%s has no %s: `tbstream ls %s` lists those that it has", place->image,
			  part, place->image);
		return EXIT_FAILED;
	}
	r = view_device_open(files->view, start, size, &files->device);
	if (r == -ERANGE) {
		msg_error("%s of %s reaches behind the end of its disk: the partition table is "
			  "damaged",
			  part, place->image);
		return EXIT_FAILED;
	}
	if (r == 0)
		r = files_open(files->device, &files->files);
	if (r < 0) {
		open_files_failed(place, files->files, r, fs);
		return EXIT_FAILED;
	}
	if (*files_note(files->files))
		msg_warn("%s of %s, %s: %s", part, place->image, files_kind(files->files),
			 files_note(files->files));
	return -1;
}

void place_close(struct place *place, struct place_files *files)
{
	files_close(files->files);
	view_device_close(files->device);
	view_close(files->view);
	if (files->fd >= 0)
		close(files->fd);
	place_clear(place);
}

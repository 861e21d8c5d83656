// SPDX-License-Identifier: GPL-2.0-or-later
/* A disk of which nothing is read that nothing uses: that goes as zeros, and the manifest lists it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/disk_user.h"
#include "source/source_kinds.h"

/* Shorter unused ranges between used ones are read with them, for less calls and longer reads. */
#define USED_GAP 65536u

static int used_put_manifest(struct source *source)
{
	json_t *ranges = json_array();
	struct spare_range range = {0};
	int err = 0;

	while (!err && spare_next(source->used->spare, range.end, &range))
		err = json_array_append_new(ranges,
					    json_pack("[I, I]", (json_int_t)range.start,
						      (json_int_t)(range.end - range.start)));
	if (!err && json_array_size(ranges))
		err = json_object_set(source->manifest, "unallocated", ranges);
	json_decref(ranges);
	return err ? -ENOMEM : 0;
}

/* Whoever mounts it has it O_EXCL, also where our own mount namespace does not show that. */
static bool used_is_held(const struct disk *disk)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", disk->fd);
	int fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return errno == EBUSY;
	close(fd);
	return false;
}

/* What writes to the disk would change what is free while it is read. */
static int used_check_user(const struct disk *disk, char *ret_why, size_t len)
{
	struct disk_user user;
	struct stat st;

	if (!disk->block)
		return 0;
	int r = fstat(disk->fd, &st) < 0 ? -errno : disk_user_find(st.st_rdev, &user);

	if (r < 0) {
		snprintf(ret_why, len, "who uses %s cannot be found out: %s", disk->path,
			 strerror(-r));
		return r;
	}
	if (!user.writable && !user.held && (user.mounted || !used_is_held(disk)))
		return 0;
	snprintf(ret_why, len,
		 "%s is in use (%s), and what is free on it would change during the copy: unmount "
		 "it, or leave out --used",
		 disk->path, user.text[0] ? user.text : "by what cannot be seen from here");
	return -EBUSY;
}

int source_use(struct source *source, const struct used **ret, char *ret_why, size_t len)
{
	int r;

	if (source->stream || source->load || source->rescue) {
		snprintf(
			ret_why, len,
			"%s is %s: --used is for a disk, or for a file that holds the bytes of one",
			source_name(source),
			source->stream ? "a stream"
			: source->load ? "an image, which has what was read of its disk"
				       : "rescued");
		return -EINVAL;
	}
	r = used_check_user(source->disk, ret_why, len);
	if (r < 0)
		return r;
	r = used_find(source->disk, &source->used);
	if (r == 0)
		r = used_put_manifest(source);
	if (r < 0)
		snprintf(ret_why, len, "what %s uses cannot be found out: %s", source_name(source),
			 strerror(-r));
	*ret = source->used;
	return r;
}

bool source_uses(const struct source *source)
{
	return source->used != NULL;
}

uint64_t source_left_out(const struct source *source)
{
	return source->used ? spare_bytes(source->used->spare) : 0;
}

int source_leaves_out(const struct source *source, uint64_t index)
{
	return source->load ? -ENODATA : source_used_flags(source, index) != 0;
}

uint32_t source_used_flags(const struct source *source, uint64_t index)
{
	uint64_t offset = chunk_offset(&source->head.map, index);
	struct spare_range range;

	return source->used && spare_next(source->used->spare, offset, &range) &&
			       range.start < offset + chunk_length(&source->head.map, index)
		       ? IMAGE_ENTRY_UNALLOCATED
		       : 0;
}

bool source_used_nothing(const struct source *source, uint64_t offset, uint32_t len)
{
	struct spare_range range;

	return source->used && len && spare_next(source->used->spare, offset, &range) &&
	       range.start <= offset && range.end >= offset + len;
}

/* Where the used range ends that begins at AT: before an unused one of at least GAP bytes. */
static uint64_t used_end(const struct source *source, uint64_t at, uint64_t end, uint64_t gap)
{
	struct spare_range range;

	while (spare_next(source->used->spare, at, &range) && range.start < end) {
		if (MIN(range.end, end) - range.start >= gap)
			return range.start;
		at = range.end;
	}
	return end;
}

/* Of the bytes from OFFSET to END what is used, and unused ranges of less than GAP bytes, to BUF.
 */
static int used_read(struct source *source, uint64_t offset, uint64_t end, uint8_t *buf,
		     uint64_t gap, uint64_t *ret_at)
{
	struct spare_range range;
	uint64_t at = offset;

	while (at < end) {
		if (spare_next(source->used->spare, at, &range) && range.start <= at) {
			at = range.end;
			continue;
		}
		uint64_t stop = used_end(source, at, end, gap);
		int r = disk_read(source->disk, at, buf + (at - offset), stop - at);

		if (r < 0) {
			*ret_at = at;
			return r;
		}
		at = stop;
	}
	return 0;
}

int source_used_read(struct source *source, uint64_t offset, uint8_t *buf, uint32_t len,
		     uint64_t *ret_at)
{
	struct spare_range range = {.end = offset};
	uint64_t end = offset + len;
	int r = used_read(source, offset, end, buf, USED_GAP, ret_at);

	/* What is between may be what cannot be read. */
	if (r == -EIO)
		r = used_read(source, offset, end, buf, 1, ret_at);
	while (spare_next(source->used->spare, range.end, &range) && range.start < end) {
		uint64_t from = MAX(range.start, offset);

		memset(buf + (from - offset), 0, MIN(range.end, end) - from);
	}
	return r;
}

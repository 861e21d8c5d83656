// SPDX-License-Identifier: GPL-2.0-or-later
/* A disk, or an existing file, that is restored. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/text.h"
#include "io/disk.h"
#include "io/probe.h"
#include "io/target.h"
#include "sink_kinds.h"
#include "ui/msg.h"

#define CONFIRM_LEAST 4		    /* characters of a serial number */
#define BLANK_LENGTH  (1u << 20)    /* bytes at either end that an empty disk has as zeros */
#define ZERO_ONCE     (64ull << 20) /* bytes: between two looks at a stop signal */

/* Whether CONFIRM names the disk at PATH: the end of a serial number that no other disk shares. */
static bool sink_disk_confirmed(const char *path, const char *confirm)
{
	struct probe_disk *disks;
	size_t count, matches = 0, len = strlen(confirm);
	char *real = realpath(path, NULL);
	bool here = false;

	if (!real || len < CONFIRM_LEAST || probe_list(&disks, &count) < 0) {
		free(real);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		size_t serial = strlen(disks[i].serial);

		if (serial < len || strcmp(disks[i].serial + serial - len, confirm))
			continue;
		matches++;
		here |= !strcmp(disks[i].path, real);
	}
	free(real);
	free(disks);
	return here && matches == 1;
}

/* Whether the LEN bytes at OFFSET are all zeros: 1, 0 or -errno. */
static int sink_disk_blank(const struct disk *disk, uint64_t offset, size_t len)
{
	void *buf = malloc(len ? len : 1);
	int r = buf ? disk_read(disk, offset, buf, len) : -ENOMEM;

	if (r == 0)
		r = chunk_is_zero(buf, len);
	free(buf);
	return r;
}

/* Something that nobody knows stands at one of the ends: an encrypted disk looks so. */
static int sink_disk_unknown(const struct disk *disk)
{
	size_t len = disk->size < BLANK_LENGTH ? disk->size : BLANK_LENGTH;
	int r = sink_disk_blank(disk, 0, len);

	if (r == 1)
		r = sink_disk_blank(disk, disk->size - len, len);
	return r < 0 ? r : !r;
}

/* What is on it now: 1 and a sentence, 0 when it is empty, or -errno. */
static int sink_disk_describe(const struct sink *sink, char *ret, size_t len)
{
	char contents[256] = "";
	char size[24];
	int r = probe_contents(sink->disk, contents, sizeof(contents));

	if (r == 0) {
		r = sink_disk_unknown(sink->disk);
		snprintf(contents, sizeof(contents), "data of an unknown kind");
	}
	if (r < 0)
		return r;
	snprintf(ret, len, "%s (%s) holds %s", sink->name, msg_size(sink->disk->size, size),
		 r ? contents : "nothing that is known");
	return r;
}

static int sink_disk_permission(struct sink *sink, const char *from)
{
	const struct sink_options *options = &sink->options;
	char now[512], question[1152];
	int r;

	if (options->force)
		return 0;
	if (options->confirm)
		return sink_disk_confirmed(sink->name, options->confirm)
			       ? 0
			       : sink_fail(sink, -EPERM,
					   "%s is not confirmed by the serial number '%s': it must "
					   "be the last %d or more characters of the serial number "
					   "of this disk and of no other",
					   sink->name, options->confirm, CONFIRM_LEAST);
	r = sink_disk_describe(sink, now, sizeof(now));
	if (r < 0)
		return sink_fail(sink, r, "%s cannot be examined: %s", sink->name, strerror(-r));
	if (r == 0)
		return 0;
	snprintf(question, sizeof(question),
		 "%s.\nAll of it will be overwritten with %s. Type yes to go on: ", now, from);
	r = options->ask ? options->ask(question) : -ENOTTY;
	if (r == -EINTR)
		return r;
	if (r < 0)
		return sink_fail(sink, -EEXIST,
				 "%s, and nobody can be asked: give --force to overwrite it", now);
	return r ? 0 : sink_fail(sink, -ECANCELED, "%s is left as it is", sink->name);
}

static void sink_disk_origin(const struct sink *sink, const json_t *manifest, char *ret, size_t len)
{
	const json_t *source = json_object_get(manifest, "source");
	const char *path = json_string_value(json_object_get(source, "path"));
	const char *model = json_string_value(json_object_get(source, "model"));
	const char *host =
		json_string_value(json_object_get(json_object_get(manifest, "host"), "name"));
	char text[512], size[24];

	snprintf(text, sizeof(text), "%s%s%s (%s)%s%s", path ? path : "a disk",
		 model && *model ? ", " : "", model ? model : "",
		 msg_size(sink->head.map.size, size), host ? " of " : "", host ? host : "");
	/* The peer's words: nothing of them may steer a terminal. */
	ret[text_put(text, len - 1, ret)] = '\0';
}

static int sink_disk_begin(struct sink *sink, const json_t *manifest)
{
	char here[24], there[24], from[512];
	int r;

	if (sink->head.map.size > sink->disk->size)
		return sink_fail(sink, -ENOSPC,
				 "%s holds %s, the image needs %s (%llu bytes more): choose a "
				 "larger disk",
				 sink->name, msg_size(sink->disk->size, here),
				 msg_size(sink->head.map.size, there),
				 (unsigned long long)(sink->head.map.size - sink->disk->size));
	sink_disk_origin(sink, manifest, from, sizeof(from));
	r = sink_disk_permission(sink, from);
	if (r < 0)
		return r;
	r = target_new(sink->disk, sink->head.map.size, &sink->target);
	if (r < 0)
		return sink_fail(sink, r, "%s cannot be written: %s", sink->name, strerror(-r));
	sink->disk = NULL;
	return 0;
}

static int sink_disk_failed(struct sink *sink, uint64_t offset, int r)
{
	return r >= 0 ? r
		      : sink_fail(sink, r,
				  "%s cannot be written at byte %llu: %s. It holds a part of the "
				  "image and no partition table",
				  sink->name, (unsigned long long)offset, strerror(-r));
}

static int sink_disk_chunk(struct sink *sink, const struct sink_chunk *chunk)
{
	uint64_t offset = chunk_offset(&sink->head.map, sink->chunks);

	if (chunk->entry->flags & IMAGE_ENTRY_ZERO)
		return sink->ops->zero(sink, 1, chunk->entry->flags);
	sink->stored += chunk->length;
	return sink_disk_failed(sink, offset,
				target_write(sink->target, offset, chunk->content, chunk->length));
}

static int sink_disk_zero(struct sink *sink, uint64_t count, uint32_t flags)
{
	uint64_t at = chunk_offset(&sink->head.map, sink->chunks);
	uint64_t last = sink->chunks + count - 1;
	uint64_t end = chunk_offset(&sink->head.map, last) + chunk_length(&sink->head.map, last);

	(void)flags;
	while (at < end) {
		uint64_t n = end - at < ZERO_ONCE ? end - at : ZERO_ONCE;
		int r = target_zero(sink->target, at, n);

		if (r < 0)
			return sink_disk_failed(sink, at, r);
		at += n;
		sink->stored += n;
	}
	return 0;
}

static int sink_disk_sync(struct sink *sink)
{
	int r = target_sync(sink->target);

	return r < 0 ? sink_fail(sink, r, "%s cannot be synced: %s.", sink->name, strerror(-r)) : 0;
}

static int sink_disk_finish(struct sink *sink, json_t *manifest, enum sink_end *ret)
{
	int r = target_commit(sink->target);

	(void)manifest;
	if (r < 0)
		return sink_fail(sink, r, "%s cannot be completed: %s", sink->name, strerror(-r));
	*ret = SINK_DURABLE;
	return 0;
}

static void sink_disk_close(struct sink *sink)
{
	target_free(sink->target);
	disk_close(sink->disk);
}

static const struct sink_ops sink_disk_ops = {
	.begin = sink_disk_begin,
	.chunk = sink_disk_chunk,
	.zero = sink_disk_zero,
	.sync = sink_disk_sync,
	.finish = sink_disk_finish,
	.close = sink_disk_close,
};

static int sink_disk_refuse(const char *path, int error, char *ret_why, size_t len)
{
	char user[256] = "";

	if (error == -EBUSY && disk_user(path, user, sizeof(user)) == 1)
		snprintf(ret_why, len, "%s is in use (%s): unmount or stop it first", path, user);
	else if (error == -EBUSY)
		snprintf(ret_why, len, "%s is in use by the system: stop what holds it first",
			 path);
	else if (error == -ENOENT)
		snprintf(ret_why, len,
			 "%s does not exist: to keep the image in a file say `tbrecv -o %s`", path,
			 path);
	else if (error == -ENOTBLK || error == -EISDIR)
		snprintf(ret_why, len, "%s is neither a block device nor a regular file", path);
	else
		snprintf(ret_why, len, "%s cannot be opened for writing: %s", path,
			 strerror(-error));
	return error;
}

int sink_open_disk(const char *path, const struct sink_options *options, struct sink **ret,
		   char *ret_why, size_t len)
{
	char user[256];
	struct sink *sink;

	/* O_EXCL on the whole disk does not see every user of a partition: look for them by name
	 * too. */
	if (disk_user(path, user, sizeof(user)) == 1)
		return sink_disk_refuse(path, -EBUSY, ret_why, len);
	sink = sink_new(&sink_disk_ops, path);
	if (!sink)
		return -ENOMEM;
	sink->options = *options;
	int r = disk_open_target(path, &sink->disk);
	if (r < 0) {
		sink_close(sink);
		return sink_disk_refuse(path, r, ret_why, len);
	}
	*ret = sink;
	return 0;
}

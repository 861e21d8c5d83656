// SPDX-License-Identifier: GPL-2.0-or-later
/* A disk, or an existing file, that is restored. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "io/disk.h"
#include "io/journal.h"
#include "io/probe.h"
#include "io/spool.h"
#include "io/target.h"
#include "sink/sink_disk.h"
#include "ui/missing.h"
#include "ui/msg.h"

#define ZERO_ONCE   (64ull << 20) /* bytes: between two looks at a stop signal */
#define ZERO_DETAIL 65536u	  /* bytes: shorter runs of zeros are not worth a discard */

/* Whoever is asked whether the target may be overwritten has to know what comes. */
static void sink_disk_warn_missing(const struct sink *sink, const json_t *manifest)
{
	char where[400];

	if (missing_tell(manifest, sink->head.map.size, where, sizeof(where)))
		msg_warn("what comes is not complete: its disk could not read %s, which will be "
			 "zeros",
			 where);
}

/* The target takes over from the disk. */
static int sink_disk_target(struct sink *sink)
{
	uint8_t *ends = sink->journal ? journal_ends(sink->journal) : NULL;
	int r = target_new_in(sink->disk, sink->size, ends, sink->chunks > 0, &sink->target);

	if (r == -ESTALE) {
		r = sink_disk_resume_changed(sink);
		if (r < 0)
			return r;
		r = target_new_in(sink->disk, sink->size, ends, false, &sink->target);
	}
	if (r < 0)
		return sink_fail(sink, r, "%s cannot be written: %s", sink->name, strerror(-r));
	sink->disk = NULL;
	snprintf(sink->note, sizeof(sink->note),
		 "%s is not complete, and has zeros where its partition table or file system "
		 "begins: restore onto it again before you use it%s",
		 sink->name,
		 !sink->journal			   ? ""
		 : journal_volatile(sink->journal) ? "; until this machine is started again, the "
						     "same command goes on with it"
						   : "; the same command goes on with it");
	return 0;
}

static int sink_disk_begin(struct sink *sink, const json_t *manifest)
{
	int r = sink_disk_fits(sink, manifest);

	if (r == 0)
		sink_disk_warn_missing(sink, manifest);
	if (r == 0)
		r = sink_disk_permission(sink, manifest);
	if (r < 0)
		return r;
	r = sink->options.verify ? sink_disk_digest_start(sink) : 0;
	if (r == 0)
		r = sink_disk_resume_open(sink);
	if (r < 0)
		return r;
	sink->disk->discard = sink->options.discard;
	r = sink_disk_target(sink);
	if (r == 0 && sink->chunks)
		r = sink_disk_resume_check(sink);
	return r;
}

static int sink_disk_failed(struct sink *sink, uint64_t offset, int r)
{
	return r >= 0 ? r
		      : sink_fail(sink, r, "%s cannot be written at byte %llu: %s", sink->name,
				  (unsigned long long)offset, strerror(-r));
}

/* Whether the LEN bytes at DATA begin with zeros that are worth it. */
static bool sink_disk_hole(const uint8_t *data, uint32_t len)
{
	return len >= ZERO_DETAIL && chunk_is_zero(data, ZERO_DETAIL);
}

/* With --discard what is not allocated within a chunk, and came as zeros, is let go too. */
static int sink_disk_put(struct sink *sink, uint64_t offset, const uint8_t *data, uint32_t len)
{
	int r = 0;

	if (!sink->options.discard)
		return target_write(sink->target, offset, data, len);
	while (r == 0 && len) {
		bool hole = sink_disk_hole(data, len);
		uint32_t n = MIN(len, ZERO_DETAIL);

		while (n < len && sink_disk_hole(data + n, len - n) == hole)
			n += MIN(len - n, ZERO_DETAIL);
		r = hole ? target_zero(sink->target, offset, n)
			 : target_write(sink->target, offset, data, n);
		offset += n;
		data += n;
		len -= n;
	}
	return r;
}

/* Chunk INDEX, the next one or one that comes again. */
static int sink_disk_take(struct sink *sink, uint64_t index, const struct sink_chunk *chunk)
{
	uint64_t offset = chunk_offset(&sink->head.map, index);
	uint64_t room = sink->size - MIN(sink->size, offset);
	uint32_t kept = MIN(chunk->length, room);
	int r;

	r = sink_disk_digest(sink, index, chunk, kept);
	if (r == 0 && kept)
		r = sink_disk_failed(sink, offset,
				     sink_disk_put(sink, offset, chunk->content, kept));
	if (r < 0)
		return r;
	sink->stored += kept;
	sink_disk_resume_put(sink, index, chunk->entry);
	return sink_disk_drop(sink, offset, chunk->content, chunk->length);
}

static int sink_disk_chunk(struct sink *sink, const struct sink_chunk *chunk)
{
	if (chunk->entry->flags & IMAGE_ENTRY_ZERO)
		return sink->ops->zero(sink, 1, chunk->entry->flags);
	return sink_disk_take(sink, sink->chunks, chunk);
}

static bool sink_disk_fills(const struct sink *sink)
{
	return sink->target != NULL;
}

/* The digest of LEN zeros. */
static int sink_disk_zero_digest(struct sink *sink, uint32_t len, struct digest *ret)
{
	bool whole = len == sink->head.map.chunk_size;
	void *zeros = whole && sink->zero_there ? NULL : calloc(1, len + 1);

	if (zeros)
		digest_chunk(zeros, len, whole ? &sink->zero : ret);
	else if (!whole || !sink->zero_there)
		return sink_fail(sink, -ENOMEM, "out of memory");
	sink->zero_there |= whole;
	if (whole)
		*ret = sink->zero;
	free(zeros);
	return 0;
}

/* The next COUNT chunks are zeros. */
static int sink_disk_note_zeros(struct sink *sink, uint64_t count, uint32_t flags)
{
	struct image_entry entry = {.flags = flags};
	int r = 0;

	for (uint64_t i = sink->chunks; sink->journal && r == 0 && i < sink->chunks + count; i++) {
		r = sink_disk_zero_digest(sink, chunk_length(&sink->head.map, i), &entry.digest);
		if (r == 0)
			sink_disk_resume_put(sink, i, &entry);
	}
	return r < 0 ? r : sink_disk_digest_zeros(sink, count);
}

static int sink_disk_zero(struct sink *sink, uint64_t count, uint32_t flags)
{
	uint64_t at = chunk_offset(&sink->head.map, sink->chunks);
	uint64_t last = sink->chunks + count - 1;
	uint64_t end = chunk_offset(&sink->head.map, last) + chunk_length(&sink->head.map, last);

	end = MIN(end, sink->size);
	while (at < end) {
		uint64_t n = end - at < ZERO_ONCE ? end - at : ZERO_ONCE;
		int r = target_zero(sink->target, at, n);

		if (r < 0)
			return sink_disk_failed(sink, at, r);
		at += n;
		sink->stored += n;
	}
	return sink_disk_note_zeros(sink, count, flags);
}

static int sink_disk_sync(struct sink *sink)
{
	int r = target_sync(sink->target);

	if (r == 0)
		sink_disk_resume_mark(sink);
	return r < 0 ? sink_fail(sink, r, "%s cannot be synced: %s.", sink->name, strerror(-r)) : 0;
}

static int sink_disk_finish(struct sink *sink, json_t *manifest, enum sink_end *ret)
{
	int r = target_commit(sink->target);

	(void)manifest;
	if (r < 0)
		return sink_fail(sink, r, "%s cannot be completed: %s", sink->name, strerror(-r));
	sink->note[0] = '\0';
	if (sink->spool) {
		msg_note("reading %s back", sink->name);
		r = sink_disk_verify(sink);
	}
	if (r == 0) {
		journal_drop(sink->journal);
		r = sink_disk_fit(sink);
	}
	if (r < 0)
		return r;
	target_show(sink->target);
	*ret = SINK_DURABLE;
	return 0;
}

static void sink_disk_close(struct sink *sink)
{
	spool_free(sink->spool);
	target_free(sink->target);
	/* The target had its ends there. */
	journal_close(sink->journal);
	disk_close(sink->disk);
}

static const struct sink_ops sink_disk_ops = {
	.begin = sink_disk_begin,
	.chunk = sink_disk_chunk,
	.zero = sink_disk_zero,
	.fills = sink_disk_fills,
	.fill = sink_disk_take,
	.sync = sink_disk_sync,
	.finish = sink_disk_finish,
	.close = sink_disk_close,
	.entries = sink_disk_resume_entries,
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
	if (probe_excluded(sink->disk, PROBE_EXCLUDE)) {
		sink_close(sink);
		snprintf(
			ret_why, len,
			"%s is the rescue stick, or is on it (rd.tbstream.exclude): choose another "
			"disk",
			path);
		return -EBUSY;
	}
	if (options->from >= 0 && disk_holds(sink->disk, options->from)) {
		sink_close(sink);
		snprintf(ret_why, len,
			 "%s holds the image that is to be restored: copy the image to another "
			 "disk first",
			 path);
		return -EBUSY;
	}
	*ret = sink;
	return 0;
}

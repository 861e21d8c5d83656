// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/source_kinds.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "codec/manifest.h"
#include "codec/pack.h"
#include "io/disk.h"
#include "io/load.h"
#include "io/probe.h"
#include "io/stop.h"
#include "io/trailer.h"
#include "io/view.h"

#define SOURCE_HOLE_MOST 1024 /* chunks of one job, that a stop or a break is not far */

int source_new_transfer(struct source *source)
{
	if (getrandom(source->head.transfer_id, sizeof(source->head.transfer_id), 0) < 0)
		return -errno;
	source->head.created = time(NULL);
	return 0;
}

int source_set_identity(struct source *source, const json_t *identity)
{
	size_t len;
	int r = manifest_format(identity, &source->identity, &len);

	if (r < 0)
		return r;
	if (len > IMAGE_IDENTITY_MOST)
		return -EFBIG;
	source->head.identity = source->identity;
	source->head.identity_len = len;
	return 0;
}

int source_prepare_pack(struct source *source, int level)
{
	int r = source_job_setup(&source->job);

	source->level = source->most = level;
	return r < 0 ? r : pack_new(level, &source->packer.pack);
}

static int source_open_disk(struct source *source, int level)
{
	json_t *identity = NULL;
	int r = probe_identity(source->disk, &identity);

	if (r == 0)
		r = source_set_identity(source, identity);
	json_decref(identity);
	if (r < 0)
		return r;
	source->head.map.size = source->disk->size;
	source->head.map.chunk_size = CHUNK_SIZE;
	source->head.logical_sector = source->disk->logical_sector;
	source->head.physical_sector = source->disk->physical_sector;
	if (!chunk_map_valid(&source->head.map))
		return -EFBIG;
	r = source_prepare_pack(source, level);
	return r < 0 ? r : probe_manifest(source->disk, &source->manifest);
}

/* An image's own HEAD, under a fresh id: the copy is another image, though of the same disk. */
static int source_open_image(struct source *source)
{
	int r = view_open(source->disk->fd, &source->view);

	if (r == -ENODATA) {
		snprintf(source->why, sizeof(source->why),
			 "it is an image that was cut or never finished: it has no manifest");
		return -EBADMSG;
	}
	if (r < 0) {
		snprintf(source->why, sizeof(source->why), "%s",
			 source->view ? view_why(source->view) : strerror(-r));
		return r;
	}
	load_hold_against(source->load, source->view);
	source->manifest = json_copy(view_manifest(source->view));
	if (!source->manifest)
		return -ENOMEM;
	/* Which disk it once was of several says nothing about this transfer. */
	json_object_del(source->manifest, "set");
	source->head = *load_head(source->load);
	return 0;
}

/* Whether what is no image may be one whose beginning is lost: as a file it would be restored as
 * the bytes that it has. */
static bool source_was_image(struct source *source)
{
	static const uint8_t zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
	uint8_t magic[sizeof(zstd)];
	struct trailer trailer;

	int r = trailer_find(source->disk->fd, source->disk->size, &trailer);

	if (r == 0 || r == -EBADMSG) {
		snprintf(source->why, sizeof(source->why),
			 "its first frame or HEAD is damaged, though it ends as an image");
		return true;
	}
	if (source->disk->size < sizeof(magic) ||
	    disk_read(source->disk, 0, magic, sizeof(magic)) < 0 ||
	    memcmp(magic, zstd, sizeof(magic)))
		return false;
	snprintf(source->why, sizeof(source->why),
		 "%s, or it was cut; decompress it, or send it as it is with --raw",
		 load_why(source->load));
	return true;
}

static int source_open_path(struct source *source, const char *path, int level, int partition)
{
	int r = disk_open_source(path, &source->disk);

	if (r == 0)
		r = source_new_transfer(source);
	if (r < 0)
		return r;
	if (!source->disk->block) {
		r = load_new(source->disk->fd, &source->load);
		if (r == 0) {
			r = source_open_image(source);
			if (r == 0 && partition)
				r = source_open_part(source, partition, level);
			return r < 0 ? r : source_new_transfer(source);
		}
		if (r != -ENOMSG || source_was_image(source))
			return r;
		load_free(source->load);
		source->load = NULL;
	}
	if (partition) {
		snprintf(
			source->why, sizeof(source->why),
			"--partition is for an image; of a disk name the partition itself, such as "
			"/dev/sda%d",
			partition);
		return -EINVAL;
	}
	return source_open_disk(source, level);
}

int source_open(const char *path, int level, int partition, struct source **ret, char *ret_why,
		size_t len)
{
	struct source *source = calloc(1, sizeof(*source));
	const char *why = "";

	if (!source)
		return -ENOMEM;
	int r = source_open_path(source, path, level, partition);
	if (r == 0) {
		*ret = source;
		return 0;
	}
	if (source->why[0])
		why = source->why;
	else if (source->load)
		why = load_why(source->load);
	if (why[0])
		snprintf(ret_why, len, "%s cannot be sent: %s", path, why);
	else if (r == -EISDIR)
		snprintf(ret_why, len,
			 "%s is a folder: tbsend takes a disk, a file or an image; send a folder "
			 "with `tar c %s | ...`",
			 path, path);
	else if (r == -ENOTBLK)
		snprintf(ret_why, len, "%s is neither a block device nor a regular file", path);
	else
		snprintf(ret_why, len, "%s cannot be opened for reading: %s", path, strerror(-r));
	source_close(source);
	return r;
}

void source_close(struct source *source)
{
	if (!source)
		return;
	source_ahead_free(source);
	load_free(source->load);
	view_device_close(source->window);
	view_close(source->view);
	used_free(source->used);
	rescue_free(source->rescue);
	rescue_disk_free(source->rescue_disk);
	disk_close(source->disk);
	keep_free(source->keep);
	pack_free(source->packer.pack);
	json_decref(source->manifest);
	free(source->mapfile);
	free(source->identity);
	source_job_clear(&source->job);
	free(source);
}

const struct image_head *source_head(const struct source *source)
{
	return &source->head;
}

json_t *source_manifest(const struct source *source)
{
	return source->manifest;
}

int source_set(struct source *source, const struct manifest_set *set)
{
	return manifest_set_put(source->manifest, set);
}

bool source_same(const struct source *a, const struct source *b)
{
	struct stat st_a, st_b;

	if (fstat(a->disk->fd, &st_a) || fstat(b->disk->fd, &st_b))
		return false;
	if (S_ISBLK(st_a.st_mode) || S_ISBLK(st_b.st_mode))
		return S_ISBLK(st_a.st_mode) && S_ISBLK(st_b.st_mode) &&
		       st_a.st_rdev == st_b.st_rdev;
	return st_a.st_dev == st_b.st_dev && st_a.st_ino == st_b.st_ino;
}

const char *source_name(const struct source *source)
{
	return source->stream ? "standard input" : source->disk->path;
}

const char *source_why(const struct source *source)
{
	return source->why;
}

bool source_merged(const struct source *source)
{
	return source->merged;
}

static int source_next_image(struct source *source, struct source_chunk *ret)
{
	struct load_chunk chunk;
	int r = load_next(source->load, &chunk);

	if (r < 0)
		snprintf(source->why, sizeof(source->why), "%s cannot be sent: %s",
			 source->disk->path, load_why(source->load));
	if (r <= 0)
		return r;
	*ret = (struct source_chunk){
		.index = chunk.index,
		.entry = chunk.entry,
		.frame = chunk.frame,
	};
	return 1;
}

/* Whether chunk INDEX lies in a hole, which then need not be read. */
static bool source_in_hole(struct source *source, uint64_t offset, uint32_t len)
{
	if (source->data <= offset)
		source->data = disk_next_data(source->disk, offset);
	return len && source->data >= offset + len;
}

/* A job of LEN bytes at OFFSET of the disk. */
static int source_read(struct source *source, struct source_job *job, uint64_t offset)
{
	if (source->rescue)
		return source_rescue_read(source, offset, job->len, &job->chunk.entry.flags);
	int r = source->used ? source_used_read(source, offset, job->content, job->len, &offset)
			     : disk_read(source->disk, offset, job->content, job->len);
	if (r == -EIO && !source->used)
		offset = rescue_locate(source->disk, offset, job->content, job->len);
	if (r < 0)
		snprintf(source->why, sizeof(source->why),
			 "%s cannot be read at byte %" PRIu64 ": %s%s", source->disk->path, offset,
			 strerror(-r),
			 r == -EIO ? "; --rescue goes on behind it, and lists what is missing"
				   : "");
	return r;
}

/* Whether chunk INDEX is known to be zeros before it is read. */
static bool source_knows(struct source *source, uint64_t index)
{
	uint64_t offset = chunk_offset(&source->head.map, index);
	uint32_t len = chunk_length(&source->head.map, index);

	/* What is in no hole has to be looked at where it may be on the map. */
	return source_used_nothing(source, offset, len) ||
	       (!source->rescue && source_in_hole(source, offset, len));
}

/*
 * A long hole is one job: if each of its chunks were one, there would soon be none left for the
 * data behind it, and those that pack would wait. The last chunk can be shorter and is by itself.
 */
static void source_extend_hole(struct source *source, struct source_job *job)
{
	uint64_t last = chunk_count(&source->head.map) - 1, index = source->read + 1;

	while (index < last && job->more < SOURCE_HOLE_MOST && source_knows(source, index) &&
	       source_used_flags(source, index) == job->chunk.entry.flags) {
		job->more++;
		index++;
	}
}

static int source_read_disk(struct source *source, struct source_job *job)
{
	const struct chunk_map *map = &source->head.map;
	uint64_t offset = chunk_offset(map, source->read);

	if (source->read == chunk_count(map))
		return source->rescue ? source_rescue_end(source) : 0;
	job->len = chunk_length(map, source->read);
	job->chunk.zero = source_knows(source, source->read);
	job->chunk.entry.flags = source_used_flags(source, source->read);
	if (job->chunk.zero) {
		source_extend_hole(source, job);
	} else {
		int r = source_read(source, job, offset);

		if (r < 0)
			return r;
		job->look = job->len && !(job->chunk.entry.flags & ~IMAGE_ENTRY_UNALLOCATED);
	}
	return 1;
}

int source_read_next(struct source *source, struct source_job *job, bool wait)
{
	int r;

	int64_t began = stop_now();

	job->look = false;
	job->more = 0;
	job->level = source->level;
	job->chunk = (struct source_chunk){.index = source->read};
	if (source->stream)
		r = source_read_stream(source, job, wait);
	else if (source->part_size)
		r = source_read_part(source, job);
	else
		r = source_read_disk(source, job);
	source->read += r == 1 ? 1 + job->more : 0;
	source_time_read(source, began);
	return r;
}

void source_threads(struct source *source, unsigned int threads)
{
	source->threads = threads;
	if (source->load && !source->part_size)
		load_threads(source->load, threads);
}

static int source_next_any(struct source *source, struct source_chunk *ret)
{
	if (source->ended)
		return 0;
	if (source->stream)
		return source_next_stream(source, ret);
	if (source->load && !source->part_size)
		return source_next_image(source, ret);
	return source_next_packed(source, ret);
}

int source_next(struct source *source, struct source_chunk *ret)
{
	source_time_enter(source);
	int r = source_next_any(source, ret);
	source_time_leave(source);
	return r;
}

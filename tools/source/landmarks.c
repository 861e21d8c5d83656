// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/landmarks.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "codec/manifest.h"
#include "codec/manifest_table.h"
#include "io/probe_head.h"

#define LANDMARKS_FIXED	    4		/* beside those of partitions */
#define LANDMARKS_PARTITION 3		/* for each partition, beside its file system's heads */
#define LANDMARKS_HEADS	    256		/* file systems at most whose heads are looked for */
#define LANDMARKS_BACKUP    (33u * 512) /* a GPT's backup: entries and header, to the disk's end */
#define LANDMARKS_BTRFS	    65536u	/* its superblock, from the partition's start */
#define LANDMARKS_LOGICAL   (1u << 20)	/* from its table to a logical partition, in an MBR */

/* Notes the chunk of byte OFFSET, if it is among those below FIRST. */
static void landmarks_add(struct landmarks *landmarks, const struct chunk_map *map, uint64_t first,
			  uint64_t offset)
{
	uint64_t chunk = offset / map->chunk_size;

	if (chunk < first)
		landmarks->chunks[landmarks->count++] = chunk;
}

/* Those of the file system of TYPE in SIZE bytes at START, wherever the manifest has them from. */
static void landmarks_add_heads(struct landmarks *landmarks, const struct chunk_map *map,
				uint64_t first, const struct probe_area *disk, const char *type,
				uint64_t start, uint64_t size)
{
	struct probe_area area = *disk;
	uint64_t heads[PROBE_HEADS_MOST];

	if (start > disk->size || size > disk->size - start)
		return;
	area.start += start;
	area.size = size;
	for (size_t i = 0, count = probe_heads(&area, type, heads); i < count; i++)
		landmarks_add(landmarks, map, first, start + heads[i]);
}

static void landmarks_add_partitions(struct landmarks *landmarks, const json_t *manifest,
				     const struct chunk_map *map, uint64_t first,
				     const struct probe_area *disk)
{
	struct manifest_partition part;

	for (size_t i = 0; i < manifest_partition_count(manifest); i++) {
		if (!manifest_partition_get(manifest, i, &part))
			continue;
		landmarks_add(landmarks, map, first, part.start);
		landmarks_add(landmarks, map, first, part.start + LANDMARKS_BTRFS);
		if (part.start >= LANDMARKS_LOGICAL)
			landmarks_add(landmarks, map, first, part.start - LANDMARKS_LOGICAL);
		if (i < LANDMARKS_HEADS)
			landmarks_add_heads(landmarks, map, first, disk, part.fs, part.start,
					    part.size);
	}
}

static int landmarks_add_random(struct landmarks *landmarks, uint64_t first)
{
	uint64_t parts = first < LANDMARKS_RANDOM ? first : LANDMARKS_RANDOM;
	uint64_t noise[LANDMARKS_RANDOM];

	if (getrandom(noise, sizeof(noise), 0) != sizeof(noise))
		return -EIO;
	for (uint64_t i = 0; i < parts; i++) {
		uint64_t from = first * i / parts, to = first * (i + 1) / parts;

		landmarks->chunks[landmarks->count++] = from + noise[i] % (to - from);
	}
	return 0;
}

static int landmarks_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Puts them in order, and each once. */
static void landmarks_sort(struct landmarks *landmarks)
{
	size_t kept = 0;

	qsort(landmarks->chunks, landmarks->count, sizeof(*landmarks->chunks), landmarks_compare);
	for (size_t i = 0; i < landmarks->count; i++) {
		if (i && landmarks->chunks[i] == landmarks->chunks[i - 1])
			continue;
		landmarks->chunks[kept++] = landmarks->chunks[i];
	}
	landmarks->count = kept;
}

int landmarks_choose(const json_t *manifest, const struct chunk_map *map, uint64_t first,
		     const struct probe_area *disk, struct landmarks *ret)
{
	size_t most = LANDMARKS_FIXED + LANDMARKS_RANDOM + PROBE_HEADS_MOST +
		      (LANDMARKS_PARTITION + PROBE_HEADS_MOST) * manifest_partition_count(manifest);
	struct landmarks landmarks = {.chunks = calloc(most, sizeof(*landmarks.chunks))};
	int r;

	if (!landmarks.chunks)
		return -ENOMEM;
	landmarks_add(&landmarks, map, first, 0);
	landmarks_add(&landmarks, map, first, (first - 1) * map->chunk_size);
	if (map->size > LANDMARKS_BACKUP) {
		landmarks_add(&landmarks, map, first, map->size - LANDMARKS_BACKUP);
		landmarks_add(&landmarks, map, first, map->size - 1);
	}
	landmarks_add_partitions(&landmarks, manifest, map, first, disk);
	/* A file system without partitions. */
	landmarks_add_heads(&landmarks, map, first, disk,
			    manifest_string(manifest, "contents.type"), 0, disk->size);
	r = landmarks_add_random(&landmarks, first);
	if (r < 0) {
		landmarks_clear(&landmarks);
		return r;
	}
	landmarks_sort(&landmarks);
	*ret = landmarks;
	return 0;
}

void landmarks_clear(struct landmarks *landmarks)
{
	free(landmarks->chunks);
	*landmarks = (struct landmarks){0};
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "codec/chunk.h"

/* What is kept back of one end: SIZE bytes that belong at OFFSET. */
struct kept {
	uint64_t offset, size;
	uint8_t *data;
};

struct target {
	struct disk *disk;
	uint64_t size;
	struct kept head, tail; /* they meet, and never overlap, where the target is small */
	struct kept backup;	/* of a GPT that was moved */
	bool borrowed;		/* head's and tail's data are somebody else's */
	bool committed;
};

static void target_clear(struct target *target)
{
	if (!target->borrowed) {
		free(target->head.data);
		free(target->tail.data);
	}
	free(target->backup.data);
	free(target);
}

/* Removes what makes DISK look like a disk, before anything else is written. */
static int ends_wipe(const struct target *target)
{
	const struct disk *disk = target->disk;
	uint64_t end = disk->size - MIN(disk->size, TARGET_KEPT);
	int err;

	err = disk_zero(disk, target->head.offset, target->head.size);
	if (!err)
		err = disk_zero(disk, target->tail.offset, target->tail.size);
	/* It may reach into the tail, which is zeros by now. */
	if (!err && disk->size > target->size)
		err = disk_zero(disk, end, disk->size - end);
	return err ? err : disk_sync(disk);
}

/* Whether the LEN bytes at OFFSET of the disk are zeros or, where it is not NULL, those at DATA. */
static int end_check(const struct disk *disk, uint64_t offset, size_t len, const uint8_t *data)
{
	uint8_t *buf = malloc(TARGET_KEPT);
	int err = buf ? disk_read(disk, offset, buf, len) : -ENOMEM;

	for (size_t at = 0; !err && at < len; at += DISK_ALIGN) {
		size_t n = MIN(len - at, DISK_ALIGN);

		if (!chunk_is_zero(buf + at, n) && (!data || memcmp(buf + at, data + at, n)))
			err = -ESTALE;
	}
	free(buf);
	return err;
}

/* Whether the ends are as ends_wipe left them, or as target_commit, that was cut, makes them. */
static int ends_check(const struct target *target)
{
	const struct disk *disk = target->disk;
	uint64_t end = MAX(disk->size - MIN(disk->size, TARGET_KEPT), target->size);
	int err;

	err = end_check(disk, 0, target->head.size, target->head.data);
	if (!err)
		err = end_check(disk, target->tail.offset, target->tail.size, target->tail.data);
	return err ? err : end_check(disk, end, disk->size - end, NULL);
}

int target_new(struct disk *disk, uint64_t size, struct target **ret)
{
	return target_new_in(disk, size, NULL, false, ret);
}

int target_new_in(struct disk *disk, uint64_t size, uint8_t *ends, bool goes_on,
		  struct target **ret)
{
	struct target *target;
	int err = -ENOMEM;

	if (size > disk->size)
		return -ENOSPC;
	target = calloc(1, sizeof(*target));
	if (!target)
		return -ENOMEM;
	target->disk = disk;
	target->size = size;
	target->head.size = MIN(size, TARGET_KEPT);
	target->tail.offset = MAX(target->head.size, size - target->head.size);
	target->tail.size = size - target->tail.offset;
	target->borrowed = ends != NULL;
	target->head.data = ends ? ends : calloc(1, TARGET_KEPT);
	target->tail.data = ends ? ends + TARGET_KEPT : calloc(1, TARGET_KEPT);
	if (!target->head.data || !target->tail.data)
		goto fail;
	err = goes_on ? ends_check(target) : 0;
	if (!err)
		err = ends_wipe(target);
	if (err)
		goto fail;
	*ret = target;
	return 0;
fail:
	target_clear(target);
	return err;
}

/* Puts what of DATA (NULL: zeros) for [OFFSET, END) belongs to KEPT into it. */
static void kept_put(struct kept *kept, uint64_t offset, uint64_t end, const uint8_t *data)
{
	uint64_t from = MAX(offset, kept->offset);
	uint64_t to = MIN(end, kept->offset + kept->size);

	if (from >= to)
		return;
	if (data)
		memcpy(kept->data + (from - kept->offset), data + (from - offset), to - from);
	else
		memset(kept->data + (from - kept->offset), 0, to - from);
}

static int range_put(struct target *target, uint64_t offset, const void *data, uint64_t len)
{
	uint64_t from, to, end;

	if (target->committed || __builtin_add_overflow(offset, len, &end) || end > target->size)
		return -EINVAL;
	kept_put(&target->head, offset, end, data);
	kept_put(&target->tail, offset, end, data);
	from = MAX(offset, target->head.size);
	to = MIN(end, target->tail.offset);
	if (from >= to)
		return 0;
	if (!data)
		return disk_zero(target->disk, from, to - from);
	return disk_write(target->disk, from, (const uint8_t *)data + (from - offset), to - from);
}

int target_write(struct target *target, uint64_t offset, const void *buf, size_t len)
{
	return range_put(target, offset, buf, len);
}

int target_zero(struct target *target, uint64_t offset, uint64_t len)
{
	return range_put(target, offset, NULL, len);
}

/* Puts what KEPT has of [OFFSET, END) to BUF. */
static void kept_get(const struct kept *kept, uint64_t offset, uint64_t end, uint8_t *buf)
{
	uint64_t from = MAX(offset, kept->offset);
	uint64_t to = MIN(end, kept->offset + kept->size);

	if (from < to)
		memcpy(buf + (from - offset), kept->data + (from - kept->offset), to - from);
}

int target_read(const struct target *target, uint64_t offset, void *buf, size_t len)
{
	int err = disk_read(target->disk, offset, buf, len);

	if (!err && !target->committed) {
		kept_get(&target->head, offset, offset + len, buf);
		kept_get(&target->tail, offset, offset + len, buf);
	}
	return err;
}

int target_sync(struct target *target)
{
	return disk_sync(target->disk);
}

static int kept_write(const struct target *target, const struct kept *kept)
{
	int err;

	err = disk_write(target->disk, kept->offset, kept->data, kept->size);
	return err ? err : disk_sync(target->disk);
}

int target_commit(struct target *target)
{
	int err;

	/* The rest first: a backup GPT at the end already makes a disk of it. */
	err = disk_sync(target->disk);
	if (!err)
		err = kept_write(target, &target->tail);
	if (!err)
		err = kept_write(target, &target->head);
	if (err)
		return err;
	target->committed = true;
	return 0;
}

int target_gpt(const struct target *target, uint32_t sector, struct gpt *ret)
{
	const struct disk *disk = target->disk;

	return gpt_read(target->head.data, target->head.size,
			disk->block ? disk->logical_sector : sector, ret);
}

int target_move_gpt(struct target *target, const struct gpt *gpt)
{
	struct kept *backup = &target->backup;
	int err;

	if (!target->committed || backup->data)
		return -EINVAL;
	backup->size = gpt_backup_size(gpt);
	backup->data = malloc(backup->size);
	if (!backup->data)
		return -ENOMEM;
	err = gpt_move(gpt, target->head.data, target->disk->size, backup->data, &backup->offset);
	if (!err)
		err = kept_write(target, backup);
	/* The protective MBR and the header: the entries stay as they are. */
	if (!err)
		err = disk_write(target->disk, 0, target->head.data, 2 * gpt->sector);
	return err ? err : disk_sync(target->disk);
}

/* Whether the medium has what was written of KEPT. */
static int kept_check(const struct disk *medium, const struct kept *kept)
{
	uint64_t from = kept->offset / DISK_ALIGN * DISK_ALIGN;
	size_t len = kept->offset + kept->size - from;
	uint8_t *buf = aligned_alloc(DISK_ALIGN, roundup(len, DISK_ALIGN));
	int err = buf ? disk_read_medium(medium, from, buf, len) : -ENOMEM;

	if (!err && memcmp(buf + (kept->offset - from), kept->data, kept->size))
		err = -EBADMSG;
	free(buf);
	return err;
}

int target_check_gpt(const struct target *target)
{
	struct disk *medium;
	int err;

	if (!target->backup.data)
		return -EINVAL;
	err = disk_open_medium(target->disk, &medium);
	if (err)
		return err;
	err = kept_check(medium, &target->head);
	if (!err)
		err = kept_check(medium, &target->backup);
	disk_close(medium);
	return err;
}

void target_show(const struct target *target)
{
	disk_reread_table(target->disk);
}

const struct disk *target_disk(const struct target *target)
{
	return target->disk;
}

void target_free(struct target *target)
{
	if (!target)
		return;
	disk_close(target->disk);
	target_clear(target);
}

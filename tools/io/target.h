/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk that is being restored. Its first and last 4 MiB are kept in memory until target_commit
 * writes them, so that an interrupted restore has no partition table and never looks like a disk.
 * The rest is written as it comes.
 */
#ifndef IO_TARGET_H
#define IO_TARGET_H

#include <stddef.h>
#include <stdint.h>

#include "codec/gpt.h"
#include "io/disk.h"

#define TARGET_KEPT (4u << 20) /* bytes kept back at either end */

struct target;

/*
 * Takes over DISK (of disk_open_target); SIZE is what will be restored. The first and last 4 MiB of
 * these SIZE bytes are overwritten with zeros, and so are the disk's own last 4 MiB where it is
 * larger (an old backup GPT may stand there); that is on the medium before this returns. Returns 0,
 * or -errno (DISK stays the caller's): -ENOSPC when SIZE is above disk->size, nothing written.
 */
int target_new(struct disk *disk, uint64_t size, struct target **ret);
/*
 * The same, but what is kept back is in ENDS, 2 * TARGET_KEPT bytes of the caller's that outlive
 * the target. Where it GOES_ON, they have what came before, and the disk's ends must still be
 * zeros, or what target_commit writes there: else -ESTALE, and nothing was written.
 */
int target_new_in(struct disk *disk, uint64_t size, uint8_t *ends, bool goes_on,
		  struct target **ret);

/*
 * Writes LEN bytes at OFFSET; or has LEN bytes there read as zeros, which takes as long as the
 * device takes: a few chunks at a time leave room for a stop signal. Returns 0 or -errno: -EINVAL
 * for a range that is not within SIZE, or after target_commit.
 */
int target_write(struct target *target, uint64_t offset, const void *buf, size_t len);
int target_zero(struct target *target, uint64_t offset, uint64_t len);

/* Reads what was written so far, kept back or not. Returns 0 or -errno. */
int target_read(const struct target *target, uint64_t offset, void *buf, size_t len);

/* Syncs what was written so far; what is kept back is not. Returns 0 or -errno. */
int target_sync(struct target *target);

/* Writes what was kept back, the end first, each step synced. Returns 0 or -errno. */
int target_commit(struct target *target);

/*
 * Reads the GPT in what came of the first 4 MiB; SECTOR is the sector size where the target, a
 * file, has none (0: unknown). Returns as gpt_read.
 */
int target_gpt(const struct target *target, uint32_t sector, struct gpt *ret);
/*
 * After target_commit: makes that GPT, GPT by target_gpt, one of the whole disk, its backup in the
 * last sectors; the backup is written first, each step synced. Returns 0 or -errno: -ENOSPC, and
 * nothing was written, where a partition would not be within the disk. Once only.
 */
int target_move_gpt(struct target *target, const struct gpt *gpt);
/*
 * Reads the first 4 MiB and the moved backup from the medium. Returns 0, -EBADMSG where they are
 * not what was written, or another -errno.
 */
int target_check_gpt(const struct target *target);

/*
 * Has the kernel read the partition table anew, when all is done; that it cannot is no error, since
 * everything is on the medium by then.
 */
void target_show(const struct target *target);

/* The disk that is being restored. Borrowed. */
const struct disk *target_disk(const struct target *target);

/* Closes it and its disk; what was kept back and not committed is dropped. NULL is fine. */
void target_free(struct target *target);

#endif

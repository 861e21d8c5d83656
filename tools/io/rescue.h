/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a dying disk chunk by chunk: what can be read first, and what cannot as zeros. A read that
 * fails is tried again in pieces of 64 KiB and then by single sectors, each of which is read alone
 * at most once and then as often as retries says. Prints nothing, knows no image.
 */
#ifndef IO_RESCUE_H
#define IO_RESCUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/rescue_map.h"
#include "io/disk.h"

#define RESCUE_PIECE	    65536u	  /* bytes */
#define RESCUE_SKIP_MOST    (64ull << 20) /* bytes over which a bad region is left alone at once */
#define RESCUE_RETRIES_MOST 100

/* What is read from: a disk, or in tests anything. */
struct rescue_reader {
	/*
	 * Reads all of LEN bytes at OFFSET, both multiples of *SECTOR but for the end. Returns 0;
	 * -EIO when a sector among them cannot be read; or another -errno, which ends everything.
	 */
	int (*read)(void *arg, uint64_t offset, void *buf, size_t len);
	void *arg;
	const uint32_t *sector; /* bytes: a power of two up to RESCUE_PIECE. May grow */
	uint64_t size;		/* bytes */
};

/*
 * DISK, which stays the caller's, past the page cache and its readahead where that can be. A disk
 * that has disappeared gives -ENODEV, whatever the kernel says of it. Buffers are aligned to
 * DISK_ALIGN, with room up to the next multiple. Returns 0 or -errno.
 */
struct rescue_disk;
int rescue_disk_new(const struct disk *disk, struct rescue_disk **ret);
void rescue_disk_free(struct rescue_disk *disk); /* NULL is fine */
void rescue_disk_reader(struct rescue_disk *disk, struct rescue_reader *ret);

struct rescue;

/*
 * MAP (rescue_free frees it) says what is known, and is kept current. All that is to be done for a
 * chunk is done before the next one. Returns 0 or -ENOMEM.
 */
int rescue_new(const struct rescue_reader *reader, unsigned int retries, struct rescue_map *map,
	       struct rescue **ret);
void rescue_free(struct rescue *rescue); /* NULL is fine */
/*
 * LATER: from the next chunk on what fails at first is left for rescue_again, but for chunk 0, and
 * bad regions are skipped in growing steps.
 */
void rescue_later(struct rescue *rescue, bool later);

/*
 * The chunk of LEN bytes at OFFSET, chunks being in order. Returns 1 when some of it is missing, 0
 * when nothing is, -EINTR or what the reader has returned.
 */
int rescue_chunk(struct rescue *rescue, uint64_t offset, void *buf, uint32_t len);

/*
 * An output has the LEN bytes at OFFSET from elsewhere or before: all of them, or with MISSING not
 * those that the map does not call finished. FILLS: these may be filled in. Returns 0 or -ENOMEM.
 */
int rescue_have(struct rescue *rescue, uint64_t offset, uint64_t len, bool missing, bool fills);
/*
 * rescue_chunk goes on at OFFSET: what was read from there on is read again; if there is something,
 * so are bad sectors as often as before. Returns 0 or -ENOMEM.
 */
int rescue_seek(struct rescue *rescue, uint64_t offset);
/*
 * The chunk of LEN bytes at OFFSET once more: what was read of it, or where it is not OURS, and
 * nobody knows what was, all of it. Returns 1, 0 when that cannot be read any more, so that what an
 * output has of it has to stay, which counts as missing; or -errno as rescue_chunk.
 */
int rescue_reread(struct rescue *rescue, uint64_t offset, void *buf, uint32_t len, bool ours);

/*
 * After the last chunk, and only after rescue_later: passes over the disk, every second one
 * backwards, in which the next chunk of CHUNK bytes at most is found that lacks something. Returns
 * 1, all of it, its offset and length when more of it could be read; -EAGAIN when not; 0 when all
 * passes are done; or as above.
 */
int rescue_again(struct rescue *rescue, uint32_t chunk, void *buf, uint64_t *ret_offset,
		 uint32_t *ret_len);

const struct rescue_map *rescue_map(const struct rescue *rescue);
/* What is being done, as a mapfile's status line has it. */
struct rescue_state {
	uint64_t position;
	char status;
	unsigned int pass; /* from 1 on */
};
void rescue_state(const struct rescue *rescue, struct rescue_state *ret);

/*
 * The first byte from OFFSET on that cannot be read, of LEN bytes in which something could not:
 * they are read in pieces and sectors. Returns its offset; OFFSET when all of it can be read now.
 */
uint64_t rescue_locate(const struct disk *disk, uint64_t offset, void *buf, uint32_t len);

#endif

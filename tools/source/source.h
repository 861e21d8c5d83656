/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a transfer reads: a disk, a file or a stream, whose chunks are packed here, or an image,
 * whose frames go as they are.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "codec/image.h"
#include "codec/manifest_set.h"

struct source;
struct used;

struct source_chunk {
	uint64_t index;
	bool zero; /* nothing but zeros: no frame was made. A stream's is a whole one */
	struct image_entry entry;
	const uint8_t *frame; /* entry.stored_size bytes, until the next call */
};

/*
 * Opens PATH: a block device, a file, or an image of ours (known by its trailer or its HEAD), which
 * is opened as the disk that it holds, or as that disk's PARTITION, where that is not 0. Chunks are
 * packed at LEVEL. Returns 0 and a source, or -errno with a sentence in RET_WHY (LEN bytes).
 */
int source_open(const char *path, int level, int partition, struct source **ret, char *ret_why,
		size_t len);
/*
 * Opens FD, which stays the caller's: standard input, read to its end as it is, whatever it holds.
 * Returns as source_open.
 */
int source_open_stream(int fd, int level, struct source **ret, char *ret_why, size_t len);
void source_close(struct source *source); /* NULL is fine */
/* Whether it is of source_open_stream. */
bool source_is_stream(const struct source *source);

/* The time that the caller's thread spent in source_next and its like, nanoseconds. */
struct source_time {
	int64_t read; /* waiting for the disk, or whatever is read */
	int64_t pack; /* all else: mostly waiting for those that pack, or unpack */
};
/* It so far. */
void source_time(const struct source *source, struct source_time *ret);
/*
 * Has the level follow from now on what limits the transfer, from 1 to MOST, whatever was given
 * when it was opened. BUFFERED: what takes the chunks goes on while the next one is packed. What is
 * not packed here goes as it is. Comes behind source_threads and source_rescue. Returns 0 or
 * -ENOMEM.
 */
int source_pace(struct source *source, int most, bool buffered);
/* The level of the next chunk, and the highest so far; false where none is packed here. */
bool source_levels(const struct source *source, int *ret_level, int *ret_highest);

/* Has chunks be packed, or those of an image be unpacked, by THREADS at once (0: one). */
void source_threads(struct source *source, unsigned int threads);

/*
 * Has a stream keep what it gave, MOST bytes of memory (0: what suits the machine), until
 * source_confirm: source_go_on can go back so far; other sources need not. Returns 0 or -ENOMEM.
 */
int source_keep(struct source *source, size_t most);
/* The chunks below COUNT will not be asked for again. Of what keeps nothing none would be. */
void source_confirm(struct source *source, uint64_t count);
/*
 * As source_seek, of a stream: GIVEN is the digest over those of the chunks below INDEX, which must
 * be the ones that it gave. Returns 0, -ESTALE where they are not, or -ESPIPE where it does not
 * keep what follows them, with source_why.
 */
int source_go_on(struct source *source, uint64_t index, const struct digest *given);

/*
 * Has the disk SOURCE go on where a read fails, with RETRIES more reads of every bad sector.
 * MAPFILE (NULL: none) is read, and from then on written now and then. Returns 0 or -errno with a
 * sentence in RET_WHY (LEN bytes).
 */
int source_rescue(struct source *source, unsigned int retries, const char *mapfile, char *ret_why,
		  size_t len);
bool source_rescued(const struct source *source);
/*
 * Whether chunks of SOURCE, which is rescued, may come again from the next one on. Those of which
 * something is missing then have SLOT in their entry, but for chunk 0.
 */
void source_rescue_later(struct source *source, bool later);
bool source_comes_again(const struct source *source);
/*
 * The receiver has chunk INDEX, FLAGS being the entry's: with UNREADABLE it may lack what SOURCE
 * has not read, which with SLOT may come again. Returns 0 or -ENOMEM; of what is not rescued
 * nothing is noted.
 */
int source_rescue_have(struct source *source, uint64_t index, uint32_t flags);
/* How many bytes could not be read so far. */
uint64_t source_missing(const struct source *source);
/* Writes the mapfile, where there is one. Returns 0 or -errno. */
int source_rescue_save(struct source *source);
/* Whether there were so many bad ranges that neighbours were counted as one. */
bool source_merged(const struct source *source);

/*
 * Has the disk SOURCE be read only where its file systems use it; the rest goes as zeros. Returns 0
 * and what was found out (used/used.h), which stays SOURCE's, or -errno with a sentence in RET_WHY
 * (LEN bytes).
 */
int source_use(struct source *source, const struct used **ret, char *ret_why, size_t len);
bool source_uses(const struct source *source);
/* How many bytes are left out. */
uint64_t source_left_out(const struct source *source);
/*
 * Whether chunk INDEX is sent without ranges that nothing uses; of an image that is for its entry
 * to say. Returns 1, 0, or -ENODATA for an image.
 */
int source_leaves_out(const struct source *source, uint64_t index);

/*
 * HEAD for this transfer (a fresh transfer id), and the manifest so far. Borrowed. A stream's map
 * is open until its end was found, ahead of the chunk that source_next gives where several threads
 * pack.
 */
const struct image_head *source_head(const struct source *source);
json_t *source_manifest(const struct source *source);
/* Which disk of a transfer it is goes into the manifest. Returns 0 or -ENOMEM. */
int source_set(struct source *source, const struct manifest_set *set);
/* Whether A and B, no streams, read the same device or file, whatever it was called. */
bool source_same(const struct source *a, const struct source *b);

/*
 * The next chunk in order: 1; 0 behind the last one (for an image: its whole trailer was right);
 * -EAGAIN when a stream gave nothing for a while, and is to be asked again; -ENOBUFS when it keeps
 * too much, and is to be asked again after source_confirm; or another -errno with a sentence in
 * source_why.
 */
int source_next(struct source *source, struct source_chunk *ret);
/*
 * Behind the last one: looks once more at the next chunk that lacks something. Returns 1 when more
 * of it could be read, -EAGAIN when not, 0 when none is left to look at, or as above.
 */
int source_again(struct source *source, struct source_chunk *ret);
/*
 * What was read of chunk INDEX of a rescued disk once more, or where OURS is false, since another
 * run read it, all of it. Returns 1, 0 when that cannot be read any more, or -errno with
 * source_why.
 */
int source_reread(struct source *source, uint64_t index, bool ours, struct source_chunk *ret);
/* Whether something of chunk INDEX could not be read; whether source_reread returned 0 for it. */
bool source_lacks(const struct source *source, uint64_t index);
bool source_lost(const struct source *source, uint64_t index);
/*
 * Has source_next go on with chunk INDEX, or with the end behind the last one, whatever was given
 * before: an image is read again from its front, though not when nothing more of it is wanted.
 * Returns 0; -ESPIPE for a stream; or another -errno with source_why.
 */
int source_seek(struct source *source, uint64_t index);
/*
 * Reads chunk INDEX, which must exist, as it is now; source_next goes on where it was. Returns 0
 * and its digest, -ESPIPE for a stream, -ENODATA when it is rescued and cannot be read everywhere,
 * or another -errno with source_why.
 */
int source_digest(struct source *source, uint64_t index, struct digest *ret);
/*
 * Reads LEN bytes at OFFSET of the disk that SOURCE is or holds, as they are now. Returns 0,
 * -ESPIPE for a stream, -ERANGE beyond the end, -ENODATA where it is rescued and cannot be read, or
 * another -errno.
 */
int source_peek(struct source *source, uint64_t offset, void *buf, size_t len);
/* What the user called it, or "standard input". */
const char *source_name(const struct source *source);
const char *source_why(const struct source *source);

#endif

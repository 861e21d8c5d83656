// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/rescue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "io/rescue_internal.h"
#include "io/stop.h"

int rescue_new(const struct rescue_reader *reader, unsigned int retries, struct rescue_map *map,
	       struct rescue **ret)
{
	struct rescue *rescue = calloc(1, sizeof(*rescue));

	if (!rescue)
		return -ENOMEM;
	rescue->reader = *reader;
	rescue->retries = retries;
	rescue->map = map;
	*ret = rescue;
	return 0;
}

void rescue_later(struct rescue *rescue, bool later)
{
	rescue->later = later;
}

void rescue_free(struct rescue *rescue)
{
	if (!rescue)
		return;
	rescue_map_free(rescue->map);
	free(rescue);
}

const struct rescue_map *rescue_map(const struct rescue *rescue)
{
	return rescue->map;
}

int rescue_try(struct rescue *rescue, const struct rescue_part *part, uint64_t at, uint32_t len,
	       enum rescue_status good, enum rescue_status bad)
{
	uint8_t *buf = part->buf + (at - part->offset);

	rescue->position = at;
	if (stop_signal())
		return -EINTR;
	int r = rescue->reader.read(rescue->reader.arg, at, buf, len);
	if (r == 0) {
		r = rescue_map_set(rescue->map, at, len, good);
		return r < 0 ? r : 1;
	}
	if (r != -EIO)
		return r;
	memset(buf, 0, len);
	if (len <= *rescue->reader.sector)
		bad = RESCUE_BAD;
	return rescue_map_set(rescue->map, at, len, bad);
}

/* How much is read at once at AT, whose block ends at END: all of it while all is well. */
static uint32_t copy_length(const struct rescue *rescue, bool pieces, uint64_t at, uint64_t end)
{
	if (!pieces && !rescue->skip)
		return end - at;
	return MIN(end - at, RESCUE_PIECE - at % RESCUE_PIECE);
}

/* A piece at AT of LEN bytes failed: what follows is left alone, twice as much each time. */
static void copy_skip(struct rescue *rescue, uint64_t at, uint32_t len)
{
	rescue->skip = rescue->skip ? MIN(2 * rescue->skip, RESCUE_SKIP_MOST) : RESCUE_PIECE;
	rescue->skip_end = at + len + rescue->skip;
}

/* The first look at a chunk. Returns 0 or -errno. */
static int rescue_copy(struct rescue *rescue, const struct rescue_part *part)
{
	uint64_t end = part->offset + part->len, at = part->offset, start, stop;
	bool pieces = false;

	while (at < end) {
		bool untried = rescue_map_get(rescue->map, at, &start, &stop) == RESCUE_UNTRIED;

		stop = MIN(stop, end);
		if (!untried || at < rescue->skip_end) {
			at = untried ? MIN(stop, rescue->skip_end) : stop;
			continue;
		}
		uint32_t len = copy_length(rescue, pieces, at, stop);
		bool large = len > RESCUE_PIECE;
		int r = rescue_try(rescue, part, at, len, RESCUE_FINISHED,
				   large ? RESCUE_UNTRIED : RESCUE_UNTRIMMED);

		if (r < 0)
			return r;
		if (r == 0 && large) {
			pieces = true;
			continue;
		}
		if (r == 0)
			copy_skip(rescue, at, len);
		else
			rescue->skip = 0;
		at += len;
	}
	return 0;
}

/*
 * All that is to be done for a chunk at once, where nobody can come back to it. Of a chunk behind
 * another one of which nothing could be read single sectors are not tried unless a piece was read:
 * a dead region of a large disk would take years.
 */
static int rescue_finish(struct rescue *rescue, const struct rescue_part *part)
{
	int r = rescue_pass(rescue, part, RESCUE_PASS_SWEEP, RESCUE_FINISHED);
	bool alive = rescue_map_bytes(rescue->map, part->offset, part->len, "+") > 0;

	for (unsigned int pass = RESCUE_PASS_SCRAPE;
	     r >= 0 && (alive || !rescue->dead) && pass <= RESCUE_PASS_SCRAPE + rescue->retries;
	     pass++)
		r = rescue_pass(rescue, part, pass, RESCUE_FINISHED);
	rescue->dead = rescue_map_bytes(rescue->map, part->offset, part->len, "+") == 0;
	rescue->skip = rescue->skip_end = 0;
	return r;
}

int rescue_chunk(struct rescue *rescue, uint64_t offset, void *buf, uint32_t len)
{
	struct rescue_part part = {.offset = offset, .buf = buf, .len = len};

	memset(buf, 0, len);
	int r = rescue_copy(rescue, &part);
	if (r < 0)
		return r;
	rescue->finished = !rescue->later && offset + len == rescue->reader.size;
	bool missing = rescue_map_bytes(rescue->map, offset, len, RESCUE_MISSING) > 0;

	if (!missing)
		rescue->dead = false;
	if (!missing || (rescue->later && offset > 0))
		return missing;
	r = rescue_finish(rescue, &part);
	rescue->finished &= r >= 0;
	if (r < 0)
		return r;
	return rescue_map_bytes(rescue->map, offset, len, RESCUE_MISSING) > 0;
}

/* What is FROM in LEN bytes at OFFSET becomes TO. */
static int rescue_turn(struct rescue *rescue, uint64_t offset, uint64_t len, const char *from,
		       enum rescue_status to)
{
	uint64_t end = offset + len, n;
	int r = 0;

	for (uint64_t at = offset; r == 0 && at < end; at += n) {
		at = rescue_map_next(rescue->map, at, from, &n);
		if (n == 0 || at >= end)
			break;
		n = MIN(n, end - at);
		r = rescue_map_set(rescue->map, at, n, to);
	}
	return r;
}

int rescue_have(struct rescue *rescue, uint64_t offset, uint64_t len, bool missing, bool fills)
{
	if (!missing)
		return rescue_map_set(rescue->map, offset, len, RESCUE_FINISHED);
	return fills ? 0 : rescue_turn(rescue, offset, len, RESCUE_MISSING, RESCUE_LOST);
}

int rescue_seek(struct rescue *rescue, uint64_t offset)
{
	uint64_t len = rescue->reader.size - offset;

	rescue->skip = rescue->skip_end = 0;
	rescue->dead = false;
	if (len == 0)
		return 0;
	rescue->again = rescue->finished = false;
	int r = rescue_turn(rescue, offset, len, "+", RESCUE_UNTRIED);
	return r < 0 ? r : rescue_turn(rescue, offset, len, "l", RESCUE_BAD);
}

int rescue_reread(struct rescue *rescue, uint64_t offset, void *buf, uint32_t len, bool ours)
{
	struct rescue_part part = {.offset = offset, .buf = buf, .len = len};
	bool lacks = false;

	memset(buf, 0, len);
	rescue->skip = rescue->skip_end = 0;
	int r = rescue_read_good(rescue, &part);
	if (r == 0 && !ours) {
		r = rescue_copy(rescue, &part);
		if (r == 0)
			r = rescue_finish(rescue, &part);
		lacks = rescue_map_bytes(rescue->map, offset, len, RESCUE_MISSING) > 0;
	}
	if (r >= 0 && !lacks)
		return 1;
	if (r < 0 && r != -EIO)
		return r;
	r = rescue_map_set(rescue->map, offset, len, RESCUE_LOST);
	return r < 0 ? r : 0;
}

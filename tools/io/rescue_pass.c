// SPDX-License-Identifier: GPL-2.0-or-later
/* What the first look left: untried pieces, then failed ones by sectors, then bad sectors again. */
#include <errno.h>
#include <string.h>
#include <sys/param.h>

#include "io/rescue_internal.h"

static const char *pass_statuses(unsigned int pass)
{
	static const char *const statuses[] = {"?", "*/"};

	return pass <= RESCUE_PASS_SCRAPE ? statuses[pass] : "-";
}

/* The direction turns with every pass over bad sectors. */
static bool pass_is_backwards(unsigned int pass)
{
	return pass > RESCUE_PASS_SCRAPE && (pass - RESCUE_PASS_SCRAPE) % 2 == 1;
}

/* The block of the map around the byte at *AT in this direction, within PART. */
static enum rescue_status pass_block(const struct rescue *rescue, const struct rescue_part *part,
				     bool backwards, uint64_t at, uint64_t *ret_from,
				     uint64_t *ret_to)
{
	enum rescue_status status =
		rescue_map_get(rescue->map, backwards ? at - 1 : at, ret_from, ret_to);

	*ret_from = MAX(*ret_from, part->offset);
	*ret_to = MIN(*ret_to, part->offset + part->len);
	return status;
}

int rescue_pass(struct rescue *rescue, const struct rescue_part *part, unsigned int pass,
		enum rescue_status good)
{
	bool backwards = pass_is_backwards(pass), sweep = pass == RESCUE_PASS_SWEEP;
	enum rescue_status bad = sweep ? RESCUE_UNTRIMMED : RESCUE_BAD;
	uint64_t from = part->offset, to = from + part->len, start, stop;
	int gained = 0;

	while (from < to) {
		/* A sector may turn out to be larger than it was thought to be. */
		uint64_t unit = sweep ? RESCUE_PIECE : *rescue->reader.sector;
		uint64_t at = backwards ? to : from;

		if (strchr(pass_statuses(pass),
			   pass_block(rescue, part, backwards, at, &start, &stop))) {
			if (backwards)
				start = MAX(start, (at - 1) / unit * unit);
			else
				stop = MIN(stop, at / unit * unit + unit);
			at = backwards ? start : at;
			int r = rescue_try(rescue, part, at, (backwards ? to : stop) - at, good,
					   bad);
			if (r < 0)
				return r;
			gained |= r;
		}
		from = backwards ? from : stop;
		to = backwards ? start : to;
	}
	return gained;
}

/* The status line of a mapfile says which of ddrescue's phases comes nearest. */
void rescue_state(const struct rescue *rescue, struct rescue_state *ret)
{
	bool retrying = rescue->again && rescue->pass > RESCUE_PASS_SCRAPE;

	*ret = (struct rescue_state){.position = rescue->position, .status = '?', .pass = 1};
	if (rescue->finished)
		ret->status = '+';
	else if (retrying)
		ret->status = '-';
	else if (rescue->again && rescue->pass == RESCUE_PASS_SCRAPE)
		ret->status = '/';
	if (retrying && !rescue->finished)
		ret->pass = rescue->pass - RESCUE_PASS_SCRAPE;
}

int rescue_read_good(struct rescue *rescue, const struct rescue_part *part)
{
	uint64_t end = part->offset + part->len, start, stop;

	for (uint64_t at = part->offset; at < end; at = stop) {
		enum rescue_status status = rescue_map_get(rescue->map, at, &start, &stop);

		stop = MIN(stop, end);
		if (status != RESCUE_FINISHED)
			continue;
		int r = rescue->reader.read(rescue->reader.arg, at, part->buf + (at - part->offset),
					    stop - at);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What was regained in PART is STATUS now. */
static int again_settle(struct rescue *rescue, const struct rescue_part *part,
			enum rescue_status status)
{
	uint64_t end = part->offset + part->len, start, stop;

	for (uint64_t at = part->offset; at < end; at = stop) {
		bool regained = rescue_map_get(rescue->map, at, &start, &stop) == RESCUE_REGAINED;

		stop = MIN(stop, end);
		if (!regained)
			continue;
		int r = rescue_map_set(rescue->map, at, stop - at, status);
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * One chunk in the current pass. Of one that gained something all has to be read, since nobody
 * keeps it; where that fails now, it stays what it was. Returns 1 when it is to be filled, 0, or
 * -errno.
 */
static int again_chunk(struct rescue *rescue, const struct rescue_part *part)
{
	memset(part->buf, 0, part->len);
	int r = rescue_pass(rescue, part, rescue->pass, RESCUE_REGAINED);
	if (r <= 0)
		return r;
	r = rescue_read_good(rescue, part);
	if (r < 0 && r != -EIO)
		return r;
	int settled = again_settle(rescue, part, r == 0 ? RESCUE_FINISHED : RESCUE_BAD);

	return settled < 0 ? settled : r == 0;
}

/*
 * The next chunk but the first in the current pass that has something for it. Returns whether there
 * is one.
 */
static bool again_find(struct rescue *rescue, uint32_t chunk, struct rescue_part *part)
{
	const char *statuses = pass_statuses(rescue->pass);
	uint64_t size = rescue->reader.size, len, offset;

	if (!pass_is_backwards(rescue->pass)) {
		offset = rescue_map_next(rescue->map, MAX(rescue->behind, chunk), statuses, &len);
		if (len == 0)
			return false;
		offset = offset / chunk * chunk;
		rescue->behind = offset + chunk;
	} else {
		offset = MIN(rescue->behind, (size + chunk - 1) / chunk * chunk);
		do {
			if (offset <= chunk)
				return false;
			offset -= chunk;
			len = MIN(chunk, size - offset);
		} while (!rescue_map_bytes(rescue->map, offset, len, statuses));
		rescue->behind = offset;
	}
	part->offset = offset;
	part->len = MIN(chunk, size - offset);
	return true;
}

/* As in rescue_finish: single sectors of a chunk in a dead region, but for its first one. */
static bool again_is_dead(const struct rescue *rescue, const struct rescue_part *part,
			  uint32_t chunk)
{
	return rescue->pass >= RESCUE_PASS_SCRAPE &&
	       rescue_map_bytes(rescue->map, part->offset, part->len, "+") == 0 &&
	       rescue_map_bytes(rescue->map, part->offset - chunk, chunk, "+") == 0;
}

static void again_start(struct rescue *rescue, unsigned int pass)
{
	rescue->pass = pass;
	rescue->behind = pass_is_backwards(pass) ? UINT64_MAX : 0;
}

int rescue_again(struct rescue *rescue, uint32_t chunk, void *buf, uint64_t *ret_offset,
		 uint32_t *ret_len)
{
	struct rescue_part part = {.buf = buf};

	if (!rescue->again)
		again_start(rescue, RESCUE_PASS_SWEEP);
	rescue->again = true;
	while (rescue->pass <= RESCUE_PASS_SCRAPE + rescue->retries) {
		if (!again_find(rescue, chunk, &part)) {
			again_start(rescue, rescue->pass + 1);
			continue;
		}
		int r = again_is_dead(rescue, &part, chunk) ? 0 : again_chunk(rescue, &part);
		*ret_offset = part.offset;
		*ret_len = part.len;
		return r ? r : -EAGAIN;
	}
	rescue->finished = true;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "used/spare.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/param.h>

#define SPARE_ROOM_FIRST 64

struct spare {
	uint64_t size, least;
	/* The last one may still grow, and so may be shorter than LEAST. */
	struct spare_range *ranges;
	size_t count, room;
};

struct spare *spare_new(uint64_t size)
{
	struct spare *spare = calloc(1, sizeof(*spare));

	if (spare) {
		spare->size = size;
		spare->least = SPARE_LEAST;
	}
	return spare;
}

void spare_free(struct spare *spare)
{
	if (!spare)
		return;
	free(spare->ranges);
	free(spare);
}

/* Forgets what is too short. */
static void spare_drop(struct spare *spare)
{
	size_t kept = 0;

	for (size_t i = 0; i < spare->count; i++) {
		if (spare->ranges[i].end - spare->ranges[i].start >= spare->least)
			spare->ranges[kept++] = spare->ranges[i];
	}
	spare->count = kept;
}

/* Room for one more. At most half of it stays taken, or every range would cost such a walk. */
static int spare_grow(struct spare *spare)
{
	if (spare->count < spare->room)
		return 0;
	while (spare->count > SPARE_RANGES_MOST / 2 && spare->room == SPARE_RANGES_MOST) {
		spare->least *= 2;
		spare_drop(spare);
	}
	if (spare->count < spare->room)
		return 0;
	size_t room = MAX(spare->room * 2, SPARE_ROOM_FIRST);
	struct spare_range *ranges = reallocarray(spare->ranges, room, sizeof(*ranges));

	if (!ranges)
		return -ENOMEM;
	spare->ranges = ranges;
	spare->room = room;
	return 0;
}

int spare_add(struct spare *spare, uint64_t offset, uint64_t len)
{
	struct spare_range *last = spare->count ? &spare->ranges[spare->count - 1] : NULL;

	if (offset > spare->size || len > spare->size - offset)
		return -EUCLEAN;
	if (len == 0)
		return 0;
	if (last && last->end == offset) {
		last->end += len;
		return 0;
	}
	if (last && last->end - last->start < spare->least)
		spare->count--;
	int r = spare_grow(spare);

	if (r == 0)
		spare->ranges[spare->count++] =
			(struct spare_range){.start = offset, .end = offset + len};
	return r;
}

static int spare_compare(const void *a, const void *b)
{
	const struct spare_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

int spare_finish(struct spare *spare)
{
	struct spare_range *ranges = spare->ranges;
	size_t kept = 0;

	spare_drop(spare);
	if (spare->count > 1)
		qsort(ranges, spare->count, sizeof(*ranges), spare_compare);
	for (size_t i = 0; i < spare->count; i++) {
		if (kept && ranges[i].start < ranges[kept - 1].end)
			return -EUCLEAN;
		if (kept && ranges[i].start == ranges[kept - 1].end)
			ranges[kept - 1].end = ranges[i].end;
		else
			ranges[kept++] = ranges[i];
	}
	spare->count = kept;
	return 0;
}

int spare_merge(struct spare *into, const struct spare *from, uint64_t shift)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->count; i++) {
		uint64_t start;

		if (__builtin_add_overflow(from->ranges[i].start, shift, &start))
			return -EUCLEAN;
		r = spare_add(into, start, from->ranges[i].end - from->ranges[i].start);
	}
	return r;
}

bool spare_next(const struct spare *spare, uint64_t offset, struct spare_range *ret)
{
	size_t low = 0, high = spare->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (spare->ranges[middle].end > offset)
			high = middle;
		else
			low = middle + 1;
	}
	if (low == spare->count)
		return false;
	*ret = spare->ranges[low];
	return true;
}

uint64_t spare_bytes(const struct spare *spare)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < spare->count; i++)
		bytes += spare->ranges[i].end - spare->ranges[i].start;
	return bytes;
}

size_t spare_count(const struct spare *spare)
{
	return spare->count;
}

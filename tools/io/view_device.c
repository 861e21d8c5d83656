// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/view_device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/manifest_table.h"
#include "io/stop.h"

#define DEVICE_SLOTS_LEAST 4u
#define DEVICE_SLOTS_MOST  64u
#define DEVICE_CALL_COST   64u /* bytes that a read of none counts for */

struct device_slot {
	uint64_t chunk, used; /* used: when; 0: nothing is in it */
	uint8_t *content;
};

struct device_range {
	uint64_t start, end;
};

struct view_device {
	const struct view *view;
	const struct chunk_map *map;
	uint64_t start, size;
	struct view_scratch *scratch;
	struct device_slot slots[DEVICE_SLOTS_MOST];
	size_t slot_count;
	uint64_t clock, loads, left;
	struct device_range *unreadable; /* sorted, of the whole device */
	size_t unreadable_count;
	bool touched; /* one of them was read */
	int failed;
	char why[256];
};

static int device_compare(const void *a, const void *b)
{
	const struct device_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Only those that lie in the window, so that most have none. */
static int device_unreadable(struct view_device *device)
{
	const json_t *manifest = view_manifest(device->view);
	size_t count = manifest_range_count(manifest, "unreadable");
	uint64_t offset, length;

	if (!count)
		return 0;
	device->unreadable = calloc(count, sizeof(*device->unreadable));
	if (!device->unreadable)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (!manifest_range_get(manifest, "unreadable", i, &offset, &length) ||
		    offset >= device->start + device->size || offset + length <= device->start)
			continue;
		device->unreadable[device->unreadable_count++] =
			(struct device_range){offset, offset + length};
	}
	qsort(device->unreadable, device->unreadable_count, sizeof(*device->unreadable),
	      device_compare);
	/* Those that overlap become one, so that a search by start finds every end. */
	size_t kept = 0;

	for (size_t i = 1; i < device->unreadable_count; i++) {
		struct device_range *last = &device->unreadable[kept], *next = last + (i - kept);

		if (next->start > last->end)
			device->unreadable[++kept] = *next;
		else if (next->end > last->end)
			last->end = next->end;
	}
	if (device->unreadable_count)
		device->unreadable_count = kept + 1;
	return 0;
}

int view_device_open(const struct view *view, uint64_t start, uint64_t size,
		     struct view_device **ret)
{
	const struct chunk_map *map = &view_head(view)->map;
	struct view_device *device;

	if (start > map->size || size > map->size - start)
		return -ERANGE;
	device = calloc(1, sizeof(*device));
	if (!device)
		return -ENOMEM;
	device->view = view;
	device->map = map;
	device->start = start;
	device->size = size;
	device->left = UINT64_MAX;
	device->slot_count = VIEW_DEVICE_CACHE / map->chunk_size;
	if (device->slot_count > DEVICE_SLOTS_MOST)
		device->slot_count = DEVICE_SLOTS_MOST;
	if (device->slot_count < DEVICE_SLOTS_LEAST)
		device->slot_count = DEVICE_SLOTS_LEAST;
	if (view_scratch_new(view, &device->scratch) < 0 || device_unreadable(device) < 0) {
		view_device_close(device);
		return -ENOMEM;
	}
	*ret = device;
	return 0;
}

void view_device_close(struct view_device *device)
{
	if (!device)
		return;
	for (size_t i = 0; i < device->slot_count; i++)
		free(device->slots[i].content);
	view_scratch_free(device->scratch);
	free(device->unreadable);
	free(device);
}

uint64_t view_device_size(const struct view_device *device)
{
	return device->size;
}

uint64_t view_device_loads(const struct view_device *device)
{
	return device->loads;
}

void view_device_begin(struct view_device *device, uint64_t most)
{
	device->left = most;
	device->failed = 0;
	device->why[0] = '\0';
	device->touched = false;
}

int view_device_failed(const struct view_device *device, const char **ret_why)
{
	*ret_why = device->why;
	return device->failed;
}

bool view_device_unreadable(const struct view_device *device)
{
	return device->touched;
}

static int device_fail(struct view_device *device, int error, const char *why)
{
	if (!device->failed) {
		device->failed = error;
		snprintf(device->why, sizeof(device->why), "%s", why);
	}
	return error;
}

/* The chunk's slot, with its content: the one that has it, or else the one longest unused. */
static int device_slot(struct view_device *device, uint64_t chunk, struct device_slot **ret)
{
	struct device_slot *slot = &device->slots[0];
	int r;

	for (size_t i = 0; i < device->slot_count; i++) {
		struct device_slot *each = &device->slots[i];

		if (each->used && each->chunk == chunk) {
			each->used = ++device->clock;
			*ret = each;
			return 0;
		}
		if (each->used < slot->used)
			slot = each;
	}
	if (stop_signal())
		return device_fail(device, -EINTR, "interrupted");
	if (!slot->content)
		slot->content = malloc(device->map->chunk_size);
	if (!slot->content)
		return device_fail(device, -ENOMEM, "out of memory");
	slot->used = 0;
	r = view_chunk(device->view, chunk, device->scratch, slot->content);
	if (r < 0)
		return device_fail(device, r, view_scratch_why(device->scratch));
	device->loads++;
	slot->chunk = chunk;
	slot->used = ++device->clock;
	*ret = slot;
	return 0;
}

/* Whether a range that was unreadable has one of the bytes from FROM to END - 1 of the device. */
static bool device_touches(const struct view_device *device, uint64_t from, uint64_t end)
{
	size_t low = 0, high = device->unreadable_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (device->unreadable[middle].end <= from)
			low = middle + 1;
		else
			high = middle;
	}
	return low < device->unreadable_count && device->unreadable[low].start < end;
}

int view_device_read(struct view_device *device, void *buf, size_t len, uint64_t offset)
{
	uint64_t at = device->start + offset, cost = len + (uint64_t)DEVICE_CALL_COST;
	uint8_t *out = buf;

	if (offset > device->size || len > device->size - offset)
		return -ERANGE;
	if (cost > device->left)
		return device_fail(device, -E2BIG,
				   "the file system is damaged: it leads in circles");
	device->left -= cost;
	if (device_touches(device, at, at + len))
		device->touched = true;
	while (len) {
		uint32_t inside = at & (device->map->chunk_size - 1);
		size_t piece = device->map->chunk_size - inside;
		struct device_slot *slot;
		int r = device_slot(device, at / device->map->chunk_size, &slot);

		if (r < 0)
			return r;
		if (piece > len)
			piece = len;
		memcpy(out, slot->content + inside, piece);
		out += piece;
		at += piece;
		len -= piece;
	}
	return 0;
}

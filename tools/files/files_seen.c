// SPDX-License-Identifier: GPL-2.0-or-later
#include "files/files_seen.h"

#include <errno.h>
#include <stdlib.h>

static size_t seen_slot(const uint64_t *slots, size_t room, uint64_t key)
{
	size_t at = key * 0x9e3779b97f4a7c15u >> 32 & (room - 1);

	while (slots[at] && slots[at] != key)
		at = (at + 1) & (room - 1);
	return at;
}

static int seen_grow(struct files_seen *seen)
{
	size_t room = seen->room ? 2 * seen->room : 256;
	uint64_t *slots;

	if (seen->count == FILES_SEEN_MOST)
		return -E2BIG;
	slots = calloc(room, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < seen->room; i++)
		if (seen->slots[i])
			slots[seen_slot(slots, room, seen->slots[i])] = seen->slots[i];
	free(seen->slots);
	seen->slots = slots;
	seen->room = room;
	return 0;
}

int files_seen_add(struct files_seen *seen, uint64_t id)
{
	uint64_t key = id + 1;

	if (2 * seen->count >= seen->room) {
		int r = seen_grow(seen);

		if (r < 0)
			return r;
	}
	size_t at = seen_slot(seen->slots, seen->room, key);

	if (seen->slots[at])
		return 0;
	seen->slots[at] = key;
	seen->count++;
	return 1;
}

void files_seen_free(struct files_seen *seen)
{
	free(seen->slots);
	*seen = (struct files_seen){0};
}

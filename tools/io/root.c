// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/root.h"

#include <errno.h>
#include <string.h>

#include "codec/pack.h"

void root_start(struct root *root)
{
	memset(root, 0, sizeof(*root));
	digest_start(&root->state);
}

void root_clear(struct root *root)
{
	spool_free(root->spool);
	root->spool = NULL;
}

int root_keep(struct root *root, int fd)
{
	root->before = root->state;
	root->first = root->count;
	return spool_new(fd, &root->spool);
}

int root_add(struct root *root, const struct image_entry *entry)
{
	/* A chunk of zeros has no frame, and so no valid entry. */
	const struct image_entry kept = {
		.digest = entry->digest,
		.stored_size = PACK_FRAME_LEAST,
		.flags = entry->flags & IMAGE_ENTRY_FLAGS,
	};
	int r = 0;

	if (entry->flags & IMAGE_ENTRY_SLOT && !root->spool)
		r = root_keep(root, -1);
	if (r == 0 && root->spool)
		r = spool_add(root->spool, &kept);
	if (r < 0)
		return r;
	digest_update(&root->state, entry->digest.bytes, DIGEST_SIZE);
	root->count++;
	return 0;
}

int root_get(struct root *root, uint64_t index, struct image_entry *ret)
{
	uint8_t raw[IMAGE_ENTRY];

	if (!root->spool || index < root->first || index >= root->count)
		return 0;
	int r = spool_read(root->spool, index - root->first, 1, raw);
	if (r == 0)
		r = image_entry_get(raw, ret);
	return r < 0 ? r : 1;
}

int root_fill(struct root *root, uint64_t index, const struct image_entry *entry)
{
	struct image_entry before = {0}, after = *entry;
	int r = root_get(root, index, &before);

	if (r >= 0 && !(before.flags & IMAGE_ENTRY_SLOT))
		r = -EINVAL;
	if (r < 0)
		return r;
	root->filled = true;
	return spool_put(root->spool, index - root->first, &after);
}

int root_read(struct root *root, const struct chunk_map *map, struct digest *ret)
{
	if (root->filled) {
		root->state = root->before;
		int r = spool_digests(root->spool, &root->state);

		if (r < 0)
			return r;
	}
	digest_root(&root->state, map->size, map->chunk_size, ret);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The disks of a transfer that are complete here. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/manifest_identity.h"
#include "recv/recv_internal.h"

int recv_past_add(struct recv_past *past, const struct image_head *head,
		  const struct manifest_set *set, const struct wire_result *result,
		  struct spool **spool)
{
	struct recv_disk *disks = reallocarray(past->disks, past->count + 1, sizeof(*disks));
	char *identity = malloc(head->identity_len + 1);

	if (disks)
		past->disks = disks;
	if (!disks || !identity) {
		free(identity);
		return -ENOMEM;
	}
	memcpy(identity, head->identity, head->identity_len);
	disks[past->count] = (struct recv_disk){
		.head = *head,
		.identity = identity,
		.set = *set,
		.result = *result,
		.spool = *spool,
	};
	disks[past->count++].head.identity = identity;
	*spool = NULL;
	return 0;
}

/* A stream is always offered with an open map, and by no other sender than the first. */
static bool past_same(const struct image_head *here, const struct image_head *offered)
{
	struct image_head head = *offered;

	if (chunk_map_open(&head.map) &&
	    !memcmp(head.transfer_id, here->transfer_id, sizeof(head.transfer_id)))
		head.map.size = here->map.size;
	return manifest_identity_same(here, &head);
}

const struct recv_disk *recv_past_find(const struct recv_past *past, const struct image_head *head,
				       const struct manifest_set *set)
{
	for (size_t i = 0; past && i < past->count; i++) {
		const struct recv_disk *disk = &past->disks[i];

		if (disk->set.index == set->index && disk->set.count == set->count &&
		    past_same(&disk->head, head))
			return disk;
	}
	return NULL;
}

void recv_past_clear(struct recv_past *past)
{
	for (size_t i = 0; i < past->count; i++) {
		spool_free(past->disks[i].spool);
		free(past->disks[i].identity);
	}
	free(past->disks);
	*past = (struct recv_past){0};
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The CHECKPOINTs of a file that was cut, from the last one to the first. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/pack.h"
#include "io/out.h"
#include "io/resume_internal.h"

#define CHAIN_BLOCK (1u << 20) /* bytes that are searched at once */
#define CHAIN_TAG   (IMAGE_FRAME_HEADER + IMAGE_TAG)
/* The longest chain has 2^22; what a hostile file makes us read beside the right one is bounded. */
#define CHAIN_STEPS_MOST (1u << 23)

uint64_t chain_gap_most(const struct image_head *head)
{
	uint32_t gap = IMAGE_CHECKPOINT_GAP / head->map.chunk_size;

	return image_head_size(head) + gap * (uint64_t)pack_bound(head->map.chunk_size) +
	       image_checkpoint_size(gap);
}

int chain_room(const struct chunk_map *map, uint64_t index, const struct image_entry *entry,
	       uint64_t *ret)
{
	size_t slot = pack_bound(chunk_length(map, index));

	*ret = entry->stored_size;
	if (!(entry->flags & IMAGE_ENTRY_SLOT))
		return 0;
	/* Behind the first frame stands HEAD; and a PAD has a header. */
	if (index == 0 || slot < (size_t)entry->stored_size + CHAIN_TAG)
		return -EBADMSG;
	*ret = slot;
	return 0;
}

/* LEN bytes at OFFSET, which must be there. */
static int chain_bytes(const struct chain *chain, uint64_t offset, void *buf, size_t len)
{
	ssize_t n = out_read_at(chain->fd, buf, len, offset);

	if (n < 0)
		return n;
	return (size_t)n == len ? 0 : -EBADMSG;
}

/*
 * The CHECKPOINT of COUNT chunks from FIRST on at AT. Only what store writes is gone on with: its
 * seek table repeats where the CHECKPOINTs have to be.
 */
static int chain_get(struct chain *chain, uint64_t at, uint64_t first, uint32_t count,
		     struct chain_link *ret)
{
	struct chain_link link = {.start = at};
	size_t len = image_checkpoint_size(count);
	int r = chain_bytes(chain, at, chain->buf, len);

	if (r == 0)
		r = image_checkpoint_get(chain->buf, len, &link.first, &link.count, &link.entries);
	if (r == 0 && (link.first != first || link.count != count))
		r = -EBADMSG;
	if (r < 0)
		return r;
	uint64_t stored = first ? 0 : chain->front->head_len;

	for (uint32_t i = 0; r == 0 && i < count; i++) {
		struct image_entry entry;
		uint64_t room = 0;

		image_entry_get(link.entries + (size_t)i * IMAGE_ENTRY, &entry);
		r = chain_room(&chain->front->head.map, first + i, &entry, &room);
		stored += room;
	}
	if (r < 0)
		return r;
	if (stored > at || (!first && stored != at))
		return -EBADMSG;
	link.start -= stored;
	*ret = link;
	return 0;
}

static uint32_t chain_chunks(const struct chain *chain, uint64_t first)
{
	uint64_t left = chunk_count(&chain->front->head.map) - first;

	return left < chain->gap ? left : chain->gap;
}

int chain_read(struct chain *chain, uint64_t index, struct chain_link *ret)
{
	uint64_t first = index * chain->gap;

	return chain_get(chain, chain->marks[index], first, chain_chunks(chain, first), ret);
}

/* Goes back from the CHECKPOINT at AT, which says that it begins with chunk FIRST. */
static int chain_follow(struct chain *chain, uint64_t at, uint64_t first)
{
	uint64_t count = first / chain->gap + 1;
	size_t before = image_checkpoint_size(chain->gap);

	/* The file has to have room for all that are to come, before memory is taken. */
	if (count - 1 > at / before)
		return -EBADMSG;
	free(chain->marks);
	chain->count = 0;
	chain->marks = calloc(count, sizeof(*chain->marks));
	if (!chain->marks)
		return -ENOMEM;
	for (uint64_t i = count; i-- > 0;) {
		struct chain_link link;
		int r = chain->steps++ < CHAIN_STEPS_MOST ? 0 : -E2BIG;

		chain->marks[i] = at;
		if (r == 0)
			r = chain_read(chain, i, &link);
		if (r == 0 && i && link.start < before)
			r = -EBADMSG;
		if (r < 0)
			return r;
		at = link.start - before;
	}
	chain->count = count;
	return 0;
}

/* Whether a CHECKPOINT that ends a chain begins at AT. */
static int chain_try(struct chain *chain, uint64_t at, const uint8_t tag[CHAIN_TAG])
{
	uint8_t fixed[CHAIN_TAG + 8];
	struct image_frame frame;
	uint64_t first = 0;

	if (image_frame_get(tag, CHAIN_TAG, &frame) < 0 || frame.magic != IMAGE_MAGIC ||
	    frame.kind != IMAGE_CHECKPOINT)
		return -EBADMSG;
	int r = chain_bytes(chain, at, fixed, sizeof(fixed));
	if (r < 0)
		return r;
	for (int i = 7; i >= 0; i--)
		first = first << 8 | fixed[CHAIN_TAG + i];
	if (first % chain->gap || first >= chunk_count(&chain->front->head.map))
		return -EBADMSG;
	return chain_follow(chain, at, first);
}

static int chain_search(struct chain *chain, uint64_t low, uint8_t *block)
{
	int r = -EBADMSG;

	for (uint64_t end = chain->size; r == -EBADMSG && end > low;) {
		uint64_t begin = end - low > CHAIN_BLOCK ? end - CHAIN_BLOCK : low;
		ssize_t n = out_read_at(chain->fd, block, end - begin + CHAIN_TAG - 1, begin);

		if (n < 0)
			return n;
		for (ssize_t i = n - (ssize_t)CHAIN_TAG; r == -EBADMSG && i >= 0; i--)
			if (block[i] == (IMAGE_MAGIC & 0xff))
				r = chain_try(chain, begin + i, block + i);
		end = begin;
	}
	return r == -EBADMSG ? 0 : r;
}

int chain_find(int fd, uint64_t size, const struct load_head *front, uint64_t window,
	       struct chain *ret)
{
	*ret = (struct chain){
		.fd = fd,
		.size = size,
		.front = front,
		.gap = IMAGE_CHECKPOINT_GAP / front->head.map.chunk_size,
	};
	uint64_t least = front->first_len + front->head_len;
	uint64_t low = size > window && size - window > least ? size - window : least;
	uint64_t most = size > low ? size - low : 0;
	uint8_t *block = malloc((most < CHAIN_BLOCK ? most : CHAIN_BLOCK) + CHAIN_TAG);
	int r = -ENOMEM;

	ret->buf = malloc(image_checkpoint_size(ret->gap));
	if (block && ret->buf)
		r = chain_search(ret, low, block);
	free(block);
	if (r < 0)
		chain_clear(ret);
	return r;
}

void chain_clear(struct chain *chain)
{
	free(chain->marks);
	free(chain->buf);
	chain->marks = NULL;
	chain->buf = NULL;
	chain->count = 0;
}

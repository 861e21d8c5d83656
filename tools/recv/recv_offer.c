// SPDX-License-Identifier: GPL-2.0-or-later
/* What comes, and from which chunk on: OFFER and ACCEPT. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <time.h>

#include "codec/manifest.h"
#include "codec/manifest_identity.h"
#include "recv/recv_internal.h"

#define ENTRIES_ONCE 1024 /* of the sink, read at once */

/* An OFFER that was read. HEAD's identity points into its record. */
struct offer {
	struct image_head head;
	json_t *manifest;
	struct manifest_set set;
};

static int offer_read(struct recv *recv, const struct link_record *record, struct offer *ret)
{
	struct wire_offer offer;
	json_t *manifest = NULL;
	int r;

	if (record->type != WIRE_TYPE_OFFER)
		return recv_unexpected(recv, record->type, "OFFER");
	r = wire_offer_get(record->payload, record->length, &offer);
	if (r == 0)
		r = manifest_parse(offer.manifest, offer.manifest_len, &manifest);
	if (r == 0)
		r = manifest_set_get(manifest, offer.head.transfer_id, &ret->set);
	if (r < 0) {
		json_decref(manifest);
		return recv_fail(recv, r, "the sender's OFFER is damaged");
	}
	ret->head = offer.head;
	ret->manifest = manifest;
	return 0;
}

static int offer_keep(struct recv *recv, const struct offer *offer)
{
	recv->head = offer->head;
	recv->manifest = offer->manifest;
	recv->ret->set = offer->set;
	recv->identity = malloc(offer->head.identity_len + 1);
	if (!recv->identity)
		return recv_fail(recv, -ENOMEM, "out of memory");
	memcpy(recv->identity, offer->head.identity, offer->head.identity_len);
	recv->head.identity = recv->identity;
	return 0;
}

static int accept_put(struct recv *recv, const struct wire_accept *accept)
{
	size_t capacity = WIRE_SENTENCE_MOST + 64 + (size_t)accept->have * (DIGEST_SIZE + 1);
	struct link_record *record = link_record_new(WIRE_TYPE_ACCEPT, capacity);

	return recv_put(recv, record,
			record ? wire_accept_put(accept, record->payload, capacity) : -ENOMEM);
}

/* The digests and flags of the accept->have chunks from accept->have_first on, in content. */
static int accept_chunks(struct recv *recv, struct spool *spool, struct wire_accept *accept)
{
	uint8_t *flags = recv->content + (size_t)WIRE_HAVE_MOST * IMAGE_ENTRY;
	bool any = false;
	int r = accept->have ? spool_read(spool, accept->have_first, accept->have, recv->content)
			     : 0;

	for (uint32_t i = 0; r == 0 && i < accept->have; i++) {
		const uint8_t *raw = recv->content + (size_t)i * IMAGE_ENTRY;
		struct image_entry entry;

		r = image_entry_get(raw, &entry);
		flags[i] = entry.flags & WIRE_HAVE_FLAGS;
		any |= flags[i];
		/* An entry begins with its digest. */
		memmove(recv->content + (size_t)i * DIGEST_SIZE, raw, DIGEST_SIZE);
	}
	if (r < 0)
		return recv_fail(recv, r, "the list of what came cannot be read: %s", strerror(-r));
	accept->digests = recv->content;
	accept->flags = any ? flags : NULL;
	return 0;
}

int recv_accept(struct recv *recv, struct spool *spool, uint64_t first, bool fills)
{
	struct wire_accept accept = {.first = first, .fills = fills};

	_Static_assert(WIRE_HAVE_MOST * (IMAGE_ENTRY + 1) <= CHUNK_SIZE_MOST,
		       "content holds a part");
	do {
		accept.have_first += accept.have;
		accept.have = MIN(first - accept.have_first, WIRE_HAVE_MOST);
		accept.more = accept.have_first + accept.have < first;
		int r = accept_chunks(recv, spool, &accept);

		if (r == 0)
			r = accept_put(recv, &accept);
		if (r < 0)
			return r;
	} while (accept.more);
	return 0;
}

/* A refusal in words, not an ABORT: nothing went wrong, and nothing was written. */
static int offer_refuse(struct recv *recv, int error)
{
	struct wire_accept accept = {.refused = true};

	snprintf(accept.sentence, sizeof(accept.sentence), "%s", recv->why);
	if (accept_put(recv, &accept) == 0) {
		link_flush(recv->link, stop_deadline(2 * STOP_SECOND));
		recv->told = true;
	}
	/* It is the end whether it was heard or not. */
	recv->lost = false;
	return recv_fail(recv, error, "%s", accept.sentence);
}

/* Which disk of how many was offered: it must be the next one, and there must be room for all. */
static int offer_check_set(struct recv *recv)
{
	const struct manifest_set *set = &recv->ret->set;

	if (!manifest_set_follows(recv->before, set))
		return recv_fail(
			recv, -EPROTO,
			"the sender offered disk %u of %u, which is not the one that is due",
			set->index, set->count);
	if (set->count == 1 || recv->options->folder)
		return 0;
	recv_fail(recv, -EINVAL,
		  "the sender has %u disks: receive them into a folder, `tbrecv -o DIR/`",
		  set->count);
	return offer_refuse(recv, -EINVAL);
}

/* The digests of what the sink has from an earlier run become ours. */
static int offer_take_chunks(struct recv *recv)
{
	uint64_t count = sink_chunks(recv->sink);
	struct image_entry entries[ENTRIES_ONCE];
	int r = root_keep(&recv->root, sink_fd(recv->sink));

	while (r == 0 && recv->next < count) {
		uint32_t n = MIN(count - recv->next, ENTRIES_ONCE);

		r = sink_entry(recv->sink, recv->next, n, entries);
		for (uint32_t i = 0; r == 0 && i < n; i++)
			r = recv_note(recv, &entries[i], chunk_length(&recv->head.map, recv->next));
	}
	return r < 0 ? recv_fail(recv, r, "a list of what comes cannot be kept: %s", strerror(-r))
		     : 0;
}

/* The transfer goes on, which the manifest tells, or begins. */
static int offer_start(struct recv *recv)
{
	struct mend_state state = {
		.name = sink_name(recv->sink),
		.done = recv->next,
		.begun = true,
		.map = &recv->head.map,
	};
	struct mend *mend = recv->options->mend;
	int r = recv_accept(recv, recv->root.spool, recv->next, recv_again_fills(recv));

	if (r == 0 && mend && (recv->next || mend->breaks))
		mend_tell(mend, &state);
	if (r < 0 || !recv->next)
		return r;
	link_acknowledge(recv->link, recv->synced_chunks);
	json_t *resumes = json_object_get(recv->manifest, "resumes");
	if (!json_is_array(resumes)) {
		resumes = json_array();
		json_object_set_new(recv->manifest, "resumes", resumes);
	}
	json_array_append_new(resumes, json_integer(time(NULL)));
	return 0;
}

int recv_offer(struct recv *recv, const struct link_record *record)
{
	struct offer offer;
	int r = offer_read(recv, record, &offer);

	if (r == 0)
		r = offer_keep(recv, &offer);
	if (r == 0)
		r = offer_check_set(recv);
	if (r < 0)
		return r;
	r = sink_begin(recv->sink, &recv->head, recv->manifest);
	if (r < 0) {
		recv_sink_failed(recv, r);
		return r == -EINTR ? r : offer_refuse(recv, r);
	}
	recv->begun = true;
	recv->head.map = sink_head(recv->sink)->map;
	recv_zero_digest(recv, recv->head.map.chunk_size, &recv->zero);
	r = offer_take_chunks(recv);
	if (r < 0)
		return r;
	recv->synced_chunks = recv->next;
	recv->synced_bytes = sink_stored(recv->sink);
	recv->synced_at = stop_now();
	recv->progress = progress_new(recv->options->progress, sink_name(recv->sink),
				      chunk_map_known(&recv->head.map));
	progress_resume(recv->progress, recv->came);
	return offer_start(recv);
}

/* What was told of before, by a sender that may be no more, holds no longer. */
static int offer_keep_ranges(struct recv *recv, const json_t *manifest, const char *key)
{
	json_t *ranges = json_object_get(manifest, key);

	json_object_del(recv->manifest, key);
	if (ranges && json_object_set(recv->manifest, key, ranges) < 0)
		return recv_fail(recv, -ENOMEM, "out of memory");
	return 0;
}

int recv_go_on(struct recv *recv, const struct link_record *record)
{
	struct manifest_set *set = &recv->ret->set;
	struct offer offer;
	int r = offer_read(recv, record, &offer);

	if (r < 0)
		return r;
	r = offer_keep_ranges(recv, offer.manifest, "unreadable");
	if (r == 0)
		r = offer_keep_ranges(recv, offer.manifest, "unallocated");
	json_decref(offer.manifest);
	if (r < 0)
		return r;
	if (offer.set.index != set->index || offer.set.count != set->count ||
	    !manifest_identity_same(&offer.head, &recv->head))
		return recv_fail(recv, -EPROTO,
				 "another disk was offered than the one that broke off: start "
				 "tbsend with SOURCE again");
	/* A sender that was started anew has given the transfer another id. */
	set->id = offer.set.id;
	r = recv_sync(recv, true);
	return r < 0 ? r : offer_start(recv);
}

/* The disk that RECORD offers, where that is complete here; the set that it is of, to RET. */
static const struct recv_disk *offer_past(struct recv *recv, const struct link_record *record,
					  struct manifest_set *ret)
{
	const struct recv_disk *disk;
	struct offer offer;

	if (record->type != WIRE_TYPE_OFFER || offer_read(recv, record, &offer) < 0)
		return NULL;
	disk = recv_past_find(recv->options->past, &offer.head, &offer.set);
	json_decref(offer.manifest);
	*ret = offer.set;
	return disk;
}

int recv_next_offer(struct recv *recv, struct link_record **ret)
{
	for (;;) {
		const struct recv_disk *disk;
		struct link_record *record;
		struct manifest_set set;
		int r = recv_next(recv, stop_deadline(recv->patience), &record);

		if (r < 0)
			return r;
		disk = offer_past(recv, record, &set);
		if (!disk) {
			*ret = record;
			return 0;
		}
		free(record);
		/* A sender that was started anew has given the transfer another id. */
		if (recv->before)
			recv->before->id = set.id;
		r = recv_repeat(recv, disk);
		if (r < 0)
			return r;
	}
}

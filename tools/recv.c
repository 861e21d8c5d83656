// SPDX-License-Identifier: GPL-2.0-or-later
#include "recv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "codec/manifest.h"
#include "codec/pack.h"
#include "io/disk.h"

#define RECV_SYNC_BYTES (64ull << 20) /* of the sink between two syncs, */
#define RECV_SYNC_TIME	STOP_SECOND   /* or this long, whichever comes first */
#define RECV_BYE_TIME	(10 * STOP_SECOND)

/* One transfer's state on the way from the link to the sink. */
struct recv {
	struct link *link;
	struct sink *sink;
	struct progress *progress;
	struct pack *pack;
	uint8_t *content;
	struct image_head head;
	char *identity;
	json_t *manifest;
	struct digest_state root;
	struct digest zero; /* of a whole chunk of zeros */
	uint64_t next;	    /* chunk */
	uint64_t came;	    /* bytes of the device in the chunks before it */
	uint64_t synced_chunks, synced_bytes;
	int64_t synced_at;
	bool told; /* the peer knows why we failed */
	char *why;
	size_t why_len;
};

__attribute__((format(printf, 3, 4))) static int recv_fail(struct recv *recv, int error,
							   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(recv->why, recv->why_len, format, args);
	va_end(args);
	return error;
}

static int recv_lost(struct recv *recv, int error)
{
	link_why(recv->link, recv->why, recv->why_len);
	return error;
}

static int recv_sink_failed(struct recv *recv, int error)
{
	if (error == -EINTR)
		return recv_fail(recv, error, "interrupted");
	return recv_fail(recv, error, "%s", sink_why(recv->sink));
}

/* The next record that has a meaning here. */
static int recv_next(struct recv *recv, struct link_record **ret)
{
	for (;;) {
		int r = link_get(recv->link, STOP_NEVER, ret);

		if (r < 0)
			return recv_lost(recv, r);
		if (!((*ret)->type & WIRE_TYPE_OPTIONAL))
			return 0;
		free(*ret);
	}
}

static int recv_unexpected(struct recv *recv, uint8_t type, const char *due)
{
	return recv_fail(recv, -EPROTO,
			 "the sender sent %s where %s was due: do both sides run the same version?",
			 wire_type_name(type), due);
}

static int recv_offer_take(struct recv *recv, const struct link_record *record)
{
	struct wire_offer offer;
	int r;

	if (record->type != WIRE_TYPE_OFFER)
		return recv_unexpected(recv, record->type, "OFFER");
	r = wire_offer_get(record->payload, record->length, &offer);
	if (r == 0)
		r = manifest_parse(offer.manifest, offer.manifest_len, &recv->manifest);
	if (r < 0)
		return recv_fail(recv, r, "the sender's OFFER is damaged");
	recv->head = offer.head;
	recv->identity = malloc(offer.head.identity_len + 1);
	if (!recv->identity)
		return recv_fail(recv, -ENOMEM, "out of memory");
	memcpy(recv->identity, offer.head.identity, offer.head.identity_len);
	recv->head.identity = recv->identity;
	return 0;
}

static int recv_accept(struct recv *recv, const char *refusal)
{
	struct wire_accept accept = {.refused = refusal != NULL};
	size_t capacity = WIRE_SENTENCE_MOST + 64;
	struct link_record *record = link_record_new(WIRE_TYPE_ACCEPT, capacity);

	if (refusal)
		snprintf(accept.sentence, sizeof(accept.sentence), "%s", refusal);
	int r = record ? wire_accept_put(&accept, record->payload, capacity) : -ENOMEM;
	if (r < 0) {
		free(record);
		return recv_fail(recv, r, "out of memory");
	}
	record->length = r;
	r = link_put(recv->link, record);
	return r < 0 ? recv_lost(recv, r) : 0;
}

/* A refusal in words, not an ABORT: nothing went wrong, and nothing was written. */
static int recv_refuse(struct recv *recv, int error)
{
	char sentence[WIRE_SENTENCE_MOST + 1];

	snprintf(sentence, sizeof(sentence), "%s", recv->why);
	if (recv_accept(recv, sentence) == 0) {
		link_flush(recv->link, stop_deadline(2 * STOP_SECOND));
		recv->told = true;
		recv_fail(recv, error, "%s", sentence);
	}
	return error;
}

/* Which disk of how many was offered: it must be the next one, and there must be room for all. */
static int recv_offer_set(struct recv *recv, const struct recv_options *options,
			  const struct recv_result *before, struct manifest_set *ret)
{
	int r = manifest_set_get(recv->manifest, recv->head.transfer_id, ret);

	if (r < 0)
		return recv_fail(recv, r, "the sender's OFFER is damaged");
	if (!manifest_set_follows(before ? &before->set : NULL, ret))
		return recv_fail(
			recv, -EPROTO,
			"the sender offered disk %u of %u, which is not the one that is due",
			ret->index, ret->count);
	if (ret->count == 1 || options->folder)
		return 0;
	recv_fail(recv, -EINVAL,
		  "the sender has %u disks: receive them into a folder, `tbrecv -o DIR/`",
		  ret->count);
	return recv_refuse(recv, -EINVAL);
}

static int recv_offer(struct recv *recv, const struct recv_options *options,
		      struct recv_result *before, struct recv_result *ret)
{
	struct link_record *record = before ? before->next : NULL;
	int r = record ? 0 : recv_next(recv, &record);

	if (r < 0)
		return r;
	if (before)
		before->next = NULL;
	r = recv_offer_take(recv, record);
	free(record);
	if (r == 0)
		r = recv_offer_set(recv, options, before, &ret->set);
	if (r < 0)
		return r;
	r = sink_begin(recv->sink, &recv->head, recv->manifest);
	if (r < 0) {
		recv_sink_failed(recv, r);
		return r == -EINTR ? r : recv_refuse(recv, r);
	}
	recv->progress = progress_new(options->progress, sink_name(recv->sink),
				      chunk_map_known(&recv->head.map));
	recv->synced_at = stop_now();
	return recv_accept(recv, NULL);
}

/* What has arrived is made durable and acknowledged, now and then. */
static int recv_sync(struct recv *recv, bool now)
{
	uint64_t stored = sink_stored(recv->sink);

	if (recv->next == recv->synced_chunks ||
	    (!now && stored - recv->synced_bytes < RECV_SYNC_BYTES &&
	     stop_now() - recv->synced_at < RECV_SYNC_TIME))
		return 0;
	int r = sink_sync(recv->sink);
	if (r < 0)
		return recv_sink_failed(recv, r);
	recv->synced_chunks = recv->next;
	recv->synced_bytes = stored;
	recv->synced_at = stop_now();
	link_acknowledge(recv->link, recv->next);
	progress_update(recv->progress, recv->came, stored);
	return 0;
}

static int recv_data(struct recv *recv, const struct link_record *record)
{
	struct wire_data data;
	struct digest digest;
	int r = wire_data_get(record->payload, record->length, &data);

	if (r < 0)
		return recv_fail(recv, r, "chunk %" PRIu64 " came damaged", recv->next);
	if (!chunk_follows(&recv->head.map, recv->next, recv->came))
		return recv_fail(recv, -EPROTO, "chunk %" PRIu64 " came behind the last one",
				 data.index);
	if (data.index != recv->next)
		return recv_fail(recv, -EPROTO,
				 "chunk %" PRIu64 " came where chunk %" PRIu64 " was due",
				 data.index, recv->next);
	struct sink_chunk chunk = {
		.entry = &data.entry,
		.frame = data.frame,
		.content = recv->content,
	};
	r = pack_chunk_length(&recv->head.map, data.index, data.frame, data.entry.stored_size,
			      &chunk.length);
	if (r == 0)
		r = pack_check(data.frame, data.entry.stored_size, chunk.length);
	if (r == 0)
		r = pack_restore(recv->pack, data.frame, data.entry.stored_size, recv->content,
				 chunk.length);
	if (r == 0)
		digest_chunk(recv->content, chunk.length, &digest);
	if (r < 0 || !digest_equal(&digest, &data.entry.digest))
		return recv_fail(recv, -EBADMSG,
				 "chunk %" PRIu64 " came damaged: the memory of one of the two "
				 "machines may be failing.",
				 recv->next);
	r = sink_chunk(recv->sink, &chunk);
	if (r < 0)
		return recv_sink_failed(recv, r);
	digest_update(&recv->root, digest.bytes, DIGEST_SIZE);
	recv->next++;
	recv->came += chunk.length;
	return 0;
}

static void recv_zero_digest(struct recv *recv, uint32_t len, struct digest *ret)
{
	memset(recv->content, 0, len);
	digest_chunk(recv->content, len, ret);
}

static int recv_zeros(struct recv *recv, const struct link_record *record)
{
	const struct chunk_map *map = &recv->head.map;
	struct wire_zero zero;
	struct digest digest;
	int r = wire_zero_get(record->payload, record->length, &zero);

	if (r < 0 || zero.first != recv->next || !chunk_follows(map, recv->next, recv->came) ||
	    zero.count > chunk_count(map) - recv->next)
		return recv_fail(recv, -EPROTO, "a range of zeros came that is out of place");
	r = sink_zero(recv->sink, zero.count, zero.flags);
	if (r < 0)
		return recv_sink_failed(recv, r);
	for (uint64_t i = 0; i < zero.count; i++, recv->next++) {
		uint32_t len = chunk_length(map, recv->next);

		digest = recv->zero;
		if (len != map->chunk_size)
			recv_zero_digest(recv, len, &digest);
		digest_update(&recv->root, digest.bytes, DIGEST_SIZE);
		recv->came += len;
	}
	return 0;
}

/* Whether all came that END tells of. An open map is closed by it. */
static int recv_end_size(struct recv *recv, const struct wire_end *end)
{
	struct chunk_map *map = &recv->head.map;
	uint64_t due = chunk_map_open(map) ? end->chunks : chunk_count(map);

	if (end->chunks != recv->next || recv->next != due)
		return recv_fail(recv, -EPROTO,
				 "the sender ended after %" PRIu64 " of %" PRIu64 " chunks",
				 recv->next, due);
	if (chunk_map_open(map))
		map->size = recv->came;
	if (end->size != map->size)
		return recv_fail(recv, -EPROTO,
				 "the sender tells of %" PRIu64 " bytes, but sent %" PRIu64,
				 end->size, recv->came);
	return 0;
}

static int recv_end(struct recv *recv, const struct link_record *record, struct recv_result *ret)
{
	const struct chunk_map *map = &recv->head.map;
	struct wire_end end;
	int r = wire_end_get(record->payload, record->length, &end);

	if (r < 0)
		return recv_fail(recv, r, "the sender's END is damaged");
	r = recv_end_size(recv, &end);
	if (r < 0)
		return r;
	digest_root(&recv->root, map->size, map->chunk_size, &ret->root);
	if (!digest_equal(&end.root, &ret->root))
		return recv_fail(recv, -EBADMSG,
				 "what arrived is not what was sent: the memory of one of the two "
				 "machines may be failing");
	r = sink_finish(recv->sink, recv->manifest, &ret->end);
	return r < 0 ? recv_sink_failed(recv, r) : 0;
}

static int recv_stream(struct recv *recv, struct recv_result *ret)
{
	bool ended = false;

	while (!ended) {
		struct link_record *record;
		int r = recv_next(recv, &record);

		if (r < 0)
			return r;
		if (record->type == WIRE_TYPE_DATA)
			r = recv_data(recv, record);
		else if (record->type == WIRE_TYPE_ZERO)
			r = recv_zeros(recv, record);
		else if (record->type == WIRE_TYPE_END)
			r = recv_end(recv, record, ret);
		else
			r = recv_unexpected(recv, record->type, "DATA");
		ended = record->type == WIRE_TYPE_END;
		free(record);
		if (r == 0 && !ended)
			r = recv_sync(recv, false);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What came behind RESULT: BYE, or the next disk's OFFER, which becomes RET's. */
static void recv_take_answer(struct recv *recv, struct link_record *record, struct recv_result *ret)
{
	ret->confirmed = record->type == WIRE_TYPE_BYE || record->type == WIRE_TYPE_OFFER;
	if (record->type == WIRE_TYPE_OFFER && ret->set.index < ret->set.count) {
		ret->next = record;
		return;
	}
	if (record->type == WIRE_TYPE_OFFER)
		link_abort(recv->link, "more disks are offered than were announced");
	free(record);
}

/*
 * Says RESULT and waits for the sender to have it: closing before it was read could lose it.
 * Whether it was heard changes nothing about what we have verified.
 */
static void recv_say_result(struct recv *recv, struct recv_result *ret)
{
	struct wire_result result = {
		.status = ret->end == SINK_DURABLE ? WIRE_STATUS_DURABLE : WIRE_STATUS_WRITTEN,
		.stored = ret->stored,
		.root = ret->root,
	};
	size_t capacity = WIRE_SENTENCE_MOST + 64;
	struct link_record *record = link_record_new(WIRE_TYPE_RESULT, capacity);
	int64_t deadline = stop_deadline(RECV_BYE_TIME);

	link_acknowledge(recv->link, recv->next);
	int r = record ? wire_result_put(&result, record->payload, capacity) : -ENOMEM;
	if (r < 0) {
		free(record);
		return;
	}
	record->length = r;
	r = link_put(recv->link, record);
	while (r == 0 && !ret->confirmed) {
		r = link_get(recv->link, deadline, &record);
		if (r == 0)
			recv_take_answer(recv, record, ret);
	}
}

static int recv_prepare(struct recv *recv)
{
	digest_start(&recv->root);
	recv->content = aligned_alloc(DISK_ALIGN, CHUNK_SIZE_MOST);
	int r = recv->content ? pack_new(PACK_LEVEL_DEFAULT, &recv->pack) : -ENOMEM;

	return r < 0 ? recv_fail(recv, r, "Out of memory.") : 0;
}

int recv_records(struct link *link, struct sink *sink, const struct recv_options *options,
		 struct recv_result *before, struct recv_result *ret, char *ret_why, size_t len)
{
	struct recv recv = {.link = link, .sink = sink, .why = ret_why, .why_len = len};

	ret_why[0] = '\0';
	*ret = (struct recv_result){0};
	int r = recv_prepare(&recv);
	if (r == 0)
		r = recv_offer(&recv, options, before, ret);
	if (r == 0) {
		recv_zero_digest(&recv, recv.head.map.chunk_size, &recv.zero);
		r = recv_stream(&recv, ret);
	}
	ret->stored = sink_stored(sink);
	if (r == 0) {
		ret->size = recv.head.map.size;
		recv_say_result(&recv, ret);
		progress_update(recv.progress, ret->size, ret->stored);
	} else if (!recv.told && !link_ended(link)) {
		link_abort(link, ret_why);
	}
	progress_end(recv.progress);
	pack_free(recv.pack);
	json_decref(recv.manifest);
	free(recv.identity);
	free(recv.content);
	return r;
}

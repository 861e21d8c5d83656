// SPDX-License-Identifier: GPL-2.0-or-later
#include "send/send_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "codec/manifest.h"
#include "send/send_missing.h"
#include "ui/missing.h"

int send_fail(struct send *send, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(send->why, send->why_len, format, args);
	va_end(args);
	return error;
}

int send_lost(struct send *send, int error)
{
	link_why(send->link, send->why, send->why_len);
	send->lost = true;
	return error;
}

/* Bytes that are safe at the receiver; after a break, of what it said before too. */
static uint64_t send_safe(struct send *send)
{
	uint64_t chunks = send->accepted ? link_acked(send->link) : 0;

	if (chunks > send->safe)
		send->safe = chunks;
	chunks = send->safe;
	return chunk_bytes(send->map, chunks);
}

static int send_offer(struct send *send)
{
	const struct image_head *head = source_head(send->source);
	struct wire_offer offer = {.head = *head};
	char *json;

	/* The receiver may not know yet that it has ended. */
	if (source_is_stream(send->source))
		offer.head.map.size = CHUNK_OPEN;
	size_t len;

	int r = send_missing_offer(source_manifest(send->source), head->map.size, &json, &len);
	if (r < 0)
		return send_fail(send, r, "the manifest cannot be made: %s", strerror(-r));
	size_t capacity = image_head_size(head) + len + 64;
	struct link_record *record = link_record_new(WIRE_TYPE_OFFER, capacity);

	offer.manifest = json;
	offer.manifest_len = len;
	r = record ? wire_offer_put(&offer, record->payload, capacity) : -ENOMEM;
	free(json);
	if (r < 0) {
		free(record);
		return send_fail(send, r, "the offer cannot be made: %s", strerror(-r));
	}
	record->length = r;
	r = link_put(send->link, record);
	return r < 0 ? send_lost(send, r) : 0;
}

int send_await(struct send *send, uint8_t type, struct link_record **ret)
{
	struct link_record *record;

	for (;;) {
		int r = link_get(send->link, stop_deadline(STOP_SECOND / 5), &record);

		progress_update(send->options->progress, send_safe(send), 0);
		if (r == -ETIMEDOUT && !link_ended(send->link))
			continue;
		if (r < 0)
			return send_lost(send, r);
		if (record->type == type) {
			*ret = record;
			return 0;
		}
		r = send_skip(send, record, type);
		if (r < 0)
			return r;
	}
}

int send_skip(struct send *send, struct link_record *record, uint8_t due)
{
	uint8_t came = record->type;

	free(record);
	if (came & WIRE_TYPE_OPTIONAL)
		return 0;
	return send_fail(send, -EPROTO,
			 "the receiver sent %s where %s was due: do both sides run the same "
			 "version?",
			 wire_type_name(came), wire_type_name(due));
}

int send_zeros(struct send *send)
{
	if (!send->zeros.count)
		return 0;
	struct link_record *record = link_record_new(WIRE_TYPE_ZERO, 64);
	int r = record ? wire_zero_put(&send->zeros, record->payload, 64) : -ENOMEM;

	if (r < 0) {
		free(record);
		return send_fail(send, r, "out of memory");
	}
	record->length = r;
	send->zeros.count = 0;
	r = link_put(send->link, record);
	return r < 0 ? send_lost(send, r) : 0;
}

int send_data(struct send *send, const struct source_chunk *chunk)
{
	struct wire_data data = {.index = chunk->index, .entry = chunk->entry};
	size_t len = WIRE_DATA + chunk->entry.stored_size;
	struct link_record *record = link_record_new(WIRE_TYPE_DATA, len);

	if (!record)
		return send_fail(send, -ENOMEM, "out of memory");
	int r = wire_data_put(&data, record->payload);
	if (r < 0) {
		free(record);
		return send_fail(send, r, "a frame cannot be sent: %s", strerror(-r));
	}
	memcpy(record->payload + WIRE_DATA, chunk->frame, chunk->entry.stored_size);
	send->stored += chunk->entry.stored_size;
	r = link_put(send->link, record);
	return r < 0 ? send_lost(send, r) : 0;
}

int send_root_failed(struct send *send, int error)
{
	return send_fail(send, error, "the digests cannot be kept: %s", strerror(-error));
}

static int send_chunk(struct send *send, const struct source_chunk *chunk)
{
	int r = root_add(&send->root, &chunk->entry);

	if (r < 0)
		return send_root_failed(send, r);
	if (chunk->zero) {
		uint32_t flags = chunk->entry.flags | IMAGE_ENTRY_ZERO;

		if (send->zeros.count && send->zeros.flags != flags)
			r = send_zeros(send);
		if (!send->zeros.count)
			send->zeros = (struct wire_zero){.first = chunk->index, .flags = flags};
		if (r < 0)
			return r;
		return ++send->zeros.count == SEND_ZEROS_MOST ? send_zeros(send) : 0;
	}
	r = send_zeros(send);
	return r < 0 ? r : send_data(send, chunk);
}

static int send_chunks(struct send *send)
{
	struct source_chunk chunk;
	int r;

	while ((r = source_next(send->source, &chunk)) == 1 || r == -EAGAIN || r == -ENOBUFS) {
		if (r == -ENOBUFS) {
			r = send_wait_confirmed(send);
		} else if (r == 1) {
			send->next = chunk.index + 1;
			send->to = MAX(send->to, send->next);
			r = send_chunk(send, &chunk);
		} else {
			r = link_ended(send->link) ? send_lost(send, -EPIPE) : 0;
		}
		if (r < 0)
			return r;
		source_confirm(send->source, link_acked(send->link));
		send_progress_level(send->options->progress, send->source);
		progress_update(send->options->progress, send_safe(send), 0);
	}
	if (r < 0)
		return send_fail(send, r, "%s", source_why(send->source));
	return send_zeros(send);
}

int send_data_again(struct send *send, const struct source_chunk *chunk)
{
	int r = root_fill(&send->root, chunk->index, &chunk->entry);

	return r < 0 ? send_root_failed(send, r) : send_data(send, chunk);
}

/* Chunks of which more could be read since they were sent. */
static int send_again(struct send *send)
{
	struct source_chunk chunk;
	int r;

	send_missing_tell(send->source);
	while ((r = source_again(send->source, &chunk)) != 0) {
		progress_update(send->options->progress, send_safe(send), 0);
		/* Nobody may be there any more, and this can take days. */
		if (r == -EAGAIN && link_ended(send->link))
			return send_lost(send, -EPIPE);
		if (r == -EAGAIN)
			continue;
		if (r < 0)
			break;
		r = send_data_again(send, &chunk);
		if (r < 0)
			return r;
	}
	return r < 0 ? send_fail(send, r, "%s", source_why(send->source)) : 0;
}

/* What of the source could not be read is known when all of it was. */
static int send_unreadable(struct send *send, struct send_result *ret)
{
	const json_t *manifest = source_manifest(send->source);
	struct link_record *record = NULL;

	ret->missing = missing_tell(manifest, send->map->size, ret->where, sizeof(ret->where));
	/* An OFFER after a break tells of what was missing then. */
	if (!ret->missing && !source_rescued(send->source))
		return 0;
	int r = send_missing_record(manifest, send->map->size, &record);
	if (r < 0)
		return send_fail(send, r, "out of memory");
	r = link_put(send->link, record);
	return r < 0 ? send_lost(send, r) : 0;
}

static int send_end(struct send *send, struct send_result *ret)
{
	struct wire_end end = {.chunks = chunk_count(send->map), .size = send->map->size};
	struct link_record *record = link_record_new(WIRE_TYPE_END, 64);

	int r = record ? root_read(&send->root, send->map, &end.root) : -ENOMEM;
	ret->root = end.root;
	if (r == 0)
		r = wire_end_put(&end, record->payload, 64);
	if (r < 0) {
		free(record);
		return send_fail(send, r, "out of memory");
	}
	record->length = r;
	r = link_put(send->link, record);
	if (r < 0)
		return send_lost(send, r);
	r = send_await(send, WIRE_TYPE_RESULT, &record);
	if (r < 0)
		return r;
	r = wire_result_get(record->payload, record->length, &ret->peer);
	free(record);
	if (r < 0)
		return send_fail(send, r, "the receiver's RESULT is damaged");
	if (ret->peer.status == WIRE_STATUS_FAILED)
		return send_fail(send, -EIO, "the receiver failed: %s", ret->peer.sentence);
	if (!digest_equal(&ret->peer.root, &end.root))
		return send_fail(send, -EBADMSG,
				 "the receiver confirms other data than was sent: do not trust its "
				 "copy");
	return 0;
}

/* What follows RESULT can hurt nothing any more. */
void send_bye(struct link *link)
{
	struct link_record *record = link_record_new(WIRE_TYPE_BYE, 0);
	int64_t deadline = stop_deadline(2 * STOP_SECOND);

	if (!record || link_put(link, record) < 0)
		return;
	/* A driver may hand on BYE only with what follows: so KEEPALIVE does, until it was heard.
	 */
	while (link_get(link, deadline, &record) == 0)
		free(record);
}

/* What the receiver lacks. */
static int send_all(struct send *send, struct send_result *ret)
{
	int r = send_chunks(send);

	if (r == 0)
		r = send_lost_chunks(send);
	send->retried = r == 0;
	if (r == 0)
		r = send_again(send);
	if (r == 0)
		r = send_unreadable(send, ret);
	return r < 0 ? r : send_end(send, ret);
}

/* All of it, from where the receiver is, over one stream. */
static int send_over(struct send *send, struct send_result *ret)
{
	if (send->retried) {
		root_clear(&send->before);
		send->before = send->root;
	} else {
		root_clear(&send->root);
	}
	send->retried = false;
	root_start(&send->root);
	send->zeros.count = 0;
	send->accepted = false;
	int r = send_offer(send);

	if (r == 0)
		r = send_accepted(send);
	if (r < 0)
		return r;
	send_time_begin(&send->clock, send->source);
	r = send_all(send, ret);
	send_time_end(&send->clock, send->source);
	return r;
}

int send_records(struct source *source, struct link *link, const struct send_options *options,
		 struct send_result *ret, char *ret_why, size_t len)
{
	struct send send = {
		.source = source,
		.link = link,
		.options = options,
		.map = &source_head(source)->map,
		.why = ret_why,
		.why_len = len,
	};

	ret_why[0] = '\0';
	*ret = (struct send_result){0};
	ret->peer.status = WIRE_STATUS_FAILED;
	int r = source_keep(source, options->keep);
	if (r == 0)
		r = send_over(&send, ret);
	while (r < 0 && send.lost) {
		send_safe(&send);
		r = send_mend(&send, r);
		if (r == 0)
			r = send_over(&send, ret);
	}
	root_clear(&send.root);
	root_clear(&send.before);
	send_time_records(&send.clock, link, &ret->time);
	ret->stored = send.stored;
	ret->size = chunk_map_known(send.map);
	if (r == 0)
		progress_update(options->progress, ret->size, send.stored);
	else
		ret->safe = send_safe(&send);
	if (r < 0 && !link_ended(link))
		link_abort(link, ret_why);
	return r;
}

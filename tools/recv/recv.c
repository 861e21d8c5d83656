// SPDX-License-Identifier: GPL-2.0-or-later
#include "recv/recv_internal.h"

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
#include "ui/missing.h"

#define RECV_SYNC_BYTES (64ull << 20) /* of the sink between two syncs, */
#define RECV_SYNC_TIME	STOP_SECOND   /* or this long, whichever comes first */
/* Of a stream: its sender keeps what is not acknowledged, and reads on when some of it is. */
#define RECV_SYNC_STREAM (8ull << 20)

int recv_fail(struct recv *recv, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(recv->why, recv->why_len, format, args);
	va_end(args);
	return error;
}

int recv_lost(struct recv *recv, int error)
{
	recv->lost = true;
	link_why(recv->link, recv->why, recv->why_len);
	return error;
}

int recv_sink_failed(struct recv *recv, int error)
{
	if (error == -EINTR)
		return recv_fail(recv, error, "interrupted");
	return recv_fail(recv, error, "%s", sink_why(recv->sink));
}

int recv_next(struct recv *recv, int64_t deadline, struct link_record **ret)
{
	for (;;) {
		int64_t began = stop_now();
		int r = link_get(recv->link, deadline, ret);

		recv->clock.waited += stop_now() - began;
		if (r == -ETIMEDOUT && !link_ended(recv->link))
			return recv_fail(recv, r, "the sender did not go on");
		if (r < 0)
			return recv_lost(recv, r);
		if (!((*ret)->type & WIRE_TYPE_OPTIONAL))
			return 0;
		free(*ret);
	}
}

int recv_put(struct recv *recv, struct link_record *record, int length)
{
	if (length < 0) {
		free(record);
		return recv_fail(recv, length, "out of memory");
	}
	record->length = length;
	int r = link_put(recv->link, record);
	return r < 0 ? recv_lost(recv, r) : 0;
}

int recv_unexpected(struct recv *recv, uint8_t type, const char *due)
{
	return recv_fail(recv, -EPROTO,
			 "the sender sent %s where %s was due: do both sides run the same version?",
			 wire_type_name(type), due);
}

int recv_sync(struct recv *recv, bool now)
{
	uint64_t stored = sink_stored(recv->sink);
	uint64_t most = chunk_map_open(&recv->head.map) ? RECV_SYNC_STREAM : RECV_SYNC_BYTES;

	if (recv->next == recv->synced_chunks || (!now && stored - recv->synced_bytes < most &&
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

int recv_note(struct recv *recv, const struct image_entry *entry, uint32_t len)
{
	int r = root_add(&recv->root, entry);

	if (r < 0)
		return recv_fail(recv, r, "the list of what came cannot be kept: %s", strerror(-r));
	recv->unreadable |= (entry->flags & IMAGE_ENTRY_UNREADABLE) != 0;
	recv->next++;
	recv->came += len;
	return 0;
}

void recv_unpack(struct pack *pack, struct recv_job *job)
{
	const struct wire_data *data = &job->data;
	struct digest digest;
	int r = wire_data_get(job->record->payload, job->record->length, &job->data);

	job->read = r == 0;
	if (r == 0)
		r = pack_chunk_length(job->map, data->index, data->frame, data->entry.stored_size,
				      &job->length);
	if (r == 0)
		r = pack_restore(pack, data->frame, data->entry.stored_size, job->content,
				 job->length);
	if (r == 0)
		digest_chunk(job->content, job->length, &digest);
	if (r == 0 && !digest_equal(&digest, &data->entry.digest))
		r = -EBADMSG;
	/* Of what claims to be zeros a sink need not look at the content. */
	if (r == 0 && data->entry.flags & IMAGE_ENTRY_ZERO &&
	    !chunk_is_zero(job->content, job->length))
		r = -EBADMSG;
	job->r = r;
}

static int recv_data(struct recv *recv, const struct recv_job *job)
{
	const struct wire_data *data = &job->data;

	if (!job->read)
		return recv_fail(recv, -EBADMSG, "chunk %" PRIu64 " came damaged", recv->next);
	int again = recv_again_due(recv, data);
	if (again < 0)
		return again;
	if (job->r < 0)
		return recv_fail(recv, -EBADMSG,
				 "chunk %" PRIu64 " came damaged: the memory of one of the two "
				 "machines may be failing.",
				 data->index);
	const struct sink_chunk chunk = {
		.entry = &data->entry,
		.frame = data->frame,
		.content = job->content,
		.length = job->length,
	};
	if (again)
		return recv_again_take(recv, data->index, &chunk);
	int r = sink_chunk(recv->sink, &chunk);
	if (r < 0)
		return recv_sink_failed(recv, r);
	return recv_note(recv, &data->entry, chunk.length);
}

void recv_zero_digest(struct recv *recv, uint32_t len, struct digest *ret)
{
	memset(recv->content, 0, len);
	digest_chunk(recv->content, len, ret);
}

static int recv_zeros(struct recv *recv, const struct link_record *record)
{
	const struct chunk_map *map = &recv->head.map;
	struct image_entry entry = {0};
	struct wire_zero zero;
	int r = wire_zero_get(record->payload, record->length, &zero);

	if (r < 0 || zero.first != recv->next || !chunk_follows(map, recv->next, recv->came) ||
	    zero.count > chunk_count(map) - recv->next)
		return recv_fail(recv, -EPROTO, "a range of zeros came that is out of place");
	r = sink_zero(recv->sink, zero.count, zero.flags);
	if (r < 0)
		return recv_sink_failed(recv, r);
	entry.flags = zero.flags;
	for (uint64_t i = 0; r == 0 && i < zero.count; i++) {
		uint32_t len = chunk_length(map, recv->next);

		entry.digest = recv->zero;
		if (len != map->chunk_size)
			recv_zero_digest(recv, len, &entry.digest);
		r = recv_note(recv, &entry, len);
	}
	return r;
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

static int recv_end(struct recv *recv, const struct link_record *record)
{
	struct recv_result *ret = recv->ret;
	const struct chunk_map *map = &recv->head.map;
	struct wire_end end;
	int r = wire_end_get(record->payload, record->length, &end);

	if (r < 0)
		return recv_fail(recv, r, "the sender's END is damaged");
	r = recv_end_size(recv, &end);
	if (r < 0)
		return r;
	r = root_read(&recv->root, map, &ret->root);
	if (r < 0)
		return recv_fail(recv, r, "the list of what came cannot be read: %s", strerror(-r));
	if (!digest_equal(&end.root, &ret->root))
		return recv_fail(recv, -EBADMSG,
				 "what arrived is not what was sent: the memory of one of the two "
				 "machines may be failing");
	r = recv_again_end(recv);
	if (r < 0)
		return r;
	r = sink_finish(recv->sink, recv->manifest, &ret->end);
	return r < 0 ? recv_sink_failed(recv, r) : 0;
}

int recv_next_chunk(struct recv *recv, struct link_record **ret)
{
	if (recv->next == recv->synced_chunks)
		return recv_next(recv, STOP_NEVER, ret);
	int r = recv_next(recv, recv->synced_at + RECV_SYNC_TIME, ret);

	if (r != -ETIMEDOUT || recv->lost)
		return r;
	r = recv_sync(recv, true);
	return r < 0 ? r : recv_next(recv, STOP_NEVER, ret);
}

/* Does what RECORD, which is not DATA, asks for. */
static int recv_other(struct recv *recv, const struct link_record *record)
{
	switch (record->type) {
	case WIRE_TYPE_ZERO: return recv_zeros(recv, record);
	case WIRE_TYPE_UNREADABLE: return recv_again_missing(recv, record);
	case WIRE_TYPE_END: return recv_end(recv, record);
	default: return recv_unexpected(recv, record->type, "DATA");
	}
}

static int recv_stream(struct recv *recv)
{
	bool ended = false;

	while (!ended) {
		struct link_record *record = NULL;
		struct recv_job *job = NULL;
		int r = recv_ahead_next(recv, &record, &job);

		if (r < 0)
			return r;
		r = job ? recv_data(recv, job) : recv_other(recv, record);
		ended = record && record->type == WIRE_TYPE_END;
		free(record);
		if (r == 0 && !ended)
			r = recv_sync(recv, false);
		if (r < 0)
			return r;
	}
	return 0;
}

static int recv_prepare(struct recv *recv)
{
	root_start(&recv->root);
	recv->content = aligned_alloc(DISK_ALIGN, CHUNK_SIZE_MOST);
	recv->job.content = recv->content;
	recv->threads = recv->options->threads;
	int r = recv->content ? pack_new(PACK_LEVEL_DEFAULT, &recv->pack) : -ENOMEM;

	return r < 0 ? recv_fail(recv, r, "Out of memory.") : 0;
}

int recv_mend(struct recv *recv, int error, int64_t timeout)
{
	struct mend *mend = recv->options->mend;
	struct mend_state state = {
		.name = sink_name(recv->sink),
		.done = recv->next,
		.begun = recv->begun,
		.stream = recv->begun && chunk_map_open(&recv->head.map),
		.map = &recv->head.map,
	};
	bool mends = link_mends(recv->link);

	/* What the sender said last may be why. */
	link_why(recv->link, recv->why, recv->why_len);
	recv->lost = false;
	if (!mend || !mends)
		return error;
	return mend_link(mend, recv->link, &state, timeout, recv->why, recv->why_len);
}

/* What one stream brings; RECORD is its OFFER, where that was read, and is freed. */
static int recv_over(struct recv *recv, struct link_record *record)
{
	int r = record ? 0 : recv_next_offer(recv, &record);

	if (r < 0)
		return r;
	r = recv->begun ? recv_go_on(recv, record) : recv_offer(recv, record);
	free(record);
	if (r < 0)
		return r;
	recv_time_begin(recv);
	r = recv_stream(recv);
	recv_time_end(recv);
	return r;
}

/* Why, and how to go on here, where that is known: whoever reads it may sit at the sender. */
static void recv_give_up(struct recv *recv)
{
	const char *note = sink_note(recv->sink);
	char sentence[WIRE_SENTENCE_MOST + 1];

	snprintf(sentence, sizeof(sentence), "%s%s%s", recv->why, note[0] ? "; " : "", note);
	link_abort(recv->link, sentence);
}

int recv_records(struct link *link, struct sink *sink, const struct recv_options *options,
		 struct recv_result *before, struct recv_result *ret, char *ret_why, size_t len)
{
	struct recv recv = {
		.link = link,
		.sink = sink,
		.options = options,
		.ret = ret,
		.before = before ? &before->set : NULL,
		.patience = STOP_NEVER,
		.why = ret_why,
		.why_len = len,
	};
	struct link_record *offer = before ? before->next : NULL;

	ret_why[0] = '\0';
	*ret = (struct recv_result){0};
	int r = recv_prepare(&recv);
	if (r == 0)
		r = recv_over(&recv, offer);
	else
		free(offer);
	if (before)
		before->next = NULL;
	while (r < 0 && recv.lost) {
		r = recv_mend(&recv, r, options->mend ? options->mend->options->timeout : 0);
		if (r == 0)
			r = recv_over(&recv, NULL);
	}
	ret->stored = sink_stored(sink);
	if (r == 0) {
		ret->size = recv.head.map.size;
		ret->missing =
			missing_tell(recv.manifest, ret->size, ret->where, sizeof(ret->where));
		recv_say_result(&recv);
		progress_update(recv.progress, ret->size, ret->stored);
	} else if (!recv.told && !link_ended(link)) {
		recv_give_up(&recv);
	}
	progress_end(recv.progress);
	recv_ahead_free(&recv);
	root_clear(&recv.root);
	pack_free(recv.pack);
	json_decref(recv.manifest);
	free(recv.identity);
	free(recv.content);
	return r;
}

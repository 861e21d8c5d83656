// SPDX-License-Identifier: GPL-2.0-or-later
/* What became of it: RESULT, until the sender has heard it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "recv/recv_internal.h"
#include "ui/msg.h"

/*
 * For the sender's answer: longer than a stream is silent until it counts as broken, since a sender
 * behind such a one comes again.
 */
#define RESULT_BYE    (15 * STOP_SECOND)
#define RESULT_LINGER 60 /* seconds for a sender to come again */

static int result_put(struct recv *recv, const struct wire_result *result)
{
	size_t capacity = WIRE_SENTENCE_MOST + 64;
	struct link_record *record = link_record_new(WIRE_TYPE_RESULT, capacity);

	return recv_put(recv, record,
			record ? wire_result_put(result, record->payload, capacity) : -ENOMEM);
}

int recv_repeat(struct recv *recv, const struct recv_disk *disk)
{
	uint64_t count = chunk_count(&disk->head.map);
	struct link_record *record;
	struct wire_end end;
	int r = recv_accept(recv, disk->spool, count, false);

	if (r < 0)
		return r;
	link_acknowledge(recv->link, count);
	/* The sender may read a lot before it says so. */
	r = recv_next(recv, STOP_NEVER, &record);
	if (r < 0)
		return r;
	if (record->type != WIRE_TYPE_END)
		r = recv_unexpected(recv, record->type, "END");
	else if (wire_end_get(record->payload, record->length, &end) < 0 || end.chunks != count ||
		 end.size != disk->head.map.size || !digest_equal(&end.root, &disk->result.root))
		r = recv_fail(recv, -EPROTO, "the sender ended otherwise than what is here");
	free(record);
	return r < 0 ? r : result_put(recv, &disk->result);
}

/* What came behind RESULT: BYE, or the next disk's OFFER, which becomes ret's. */
static void result_take_answer(struct recv *recv, struct link_record *record)
{
	struct recv_result *ret = recv->ret;

	ret->confirmed = record->type == WIRE_TYPE_BYE || record->type == WIRE_TYPE_OFFER;
	if (record->type == WIRE_TYPE_OFFER && ret->set.index < ret->set.count) {
		ret->next = record;
		return;
	}
	if (record->type == WIRE_TYPE_OFFER)
		link_abort(recv->link, "more disks are offered than were announced");
	free(record);
}

/* Waits for BYE or another OFFER. */
static int result_await(struct recv *recv)
{
	struct link_record *record;
	int r = 0;

	while (r == 0 && !recv->ret->confirmed) {
		r = recv_next_offer(recv, &record);
		if (r == 0)
			result_take_answer(recv, record);
	}
	return r;
}

/* Nobody may have heard RESULT. Waits for the sender to come again, for it or the next disk. */
static int result_mend(struct recv *recv, int error, int64_t deadline)
{
	const struct manifest_set *set = &recv->ret->set;
	int64_t left = deadline - stop_now();

	if (set->index < set->count)
		return recv_mend(recv, error, recv->options->mend->options->timeout);
	if (left <= 0 || !link_mends(recv->link)) {
		recv->lost = false;
		return error;
	}
	msg_note("%s is complete here: waiting up to %d s for a sender that may not know it",
		 sink_name(recv->sink), RESULT_LINGER);
	return recv_mend(recv, error, left);
}

void recv_say_result(struct recv *recv)
{
	struct recv_result *ret = recv->ret;
	struct recv_past *past = recv->options->past;
	int64_t deadline = stop_deadline(RESULT_LINGER * STOP_SECOND);
	struct wire_result result = {
		.status = ret->end == SINK_DURABLE ? WIRE_STATUS_DURABLE : WIRE_STATUS_WRITTEN,
		.stored = ret->stored,
		.root = ret->root,
	};

	if (ret->missing) {
		result.status = WIRE_STATUS_PARTIAL;
		snprintf(result.sentence, sizeof(result.sentence),
			 "verified and %s, but for what could not be read: %s",
			 ret->end == SINK_DURABLE ? "synced" : "written into a pipe, not synced",
			 ret->where);
	}
	recv->before = &ret->set;
	recv->patience = RESULT_BYE;
	link_acknowledge(recv->link, recv->next);
	int r = past ? recv_past_add(past, &recv->head, &ret->set, &result, &recv->root.spool) : 0;
	if (r == 0)
		r = recv_time_tell(recv);
	if (r == 0)
		r = result_put(recv, &result);
	if (r == 0)
		r = result_await(recv);
	while (r < 0 && recv->lost && recv->options->mend) {
		r = result_mend(recv, r, deadline);
		if (r == 0)
			r = result_await(recv);
	}
	if (r < 0 && r != -ETIMEDOUT && !link_ended(recv->link))
		link_abort(recv->link, recv->why);
	/* Nothing that went wrong with the sender meanwhile makes less of what is here. */
	recv->why[0] = '\0';
}

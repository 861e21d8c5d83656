// SPDX-License-Identifier: GPL-2.0-or-later
#include "mend.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "programs.h"
#include "ui/msg.h"

#define MEND_BREAKS 5 /* in a row without one more chunk: a cable that is damaged */

void mend_setup(struct mend *mend, const struct options *options, enum wire_role role)
{
	*mend = (struct mend){.options = options, .role = role};
}

/* "at 42 % of /dev/sda", "before disk began", "at chunk 42 of standard input". */
static void mend_where(const struct mend_state *state, char *ret, size_t len)
{
	if (!state->begun)
		snprintf(ret, len, "before %s began", state->name);
	else if (chunk_map_open(state->map))
		snprintf(ret, len, "at chunk %" PRIu64 " of %s", state->done, state->name);
	else
		snprintf(ret, len, "at %" PRIu64 " %% of %s",
			 state->done * 100 / chunk_count(state->map), state->name);
}

static void mend_warn(const struct mend *mend, struct link *link, const struct mend_state *state)
{
	const char *peer = mend->role == WIRE_SENDER ? "tbrecv" : "tbsend";
	char why[WIRE_SENTENCE_MOST + 128], where[400];

	link_why(link, why, sizeof(why));
	mend_where(state, where, sizeof(where));
	if (state->stream)
		msg_warn("%s, %s; waiting for %s: plug the cable in again; a stream goes on only "
			 "while both programs run, and Ctrl-C ends it",
			 why, where, peer);
	else
		msg_warn("%s, %s; waiting for %s: plug the cable in again, or start %s again on "
			 "the other machine; Ctrl-C to stop",
			 why, where, peer, peer);
}

int mend_link(struct mend *mend, struct link *link, const struct mend_state *state, int64_t timeout,
	      char *ret_why, size_t len)
{
	struct stream_options options;
	struct wire_hello peer;

	if (state->done > mend->reached)
		mend->breaks = 0;
	mend->reached = state->done;
	mend->breaks++;
	mend_warn(mend, link, state);
	program_stream_options(mend->options, mend->role == WIRE_RECEIVER, &options);
	options.deadline = stop_deadline(timeout);
	int r = link_renew(link, &options, &peer, ret_why, len);

	if (r < 0 || mend->breaks < MEND_BREAKS)
		return r;
	snprintf(ret_why, len,
		 "the stream broke %d times without one more chunk of %s: try another cable, or "
		 "another port",
		 MEND_BREAKS, state->name);
	link_abort(link, ret_why);
	return -EPIPE;
}

void mend_tell(const struct mend *mend, const struct mend_state *state)
{
	char of[32] = "";
	json_t *event;

	if (!chunk_map_open(state->map))
		snprintf(of, sizeof(of), " of %" PRIu64, chunk_count(state->map));
	if (!mend->options->json) {
		msg_note("%s: going on at chunk %" PRIu64 "%s", state->name, state->done, of);
		return;
	}
	event = json_pack("{s:s, s:s, s:I}", "event", "resumed",
			  mend->role == WIRE_SENDER ? "source" : "target", state->name, "chunk",
			  (json_int_t)state->done);
	if (of[0])
		json_object_set_new(event, "chunks", json_integer(chunk_count(state->map)));
	program_json(event);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* A sender whose source is a pipe: what it keeps, how much, and where it can go on. The receiver is
 * played by hand. */
#include "resume_peer.h"

#include <signal.h>
#include <sys/random.h>

#include "io/out.h"
#include "send/send.h"
#include "source/source_kinds.h"

#define CHUNKS 5
#define ROOM   2 /* chunks that are kept */

struct piping {
	int fds[2];
	pthread_t writer, thread;
	struct source *source;
	uint8_t *content; /* random, so that it does not become less */
	struct digest digests[CHUNKS];
	struct mend mend;
	struct send_options options;
	struct send_result result;
	struct link_test_end sender, receiver;
	int r;
	char why[768];
};

static void *piping_write(void *arg)
{
	struct piping *piping = arg;

	out_write(piping->fds[1], piping->content, CHUNKS * (size_t)CHUNK_SIZE - 1);
	close(piping->fds[1]);
	return NULL;
}

static void *piping_run(void *arg)
{
	struct piping *piping = arg;

	piping->r = send_records(piping->source, piping->sender.link, &piping->options,
				 &piping->result, piping->why, sizeof(piping->why));
	return NULL;
}

/* OFFER, which tells of a stream, whatever its sender knows by now. */
static void piping_offered(struct piping *piping)
{
	struct link_record *record = resume_expect(&piping->receiver, WIRE_TYPE_OFFER);
	struct wire_offer offer;

	assert_int_equal(wire_offer_get(record->payload, record->length, &offer), 0);
	assert_true(chunk_map_open(&offer.head.map));
	free(record);
}

static void piping_begin(struct piping *piping)
{
	size_t len = CHUNKS * (size_t)CHUNK_SIZE - 1;

	memset(piping, 0, sizeof(*piping));
	signal(SIGPIPE, SIG_IGN);
	piping->content = malloc(len);
	for (size_t at = 0; at < len;) {
		ssize_t n = getrandom(piping->content + at, len - at, 0);

		assert_true(n > 0);
		at += n;
	}
	for (size_t i = 0; i < CHUNKS; i++)
		digest_chunk(piping->content + i * CHUNK_SIZE,
			     i < CHUNKS - 1 ? CHUNK_SIZE : CHUNK_SIZE - 1, &piping->digests[i]);
	assert_int_equal(pipe2(piping->fds, O_CLOEXEC), 0);
	assert_int_equal(pthread_create(&piping->writer, NULL, piping_write, piping), 0);
	assert_int_equal(source_open_stream(piping->fds[0], PACK_LEVEL_DEFAULT, &piping->source,
					    piping->why, sizeof(piping->why)),
			 0);
	assert_int_equal(keep_new(0, &piping->source->keep), 0);
	resume_mend(&piping->mend, WIRE_SENDER);
	piping->options.mend = &piping->mend;
	piping->options.recheck = true;
	link_test_pair(&piping->sender, &piping->receiver);
	assert_int_equal(pthread_create(&piping->thread, NULL, piping_run, piping), 0);
	piping_offered(piping);
}

static void piping_end(struct piping *piping, int r, const char *part)
{
	pthread_join(piping->thread, NULL);
	if (piping->r != r || !strstr(piping->why, part))
		print_error("%d: '%s' lacks '%s'\n", piping->r, piping->why, part);
	assert_int_equal(piping->r, r);
	assert_non_null(strstr(piping->why, part));
	close(piping->fds[0]);
	pthread_join(piping->writer, NULL);
	link_close(piping->sender.link);
	link_close(piping->receiver.link);
	source_close(piping->source);
	free(piping->content);
}

static void piping_accept(struct piping *piping, uint64_t first)
{
	struct wire_accept accept = {
		.first = first,
		.have = first,
		.digests = piping->digests[0].bytes,
	};
	struct link_record *record = link_record_new(WIRE_TYPE_ACCEPT, 256);

	resume_put(&piping->receiver, record, wire_accept_put(&accept, record->payload, 256));
}

static void piping_take(struct piping *piping, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i <= to; i++) {
		struct link_record *record = resume_expect(&piping->receiver, WIRE_TYPE_DATA);
		struct wire_data data;

		assert_int_equal(wire_data_get(record->payload, record->length, &data), 0);
		assert_int_equal(data.index, i);
		assert_true(digest_equal(&data.entry.digest, &piping->digests[i]));
		free(record);
	}
}

/* Nothing comes before something is confirmed. */
static void piping_waits(struct piping *piping)
{
	struct link_record *record;

	assert_int_equal(link_get(piping->receiver.link, stop_deadline(300 * MS), &record),
			 -ETIMEDOUT);
}

static void piping_another(struct piping *piping)
{
	link_close(piping->receiver.link);
	link_test_start(&piping->receiver, WIRE_RECEIVER, true);
	link_test_join(&piping->receiver, 0);
	piping_offered(piping);
}

static void piping_finish(struct piping *piping)
{
	struct link_record *record = resume_expect(&piping->receiver, WIRE_TYPE_END);
	struct wire_result result = {0};
	struct wire_end end;

	assert_int_equal(wire_end_get(record->payload, record->length, &end), 0);
	assert_int_equal(end.chunks, CHUNKS);
	assert_int_equal(end.size, CHUNKS * (uint64_t)CHUNK_SIZE - 1);
	free(record);
	result.root = end.root;
	record = link_record_new(WIRE_TYPE_RESULT, 256);
	resume_put(&piping->receiver, record, wire_result_put(&result, record->payload, 256));
	piping_end(piping, 0, "");
}

/* It reads on as soon as something is confirmed, and no more than that. */
static void test_bound(void **state)
{
	struct piping piping;

	(void)state;
	piping_begin(&piping);
	piping_accept(&piping, 0);
	for (uint64_t i = 0; i < CHUNKS; i++) {
		piping_take(&piping, i, i);
		if (i + 1 < ROOM || i + 1 == CHUNKS)
			continue;
		piping_waits(&piping);
		link_acknowledge(piping.receiver.link, i + 2 - ROOM);
	}
	link_acknowledge(piping.receiver.link, CHUNKS);
	piping_finish(&piping);
}

/* From every chunk that is kept, once and again. */
static void test_goes_on(void **state)
{
	struct piping piping;

	(void)state;
	piping_begin(&piping);
	piping_accept(&piping, 0);
	piping_take(&piping, 0, 1);
	piping_another(&piping);
	piping_accept(&piping, 0);
	piping_take(&piping, 0, 1);
	link_acknowledge(piping.receiver.link, 1);
	piping_take(&piping, 2, 2);
	for (uint64_t first = 3; first >= 1; first--) {
		piping_another(&piping);
		piping_accept(&piping, first);
		if (first < 3)
			piping_take(&piping, first, 2);
	}
	link_acknowledge(piping.receiver.link, 3);
	piping_take(&piping, 3, 4);
	/* Its end is reached, which the next receiver does not know. */
	piping_another(&piping);
	piping_accept(&piping, 3);
	piping_take(&piping, 3, 4);
	free(resume_expect(&piping.receiver, WIRE_TYPE_END));
	piping_another(&piping);
	piping_accept(&piping, CHUNKS);
	piping_finish(&piping);
}

/* Before what is kept, behind it, and with other digests. */
static void test_refused(void **state)
{
	struct piping piping;

	(void)state;
	for (int i = 0; i < 3; i++) {
		const char *why = i < 2 ? "standard input cannot be gone on with from chunk"
					: "the receiver has something else than standard input";

		piping_begin(&piping);
		piping_accept(&piping, 0);
		piping_take(&piping, 0, 1);
		link_acknowledge(piping.receiver.link, 1);
		piping_take(&piping, 2, 2);
		piping_another(&piping);
		if (i == 2)
			piping.digests[0].bytes[0] ^= 1;
		piping_accept(&piping, i == 0 ? 0 : i == 1 ? 4 : 2);
		resume_abort(&piping.receiver, why);
		piping_end(&piping, i < 2 ? -ESPIPE : -ESTALE, why);
	}
}

/* A receiver that says something else while it should confirm. */
static void test_misplaced(void **state)
{
	struct piping piping;

	(void)state;
	piping_begin(&piping);
	piping_accept(&piping, 0);
	piping_take(&piping, 0, 1);
	piping_accept(&piping, 0);
	resume_abort(&piping.receiver, "ACCEPT where ACK was due");
	piping_end(&piping, -EPROTO, "ACCEPT where ACK was due");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_misplaced),
	};

	return cmocka_run_group_tests_name("send_stream", tests, NULL, NULL);
}

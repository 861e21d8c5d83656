// SPDX-License-Identifier: GPL-2.0-or-later
/* A receiver whose stream broke: the sender is played by hand, and may be another one each time. */
#include "resume_peer.h"

#include "recv/recv.h"

#define CHUNK 4096u
#define MANY  70000u /* chunks: their digests do not fit into one ACCEPT */

struct receiving {
	uint64_t chunks;
	struct mend mend;
	struct recv_past past;
	struct recv_options options;
	struct recv_result result;
	struct sink *sink;
	int out;
	struct link_test_end sender, receiver;
	pthread_t thread;
	int r;
	char why[768];
};

static void *receiving_run(void *arg)
{
	struct receiving *receiving = arg;

	receiving->r =
		recv_records(receiving->receiver.link, receiving->sink, &receiving->options, NULL,
			     &receiving->result, receiving->why, sizeof(receiving->why));
	return NULL;
}

/* A receiver of the disk's bytes, which are dropped. */
static void receiving_start(struct receiving *receiving, uint64_t chunks)
{
	struct sink_options options = {.from = -1};

	memset(receiving, 0, sizeof(*receiving));
	receiving->chunks = chunks;
	receiving->out = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_int_equal(sink_open_raw(receiving->out, &options, &receiving->sink), 0);
	resume_mend(&receiving->mend, WIRE_RECEIVER);
	receiving->options = (struct recv_options){
		.progress = PROGRESS_NONE,
		.mend = &receiving->mend,
		.past = &receiving->past,
	};
	link_test_pair(&receiving->sender, &receiving->receiver);
	assert_int_equal(pthread_create(&receiving->thread, NULL, receiving_run, receiving), 0);
}

static void receiving_end(struct receiving *receiving, int r, const char *part)
{
	pthread_join(receiving->thread, NULL);
	if (receiving->r != r || !strstr(receiving->why, part))
		print_error("%d: '%s' lacks '%s'\n", receiving->r, receiving->why, part);
	assert_int_equal(receiving->r, r);
	assert_non_null(strstr(receiving->why, part));
	link_close(receiving->sender.link);
	link_close(receiving->receiver.link);
	sink_close(receiving->sink);
	recv_past_clear(&receiving->past);
	close(receiving->out);
}

/* Another sender comes: its HELLO and OFFER have another transfer id. */
static void receiving_another(struct receiving *receiving)
{
	link_close(receiving->sender.link);
	link_test_start(&receiving->sender, WIRE_SENDER, false);
	link_test_join(&receiving->sender, 0);
}

static void receiving_offer(struct receiving *receiving, uint8_t id, uint64_t chunks)
{
	static const char identity[] = "{\"path\":\"/dev/x\"}";
	struct wire_offer offer = {
		.head = {.transfer_id = {id},
			 .map = {.size = chunks * CHUNK, .chunk_size = CHUNK},
			 .created = id,
			 .identity = identity,
			 .identity_len = strlen(identity)},
		.manifest = "{}",
		.manifest_len = 2,
	};
	struct link_record *record = link_record_new(WIRE_TYPE_OFFER, 1024);

	resume_put(&receiving->sender, record, wire_offer_put(&offer, record->payload, 1024));
}

/* Takes ACCEPT in all of its parts; the digests are those of zeros. Returns its first chunk. */
static uint64_t receiving_accepted(struct receiving *receiving)
{
	static const uint8_t zeros[CHUNK];
	struct wire_accept accept = {.more = true};
	struct digest digest;
	uint64_t next = 0, first = 0;

	digest_chunk(zeros, CHUNK, &digest);
	for (int part = 0; accept.more; part++) {
		struct link_record *record = resume_expect(&receiving->sender, WIRE_TYPE_ACCEPT);

		assert_int_equal(wire_accept_get(record->payload, record->length, &accept), 0);
		assert_false(accept.refused);
		assert_int_equal(accept.have_first, next);
		assert_true(part == 0 || accept.first == first);
		first = accept.first;
		for (uint32_t i = 0; i < accept.have; i++)
			assert_memory_equal(accept.digests + (size_t)i * DIGEST_SIZE, digest.bytes,
					    DIGEST_SIZE);
		next += accept.have;
		free(record);
	}
	assert_int_equal(next, first);
	return first;
}

/* Chunks FROM to TO - 1, zeros. What went out comes in, whatever breaks then. */
static void receiving_zeros(struct receiving *receiving, uint64_t from, uint64_t to)
{
	struct wire_zero zero = {.first = from, .count = to - from, .flags = IMAGE_ENTRY_ZERO};
	struct link_record *record = link_record_new(WIRE_TYPE_ZERO, 64);

	resume_put(&receiving->sender, record, wire_zero_put(&zero, record->payload, 64));
	assert_int_equal(link_flush(receiving->sender.link, stop_deadline(LONG_WAIT)), 0);
}

static void receiving_say_end(struct receiving *receiving, uint8_t flip)
{
	static const uint8_t zeros[CHUNK];
	struct wire_end end = {.chunks = receiving->chunks, .size = receiving->chunks * CHUNK};
	struct link_record *record = link_record_new(WIRE_TYPE_END, 64);
	struct digest_state root;
	struct digest digest;

	digest_start(&root);
	digest_chunk(zeros, CHUNK, &digest);
	for (uint64_t i = 0; i < receiving->chunks; i++)
		digest_update(&root, digest.bytes, DIGEST_SIZE);
	digest_root(&root, end.size, CHUNK, &end.root);
	end.root.bytes[3] ^= flip;
	resume_put(&receiving->sender, record, wire_end_put(&end, record->payload, 64));
}

static void receiving_result(struct receiving *receiving)
{
	struct link_record *record = resume_expect(&receiving->sender, WIRE_TYPE_RESULT);
	struct wire_result result;

	assert_int_equal(wire_result_get(record->payload, record->length, &result), 0);
	assert_int_equal(result.status, WIRE_STATUS_WRITTEN);
	free(record);
}

/* The first COUNT chunks are there. */
static void receiving_begin(struct receiving *receiving, uint64_t chunks, uint64_t count)
{
	receiving_start(receiving, chunks);
	receiving_offer(receiving, 1, chunks);
	assert_int_equal(receiving_accepted(receiving), 0);
	receiving_zeros(receiving, 0, count);
}

/* Digests of more chunks than one ACCEPT holds. */
static void test_many_chunks(void **state)
{
	struct receiving receiving;

	(void)state;
	receiving_begin(&receiving, MANY, MANY - 3);
	receiving_another(&receiving);
	receiving_offer(&receiving, 2, MANY);
	assert_int_equal(receiving_accepted(&receiving), MANY - 3);
	/* What is durable is said at once, behind the last part. */
	assert_int_equal(link_wait_acked(receiving.sender.link, MANY - 4, stop_deadline(LONG_WAIT)),
			 0);
	receiving_zeros(&receiving, MANY - 3, MANY);
	receiving_say_end(&receiving, 0);
	receiving_result(&receiving);
	assert_int_equal(link_put(receiving.sender.link, link_record_new(WIRE_TYPE_BYE, 0)), 0);
	receiving_end(&receiving, 0, "");
	assert_true(receiving.result.confirmed);
}

/* Before the OFFER, behind it, and behind everything but END. */
static void test_broken_anywhere(void **state)
{
	struct receiving receiving;

	(void)state;
	receiving_start(&receiving, 2);
	receiving_another(&receiving);
	receiving_offer(&receiving, 1, 2);
	receiving_another(&receiving);
	receiving_offer(&receiving, 2, 2);
	assert_int_equal(receiving_accepted(&receiving), 0);
	receiving_zeros(&receiving, 0, 2);
	receiving_another(&receiving);
	receiving_offer(&receiving, 3, 2);
	assert_int_equal(receiving_accepted(&receiving), 2);
	receiving_say_end(&receiving, 0);
	receiving_result(&receiving);
	assert_int_equal(link_put(receiving.sender.link, link_record_new(WIRE_TYPE_BYE, 0)), 0);
	receiving_end(&receiving, 0, "");
}

static void test_another_disk(void **state)
{
	struct receiving receiving;

	(void)state;
	receiving_begin(&receiving, 4, 2);
	receiving_another(&receiving);
	receiving_offer(&receiving, 2, 5);
	resume_abort(&receiving.sender, "another disk was offered than the one that broke off");
	receiving_end(&receiving, -EPROTO, "start tbsend with SOURCE again");
}

/* RESULT is said to whoever did not hear it, as often as it takes. */
static void test_result_lost(void **state)
{
	struct receiving receiving;

	(void)state;
	receiving_begin(&receiving, 4, 2);
	receiving_zeros(&receiving, 2, 4);
	receiving_say_end(&receiving, 0);
	for (uint8_t id = 2; id < 4; id++) {
		receiving_result(&receiving);
		receiving_another(&receiving);
		receiving_offer(&receiving, id, 4);
		assert_int_equal(receiving_accepted(&receiving), 4);
		receiving_say_end(&receiving, 0);
	}
	receiving_result(&receiving);
	assert_int_equal(link_put(receiving.sender.link, link_record_new(WIRE_TYPE_BYE, 0)), 0);
	receiving_end(&receiving, 0, "");
	assert_true(receiving.result.confirmed);
}

/* One that offers the disk and ends otherwise is told; what is here stays verified. */
static void test_result_of_another(void **state)
{
	struct receiving receiving;

	(void)state;
	receiving_begin(&receiving, 4, 4);
	receiving_say_end(&receiving, 0);
	receiving_result(&receiving);
	receiving_another(&receiving);
	receiving_offer(&receiving, 2, 4);
	assert_int_equal(receiving_accepted(&receiving), 4);
	receiving_say_end(&receiving, 1);
	resume_abort(&receiving.sender, "ended otherwise than what is here");
	receiving_end(&receiving, 0, "");
	assert_false(receiving.result.confirmed);
}

static void test_gives_up(void **state)
{
	struct receiving receiving;

	(void)state;
	receiving_begin(&receiving, 4, 2);
	for (int i = 0; i < 5; i++) {
		receiving_another(&receiving);
		if (i == 4)
			break;
		receiving_offer(&receiving, 2, 4);
		assert_int_equal(receiving_accepted(&receiving), 2);
	}
	resume_abort(&receiving.sender, "broke 5 times without one more chunk");
	receiving_end(&receiving, -EPIPE, "try another cable");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_chunks),	  cmocka_unit_test(test_broken_anywhere),
		cmocka_unit_test(test_another_disk),	  cmocka_unit_test(test_result_lost),
		cmocka_unit_test(test_result_of_another), cmocka_unit_test(test_gives_up),
	};

	return stop_install() || cmocka_run_group_tests_name("recv_resume", tests, NULL, NULL);
}

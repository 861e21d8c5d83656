// SPDX-License-Identifier: GPL-2.0-or-later
/* A stream of unknown length, from a sender that does not keep to what a stream is. */
#include "../io/link_test.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "codec/pack.h"
#include "recv/recv.h"

#define CHUNK 4096u

struct hostile {
	struct link_test_end sender, receiver;
	struct sink *sink;
	struct recv_options options;
	struct recv_result result;
	int out; /* a file: what the receiver makes of it */
	int r;
	char why[768];
	pthread_t thread;
	struct pack *pack;
	uint64_t next;
	struct digest_state root;
};

static void *hostile_receive(void *arg)
{
	struct hostile *hostile = arg;

	hostile->r = recv_records(hostile->receiver.link, hostile->sink, &hostile->options, NULL,
				  &hostile->result, hostile->why, sizeof(hostile->why));
	return NULL;
}

static void hostile_offer(struct hostile *hostile)
{
	static const char identity[] = "{\"path\":\"-\",\"kind\":\"stream\"}";
	struct wire_offer offer = {
		.head = {.transfer_id = {1},
			 .map = {.size = CHUNK_OPEN, .chunk_size = CHUNK},
			 .created = 1767225600,
			 .identity = identity,
			 .identity_len = strlen(identity)},
		.manifest = "{}",
		.manifest_len = 2,
	};
	struct link_record *record = link_record_new(WIRE_TYPE_OFFER, 1024);
	int r = wire_offer_put(&offer, record->payload, 1024);

	assert_true(r > 0);
	record->length = r;
	assert_int_equal(link_put(hostile->sender.link, record), 0);
}

/* A receiver whose sink is the bytes themselves, and a stream that was offered. */
static void hostile_start(struct hostile *hostile)
{
	struct sink_options options = {.from = -1};

	hostile->options = (struct recv_options){.progress = PROGRESS_NONE};
	link_test_pair(&hostile->sender, &hostile->receiver);
	assert_int_equal(pack_new(PACK_LEVEL_DEFAULT, &hostile->pack), 0);
	digest_start(&hostile->root);
	hostile->next = 0;
	hostile->out = memfd_create("out", MFD_CLOEXEC);
	assert_int_equal(sink_open_raw(hostile->out, &options, &hostile->sink), 0);
	assert_int_equal(pthread_create(&hostile->thread, NULL, hostile_receive, hostile), 0);
	hostile_offer(hostile);
}

/* A chunk of LEN bytes, as DATA. */
static void hostile_data(struct hostile *hostile, uint32_t len, int fill)
{
	uint8_t content[4 * CHUNK], frame[8 * CHUNK];
	struct wire_data data = {.index = hostile->next++};
	size_t stored;

	memset(content, fill, len);
	digest_chunk(content, len, &data.entry.digest);
	digest_update(&hostile->root, data.entry.digest.bytes, DIGEST_SIZE);
	assert_int_equal(pack_chunk(hostile->pack, content, len, frame, sizeof(frame), &stored), 0);
	data.entry.stored_hash = digest_stored(frame, stored);
	data.entry.stored_size = stored;
	struct link_record *record = link_record_new(WIRE_TYPE_DATA, WIRE_DATA + stored);

	assert_int_equal(wire_data_put(&data, record->payload), WIRE_DATA);
	memcpy(record->payload + WIRE_DATA, frame, stored);
	link_put(hostile->sender.link, record);
}

static void hostile_zeros(struct hostile *hostile, uint64_t count)
{
	static const uint8_t content[CHUNK];
	struct wire_zero zero = {.first = hostile->next, .count = count, .flags = IMAGE_ENTRY_ZERO};
	struct link_record *record = link_record_new(WIRE_TYPE_ZERO, 64);
	struct digest digest;

	record->length = wire_zero_put(&zero, record->payload, 64);
	hostile->next += count;
	digest_chunk(content, CHUNK, &digest);
	for (uint64_t i = 0; i < count && i < 100; i++)
		digest_update(&hostile->root, digest.bytes, DIGEST_SIZE);
	link_put(hostile->sender.link, record);
}

static void hostile_end(struct hostile *hostile, uint64_t chunks, uint64_t size)
{
	struct wire_end end = {.chunks = chunks, .size = size};
	struct link_record *record = link_record_new(WIRE_TYPE_END, 64);

	digest_root(&hostile->root, size, CHUNK, &end.root);
	record->length = wire_end_put(&end, record->payload, 64);
	link_put(hostile->sender.link, record);
}

/* The receiver ends with R and a sentence that has PART in it, which the sender is told. */
static void hostile_fate(struct hostile *hostile, int r, const char *part)
{
	struct link_record *record;
	char why[800];
	int got;

	do {
		got = link_get(hostile->sender.link, stop_deadline(LONG_WAIT), &record);
		if (got == 0 && r == 0 && record->type == WIRE_TYPE_RESULT)
			assert_int_equal(
				link_put(hostile->sender.link, link_record_new(WIRE_TYPE_BYE, 0)),
				0);
		if (got == 0)
			free(record);
	} while (got == 0 && r < 0);
	pthread_join(hostile->thread, NULL);
	if (hostile->r != r || !strstr(hostile->why, part))
		print_error("%d: '%s' lacks '%s'\n", hostile->r, hostile->why, part);
	assert_int_equal(hostile->r, r);
	assert_non_null(strstr(hostile->why, part));
	if (r < 0) {
		assert_int_equal(got, -ECANCELED);
		link_why(hostile->sender.link, why, sizeof(why));
		assert_non_null(strstr(why, part));
	}
	link_close(hostile->sender.link);
	link_close(hostile->receiver.link);
	sink_close(hostile->sink);
	pack_free(hostile->pack);
	close(hostile->out);
}

/* ACCEPT came; a receiver that gives up has said so before. */
static void hostile_accepted(struct hostile *hostile)
{
	struct link_record *record;

	assert_int_equal(link_get(hostile->sender.link, stop_deadline(LONG_WAIT), &record), 0);
	assert_int_equal(record->type, WIRE_TYPE_ACCEPT);
	free(record);
}

static void test_a_good_one(void **state)
{
	static struct hostile hostile;
	struct stat st;

	(void)state;
	hostile_start(&hostile);
	hostile_accepted(&hostile);
	hostile_data(&hostile, CHUNK, 'a');
	hostile_zeros(&hostile, 2);
	hostile_data(&hostile, 100, 0);
	hostile_end(&hostile, 4, 3 * CHUNK + 100);
	int out = dup(hostile.out);

	hostile_fate(&hostile, 0, "");
	assert_int_equal(hostile.result.size, 3 * CHUNK + 100);
	assert_int_equal(fstat(out, &st), 0);
	assert_int_equal(st.st_size, 3 * CHUNK + 100);
	close(out);
}

static void test_behind_a_short_chunk(void **state)
{
	static struct hostile hostile;

	(void)state;
	hostile_start(&hostile);
	hostile_data(&hostile, CHUNK - 1, 'a');
	hostile_data(&hostile, CHUNK, 'b');
	hostile_fate(&hostile, -EPROTO, "chunk 1 came behind the last one");
	hostile_start(&hostile);
	hostile_data(&hostile, CHUNK - 1, 'a');
	hostile_zeros(&hostile, 1);
	hostile_fate(&hostile, -EPROTO, "a range of zeros came that is out of place");
	/* An empty chunk is the only one. */
	hostile_start(&hostile);
	hostile_data(&hostile, 0, 0);
	hostile_data(&hostile, 0, 0);
	hostile_fate(&hostile, -EPROTO, "chunk 1 came behind the last one");
}

/* Zeros speak of whole chunks: a short end that goes so is said by END alone. */
static void test_zeros_over_a_short_end(void **state)
{
	static struct hostile hostile;

	(void)state;
	hostile_start(&hostile);
	hostile_data(&hostile, CHUNK, 'a');
	hostile_zeros(&hostile, 1);
	hostile_end(&hostile, 2, CHUNK + 100);
	hostile_fate(&hostile, -EPROTO, "the sender tells of 4196 bytes, but sent 8192");
}

static void test_end_with_another_size(void **state)
{
	static const struct {
		uint64_t chunks, size;
		const char *why;
	} cases[] = {
		{2, CHUNK + 99, "tells of 4195 bytes, but sent 4196"},
		{2, 2 * CHUNK, "tells of 8192 bytes, but sent 4196"},
		{2, CHUNK, "tells of 4096 bytes, but sent 4196"},
		{1, CHUNK, "ended after 2 of 1 chunks"},
		{3, CHUNK + 100, "ended after 2 of 3 chunks"},
	};
	static struct hostile hostile;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hostile_start(&hostile);
		hostile_data(&hostile, CHUNK, 'a');
		hostile_data(&hostile, 100, 'b');
		hostile_end(&hostile, cases[i].chunks, cases[i].size);
		hostile_fate(&hostile, -EPROTO, cases[i].why);
	}
}

static void test_end_before_a_chunk(void **state)
{
	static struct hostile hostile;

	(void)state;
	hostile_start(&hostile);
	hostile_end(&hostile, 1, 0);
	hostile_fate(&hostile, -EPROTO, "ended after 0 of 1 chunks");
}

/* Longer than a chunk, and empty behind another one. */
static void test_length_of_no_chunk(void **state)
{
	static struct hostile hostile;

	(void)state;
	hostile_start(&hostile);
	hostile_data(&hostile, CHUNK + 1, 'a');
	hostile_fate(&hostile, -EBADMSG, "chunk 0 came damaged");
	hostile_start(&hostile);
	hostile_data(&hostile, CHUNK, 'a');
	hostile_data(&hostile, 0, 0);
	hostile_fate(&hostile, -EBADMSG, "chunk 1 came damaged");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_good_one),
		cmocka_unit_test(test_behind_a_short_chunk),
		cmocka_unit_test(test_zeros_over_a_short_end),
		cmocka_unit_test(test_end_with_another_size),
		cmocka_unit_test(test_end_before_a_chunk),
		cmocka_unit_test(test_length_of_no_chunk),
	};

	return stop_install() || cmocka_run_group_tests_name("stream_hostile", tests, NULL, NULL);
}

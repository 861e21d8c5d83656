// SPDX-License-Identifier: GPL-2.0-or-later
/* A sender that goes on where the receiver is, or that must not: the receiver is played by hand. */
#include "resume_peer.h"

#include "send/send.h"

#define CHUNKS 4

struct sending {
	char path[32];
	int fd;
	struct source *source;
	struct digest digests[CHUNKS], root;
	struct mend mend;
	struct send_options options;
	struct send_result result;
	struct link_test_end sender, receiver;
	pthread_t thread;
	int r;
	char why[768];
};

static void *sending_run(void *arg)
{
	struct sending *sending = arg;

	sending->r = send_records(sending->source, sending->sender.link, &sending->options,
				  &sending->result, sending->why, sizeof(sending->why));
	return NULL;
}

/* A source of four chunks, which is RESCUED; the sender has offered it. */
static void sending_begin(struct sending *sending, bool rescued)
{
	struct digest_state root;

	memset(sending, 0, sizeof(*sending));
	strcpy(sending->path, "/tmp/send-test-XXXXXX");
	sending->fd = mkstemp(sending->path);
	for (int i = 0; i < CHUNKS; i++)
		assert_int_equal(pwrite(sending->fd, "text", 4, i * CHUNK_SIZE + i), 4);
	assert_int_equal(source_open(sending->path, PACK_LEVEL_DEFAULT, 0, &sending->source,
				     sending->why, sizeof(sending->why)),
			 0);
	if (rescued)
		assert_int_equal(
			source_rescue(sending->source, 1, NULL, sending->why, sizeof(sending->why)),
			0);
	digest_start(&root);
	for (int i = 0; i < CHUNKS; i++) {
		assert_int_equal(source_digest(sending->source, i, &sending->digests[i]), 0);
		digest_update(&root, sending->digests[i].bytes, DIGEST_SIZE);
	}
	digest_root(&root, source_head(sending->source)->map.size, CHUNK_SIZE, &sending->root);
	resume_mend(&sending->mend, WIRE_SENDER);
	sending->options.mend = &sending->mend;
	link_test_pair(&sending->sender, &sending->receiver);
	assert_int_equal(pthread_create(&sending->thread, NULL, sending_run, sending), 0);
	free(resume_expect(&sending->receiver, WIRE_TYPE_OFFER));
}

static void sending_start(struct sending *sending)
{
	sending_begin(sending, false);
}

static void sending_end(struct sending *sending, int r, const char *part)
{
	pthread_join(sending->thread, NULL);
	if (sending->r != r || !strstr(sending->why, part))
		print_error("%d: '%s' lacks '%s'\n", sending->r, sending->why, part);
	assert_int_equal(sending->r, r);
	assert_non_null(strstr(sending->why, part));
	link_close(sending->sender.link);
	link_close(sending->receiver.link);
	source_close(sending->source);
	close(sending->fd);
	unlink(sending->path);
}

/* ACCEPT from FIRST on, with COUNT digests from HAVE on. */
static void sending_accept(struct sending *sending, uint64_t first, uint64_t have, uint32_t count,
			   bool more)
{
	struct wire_accept accept = {
		.first = first,
		.have_first = have,
		.have = count,
		.more = more,
		.digests = sending->digests[have].bytes,
	};
	struct link_record *record = link_record_new(WIRE_TYPE_ACCEPT, 256);

	resume_put(&sending->receiver, record, wire_accept_put(&accept, record->payload, 256));
}

/* Takes chunks FROM to TO. */
static void sending_take(struct sending *sending, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i <= to; i++) {
		struct link_record *record = resume_expect(&sending->receiver, WIRE_TYPE_DATA);
		struct wire_data data;

		assert_int_equal(wire_data_get(record->payload, record->length, &data), 0);
		assert_int_equal(data.index, i);
		assert_true(digest_equal(&data.entry.digest, &sending->digests[i]));
		free(record);
	}
}

/* END, with the right root; then RESULT. */
static void sending_finish(struct sending *sending)
{
	struct link_record *record = resume_expect(&sending->receiver, WIRE_TYPE_END);
	struct wire_result result = {.root = sending->root};
	struct wire_end end;

	assert_int_equal(wire_end_get(record->payload, record->length, &end), 0);
	assert_true(digest_equal(&end.root, &sending->root));
	free(record);
	record = link_record_new(WIRE_TYPE_RESULT, 256);
	resume_put(&sending->receiver, record, wire_result_put(&result, record->payload, 256));
	sending_end(sending, 0, "");
}

/* The receiver is another one from now on; the sender has offered again. */
static void sending_another(struct sending *sending)
{
	link_close(sending->receiver.link);
	link_test_start(&sending->receiver, WIRE_RECEIVER, true);
	link_test_join(&sending->receiver, 0);
	free(resume_expect(&sending->receiver, WIRE_TYPE_OFFER));
}

/* From every chunk on, and all digests in one ACCEPT or one in each. */
static void test_from(void **state)
{
	struct sending sending;

	(void)state;
	for (uint64_t first = 0; first <= CHUNKS; first++) {
		for (int parts = 0; parts < 2; parts++) {
			sending_start(&sending);
			sending.options.recheck = parts;
			for (uint64_t i = 0; parts && i + 1 < first; i++)
				sending_accept(&sending, first, i, 1, true);
			if (parts && first)
				sending_accept(&sending, first, first - 1, 1, false);
			else
				sending_accept(&sending, first, 0, first, false);
			if (first < CHUNKS)
				sending_take(&sending, first, CHUNKS - 1);
			sending_finish(&sending);
		}
	}
}

static void test_malformed(void **state)
{
	static const struct {
		uint64_t first, have;
		uint32_t count;
		bool more;
		const char *why;
	} accepts[][2] = {
		{{3, 0, 2, true, ""}, {3, 1, 2, false, "do not fit together"}},
		{{3, 0, 1, true, ""}, {3, 2, 1, false, "do not fit together"}},
		{{3, 0, 2, true, ""}, {4, 2, 1, false, "do not fit together"}},
		{{3, 0, 2, true, ""}, {3, 2, 0, false, "lacks the digests"}},
		{{3, 1, 2, false, "do not fit together"}},
		{{3, 0, 2, false, "lacks the digests"}},
		{{3, 0, 0, false, "lacks the digests"}},
		{{5, 0, 4, false, "wants to go on from chunk 5, and there are 4"}},
	};
	struct sending sending;

	(void)state;
	for (size_t i = 0; i < sizeof(accepts) / sizeof(accepts[0]); i++) {
		const char *why = "";

		sending_start(&sending);
		for (int part = 0; part < 2 && !why[0]; part++) {
			sending_accept(&sending, accepts[i][part].first, accepts[i][part].have,
				       accepts[i][part].count, accepts[i][part].more);
			why = accepts[i][part].why;
		}
		resume_abort(&sending.receiver, why);
		sending_end(&sending, -EPROTO, why);
	}
}

static void test_changed(void **state)
{
	struct sending sending;

	(void)state;
	sending_start(&sending);
	sending.digests[1].bytes[7] ^= 1;
	sending_accept(&sending, 3, 0, 3, false);
	resume_abort(&sending.receiver, "has changed at byte 4194304");
	sending_end(&sending, -ESTALE, "`tbrecv --restart` begins anew");
}

/*
 * ACCEPT of the first three chunks, of which COUNT are named, and chunk 1 is not as the disk has
 * it, with FLAGS. FILLS: it may come again.
 */
static void sending_accept_incomplete(struct sending *sending, uint32_t count, uint8_t flags,
				      bool fills)
{
	const uint8_t all[] = {0, flags, 0};
	struct wire_accept accept = {
		.first = 3, .have = count, .more = count < 3, .fills = fills, .flags = all};
	struct link_record *record = link_record_new(WIRE_TYPE_ACCEPT, 256);

	sending->digests[1].bytes[7] ^= 1;
	accept.digests = sending->digests[0].bytes;
	resume_put(&sending->receiver, record, wire_accept_put(&accept, record->payload, 256));
	sending->digests[1].bytes[7] ^= 1;
}

static void sending_incomplete(struct sending *sending, uint8_t flags, bool fills)
{
	sending_begin(sending, true);
	sending->options.recheck = true;
	sending_accept_incomplete(sending, 3, flags, fills);
}

/* What an earlier run could not read everywhere is no change, and comes when it can be read. */
static void test_incomplete(void **state)
{
	struct sending sending;

	(void)state;
	sending_incomplete(&sending, IMAGE_ENTRY_UNREADABLE | IMAGE_ENTRY_SLOT, true);
	sending_take(&sending, 3, 3);
	sending_take(&sending, 1, 1);
	free(resume_expect(&sending.receiver, WIRE_TYPE_UNREADABLE));
	sending_finish(&sending);
}

/* The stream breaks while the receiver still says what it has: nothing of that is kept. */
static void test_incomplete_broken(void **state)
{
	const uint8_t flags = IMAGE_ENTRY_UNREADABLE | IMAGE_ENTRY_SLOT;
	struct sending sending;

	(void)state;
	sending_begin(&sending, true);
	sending.options.recheck = true;
	sending_accept_incomplete(&sending, 2, flags, true);
	assert_int_equal(link_flush(sending.receiver.link, stop_deadline(LONG_WAIT)), 0);
	sending_another(&sending);
	sending_accept_incomplete(&sending, 3, flags, true);
	sending_take(&sending, 3, 3);
	sending_take(&sending, 1, 1);
	free(resume_expect(&sending.receiver, WIRE_TYPE_UNREADABLE));
	sending_finish(&sending);
}

/* Where it cannot come again, all of it is listed, and the root is over what is there. */
static void test_incomplete_for_good(void **state)
{
	static const struct {
		uint8_t flags;
		bool fills;
	} cases[] = {
		{IMAGE_ENTRY_UNREADABLE, true},
		{IMAGE_ENTRY_UNREADABLE, false},
		{IMAGE_ENTRY_UNREADABLE | IMAGE_ENTRY_SLOT, false},
	};
	struct sending sending;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct link_record *record;
		struct digest_state root;
		struct wire_range range;
		uint32_t count;

		sending_incomplete(&sending, cases[i].flags, cases[i].fills);
		sending_take(&sending, 3, 3);
		record = resume_expect(&sending.receiver, WIRE_TYPE_UNREADABLE);
		assert_int_equal(wire_unreadable_get(record->payload, record->length, &count), 0);
		assert_int_equal(count, 1);
		wire_unreadable_range(record->payload, 0, &range);
		assert_int_equal(range.offset, CHUNK_SIZE);
		assert_int_equal(range.length, CHUNK_SIZE);
		free(record);
		sending.digests[1].bytes[7] ^= 1;
		digest_start(&root);
		for (int chunk = 0; chunk < CHUNKS; chunk++)
			digest_update(&root, sending.digests[chunk].bytes, DIGEST_SIZE);
		digest_root(&root, source_head(sending.source)->map.size, CHUNK_SIZE,
			    &sending.root);
		sending_finish(&sending);
	}
}

/* One that has all of it may not differ, whoever rescues. */
static void test_rescued_changed(void **state)
{
	struct sending sending;

	(void)state;
	sending_incomplete(&sending, 0, true);
	resume_abort(&sending.receiver, "has changed at byte 4194304");
	sending_end(&sending, -ESTALE, "`tbrecv --restart` begins anew");
}

/* Another stream, and another receiver: one that has something, and one that has nothing. */
static void test_another_receiver(void **state)
{
	struct sending sending;

	(void)state;
	sending_start(&sending);
	sending_accept(&sending, 0, 0, 0, false);
	sending_take(&sending, 0, 1);
	sending_another(&sending);
	sending_accept(&sending, 2, 0, 2, false);
	sending_take(&sending, 2, 2);
	sending_another(&sending);
	sending_accept(&sending, 0, 0, 0, false);
	sending_take(&sending, 0, 3);
	sending_finish(&sending);
}

/* RESULT does not come: END is said again. */
static void test_result_lost(void **state)
{
	struct sending sending;

	(void)state;
	sending_start(&sending);
	sending_accept(&sending, 3, 0, 3, false);
	sending_take(&sending, 3, 3);
	free(resume_expect(&sending.receiver, WIRE_TYPE_END));
	sending_another(&sending);
	sending_accept(&sending, 4, 0, 4, false);
	sending_finish(&sending);
}

/* A refusal, and ABORT, are meant. */
static void test_meant(void **state)
{
	struct wire_accept accept = {.refused = true, .sentence = "no room"};
	struct link_record *record;
	struct sending sending;

	(void)state;
	sending_start(&sending);
	record = link_record_new(WIRE_TYPE_ACCEPT, 256);
	resume_put(&sending.receiver, record, wire_accept_put(&accept, record->payload, 256));
	sending_end(&sending, -ECANCELED, "refused: no room");
	sending_start(&sending);
	sending_accept(&sending, 0, 0, 0, false);
	link_abort(sending.receiver.link, "the disk is full");
	sending_end(&sending, -ECANCELED, "the disk is full");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_another_receiver),
		cmocka_unit_test(test_result_lost),
		cmocka_unit_test(test_meant),
		cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_incomplete_broken),
		cmocka_unit_test(test_incomplete_for_good),
		cmocka_unit_test(test_rescued_changed),
	};

	return stop_install() || cmocka_run_group_tests_name("send_resume", tests, NULL, NULL);
}

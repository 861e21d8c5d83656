// SPDX-License-Identifier: GPL-2.0-or-later
/* Chunks that come again, from a sender that keeps to the rules and from such that do not. */
#include "../io/link_test.h"

#include <fcntl.h>
#include <valgrind/valgrind.h>

#include "codec/pack.h"
#include "io/verify.h"
#include "recv/recv.h"

#define CHUNK  4096u
#define CHUNKS 4u
#define SIZE   (CHUNKS * CHUNK)

struct again {
	int fd; /* of the image, or a pipe's end */
	struct link_test_end sender, receiver;
	struct recv_options options;
	struct recv_result result;
	int r;
	char why[768];
	pthread_t thread;
	bool fills; /* as ACCEPT said */
	struct pack *pack;
	struct digest digests[CHUNKS];
};

static void *again_receive(void *arg)
{
	struct again *again = arg;
	struct sink_options options = {.from = -1};
	struct sink *sink;

	assert_int_equal(sink_open_image(again->fd, &options, &sink), 0);
	again->r = recv_records(again->receiver.link, sink, &again->options, NULL, &again->result,
				again->why, sizeof(again->why));
	sink_close(sink);
	return NULL;
}

static void again_offer(struct again *again)
{
	static const char identity[] = "{\"path\":\"/dev/x\"}";
	struct wire_offer offer = {
		.head = {.transfer_id = {1},
			 .map = {.size = SIZE, .chunk_size = CHUNK},
			 .identity = identity,
			 .identity_len = strlen(identity)},
		.manifest = "{}",
		.manifest_len = 2,
	};
	struct link_record *record = link_record_new(WIRE_TYPE_OFFER, 1024);
	struct wire_accept accept;

	record->length = wire_offer_put(&offer, record->payload, 1024);
	assert_int_equal(link_put(again->sender.link, record), 0);
	assert_int_equal(link_get(again->sender.link, stop_deadline(LONG_WAIT), &record), 0);
	assert_int_equal(record->type, WIRE_TYPE_ACCEPT);
	assert_int_equal(wire_accept_get(record->payload, record->length, &accept), 0);
	again->fills = accept.fills;
	free(record);
}

static void again_start(struct again *again, int fd)
{
	memset(again, 0, sizeof(*again));
	again->fd = fd;
	again->options.progress = PROGRESS_NONE;
	assert_int_equal(pack_new(1, &again->pack), 0);
	link_test_pair(&again->sender, &again->receiver);
	assert_int_equal(pthread_create(&again->thread, NULL, again_receive, again), 0);
	again_offer(again);
}

static void again_end(struct again *again, int r, const char *part)
{
	pthread_join(again->thread, NULL);
	if (again->r != r || !strstr(again->why, part))
		print_error("%d: '%s' lacks '%s'\n", again->r, again->why, part);
	assert_int_equal(again->r, r);
	assert_non_null(strstr(again->why, part));
	link_close(again->sender.link);
	link_close(again->receiver.link);
	pack_free(again->pack);
	close(again->fd);
}

/* DATA of chunk INDEX, all of whose bytes are FILL. */
static void again_data(struct again *again, uint64_t index, uint8_t fill, uint32_t flags)
{
	uint8_t content[CHUNK], frame[2 * CHUNK];
	struct wire_data data = {.index = index, .entry.flags = flags};
	size_t stored;

	memset(content, fill, CHUNK);
	assert_int_equal(pack_chunk(again->pack, content, CHUNK, frame, sizeof(frame), &stored), 0);
	data.entry.stored_size = stored;
	data.entry.stored_hash = digest_stored(frame, stored);
	digest_chunk(content, CHUNK, &data.entry.digest);
	if (index < CHUNKS)
		again->digests[index] = data.entry.digest;
	struct link_record *record = link_record_new(WIRE_TYPE_DATA, WIRE_DATA + stored);

	assert_int_equal(wire_data_put(&data, record->payload), WIRE_DATA);
	memcpy(record->payload + WIRE_DATA, frame, stored);
	/* It may have said ABORT already. */
	link_put(again->sender.link, record);
}

/* All chunks, 1 and 3 with a slot, zeros in it. */
static void again_all(struct again *again)
{
	for (uint64_t i = 0; i < CHUNKS; i++)
		again_data(again, i, i % 2 ? 0 : 7, i % 2 ? IMAGE_ENTRY_SLOT : 0);
}

/* Ends, and waits for RESULT. */
static void again_finish(struct again *again)
{
	struct wire_end end = {.chunks = CHUNKS, .size = SIZE};
	struct digest_state root;
	struct link_record *record = link_record_new(WIRE_TYPE_END, 64);

	digest_start(&root);
	for (uint64_t i = 0; i < CHUNKS; i++)
		digest_update(&root, again->digests[i].bytes, DIGEST_SIZE);
	digest_root(&root, SIZE, CHUNK, &end.root);
	record->length = wire_end_put(&end, record->payload, 64);
	assert_int_equal(link_put(again->sender.link, record), 0);
	assert_int_equal(link_get(again->sender.link, stop_deadline(LONG_WAIT), &record), 0);
	assert_int_equal(record->type, WIRE_TYPE_RESULT);
	free(record);
}

static int temporary(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static void chunks_with_slots_come_again(void **state)
{
	struct verify_options options = {.threads = 1};
	struct verify_result result;
	struct again again;
	int fd = temporary(), copy = dup(fd);

	(void)state;
	again_start(&again, fd);
	assert_true(again.fills);
	again_all(&again);
	again_data(&again, 3, 9, IMAGE_ENTRY_SLOT);
	again_data(&again, 1, 8, IMAGE_ENTRY_SLOT | IMAGE_ENTRY_UNREADABLE);
	again_data(&again, 1, 6, IMAGE_ENTRY_SLOT);
	again_finish(&again);
	link_put(again.sender.link, link_record_new(WIRE_TYPE_BYE, 0));
	again_end(&again, 0, "");
	assert_true(again.result.confirmed);
	lseek(copy, 0, SEEK_SET);
	assert_int_equal(verify_file(copy, &options, &result), 0);
	close(copy);
}

static void others_may_not(void **state)
{
	static const struct {
		uint64_t index;
		uint32_t flags;
		const char *why;
	} bad[] = {
		{2, IMAGE_ENTRY_SLOT, "chunk 2 came twice"}, /* it had none */
		{1, 0, "chunk 1 came twice"},		     /* it has none any more */
		{0, IMAGE_ENTRY_SLOT, "chunk 0 came as one that may come again"},
		{0, 0, "chunk 0 came twice"},
		{4, 0, "chunk 4 came behind the last one"},
		{5, IMAGE_ENTRY_SLOT, "chunk 5 came behind the last one"},
	};
	struct again again;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		again_start(&again, temporary());
		again_all(&again);
		again_data(&again, bad[i].index, 1, bad[i].flags);
		again_end(&again, -EPROTO, bad[i].why);
	}
}

/* Not before the last chunk came. */
static void nor_too_early(void **state)
{
	struct again again;

	(void)state;
	again_start(&again, temporary());
	again_data(&again, 0, 1, 0);
	again_data(&again, 1, 0, IMAGE_ENTRY_SLOT);
	again_data(&again, 1, 1, IMAGE_ENTRY_SLOT);
	again_end(&again, -EPROTO, "chunk 1 came where chunk 2 was due");
}

/* For who restores writes zeros then, and does not look at the content. */
static void nor_as_zeros_that_they_are_not(void **state)
{
	struct again again;

	(void)state;
	again_start(&again, temporary());
	again_data(&again, 0, 7, IMAGE_ENTRY_ZERO);
	again_end(&again, -EBADMSG, "chunk 0 came damaged");
	again_start(&again, temporary());
	again_all(&again);
	again_data(&again, 3, 7, IMAGE_ENTRY_SLOT | IMAGE_ENTRY_ZERO);
	again_end(&again, -EBADMSG, "chunk 3 came damaged");
}

static void a_pipe_takes_none(void **state)
{
	struct again again;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	again_start(&again, fds[1]);
	assert_false(again.fills);
	again_data(&again, 0, 1, 0);
	again_data(&again, 1, 0, IMAGE_ENTRY_SLOT);
	again_end(&again, -EPROTO, "chunk 1 came as one that may come again");
	close(fds[0]);
}

/* A root that does not count what came again is another one. */
static void the_root_is_that_of_the_end(void **state)
{
	struct again again;
	struct digest before;

	(void)state;
	again_start(&again, temporary());
	again_all(&again);
	before = again.digests[1];
	again_data(&again, 1, 8, IMAGE_ENTRY_SLOT);
	again.digests[1] = before;
	struct wire_end end = {.chunks = CHUNKS, .size = SIZE};
	struct digest_state root;
	struct link_record *record = link_record_new(WIRE_TYPE_END, 64);

	digest_start(&root);
	for (uint64_t i = 0; i < CHUNKS; i++)
		digest_update(&root, again.digests[i].bytes, DIGEST_SIZE);
	digest_root(&root, SIZE, CHUNK, &end.root);
	record->length = wire_end_put(&end, record->payload, 64);
	assert_int_equal(link_put(again.sender.link, record), 0);
	again_end(&again, -EBADMSG, "what arrived is not what was sent");
}

static void zeros_end_where_the_disk_does(void **state)
{
	struct again again;
	struct wire_zero zero = {.first = 1, .count = CHUNKS};

	(void)state;
	again_start(&again, temporary());
	again_data(&again, 0, 1, 0);
	struct link_record *record = link_record_new(WIRE_TYPE_ZERO, 64);
	record->length = wire_zero_put(&zero, record->payload, 64);
	link_put(again.sender.link, record);
	again_end(&again, -EPROTO, "a range of zeros came that is out of place");
}

static void nothing_is_missing_behind_the_disk(void **state)
{
	struct again again;
	struct wire_range range = {.offset = SIZE - 512, .length = 1024};

	(void)state;
	again_start(&again, temporary());
	again_all(&again);
	struct link_record *record = link_record_new(WIRE_TYPE_UNREADABLE, 64);
	record->length = wire_unreadable_put(&range, 1, record->payload, 64);
	link_put(again.sender.link, record);
	again_end(&again, -EBADMSG, "the sender's UNREADABLE is damaged");
}

/* What is complete is no less so, and nobody waits for ever. */
static void a_sender_that_never_says_bye(void **state)
{
	struct again again;

	(void)state;
	if (RUNNING_ON_VALGRIND) /* which would wait as long once more */
		skip();
	again_start(&again, temporary());
	again_all(&again);
	again_finish(&again);
	again_end(&again, 0, "");
	assert_false(again.result.confirmed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_with_slots_come_again),
		cmocka_unit_test(others_may_not),
		cmocka_unit_test(nor_too_early),
		cmocka_unit_test(nor_as_zeros_that_they_are_not),
		cmocka_unit_test(a_pipe_takes_none),
		cmocka_unit_test(the_root_is_that_of_the_end),
		cmocka_unit_test(zeros_end_where_the_disk_does),
		cmocka_unit_test(nothing_is_missing_behind_the_disk),
		cmocka_unit_test(a_sender_that_never_says_bye),
	};

	return stop_install() || cmocka_run_group_tests_name("again_hostile", tests, NULL, NULL);
}

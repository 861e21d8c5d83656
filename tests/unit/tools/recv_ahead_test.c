// SPDX-License-Identifier: GPL-2.0-or-later
/* Several threads that unpack records write what one does, and end where and as it does. */
#include "../io/link_test.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "codec/pack.h"
#include "recv/recv.h"

#define CHUNK	4096u
#define CHUNKS	24u /* more than are on their way at once */
#define SIZE	(CHUNKS * CHUNK)
#define THREADS 4u

enum fault {
	FAULT_NONE,
	FAULT_ENTRY,   /* a frame that is not the one its entry tells of */
	FAULT_CONTENT, /* a frame that holds other bytes than its entry says */
	FAULT_FRAME,   /* one that zstd finds damaged */
	FAULT_CLAIM,   /* claims to be zeros */
	FAULT_INDEX,   /* the next chunk but one */
	FAULT_MORE,    /* one behind the last */
	FAULT_RECORD,  /* of a type that has no place there */
	FAULT_SHORT,   /* END */
	FAULT_GONE,    /* the sender ends */
	FAULTS
};

/* A transfer whose sender does FAULT in place of chunk AT. */
struct transfer {
	enum fault fault;
	uint64_t at;
	int fd; /* of the image */
	struct link_test_end sender, receiver;
	struct recv_options options;
	struct recv_result result;
	int r;
	char why[768];
	pthread_t thread;
	struct pack *pack;
	struct digest_state root;
};

static void *transfer_receive(void *arg)
{
	struct transfer *run = arg;
	struct sink_options options = {.from = -1};
	struct sink *sink;

	assert_int_equal(sink_open_image(run->fd, &options, &sink), 0);
	run->r = recv_records(run->receiver.link, sink, &run->options, NULL, &run->result, run->why,
			      sizeof(run->why));
	sink_close(sink);
	return NULL;
}

/* Whoever failed may have ended the link already. */
static void transfer_put(struct transfer *run, struct link_record *record, int length)
{
	assert_true(length >= 0);
	record->length = length;
	link_put(run->sender.link, record);
}

static void transfer_start(struct transfer *run, unsigned int threads, int fd)
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

	run->fd = fd;
	run->options = (struct recv_options){.progress = PROGRESS_NONE, .threads = threads};
	digest_start(&run->root);
	assert_int_equal(pack_new(1, &run->pack), 0);
	link_test_pair(&run->sender, &run->receiver);
	assert_int_equal(pthread_create(&run->thread, NULL, transfer_receive, run), 0);
	transfer_put(run, record, wire_offer_put(&offer, record->payload, 1024));
	assert_int_equal(link_get(run->sender.link, stop_deadline(LONG_WAIT), &record), 0);
	assert_int_equal(record->type, WIRE_TYPE_ACCEPT);
	free(record);
}

static void transfer_end(struct transfer *run)
{
	pthread_join(run->thread, NULL);
	link_close(run->sender.link);
	link_close(run->receiver.link);
	pack_free(run->pack);
	close(run->fd);
}

/* Chunk INDEX, long and short ones in turns, with what is wrong with it. */
static void transfer_data(struct transfer *run, uint64_t index, enum fault fault)
{
	uint8_t content[CHUNK] = {(uint8_t)index + 1}, frame[2 * CHUNK];
	struct wire_data data = {.index = index};
	size_t stored;

	for (uint32_t i = 1; index % 2 && i < CHUNK; i++)
		content[i] = content[i - 1] * 181 + 101 * i;
	assert_int_equal(pack_chunk(run->pack, content, CHUNK, frame, sizeof(frame), &stored), 0);
	if (fault == FAULT_FRAME)
		frame[stored - 1] ^= 1;
	data.entry.stored_size = stored;
	data.entry.stored_hash = digest_stored(frame, stored) ^ (fault == FAULT_ENTRY);
	digest_chunk(content, CHUNK, &data.entry.digest);
	data.entry.digest.bytes[3] ^= fault == FAULT_CONTENT;
	data.entry.flags = fault == FAULT_CLAIM ? IMAGE_ENTRY_ZERO : 0;
	digest_update(&run->root, data.entry.digest.bytes, DIGEST_SIZE);
	struct link_record *record = link_record_new(WIRE_TYPE_DATA, WIRE_DATA + stored);

	memcpy(record->payload + WIRE_DATA, frame, stored);
	assert_int_equal(wire_data_put(&data, record->payload), WIRE_DATA);
	transfer_put(run, record, WIRE_DATA + stored);
}

/* Every fifth is zeros, which are no DATA. */
static void transfer_chunk(struct transfer *run, uint64_t index)
{
	static const uint8_t zeros[CHUNK];
	struct wire_zero zero = {.first = index, .count = 1};
	struct link_record *record;
	struct digest digest;

	if (index % 5 != 4) {
		transfer_data(run, index, FAULT_NONE);
		return;
	}
	digest_chunk(zeros, CHUNK, &digest);
	digest_update(&run->root, digest.bytes, DIGEST_SIZE);
	record = link_record_new(WIRE_TYPE_ZERO, 64);
	transfer_put(run, record, wire_zero_put(&zero, record->payload, 64));
}

static void transfer_say_end(struct transfer *run)
{
	struct wire_end end = {.chunks = CHUNKS, .size = SIZE};
	struct link_record *record = link_record_new(WIRE_TYPE_END, 64);

	digest_root(&run->root, SIZE, CHUNK, &end.root);
	transfer_put(run, record, wire_end_put(&end, record->payload, 64));
}

/* What stands in place of chunk run->at. Returns whether anything follows it. */
static bool transfer_fault(struct transfer *run)
{
	switch (run->fault) {
	case FAULT_INDEX: transfer_data(run, run->at + 1, FAULT_NONE); return true;
	case FAULT_MORE: transfer_data(run, CHUNKS, FAULT_NONE); return true;
	case FAULT_RECORD: transfer_put(run, link_record_new(WIRE_TYPE_BYE, 0), 0); return true;
	case FAULT_SHORT: transfer_say_end(run); return false;
	case FAULT_GONE:
		link_flush(run->sender.link, stop_deadline(LONG_WAIT));
		link_close(run->sender.link);
		run->sender.link = NULL;
		return false;
	default: transfer_data(run, run->at, run->fault); return true;
	}
}

static void transfer_send(struct transfer *run)
{
	struct link_record *record;

	for (uint64_t i = 0; i < CHUNKS; i++) {
		if (i != run->at)
			transfer_chunk(run, i);
		else if (!transfer_fault(run))
			return;
	}
	transfer_say_end(run);
	if (run->fault == FAULT_NONE &&
	    link_get(run->sender.link, stop_deadline(LONG_WAIT), &record) == 0) {
		assert_int_equal(record->type, WIRE_TYPE_RESULT);
		free(record);
		link_put(run->sender.link, link_record_new(WIRE_TYPE_BYE, 0));
	}
}

/* What is in FILE; of a whole image, whose manifest has the time, nothing. */
static void transfer_content(const struct transfer *run, int file, struct digest *ret)
{
	uint8_t *content = malloc(2 * SIZE);
	ssize_t len = run->r ? pread(file, content, 2 * SIZE, 0) : 0;

	assert_true(len >= 0);
	digest_chunk(content, len, ret);
	free(content);
}

static void transfer_run(struct transfer *run, unsigned int threads, struct digest *ret)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), file = dup(fd);

	assert_true(file >= 0);
	transfer_start(run, threads, fd);
	transfer_send(run);
	transfer_end(run);
	transfer_content(run, file, ret);
	close(file);
}

static void expect_same(enum fault fault, uint64_t at)
{
	struct transfer one = {.fault = fault, .at = at}, several = one;
	struct digest a, b;

	transfer_run(&one, 1, &a);
	transfer_run(&several, THREADS, &b);
	if (several.r != one.r || strcmp(several.why, one.why) != 0)
		print_error("fault %d at %d\n", (int)fault, (int)at);
	assert_int_equal(one.r == 0, fault == FAULT_NONE);
	assert_int_equal(several.r, one.r);
	assert_string_equal(several.why, one.why);
	assert_int_equal(several.result.stored, one.result.stored);
	assert_true(digest_equal(&several.result.root, &one.result.root));
	assert_true(digest_equal(&a, &b));
}

static void whole(void **state)
{
	(void)state;
	expect_same(FAULT_NONE, CHUNKS);
}

static void with_something_wrong(void **state)
{
	static const uint64_t places[] = {0, 1, 13, CHUNKS - 1};

	(void)state;
	for (enum fault fault = FAULT_NONE + 1; fault < FAULTS; fault++) {
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
			expect_same(fault, places[i]);
	}
}

/* A sender that has nothing more for a while may wait for just that. */
static void each_chunk_is_acknowledged_by_itself(void **state)
{
	struct transfer run = {.at = CHUNKS};

	(void)state;
	transfer_start(&run, THREADS, open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
	for (uint64_t i = 0; i < 2; i++) {
		transfer_data(&run, i, FAULT_NONE);
		assert_int_equal(link_wait_acked(run.sender.link, i, stop_deadline(LONG_WAIT)), 0);
		assert_int_equal(link_acked(run.sender.link), i + 1);
	}
	link_abort(run.sender.link, "enough");
	transfer_end(&run);
	assert_int_equal(run.r, -ECANCELED);
	assert_non_null(strstr(run.why, "enough"));
}

/* What does not go into the sink ends it, with all that is unpacked behind it. */
static void the_sink_is_full(void **state)
{
	struct transfer run = {.at = CHUNKS};

	(void)state;
	transfer_start(&run, THREADS, open("/dev/full", O_RDWR | O_CLOEXEC));
	transfer_send(&run);
	transfer_end(&run);
	assert_int_equal(run.r, -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(with_something_wrong),
		cmocka_unit_test(each_chunk_is_acknowledged_by_itself),
		cmocka_unit_test(the_sink_is_full),
	};

	return stop_install() || cmocka_run_group_tests_name("recv_ahead", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Two links over a socket: records, acknowledgements, slowness and ends. */
#include "link_test.h"

#define RECORDS 40

struct sending {
	struct link *link;
	uint32_t length;
	int err;
};

static void *send_records(void *arg)
{
	struct sending *sending = arg;

	for (int i = 0; i < RECORDS && !sending->err; i++)
		sending->err = link_put(sending->link, link_test_record(sending->length, i));
	if (!sending->err)
		sending->err = link_flush(sending->link, stop_deadline(LONG_WAIT));
	return NULL;
}

static void expect_records(struct link *link, uint32_t length)
{
	for (int i = 0; i < RECORDS; i++) {
		struct link_record *record;

		assert_int_equal(link_get(link, stop_deadline(LONG_WAIT), &record), 0);
		assert_int_equal(record->type, WIRE_TYPE_DATA);
		assert_int_equal(record->length, length);
		for (uint32_t at = 0; at < length; at += 997)
			assert_int_equal(record->payload[at], i);
		free(record);
	}
}

/* Puts a large record where there is room a tenth of a second on. Returns whether there was. */
static bool put_where_room(struct link *link)
{
	stop_poll(-1, 0, stop_deadline(100 * MS));
	if (!link_room(link))
		return false;
	assert_int_equal(link_put(link, link_test_record(4u << 20, 1)), 0);
	return true;
}

/* Both ways at once, with records that fill a frame, a buffer, and many of them. */
static void test_records_both_ways(void **state)
{
	static const uint32_t lengths[] = {0, 1, 4048, 8192 - WIRE_HEADER, 8192, 1u << 20};
	struct link_test_end sender, receiver;

	(void)state;
	link_test_pair(&sender, &receiver);
	assert_int_equal(sender.peer.role, WIRE_RECEIVER);
	assert_string_equal(receiver.peer.program, "test");
	assert_non_null(strstr(link_name(sender.link), "unix:"));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct sending there = {.link = sender.link, .length = lengths[i]};
		struct sending back = {.link = receiver.link, .length = lengths[i]};
		pthread_t threads[2];

		pthread_create(&threads[0], NULL, send_records, &there);
		pthread_create(&threads[1], NULL, send_records, &back);
		expect_records(receiver.link, lengths[i]);
		expect_records(sender.link, lengths[i]);
		pthread_join(threads[0], NULL);
		pthread_join(threads[1], NULL);
		assert_int_equal(there.err, 0);
		assert_int_equal(back.err, 0);
	}
	link_close(sender.link);
	link_close(receiver.link);
}

/* What a loop over other descriptors needs: to know when it need not wait. */
static void test_watch(void **state)
{
	struct link_test_end sender, receiver;
	struct link_record *record;
	int fd;

	(void)state;
	link_test_pair(&sender, &receiver);
	fd = link_watch(receiver.link);
	assert_true(fd >= 0);
	assert_int_equal(link_watch(receiver.link), fd);
	assert_false(link_ready(receiver.link));
	assert_int_equal(link_put(sender.link, link_test_record(10, 1)), 0);
	while (!link_ready(receiver.link)) {
		assert_true(stop_poll(fd, POLLIN, stop_deadline(LONG_WAIT)) > 0);
		link_watched(receiver.link);
	}
	assert_int_equal(link_get(receiver.link, STOP_NEVER, &record), 0);
	free(record);
	assert_false(link_ready(receiver.link));
	/* Nobody takes what is sent, so that at last there is no room; then somebody does. */
	assert_true(link_room(sender.link));
	while (put_where_room(sender.link))
		;
	fd = link_watch(sender.link);
	while (!link_room(sender.link)) {
		if (link_ready(receiver.link)) {
			assert_int_equal(link_get(receiver.link, STOP_NEVER, &record), 0);
			free(record);
		}
		assert_true(stop_poll(fd, POLLIN, stop_deadline(LONG_WAIT)) > 0);
		link_watched(sender.link);
	}
	link_close(receiver.link);
	while (!link_ready(sender.link)) {
		assert_true(stop_poll(fd, POLLIN, stop_deadline(LONG_WAIT)) > 0);
		link_watched(sender.link);
	}
	assert_false(link_room(sender.link));
	assert_int_equal(link_get(sender.link, STOP_NEVER, &record), -EPIPE);
	link_close(sender.link);
}

static void test_acknowledgements(void **state)
{
	struct link_test_end sender, receiver;
	struct link_record *record;

	(void)state;
	link_test_pair(&sender, &receiver);
	assert_int_equal(link_acked(sender.link), 0);
	assert_int_equal(link_wait_acked(sender.link, 0, stop_deadline(10 * MS)), -ETIMEDOUT);
	link_acknowledge(receiver.link, 3);
	assert_int_equal(link_wait_acked(sender.link, 2, stop_deadline(LONG_WAIT)), 0);
	assert_int_equal(link_acked(sender.link), 3);
	/* It never goes back. */
	link_acknowledge(receiver.link, 1);
	link_acknowledge(receiver.link, 4);
	assert_int_equal(link_wait_acked(sender.link, 3, stop_deadline(LONG_WAIT)), 0);
	assert_int_equal(link_acked(sender.link), 4);
	/* A record ends the wait, too. */
	assert_int_equal(link_put(receiver.link, link_test_record(5, 0)), 0);
	assert_int_equal(link_wait_acked(sender.link, 100, stop_deadline(LONG_WAIT)), 0);
	assert_int_equal(link_get(sender.link, stop_deadline(LONG_WAIT), &record), 0);
	free(record);
	link_close(sender.link);
	link_close(receiver.link);
}

/*
 * The next disk of a transfer: ACCEPT begins the count anew, and the old one, which KEEPALIVEs
 * carry until then, does not come back.
 */
static void test_acknowledgements_anew(void **state)
{
	struct link_test_end sender, receiver;
	struct link_record *record;

	(void)state;
	link_test_pair(&sender, &receiver);
	link_acknowledge(receiver.link, 7);
	assert_int_equal(link_wait_acked(sender.link, 6, stop_deadline(LONG_WAIT)), 0);
	stop_poll(-1, 0, stop_deadline(3 * link_test_limits.keepalive));
	assert_int_equal(link_acked(sender.link), 7);
	/* One that is still due goes out before it or not at all. */
	link_acknowledge(receiver.link, 8);
	record = link_record_new(WIRE_TYPE_ACCEPT, 0);
	assert_non_null(record);
	assert_int_equal(link_put(receiver.link, record), 0);
	assert_int_equal(link_get(sender.link, stop_deadline(LONG_WAIT), &record), 0);
	assert_int_equal(record->type, WIRE_TYPE_ACCEPT);
	free(record);
	assert_int_equal(link_acked(sender.link), 0);
	stop_poll(-1, 0, stop_deadline(3 * link_test_limits.keepalive));
	assert_int_equal(link_acked(sender.link), 0);
	link_acknowledge(receiver.link, 2);
	assert_int_equal(link_wait_acked(sender.link, 1, stop_deadline(LONG_WAIT)), 0);
	assert_int_equal(link_acked(sender.link), 2);
	link_close(sender.link);
	link_close(receiver.link);
}

static void time_put(struct link *link, uint64_t waited, uint32_t length)
{
	const struct wire_time time = {.waited = waited};
	struct link_record *record = link_record_new(WIRE_TYPE_TIME, 64);

	assert_non_null(record);
	assert_int_equal(wire_time_put(&time, record->payload, 64), 24);
	record->length = length;
	assert_int_equal(link_put(link, record), 0);
}

/* TIME is kept, and nobody is given it; one that is malformed is as if it had not come. */
static void test_time(void **state)
{
	struct link_test_end sender, receiver;
	struct link_record *record;
	struct wire_time time;

	(void)state;
	link_test_pair(&sender, &receiver);
	assert_false(link_time(sender.link, &time));
	time_put(receiver.link, 7, 23);
	assert_int_equal(link_put(receiver.link, link_test_record(5, 0)), 0);
	assert_int_equal(link_get(sender.link, stop_deadline(LONG_WAIT), &record), 0);
	assert_int_equal(record->type, WIRE_TYPE_DATA);
	free(record);
	assert_false(link_time(sender.link, &time));
	time_put(receiver.link, 8, 24);
	record = link_record_new(WIRE_TYPE_RESULT, 0);
	assert_non_null(record);
	assert_int_equal(link_put(receiver.link, record), 0);
	assert_int_equal(link_get(sender.link, stop_deadline(LONG_WAIT), &record), 0);
	assert_int_equal(record->type, WIRE_TYPE_RESULT);
	free(record);
	assert_true(link_time(sender.link, &time));
	assert_int_equal(time.waited, 8);
	/* That was of the disk before. */
	record = link_record_new(WIRE_TYPE_ACCEPT, 0);
	assert_non_null(record);
	assert_int_equal(link_put(receiver.link, record), 0);
	assert_int_equal(link_get(sender.link, stop_deadline(LONG_WAIT), &record), 0);
	free(record);
	assert_false(link_time(sender.link, &time));
	link_close(sender.link);
	link_close(receiver.link);
}

/* Whoever takes nothing for longer than a silence may last loses nothing, and ends nothing. */
static void test_slow_consumer(void **state)
{
	struct link_test_end sender, receiver;
	struct sending sending;
	pthread_t thread;

	(void)state;
	link_test_pair(&sender, &receiver);
	sending = (struct sending){.link = sender.link, .length = 1u << 20};
	pthread_create(&thread, NULL, send_records, &sending);
	stop_poll(-1, 0, stop_deadline(2 * link_test_limits.silence));
	expect_records(receiver.link, 1u << 20);
	pthread_join(thread, NULL);
	assert_int_equal(sending.err, 0);
	assert_false(link_ended(sender.link));
	assert_false(link_ended(receiver.link));
	link_close(sender.link);
	link_close(receiver.link);
}

/* Saying nothing is no silence: the link says for itself that it lives. */
static void test_idle(void **state)
{
	struct link_test_end sender, receiver;
	struct link_record *record;

	(void)state;
	link_test_pair(&sender, &receiver);
	assert_int_equal(
		link_get(receiver.link, stop_deadline(2 * link_test_limits.silence), &record),
		-ETIMEDOUT);
	assert_false(link_ended(sender.link));
	assert_false(link_ended(receiver.link));
	link_close(sender.link);
	link_close(receiver.link);
}

/* What came before the end is taken first. */
static void test_close_after_flush(void **state)
{
	struct link_test_end sender, receiver;
	struct link_record *record;

	(void)state;
	link_test_pair(&sender, &receiver);
	for (int i = 0; i < 3; i++)
		assert_int_equal(link_put(sender.link, link_test_record(100000, i)), 0);
	assert_int_equal(link_flush(sender.link, stop_deadline(LONG_WAIT)), 0);
	link_close(sender.link);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(link_get(receiver.link, stop_deadline(LONG_WAIT), &record), 0);
		assert_int_equal(record->payload[99999], i);
		free(record);
	}
	link_test_fate(&receiver, -EPIPE, "the other side ended");
	link_close(receiver.link);
}

static void test_abort(void **state)
{
	struct link_test_end sender, receiver;

	(void)state;
	link_test_pair(&sender, &receiver);
	assert_int_equal(link_put(sender.link, link_test_record(1u << 20, 0)), 0);
	link_abort(receiver.link, "the disk is full: make room and start again");
	link_test_fate(&sender, -ECANCELED, "the disk is full: make room");
	link_close(receiver.link);
	link_close(sender.link);
}

/* One that waits in link_put for room is woken by the end. */
static void test_put_woken(void **state)
{
	struct link_test_end sender, receiver;
	struct sending sending;
	pthread_t thread;

	(void)state;
	link_test_pair(&sender, &receiver);
	sending = (struct sending){.link = sender.link, .length = 1u << 20};
	pthread_create(&thread, NULL, send_records, &sending);
	stop_poll(-1, 0, stop_deadline(100 * MS));
	link_close(receiver.link);
	pthread_join(thread, NULL);
	assert_int_equal(sending.err, -EPIPE);
	link_close(sender.link);
}

static void test_record_bounds(void **state)
{
	struct link_record *record = link_record_new(WIRE_TYPE_DATA, WIRE_PAYLOAD_MOST);

	(void)state;
	assert_non_null(record);
	free(record);
	assert_null(link_record_new(WIRE_TYPE_DATA, (size_t)WIRE_PAYLOAD_MOST + 1));
	link_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records_both_ways),
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_acknowledgements),
		cmocka_unit_test(test_acknowledgements_anew),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_slow_consumer),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_close_after_flush),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_put_woken),
		cmocka_unit_test(test_record_bounds),
	};

	return stop_install() || cmocka_run_group_tests_name("link", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* A link whose stream broke goes on over another one; one that was meant to end does not. */
#include <signal.h>

#include "link_test.h"

/* Renews END's link in a thread of its own, since it waits for the peer. */
static void *renew(void *arg)
{
	struct link_test_end *end = arg;

	end->options.deadline = stop_deadline(LONG_WAIT);
	end->err = link_renew(end->link, &end->options, &end->peer, end->why, sizeof(end->why));
	return NULL;
}

static void renew_start(struct link_test_end *end)
{
	assert_true(link_ended(end->link));
	assert_true(link_mends(end->link));
	assert_int_equal(pthread_create(&end->thread, NULL, renew, end), 0);
}

/* A peer by hand dials again and greets; the link is renewed. */
static int renew_by_hand(struct link_test_end *end)
{
	struct wire_hello hello = link_test_hello(WIRE_SENDER);
	uint8_t payload[1024];
	int fd;

	renew_start(end);
	fd = link_test_dial();
	link_test_expect(fd, WIRE_TYPE_HELLO, payload);
	strcpy(hello.host, "there");
	link_test_say_hello(fd, &hello, 0);
	link_test_join(end, 0);
	assert_string_equal(end->peer.host, "there");
	return fd;
}

/* Everything begins anew: sequences, counts, queues; and records go both ways. */
static void works_by_hand(struct link_test_end *end, int fd)
{
	uint8_t payload[1024];
	struct link_record *record;

	assert_false(link_ended(end->link));
	assert_false(link_mends(end->link));
	link_why(end->link, end->why, sizeof(end->why));
	assert_string_equal(end->why, "");
	assert_int_equal(link_acked(end->link), 0);
	link_test_say(fd, WIRE_TYPE_BYE, 1, NULL, 0);
	assert_int_equal(link_get(end->link, stop_deadline(LONG_WAIT), &record), 0);
	assert_int_equal(record->type, WIRE_TYPE_BYE);
	free(record);
	assert_int_equal(link_put(end->link, link_test_record(100, 7)), 0);
	assert_int_equal(link_test_expect(fd, WIRE_TYPE_DATA, payload), 100);
	assert_int_equal(payload[99], 7);
	link_close(end->link);
	close(fd);
}

static void goes_on(struct link_test_end *end, int fd)
{
	link_test_ended(fd);
	close(fd);
	works_by_hand(end, renew_by_hand(end));
}

static void test_damage(void **state)
{
	uint8_t buf[WIRE_HEADER + 64], payload[64] = {0};
	struct link_test_end end;

	(void)state;
	for (size_t at = 20; at < sizeof(buf); at += WIRE_HEADER) {
		int fd = link_test_by_hand(&end);
		size_t size = link_test_encode(buf, WIRE_TYPE_DATA, 1, payload, sizeof(payload));

		buf[at] ^= 1;
		link_test_write(fd, buf, size);
		link_test_fate(&end, -EBADMSG, "is damaged");
		goes_on(&end, fd);
	}
}

/* What came before the gap and was not taken comes from nobody any more: the peer sends it anew. */
static void test_missing_record(void **state)
{
	uint8_t payload[8] = {0};
	struct link_test_end end;
	int fd;

	(void)state;
	fd = link_test_by_hand(&end);
	link_acknowledge(end.link, 5);
	for (int i = 1; i < 4; i++)
		link_test_say(fd, WIRE_TYPE_DATA, i, payload, sizeof(payload));
	link_test_say(fd, WIRE_TYPE_DATA, 5, payload, sizeof(payload));
	link_test_ended(fd);
	assert_int_equal(link_put(end.link, link_test_record(1, 0)), -EBADMSG);
	goes_on(&end, fd);
}

static void test_silence(void **state)
{
	struct link_test_end end;
	int fd;

	(void)state;
	fd = link_test_by_hand(&end);
	link_test_fate(&end, -ETIMEDOUT, "nothing came from the other side");
	goes_on(&end, fd);
}

/* The peer is another process: its HELLO counts from 0 in the stream of the one before. */
static void test_started_anew(void **state)
{
	struct wire_hello hello = link_test_hello(WIRE_SENDER);
	struct link_test_end end;
	int fd;

	(void)state;
	fd = link_test_by_hand(&end);
	hello.transfer_id[3] = 9;
	link_test_say_hello(fd, &hello, 0);
	link_test_fate(&end, -EPIPE, "started anew");
	goes_on(&end, fd);
}

/* Twice, between two links; and what waits in link_put is woken. */
static void test_both_ends(void **state)
{
	struct link_test_end sender, receiver;
	struct link_record *record;

	(void)state;
	link_test_pair(&sender, &receiver);
	for (int i = 0; i < 2; i++) {
		/* The receiver goes first; the sender has filled all that is on the way. */
		link_acknowledge(receiver.link, 4);
		assert_int_equal(link_wait_acked(sender.link, 3, stop_deadline(LONG_WAIT)), 0);
		pthread_mutex_lock(&receiver.link->lock);
		link_end(receiver.link, -EBADMSG, "as if it were damaged");
		receiver.link->in_ended = receiver.link->dead = true;
		pthread_mutex_unlock(&receiver.link->lock);
		link_wake(receiver.link);
		while (link_put(sender.link, link_test_record(1u << 20, i)) == 0)
			;
		link_why(sender.link, sender.why, sizeof(sender.why));
		assert_non_null(strstr(sender.why, "the other side ended"));
		renew_start(&sender);
		renew_start(&receiver);
		link_test_join(&sender, 0);
		link_test_join(&receiver, 0);
		assert_int_equal(link_acked(sender.link), 0);
		assert_int_equal(link_put(sender.link, link_test_record(77, i)), 0);
		assert_int_equal(link_get(receiver.link, stop_deadline(LONG_WAIT), &record), 0);
		assert_int_equal(record->length, 77);
		assert_int_equal(record->payload[0], i);
		free(record);
	}
	link_close(sender.link);
	link_close(receiver.link);
}

/* ABORT comes though writing ended before it was read: it is an end, and no stream is opened. */
static void test_abort_is_meant(void **state)
{
	struct link_test_end sender, receiver;

	(void)state;
	link_test_pair(&sender, &receiver);
	for (int i = 0; i < 4; i++)
		assert_int_equal(link_put(receiver.link, link_test_record(100, i)), 0);
	link_abort(receiver.link, "the disk is full");
	link_close(receiver.link);
	while (link_put(sender.link, link_test_record(1u << 20, 0)) == 0)
		;
	assert_false(link_mends(sender.link));
	link_why(sender.link, sender.why, sizeof(sender.why));
	assert_non_null(strstr(sender.why, "the disk is full"));
	link_close(sender.link);
}

/* Nobody comes: the link keeps the fate that it had, and can be closed. */
static void test_nobody_comes(void **state)
{
	struct link_test_end end;
	int fd;

	(void)state;
	fd = link_test_by_hand(&end);
	close(fd);
	link_test_fate(&end, -EPIPE, "the other side ended");
	end.options.deadline = stop_deadline(300 * MS);
	assert_int_equal(link_renew(end.link, &end.options, &end.peer, end.why, sizeof(end.why)),
			 -ETIMEDOUT);
	assert_non_null(strstr(end.why, "timed out waiting for the other side"));
	link_test_fate(&end, -EPIPE, "the other side ended");
	assert_true(link_mends(end.link));
	link_abort(end.link, "nobody hears it");
	link_close(end.link);
}

/* What is left of the old stream is no foreign language, as it would be at the beginning. */
static void test_leftovers(void **state)
{
	static const char rest[] = "the rest of a payload, without a record";
	struct wire_hello hello = link_test_hello(WIRE_SENDER);
	struct link_test_end end;
	uint8_t payload[1024];
	int fd;

	(void)state;
	fd = link_test_by_hand(&end);
	close(fd);
	link_test_fate(&end, -EPIPE, "the other side ended");
	renew_start(&end);
	fd = link_test_dial();
	link_test_expect(fd, WIRE_TYPE_HELLO, payload);
	link_test_write(fd, rest, sizeof(rest));
	close(fd);
	fd = link_test_dial();
	link_test_expect(fd, WIRE_TYPE_HELLO, payload);
	link_test_write(fd, rest, sizeof(rest));
	link_test_say_hello(fd, &hello, 0);
	link_test_join(&end, 0);
	works_by_hand(&end, fd);
}

/* The last test: the signal stays pending. */
static void test_signal(void **state)
{
	struct link_test_end end;
	int64_t before;
	int fd;

	(void)state;
	fd = link_test_by_hand(&end);
	close(fd);
	link_test_fate(&end, -EPIPE, "the other side ended");
	renew_start(&end);
	before = stop_now();
	kill(getpid(), SIGINT);
	link_test_join(&end, -EINTR);
	assert_non_null(strstr(end.why, "stopped by a signal"));
	assert_true(stop_now() - before < LONG_WAIT / 2);
	link_close(end.link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damage),	     cmocka_unit_test(test_missing_record),
		cmocka_unit_test(test_silence),	     cmocka_unit_test(test_started_anew),
		cmocka_unit_test(test_both_ends),    cmocka_unit_test(test_abort_is_meant),
		cmocka_unit_test(test_nobody_comes), cmocka_unit_test(test_leftovers),
		cmocka_unit_test(test_signal),
	};

	return stop_install() || cmocka_run_group_tests_name("link_renew", tests, NULL, NULL);
}

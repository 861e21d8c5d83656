// SPDX-License-Identifier: GPL-2.0-or-later
/* A link against a peer that writes its bytes by hand: damage, gaps, silence, another language. */
#include "link_test.h"

static void tell(void *arg, const char *sentence)
{
	snprintf(arg, 400, "%s", sentence);
}

static void test_damaged_payload(void **state)
{
	uint8_t buf[WIRE_HEADER + 64], payload[1024] = {0};
	struct link_test_end end;
	size_t size;
	int fd;

	(void)state;
	fd = link_test_by_hand(&end);
	size = link_test_encode(buf, WIRE_TYPE_DATA, 1, payload, 64);
	buf[WIRE_HEADER + 40] ^= 1;
	link_test_write(fd, buf, size);
	link_test_fate(&end, -EBADMSG, "a payload is damaged");
	/* The other side sees an end, and comes again. */
	link_test_ended(fd);
	link_close(end.link);
	close(fd);
}

static void test_damaged_header(void **state)
{
	uint8_t buf[WIRE_HEADER + 64], payload[64] = {0};
	struct link_test_end end;
	size_t size;
	int fd;

	(void)state;
	fd = link_test_by_hand(&end);
	size = link_test_encode(buf, WIRE_TYPE_DATA, 1, payload, sizeof(payload));
	buf[20] ^= 1;
	link_test_write(fd, buf, size);
	link_test_fate(&end, -EBADMSG, "a header is damaged");
	link_close(end.link);
	close(fd);
}

static void test_sequence_gap(void **state)
{
	uint8_t payload[8] = {0};
	struct link_test_end end;
	struct link_record *record;
	int fd;

	(void)state;
	fd = link_test_by_hand(&end);
	link_test_say(fd, WIRE_TYPE_DATA, 1, payload, sizeof(payload));
	link_test_say(fd, WIRE_TYPE_DATA, 3, payload, sizeof(payload));
	assert_int_equal(link_get(end.link, stop_deadline(LONG_WAIT), &record), 0);
	free(record);
	link_test_fate(&end, -EBADMSG, "a record is missing");
	link_close(end.link);
	close(fd);
}

static void test_malformed_ack(void **state)
{
	uint8_t payload[3] = {0}, words[1024];
	struct link_test_end end;
	int fd;

	(void)state;
	fd = link_test_by_hand(&end);
	link_test_say(fd, WIRE_TYPE_ACK, 1, payload, sizeof(payload));
	link_test_fate(&end, -EPROTO, "malformed acknowledgement");
	assert_false(link_mends(end.link));
	/* No other stream would change it: so the other side is told. */
	link_test_expect(fd, WIRE_TYPE_ABORT, words);
	link_close(end.link);
	close(fd);
}

/* Types that a later version adds as optional are passed over. */
static void test_optional_type(void **state)
{
	uint8_t payload[8] = {0};
	struct link_test_end end;
	struct link_record *record;
	int fd;

	(void)state;
	fd = link_test_by_hand(&end);
	link_test_say(fd, WIRE_TYPE_OPTIONAL | 5, 1, payload, sizeof(payload));
	link_test_say(fd, WIRE_TYPE_BYE, 2, NULL, 0);
	assert_int_equal(link_get(end.link, stop_deadline(LONG_WAIT), &record), 0);
	assert_int_equal(record->type, WIRE_TYPE_BYE);
	free(record);
	link_close(end.link);
	close(fd);
}

static void test_abort_sentence(void **state)
{
	static const char sentence[] = "the source cannot be read\033[2J";
	struct link_test_end end;
	char why[800];
	int fd;

	(void)state;
	fd = link_test_by_hand(&end);
	link_test_say(fd, WIRE_TYPE_ABORT, 1, sentence, sizeof(sentence) - 1);
	link_test_fate(&end, -ECANCELED, "gave up");
	assert_false(link_mends(end.link));
	link_why(end.link, why, sizeof(why));
	assert_null(strchr(why, '\033'));
	link_close(end.link);
	close(fd);
}

/* Nothing more comes, and the socket stays open. */
static void test_silence(void **state)
{
	struct link_test_end end;
	int fd;

	(void)state;
	fd = link_test_by_hand(&end);
	link_test_fate(&end, -ETIMEDOUT, "nothing came from the other side");
	link_test_ended(fd);
	link_close(end.link);
	close(fd);
}

static void test_vanish(void **state)
{
	struct link_test_end end;
	int fd;

	(void)state;
	fd = link_test_by_hand(&end);
	close(fd);
	link_test_fate(&end, -EPIPE, "the other side ended");
	link_close(end.link);
}

/* KEEPALIVE flows though nothing is to be said, and carries what is acknowledged. */
static void test_keepalive(void **state)
{
	uint8_t payload[1024];
	struct link_test_end end;
	struct wire_ack ack;
	uint32_t length;
	int fd;

	(void)state;
	fd = link_test_by_hand(&end);
	for (int i = 0; i < 3; i++)
		link_test_expect(fd, WIRE_TYPE_KEEPALIVE, payload);
	link_acknowledge(end.link, 7);
	length = link_test_expect(fd, WIRE_TYPE_ACK, payload);
	assert_int_equal(wire_ack_get(payload, length, &ack), 0);
	assert_int_equal(ack.chunks, 7);
	length = link_test_expect(fd, WIRE_TYPE_KEEPALIVE, payload);
	assert_int_equal(wire_ack_get(payload, length, &ack), 0);
	assert_int_equal(ack.chunks, 7);
	link_close(end.link);
	close(fd);
}

/* Our HELLO comes once before the peer's and once after it; a second, equal one of the peer is
 * fine. */
static void test_hello_twice(void **state)
{
	struct wire_hello hello = link_test_hello(WIRE_SENDER);
	uint8_t payload[1024];
	struct link_test_end end;
	struct link_record *record;
	int fd;

	(void)state;
	fd = link_test_by_hand(&end);
	link_test_expect(fd, WIRE_TYPE_HELLO, payload);
	link_test_say_hello(fd, &hello, 1);
	link_test_say(fd, WIRE_TYPE_BYE, 2, NULL, 0);
	assert_int_equal(link_get(end.link, stop_deadline(LONG_WAIT), &record), 0);
	assert_int_equal(record->type, WIRE_TYPE_BYE);
	free(record);
	link_close(end.link);
	close(fd);
}

/* A HELLO that counts from 0 again is another program: the first one's end was lost. */
static void test_hello_anew(void **state)
{
	struct wire_hello hello = link_test_hello(WIRE_SENDER);
	struct link_test_end end;
	int fd;

	(void)state;
	fd = link_test_by_hand(&end);
	link_test_say_hello(fd, &hello, 0);
	link_test_fate(&end, -EPIPE, "started anew");
	link_close(end.link);
	close(fd);
}

/* What an earlier program left in the stream is passed over, records and parts of them. */
static void test_old_bytes(void **state)
{
	struct wire_hello hello = link_test_hello(WIRE_SENDER);
	uint8_t payload[1024] = {0};
	struct link_test_end end;
	int fd;

	(void)state;
	link_test_start(&end, WIRE_RECEIVER, true);
	fd = link_test_dial();
	for (int i = 0; i < 20; i++)
		link_test_write(fd, "TBS1 TBS no header TB", 21);
	link_test_say(fd, WIRE_TYPE_DATA, 77, payload, 100);
	link_test_write(fd, "T", 1);
	/* One record that was HELLO, and is damaged. */
	link_test_say(fd, WIRE_TYPE_HELLO, 0, payload, WIRE_HELLO);
	link_test_say_hello(fd, &hello, 1);
	link_test_join(&end, 0);
	link_test_say(fd, WIRE_TYPE_BYE, 2, NULL, 0);
	link_close(end.link);
	close(fd);
}

/* dd sends a few bytes and goes, or many and stays. */
static void test_foreign(void **state)
{
	static const char few[] = "not a record";
	static char many[1u << 16];
	struct link_test_end end;
	int fd;

	(void)state;
	link_test_start(&end, WIRE_RECEIVER, true);
	fd = link_test_dial();
	link_test_write(fd, few, sizeof(few));
	close(fd);
	link_test_join(&end, -EBADMSG);
	assert_non_null(strstr(end.why, "--plain"));

	link_test_start(&end, WIRE_RECEIVER, true);
	fd = link_test_dial();
	link_test_write(fd, many, sizeof(many));
	link_test_join(&end, -EBADMSG);
	assert_non_null(strstr(end.why, "--plain"));
	close(fd);
}

/* One that goes in the midst of its HELLO is no foreigner: it, or another, comes again. */
static void test_cut_hello(void **state)
{
	struct wire_hello hello = link_test_hello(WIRE_SENDER);
	uint8_t payload[1024], record[WIRE_HEADER + WIRE_HELLO];
	struct link_test_end end;
	int fd;

	(void)state;
	wire_hello_put(&hello, payload, WIRE_HELLO);
	link_test_encode(record, WIRE_TYPE_HELLO, 0, payload, WIRE_HELLO);
	link_test_start(&end, WIRE_RECEIVER, true);
	for (size_t len = 3; len < sizeof(record); len += 100) {
		fd = link_test_dial();
		link_test_expect(fd, WIRE_TYPE_HELLO, payload);
		link_test_write(fd, record, len);
		close(fd);
	}
	fd = link_test_dial();
	link_test_expect(fd, WIRE_TYPE_HELLO, payload);
	link_test_write(fd, record, sizeof(record));
	link_test_join(&end, 0);
	link_close(end.link);
	close(fd);
}

/* Somebody who connects and goes is not the peer: the next one may be. */
static void test_knock(void **state)
{
	struct wire_hello hello = link_test_hello(WIRE_SENDER);
	struct link_test_end end;
	uint8_t payload[1024];
	int fd;

	(void)state;
	link_test_start(&end, WIRE_RECEIVER, true);
	fd = link_test_dial();
	link_test_expect(fd, WIRE_TYPE_HELLO, payload);
	close(fd);
	fd = link_test_dial();
	link_test_expect(fd, WIRE_TYPE_HELLO, payload);
	link_test_say_hello(fd, &hello, 0);
	link_test_join(&end, 0);
	link_close(end.link);
	close(fd);
}

/* Who looks for a stream of another name is not the peer either: two names may meet on the same
 * HopIDs. */
static void test_other_name(void **state)
{
	struct wire_hello hello = link_test_hello(WIRE_SENDER);
	char told[400] = "";
	struct link_test_end end = {
		.hello = link_test_hello(WIRE_RECEIVER),
		.limits = link_test_limits,
		.options =
			{
				.listen = true,
				.deadline = stop_deadline(LONG_WAIT),
				.waiting = {.tell = tell, .arg = told},
			},
	};
	uint8_t payload[1024];
	int fd, again;

	(void)state;
	strcpy(end.hello.stream, "ours");
	strcpy(hello.stream, "theirs");
	assert_int_equal(pthread_create(&end.thread, NULL, link_test_open, &end), 0);
	fd = link_test_dial();
	link_test_expect(fd, WIRE_TYPE_HELLO, payload);
	link_test_say_hello(fd, &hello, 0);
	again = link_test_dial();
	strcpy(hello.stream, "ours");
	link_test_say_hello(again, &hello, 0);
	link_test_join(&end, 0);
	link_close(end.link);
	close(again);
	close(fd);
}

static void test_other_versions(void **state)
{
	struct wire_hello hello = link_test_hello(WIRE_SENDER);
	uint8_t payload[1024];
	struct link_test_end end;
	int fd;

	(void)state;
	hello.version_least = WIRE_VERSION + 1;
	hello.version_most = WIRE_VERSION + 4;
	link_test_start(&end, WIRE_RECEIVER, true);
	fd = link_test_dial();
	link_test_say_hello(fd, &hello, 0);
	link_test_join(&end, -EPROTONOSUPPORT);
	assert_non_null(strstr(end.why, "use the same program on both"));
	/* It heard from us which versions we speak. */
	link_test_expect(fd, WIRE_TYPE_HELLO, payload);
	close(fd);
}

static void test_same_role(void **state)
{
	struct link_test_end one, other;

	(void)state;
	link_test_start(&one, WIRE_RECEIVER, true);
	link_test_start(&other, WIRE_RECEIVER, false);
	link_test_join(&one, -EPROTOTYPE);
	link_test_join(&other, -EPROTOTYPE);
	assert_non_null(strstr(one.why, "both sides want to receive: start tbsend"));
}

static void test_other_kind(void **state)
{
	struct link_test_end one, other;

	(void)state;
	link_test_start(&one, WIRE_SERVER, true);
	link_test_start(&other, WIRE_SENDER, false);
	link_test_join(&one, -EPROTOTYPE);
	link_test_join(&other, -EPROTOTYPE);
	assert_non_null(strstr(one.why, "here wants to send over this stream, and we to serve a "
					"shell: give them streams of different names"));
	link_test_start(&one, WIRE_SERVER, true);
	link_test_start(&other, WIRE_SERVER, false);
	link_test_join(&one, -EPROTOTYPE);
	link_test_join(&other, -EPROTOTYPE);
	assert_non_null(strstr(one.why, "both sides want to serve a shell: start tbstream shell"));
}

static void test_nobody(void **state)
{
	struct stream_address address = link_test_address();
	struct wire_hello peer, hello = link_test_hello(WIRE_SENDER);
	char why[800], told[400] = "";
	struct stream_options options = {
		.deadline = stop_deadline(300 * MS),
		.waiting = {.tell = tell, .arg = told},
	};
	struct link *link;

	(void)state;
	assert_int_equal(link_open(&address, &options, &hello, &link, &peer, why, sizeof(why)),
			 -ETIMEDOUT);
	assert_non_null(strstr(why, "timed out waiting"));
	assert_non_null(strstr(told, "waiting for tbrecv to listen on unix:"));
}

static void test_no_answer(void **state)
{
	char told[400] = "";
	struct link_test_end end;
	int fd;

	(void)state;
	memset(&end, 0, sizeof(end));
	end.hello = link_test_hello(WIRE_RECEIVER);
	end.limits = link_test_limits;
	end.options = (struct stream_options){
		.listen = true,
		.deadline = stop_deadline(1500 * MS),
		.waiting = {.tell = tell, .arg = told},
	};
	assert_int_equal(pthread_create(&end.thread, NULL, link_test_open, &end), 0);
	fd = link_test_dial();
	link_test_join(&end, -ETIMEDOUT);
	assert_non_null(strstr(end.why, "timed out waiting for an answer"));
	assert_non_null(strstr(told, "waiting for tbsend to answer"));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged_payload), cmocka_unit_test(test_damaged_header),
		cmocka_unit_test(test_sequence_gap),	cmocka_unit_test(test_malformed_ack),
		cmocka_unit_test(test_optional_type),	cmocka_unit_test(test_abort_sentence),
		cmocka_unit_test(test_silence),		cmocka_unit_test(test_vanish),
		cmocka_unit_test(test_keepalive),	cmocka_unit_test(test_hello_twice),
		cmocka_unit_test(test_hello_anew),	cmocka_unit_test(test_old_bytes),
		cmocka_unit_test(test_foreign),		cmocka_unit_test(test_knock),
		cmocka_unit_test(test_other_name),	cmocka_unit_test(test_other_versions),
		cmocka_unit_test(test_same_role),	cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_no_answer),	cmocka_unit_test(test_cut_hello),
		cmocka_unit_test(test_other_kind),
	};

	return stop_install() || cmocka_run_group_tests_name("link_hostile", tests, NULL, NULL);
}

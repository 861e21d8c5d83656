/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of links share: two links over a socket, and a peer that writes its bytes by hand.
 */
#ifndef LINK_TEST_H
#define LINK_TEST_H

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/link_internal.h"

#define LONG_WAIT (20 * STOP_SECOND) /* a test that gets here has failed */
#define MS	  (STOP_SECOND / 1000)

/* Short enough for a test, long enough for valgrind on a busy machine. */
static const struct link_limits link_test_limits = {
	.keepalive = 50 * MS,
	.record = 700 * MS,
	.silence = 1500 * MS,
	.renew = 100 * MS,
	.again = LONG_WAIT,
	.words = 2 * STOP_SECOND,
	.pause = STOP_SECOND / 5,
};

/* Not the process's number: in namespaces of their own many tests have the same. */
static uint32_t link_test_number;

__attribute__((constructor)) static void link_test_choose(void)
{
	assert_int_equal(getrandom(&link_test_number, sizeof(link_test_number), 0),
			 sizeof(link_test_number));
}

static struct stream_address link_test_address(void)
{
	struct stream_address address = {.kind = STREAM_UNIX};

	snprintf(address.path, sizeof(address.path), "/tmp/link-test-%08x", link_test_number);
	return address;
}

static struct wire_hello link_test_hello(uint8_t role)
{
	struct wire_hello hello = {
		.role = role,
		.version_least = WIRE_VERSION,
		.version_most = WIRE_VERSION,
		.host = "here",
		.program = "test",
	};

	hello.transfer_id[0] = role;
	return hello;
}

/* One end of a link, opened in a thread of its own since it waits for the other end. */
struct link_test_end {
	pthread_t thread;
	struct wire_hello hello, peer;
	struct stream_options options;
	struct link_limits limits;
	struct link *link;
	int err;
	char why[800];
};

static void *link_test_open(void *arg)
{
	struct link_test_end *end = arg;
	struct stream_address address = link_test_address();

	end->err = link_open_limits(&address, &end->options, &end->hello, &end->limits, &end->link,
				    &end->peer, end->why, sizeof(end->why));
	return NULL;
}

/* The receiver listens, as tbrecv does. */
static void link_test_start(struct link_test_end *end, uint8_t role, bool listen)
{
	memset(end, 0, sizeof(*end));
	end->hello = link_test_hello(role);
	end->options.listen = listen;
	end->options.deadline = stop_deadline(LONG_WAIT);
	end->limits = link_test_limits;
	assert_int_equal(pthread_create(&end->thread, NULL, link_test_open, end), 0);
}

static void link_test_join(struct link_test_end *end, int err)
{
	pthread_join(end->thread, NULL);
	if (end->err != err)
		print_error("%s\n", end->why);
	assert_int_equal(end->err, err);
}

static inline void link_test_pair(struct link_test_end *sender, struct link_test_end *receiver)
{
	link_test_start(receiver, WIRE_RECEIVER, true);
	link_test_start(sender, WIRE_SENDER, false);
	link_test_join(sender, 0);
	link_test_join(receiver, 0);
}

static inline struct link_record *link_test_record(uint32_t length, uint8_t fill)
{
	struct link_record *record = link_record_new(WIRE_TYPE_DATA, length);

	assert_non_null(record);
	memset(record->payload, fill, length);
	return record;
}

/* Connects to a link that listens; what it reads times out after ten seconds. */
static inline int link_test_dial(void)
{
	struct stream_address address = link_test_address();
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = 10};
	int64_t deadline = stop_deadline(LONG_WAIT);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(un.sun_path, address.path);
	while (connect(fd, (struct sockaddr *)&un, sizeof(un))) {
		assert_true(stop_now() < deadline);
		stop_poll(-1, 0, stop_deadline(10 * MS));
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return fd;
}

/* Writes a record to BUF; returns its size. */
static inline size_t link_test_encode(uint8_t *buf, uint8_t type, uint64_t sequence,
				      const void *payload, uint32_t length)
{
	struct wire_header header = {
		.version = WIRE_VERSION,
		.type = type,
		.sequence = sequence,
		.length = length,
		.payload_hash = wire_payload_hash(payload, length),
	};

	wire_header_put(&header, buf);
	if (length)
		memcpy(buf + WIRE_HEADER, payload, length);
	return WIRE_HEADER + length;
}

static inline void link_test_write(int fd, const void *buf, size_t len)
{
	assert_int_equal(send(fd, buf, len, MSG_NOSIGNAL), len);
}

static inline void link_test_say(int fd, uint8_t type, uint64_t sequence, const void *payload,
				 uint32_t length)
{
	uint8_t buf[WIRE_HEADER + 1024];

	assert_true(length <= 1024);
	link_test_write(fd, buf, link_test_encode(buf, type, sequence, payload, length));
}

static inline void link_test_say_hello(int fd, const struct wire_hello *hello, uint64_t sequence)
{
	uint8_t payload[WIRE_HELLO];

	assert_int_equal(wire_hello_put(hello, payload, sizeof(payload)), sizeof(payload));
	link_test_say(fd, WIRE_TYPE_HELLO, sequence, payload, sizeof(payload));
}

/* Reads records until one of TYPE came; its payload goes to BUF of 1024 bytes. Returns its length.
 */
static inline uint32_t link_test_expect(int fd, uint8_t type, void *buf)
{
	for (;;) {
		uint8_t bytes[WIRE_HEADER];
		struct wire_header header;

		assert_int_equal(recv(fd, bytes, sizeof(bytes), MSG_WAITALL), sizeof(bytes));
		assert_int_equal(wire_header_get(bytes, &header), 0);
		assert_true(header.length <= 1024);
		if (header.length)
			assert_int_equal(recv(fd, buf, header.length, MSG_WAITALL), header.length);
		if (header.type == type)
			return header.length;
	}
}

/* Reads what comes on FD, without an ABORT in it, up to the stream's end. */
static inline void link_test_ended(int fd)
{
	static uint8_t payload[WIRE_PAYLOAD_MOST];
	uint8_t bytes[WIRE_HEADER];
	struct wire_header header;
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), MSG_WAITALL)) == (ssize_t)sizeof(bytes)) {
		assert_int_equal(wire_header_get(bytes, &header), 0);
		assert_int_not_equal(header.type, WIRE_TYPE_ABORT);
		n = recv(fd, payload, header.length, MSG_WAITALL);
		if (n < (ssize_t)header.length)
			break;
	}
	assert_true(n >= 0 || errno == ECONNRESET);
}

/* A link that receives, and a peer that is a socket and has said HELLO. */
static inline int link_test_by_hand(struct link_test_end *end)
{
	struct wire_hello hello = link_test_hello(WIRE_SENDER);
	uint8_t payload[1024];
	int fd;

	link_test_start(end, WIRE_RECEIVER, true);
	fd = link_test_dial();
	link_test_expect(fd, WIRE_TYPE_HELLO, payload);
	link_test_say_hello(fd, &hello, 0);
	link_test_join(end, 0);
	return fd;
}

/* Expects END to meet FATE, with a sentence that has PART in it. */
static inline void link_test_fate(struct link_test_end *end, int fate, const char *part)
{
	struct link_record *record;
	char why[800];

	assert_int_equal(link_get(end->link, stop_deadline(LONG_WAIT), &record), fate);
	assert_true(link_ended(end->link));
	link_why(end->link, why, sizeof(why));
	if (!strstr(why, part))
		print_error("'%s' lacks '%s'\n", why, part);
	assert_non_null(strstr(why, part));
	assert_int_equal(link_put(end->link, link_test_record(1, 0)), fate);
	assert_int_equal(link_flush(end->link, STOP_NEVER), fate);
	assert_int_equal(link_wait_acked(end->link, 0, STOP_NEVER), fate);
}

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/* Opening streams over sockets, and what is refused. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
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

#include "io/stream.h"
#include "io/stream_socket.h"

#define LONG_WAIT  (20 * STOP_SECOND)
#define SHORT_WAIT (STOP_SECOND / 4)

struct opening {
	struct stream_address address;
	struct stream_options options;
	struct stream *stream;
	int err;
	char why[500];
	pthread_t thread;
};

static void *open_stream(void *arg)
{
	struct opening *opening = arg;

	opening->err = stream_open(&opening->address, &opening->options, &opening->stream,
				   opening->why, sizeof(opening->why));
	return NULL;
}

static struct opening prepare(const char *text, bool listen, int64_t wait)
{
	struct opening opening = {
		.options = {.listen = listen, .deadline = stop_deadline(wait)},
	};

	assert_int_equal(stream_parse(text, &opening.address, opening.why, sizeof(opening.why)), 0);
	return opening;
}

static void expect_refusal(struct opening opening, int err, const char *part)
{
	open_stream(&opening);
	if (opening.err != err || !strstr(opening.why, part))
		print_error("%d: '%s'\n", opening.err, opening.why);
	assert_int_equal(opening.err, err);
	assert_non_null(strstr(opening.why, part));
}

/* Moves a few bytes both ways and sees the end. */
static void expect_joined(struct stream *one, struct stream *other)
{
	char buf[16];

	assert_int_equal(stream_read(one, buf, sizeof(buf)), -EAGAIN);
	assert_int_equal(stream_write(one, "there", 5), 5);
	assert_int_equal(stop_poll(stream_in(other), POLLIN, stop_deadline(LONG_WAIT)), POLLIN);
	assert_int_equal(stream_read(other, buf, sizeof(buf)), 5);
	assert_int_equal(stream_write(other, "back", 4), 4);
	assert_int_equal(stop_poll(stream_in(one), POLLIN, stop_deadline(LONG_WAIT)), POLLIN);
	assert_int_equal(stream_read(one, buf, sizeof(buf)), 4);
	assert_false(stream_lossy(one));
	assert_int_equal(stream_renew(one, STOP_NEVER, buf, sizeof(buf)), -EALREADY);
	stream_close(other);
	assert_true(stop_poll(stream_in(one), POLLIN, stop_deadline(LONG_WAIT)) > 0);
	assert_int_equal(stream_read(one, buf, sizeof(buf)), 0);
	/* Over TCP the first one may still go out. */
	if (stream_write(one, "x", 1) == 1)
		stop_poll(-1, 0, stop_deadline(SHORT_WAIT));
	assert_int_equal(stream_write(one, "x", 1), -EPIPE);
	stream_close(one);
}

static void join_in_order(const char *text, bool listener_first)
{
	struct opening first = prepare(text, listener_first, LONG_WAIT);
	struct opening second = prepare(text, !listener_first, LONG_WAIT);

	pthread_create(&first.thread, NULL, open_stream, &first);
	stop_poll(-1, 0, stop_deadline(SHORT_WAIT));
	open_stream(&second);
	pthread_join(first.thread, NULL);
	assert_int_equal(first.err, 0);
	assert_int_equal(second.err, 0);
	expect_joined(first.stream, second.stream);
}

static char socket_path[64], socket_text[80];

static void test_unix_both_orders(void **state)
{
	(void)state;
	join_in_order(socket_text, true);
	/* Nobody listens any more, and nothing is left. */
	assert_int_equal(access(socket_path, F_OK), -1);
	join_in_order(socket_text, false);
}

/* A port that was free a moment ago. */
static unsigned int free_port(int family)
{
	struct sockaddr_storage address = {.ss_family = family};
	socklen_t len = sizeof(address);
	int fd = socket(family, SOCK_STREAM, 0);
	uint16_t port;

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    getsockname(fd, (struct sockaddr *)&address, &len)) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	close(fd);
	memcpy(&port, (char *)&address + 2, 2); /* the same place in both families */
	return ntohs(port);
}

static void test_tcp_both_orders(void **state)
{
	char text[64];
	unsigned int port;

	(void)state;
	snprintf(text, sizeof(text), "tcp:localhost:%u", free_port(AF_INET));
	join_in_order(text, true);
	join_in_order(text, false);
	port = free_port(AF_INET6);
	if (!port)
		return; /* no IPv6 here */
	snprintf(text, sizeof(text), "tcp:[::1]:%u", port);
	join_in_order(text, true);
}

/* It listens by now. */
static void tell(void *arg, const char *sentence)
{
	if (!strstr(sentence, "waiting for tbsend to connect") || write(*(int *)arg, "x", 1) != 1)
		abort();
}

/* A socket's file that a killed program left is taken over; what somebody uses, or is another file,
 * is not. */
static void test_unix_path_taken(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct opening listener = prepare(socket_text, true, LONG_WAIT);
	struct opening caller;
	int fd, told[2];
	char c;

	(void)state;
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(un.sun_path, socket_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd);
	assert_int_equal(pipe(told), 0);
	listener.options.waiting = (struct stop_waiting){.tell = tell, .arg = &told[1]};
	pthread_create(&listener.thread, NULL, open_stream, &listener);
	assert_int_equal(read(told[0], &c, 1), 1);
	expect_refusal(prepare(socket_text, true, LONG_WAIT), -EADDRINUSE, "somebody else does");
	/* The one who listens has not noticed. */
	caller = prepare(socket_text, false, LONG_WAIT);
	open_stream(&caller);
	assert_int_equal(caller.err, 0);
	pthread_join(listener.thread, NULL);
	assert_int_equal(listener.err, 0);
	expect_joined(listener.stream, caller.stream);
	close(told[0]);
	close(told[1]);

	fd = open(socket_path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	expect_refusal(prepare(socket_text, true, LONG_WAIT), -EEXIST, "that is a file");
	assert_int_equal(unlink(socket_path), 0);
}

static void test_wildcard(void **state)
{
	struct opening opening;
	char text[64];

	(void)state;
	expect_refusal(prepare("tcp:0.0.0.0:9", true, LONG_WAIT), -EINVAL, "--insecure");
	expect_refusal(prepare("tcp:[::]:9", true, LONG_WAIT), -EINVAL, "--insecure");
	expect_refusal(prepare("tcp:[::ffff:0.0.0.0]:9", true, LONG_WAIT), -EINVAL, "--insecure");
	snprintf(text, sizeof(text), "tcp:0.0.0.0:%u", free_port(AF_INET));
	opening = prepare(text, true, 0);
	opening.options.insecure = true;
	expect_refusal(opening, -ETIMEDOUT, "timed out");
}

static void test_addresses(void **state)
{
	(void)state;
	expect_refusal(prepare("tcp:example.org:9", false, LONG_WAIT), -EINVAL,
		       "give it in numbers");
	expect_refusal(prepare("tcp:1.2.3:9", false, LONG_WAIT), -EINVAL, "give it in numbers");
	expect_refusal(prepare("tcp:[fe80::1%none9]:9", false, LONG_WAIT), -EINVAL,
		       "is no address here");
	/* An address of another machine. */
	expect_refusal(prepare("tcp:192.0.2.7:9", true, LONG_WAIT), -EADDRNOTAVAIL,
		       "cannot listen on tcp:192.0.2.7:9");
}

static void test_time_out(void **state)
{
	int64_t before = stop_now();

	(void)state;
	expect_refusal(prepare(socket_text, false, SHORT_WAIT), -ETIMEDOUT, "timed out waiting");
	expect_refusal(prepare(socket_text, true, SHORT_WAIT), -ETIMEDOUT, "timed out waiting");
	assert_true(stop_now() - before >= 2 * SHORT_WAIT);
	assert_int_equal(access(socket_path, F_OK), -1);
}

/* A broken connection is made anew, by either side. */
static void test_reopen(void **state)
{
	struct opening listener = prepare(socket_text, true, LONG_WAIT), caller, again;
	char why[200];

	(void)state;
	pthread_create(&listener.thread, NULL, open_stream, &listener);
	caller = prepare(socket_text, false, LONG_WAIT);
	open_stream(&caller);
	pthread_join(listener.thread, NULL);
	assert_int_equal(listener.err | caller.err, 0);
	stream_close(caller.stream);
	again = prepare(socket_text, false, LONG_WAIT);
	pthread_create(&again.thread, NULL, open_stream, &again);
	assert_int_equal(stream_reopen(listener.stream, stop_deadline(LONG_WAIT), why, sizeof(why)),
			 0);
	pthread_join(again.thread, NULL);
	assert_int_equal(again.err, 0);
	expect_joined(listener.stream, again.stream);
}

/* Pipes as standard input and output; their flags are put back, and the descriptors stay. */
static void test_stdio(void **state)
{
	struct opening opening = prepare("-", false, LONG_WAIT);
	int in[2], out[2], saved[2];
	char buf[8];

	(void)state;
	fflush(NULL);
	assert_int_equal(pipe(in) || pipe(out), 0);
	saved[0] = dup(0);
	saved[1] = dup(1);
	dup2(in[0], 0);
	dup2(out[1], 1);
	open_stream(&opening);
	if (opening.err == 0) {
		opening.err |= stream_read(opening.stream, buf, sizeof(buf)) != -EAGAIN;
		opening.err |= stream_write(opening.stream, "out", 3) != 3;
		opening.err |= write(in[1], "in", 2) != 2;
		opening.err |= stream_read(opening.stream, buf, sizeof(buf)) != 2;
		stream_close(opening.stream);
		opening.err |= fcntl(0, F_GETFL) & O_NONBLOCK || fcntl(1, F_GETFL) & O_NONBLOCK;
	}
	dup2(saved[0], 0);
	dup2(saved[1], 1);
	assert_int_equal(opening.err, 0);
	assert_int_equal(read(out[0], buf, sizeof(buf)), 3);
	for (int i = 0; i < 2; i++) {
		close(in[i]);
		close(out[i]);
		close(saved[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unix_both_orders), cmocka_unit_test(test_tcp_both_orders),
		cmocka_unit_test(test_unix_path_taken),	 cmocka_unit_test(test_wildcard),
		cmocka_unit_test(test_addresses),	 cmocka_unit_test(test_time_out),
		cmocka_unit_test(test_reopen),		 cmocka_unit_test(test_stdio),
	};

	uint32_t number;

	/* In process namespaces of their own many tests have the same number. */
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return 1;
	snprintf(socket_path, sizeof(socket_path), "/tmp/stream-test-%08x", number);
	snprintf(socket_text, sizeof(socket_text), "unix:%s", socket_path);
	return stop_install() || cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}

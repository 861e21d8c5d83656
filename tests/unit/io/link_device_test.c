// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A link over a character device, whose bytes can get lost in the middle: a pseudo-terminal stands
 * for one, since it blocks, fills up and hangs up as a stream's device does.
 */
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <termios.h>

#include "link_test.h"

struct device {
	int master;
	char path[64];
};

static void device_open(struct device *device)
{
	struct termios raw = {0};
	int slave;

	cfmakeraw(&raw);
	assert_int_equal(openpty(&device->master, &slave, device->path, &raw, NULL), 0);
	fcntl(device->master, F_SETFD, FD_CLOEXEC);
	close(slave);
}

struct opening {
	struct device device;
	struct link_test_end end;
};

static void *open_link(void *arg)
{
	struct opening *opening = arg;
	struct stream_address address = {.kind = STREAM_DEVICE};

	strcpy(address.path, opening->device.path);
	opening->end.err = link_open_limits(
		&address, &opening->end.options, &opening->end.hello, &opening->end.limits,
		&opening->end.link, &opening->end.peer, opening->end.why, sizeof(opening->end.why));
	return NULL;
}

static void write_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		assert_true(n > 0);
		bytes += n;
		len -= n;
	}
}

/* A receiver opens a new device in a thread, with LIMITS. */
static void opening_start(struct opening *opening, const struct link_limits *limits, pthread_t *ret)
{
	device_open(&opening->device);
	opening->end.hello = link_test_hello(WIRE_RECEIVER);
	opening->end.limits = *limits;
	opening->end.options.deadline = stop_deadline(LONG_WAIT);
	pthread_create(ret, NULL, open_link, opening);
}

/* Reads and drops what the link writes, until it closes. */
static void *drain(void *arg)
{
	uint8_t buf[4096];

	while (read(*(int *)arg, buf, sizeof(buf)) > 0)
		;
	return NULL;
}

/* The end of a record is lost; KEEPALIVE records go on and are taken for it, or nothing comes at
 * all. */
static void test_lost_tail(void **state)
{
	static uint8_t buf[WIRE_HEADER + 100000], payload[100000];
	struct wire_hello hello = link_test_hello(WIRE_SENDER);
	struct opening opening = {0};
	struct link_test_end *end = &opening.end;
	pthread_t opener, drainer;
	size_t len;

	(void)state;
	opening_start(&opening, &link_test_limits, &opener);
	pthread_create(&drainer, NULL, drain, &opening.device.master);
	wire_hello_put(&hello, payload, WIRE_HELLO);
	len = link_test_encode(buf, WIRE_TYPE_HELLO, 0, payload, WIRE_HELLO);
	write_all(opening.device.master, buf, len);
	pthread_join(opener, NULL);
	assert_int_equal(end->err, 0);

	len = link_test_encode(buf, WIRE_TYPE_DATA, 1, payload, sizeof(payload));
	write_all(opening.device.master, buf, len - 4096);
	link_test_fate(end, -EBADMSG, "the end of a record did not come");
	link_close(end->link);
	pthread_join(drainer, NULL);
	close(opening.device.master);
}

/* A device's error is mended by another opening, if there is one. */
static void test_device_error(void **state)
{
	struct wire_hello hello = link_test_hello(WIRE_SENDER);
	uint8_t buf[WIRE_HEADER + WIRE_HELLO], payload[WIRE_HELLO];
	struct opening opening = {0};
	struct link_test_end *end = &opening.end;
	struct link_record *record;
	pthread_t opener, drainer;
	int err;

	(void)state;
	opening_start(&opening, &link_test_limits, &opener);
	pthread_create(&drainer, NULL, drain, &opening.device.master);
	wire_hello_put(&hello, payload, WIRE_HELLO);
	link_test_encode(buf, WIRE_TYPE_HELLO, 0, payload, WIRE_HELLO);
	write_all(opening.device.master, buf, sizeof(buf));
	pthread_join(opener, NULL);
	assert_int_equal(end->err, 0);
	pthread_cancel(drainer);
	pthread_join(drainer, NULL);
	close(opening.device.master);
	err = link_get(end->link, stop_deadline(LONG_WAIT), &record);
	assert_true(err == -EIO || err == -EPIPE);
	assert_true(link_mends(end->link));
	/* The device is gone. */
	assert_true(link_renew(end->link, &end->options, &end->peer, end->why, sizeof(end->why)) <
		    0);
	assert_int_equal(link_get(end->link, stop_deadline(LONG_WAIT), &record), err);
	link_close(end->link);
}

/* Waits until the link has opened the device, and said HELLO. */
static void wait_hello(const struct device *device)
{
	uint8_t buf[WIRE_HEADER + WIRE_HELLO];
	struct pollfd fd = {.fd = device->master, .events = POLLIN};
	int64_t deadline = stop_deadline(LONG_WAIT);
	size_t got = 0;

	while (got < sizeof(buf)) {
		if (stop_now() >= deadline)
			fail_msg("the link did not open the device and say HELLO");
		if (poll(&fd, 1, 100) == 0)
			continue;
		ssize_t n = read(device->master, buf + got, sizeof(buf) - got);

		/* As long as it is closed, reading fails at once. */
		if (n < 0)
			usleep(1000);
		else
			got += n;
	}
}

/*
 * What an earlier program left in the stream is no record. Once it may be that, and the device is
 * opened again; more of it is another kind of peer.
 */
static void leftover(int times, int wanted)
{
	struct wire_hello hello = link_test_hello(WIRE_SENDER);
	uint8_t buf[WIRE_HEADER + WIRE_HELLO], payload[WIRE_HELLO], rest[2 * WIRE_HEADER] = {1};
	struct link_limits limits = link_test_limits;
	struct opening opening = {0};
	struct link_test_end *end = &opening.end;
	pthread_t opener, drainer;

	limits.record = STOP_SECOND / 10;
	opening_start(&opening, &limits, &opener);
	for (int i = 0; i < times; i++) {
		wait_hello(&opening.device);
		write_all(opening.device.master, rest, sizeof(rest));
	}
	if (!wanted) {
		wait_hello(&opening.device);
		wire_hello_put(&hello, payload, WIRE_HELLO);
		link_test_encode(buf, WIRE_TYPE_HELLO, 0, payload, WIRE_HELLO);
		write_all(opening.device.master, buf, sizeof(buf));
	}
	pthread_create(&drainer, NULL, drain, &opening.device.master);
	pthread_join(opener, NULL);
	assert_int_equal(end->err, wanted);
	if (wanted)
		assert_non_null(strstr(end->why, "does not speak records"));
	else
		link_close(end->link);
	pthread_join(drainer, NULL);
	close(opening.device.master);
}

static void test_leftover(void **state)
{
	(void)state;
	leftover(1, 0);
	leftover(2, -EBADMSG);
}

/*
 * No HELLO comes: nothing does, or a record of an earlier session whose end was lost, which would
 * swallow it. So the stream is opened again, and once more.
 */
static void stuck(bool record)
{
	struct wire_hello hello = link_test_hello(WIRE_SENDER);
	uint8_t buf[WIRE_HEADER + WIRE_HELLO], payload[WIRE_HELLO];
	struct link_limits limits = link_test_limits;
	struct opening opening = {0};
	struct link_test_end *end = &opening.end;
	pthread_t opener, drainer;

	limits.again = STOP_SECOND / 2;
	wire_hello_put(&hello, payload, WIRE_HELLO);
	opening_start(&opening, &limits, &opener);
	for (int i = 0; i < 2; i++) {
		wait_hello(&opening.device);
		link_test_encode(buf, WIRE_TYPE_DATA, 0, payload, WIRE_HELLO);
		if (record)
			write_all(opening.device.master, buf, WIRE_HEADER + 1);
	}
	wait_hello(&opening.device);
	link_test_encode(buf, WIRE_TYPE_HELLO, 0, payload, WIRE_HELLO);
	write_all(opening.device.master, buf, sizeof(buf));
	pthread_create(&drainer, NULL, drain, &opening.device.master);
	pthread_join(opener, NULL);
	assert_int_equal(end->err, 0);
	link_close(end->link);
	pthread_join(drainer, NULL);
	close(opening.device.master);
}

static void test_stuck(void **state)
{
	(void)state;
	stuck(false);
	stuck(true);
}

/* What another process has open is not shared with it: neither with one that locks nor one that
 * does not. */
static void test_busy(void **state)
{
	struct opening opening = {0};
	char c, name[32] = "";
	int ready[2], go[2];
	FILE *comm = fopen("/proc/self/comm", "r");

	(void)state;
	assert_non_null(comm);
	assert_int_equal(fscanf(comm, "%31s", name), 1);
	fclose(comm);
	device_open(&opening.device);
	assert_int_equal(pipe(ready) || pipe(go), 0);
	if (fork() == 0) {
		close(go[1]);
		if (open(opening.device.path, O_RDWR | O_NOCTTY) >= 0 &&
		    write(ready[1], "x", 1) == 1 && read(go[0], &c, 1) >= 0)
			_exit(0);
		_exit(1);
	}
	close(go[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	opening.end.hello = link_test_hello(WIRE_RECEIVER);
	opening.end.options.deadline = stop_deadline(LONG_WAIT);
	open_link(&opening);
	assert_int_equal(opening.end.err, -EBUSY);
	assert_non_null(strstr(opening.end.why, "is in use by "));
	assert_non_null(strstr(opening.end.why, name));
	close(go[1]);
	wait(NULL);
	close(ready[0]);
	close(ready[1]);
	close(opening.device.master);
}

static void test_no_device(void **state)
{
	struct opening opening = {.device.path = "/dev/tbstream-none"};

	(void)state;
	opening.end.hello = link_test_hello(WIRE_RECEIVER);
	open_link(&opening);
	assert_int_equal(opening.end.err, -ENOENT);
	assert_non_null(strstr(opening.end.why, "/dev/tbstream-none: No such file"));
	strcpy(opening.device.path, "/etc/passwd");
	open_link(&opening);
	assert_int_equal(opening.end.err, -ENOTTY);
	assert_non_null(strstr(opening.end.why, "no character device"));
}

/* The last test: the signal stays pending. Waits end, and the other side hears why. */
static void test_signal(void **state)
{
	struct link_test_end sender, receiver;
	struct link_record *record;
	int64_t before;
	char why[800];
	int err;

	(void)state;
	assert_int_equal(stop_install(), 0);
	link_test_pair(&sender, &receiver);
	kill(getpid(), SIGINT);
	before = stop_now();
	err = link_get(receiver.link, stop_deadline(LONG_WAIT), &record);
	/* Both ends are in this process: each may hear of its own signal first, or of the other's
	 * end. */
	assert_true(err == -EINTR || err == -ECANCELED);
	link_why(receiver.link, why, sizeof(why));
	assert_non_null(strstr(why, "stopped by a signal"));
	link_close(receiver.link);
	err = link_get(sender.link, stop_deadline(LONG_WAIT), &record);
	assert_true(err == -EINTR || err == -ECANCELED);
	link_close(sender.link);
	assert_true(stop_now() - before < LONG_WAIT / 2);

	/* Nor does anything wait that is begun later. */
	link_test_start(&receiver, WIRE_RECEIVER, true);
	link_test_join(&receiver, -EINTR);
	assert_non_null(strstr(receiver.why, "stopped by a signal"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lost_tail), cmocka_unit_test(test_device_error),
		cmocka_unit_test(test_leftover),  cmocka_unit_test(test_stuck),
		cmocka_unit_test(test_busy),	  cmocka_unit_test(test_no_device),
		cmocka_unit_test(test_signal),
	};

	return cmocka_run_group_tests_name("link_device", tests, NULL, NULL);
}

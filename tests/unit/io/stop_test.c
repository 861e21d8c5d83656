// SPDX-License-Identifier: GPL-2.0-or-later
/* How waits end. The signals stay pending for ever, so each test of them is a process of its own.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/stop.h"

#define LONG_WAIT (20 * STOP_SECOND)

static void expect_child(int (*body)(void), int code)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(body());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
}

static int meet_signal(void)
{
	if (stop_fd() != -1 || stop_signal() != 0 || stop_install() || stop_install())
		return 1;
	if (stop_signal() != 0 || stop_poll(-1, 0, stop_deadline(0)) != -ETIMEDOUT)
		return 2;
	kill(getpid(), SIGTERM);
	/* For ever, and not only once. */
	for (int i = 0; i < 3; i++) {
		if (stop_signal() != SIGTERM || stop_poll(-1, 0, STOP_NEVER) != -EINTR)
			return 3;
	}
	return 42;
}

static void test_signal(void **state)
{
	(void)state;
	expect_child(meet_signal, 42);
}

/* As under nohup: what was ignored before goes on being ignored. */
static int meet_ignored(void)
{
	signal(SIGHUP, SIG_IGN);
	if (stop_install())
		return 1;
	kill(getpid(), SIGHUP);
	if (stop_signal() != 0 || stop_poll(-1, 0, stop_deadline(STOP_SECOND / 50)) != -ETIMEDOUT)
		return 2;
	kill(getpid(), SIGINT);
	return stop_signal() == SIGINT ? 42 : 3;
}

static void beside(int number)
{
	(void)number;
}

/* A signal that asks nobody to stop ends no wait. */
static int meet_another(void)
{
	const struct sigaction action = {.sa_handler = beside};
	const struct itimerval soon = {.it_value.tv_usec = 20000};

	if (stop_install() || sigaction(SIGALRM, &action, NULL) ||
	    setitimer(ITIMER_REAL, &soon, NULL))
		return 1;
	return stop_poll(-1, 0, stop_deadline(STOP_SECOND / 5)) == -ETIMEDOUT ? 42 : 2;
}

static void test_another(void **state)
{
	(void)state;
	expect_child(meet_another, 42);
}

static void test_ignored(void **state)
{
	(void)state;
	expect_child(meet_ignored, 42);
}

static int meet_broken_pipe(void)
{
	int fds[2];

	if (stop_install() || pipe(fds))
		return 1;
	close(fds[0]);
	return write(fds[1], "x", 1) == -1 && errno == EPIPE ? 42 : 2;
}

static void test_broken_pipe(void **state)
{
	(void)state;
	expect_child(meet_broken_pipe, 42);
}

static void test_poll(void **state)
{
	int64_t before = stop_now();
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(stop_poll(fds[0], POLLIN, stop_deadline(STOP_SECOND / 50)), -ETIMEDOUT);
	assert_true(stop_now() - before >= STOP_SECOND / 50);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(stop_poll(fds[0], POLLIN, stop_deadline(LONG_WAIT)), POLLIN);
	assert_int_equal(stop_poll(fds[0], POLLIN, STOP_NEVER), POLLIN);
	/* What there is counts even when time is over. */
	assert_int_equal(stop_poll(fds[0], POLLIN, 0), POLLIN);
	close(fds[0]);
	close(fds[1]);
}

static void test_deadline(void **state)
{
	(void)state;
	assert_true(stop_deadline(STOP_NEVER) == STOP_NEVER);
	assert_true(stop_deadline(STOP_NEVER - 1) == STOP_NEVER);
	assert_true(stop_deadline(STOP_SECOND) >= stop_now());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signal),	cmocka_unit_test(test_ignored),
		cmocka_unit_test(test_another), cmocka_unit_test(test_broken_pipe),
		cmocka_unit_test(test_poll),	cmocka_unit_test(test_deadline),
	};

	return cmocka_run_group_tests_name("stop", tests, NULL, NULL);
}

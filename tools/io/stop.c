// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/stop.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP};
#define STOP_SIGNALS (sizeof(stop_signals) / sizeof(stop_signals[0]))

static int stop_descriptor = -1;

/* A signal that was ignored before us (nohup, a shell's background job) stays without effect. */
static bool stop_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int stop_install(void)
{
	sigset_t set;
	int err, fd;

	if (stop_descriptor >= 0)
		return 0;
	sigemptyset(&set);
	for (size_t i = 0; i < STOP_SIGNALS; i++) {
		if (!stop_ignored(stop_signals[i]))
			sigaddset(&set, stop_signals[i]);
	}
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	sigaddset(&set, SIGPIPE);
	sigaddset(&set, SIGXFSZ);
	err = pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (err) {
		close(fd);
		return -err;
	}
	stop_descriptor = fd;
	return 0;
}

int stop_fd(void)
{
	return stop_descriptor;
}

/* Nobody reads the signalfd, so the signal stays pending: that is what keeps it readable. */
int stop_signal(void)
{
	sigset_t pending;

	if (stop_descriptor < 0 || sigpending(&pending))
		return 0;
	for (size_t i = 0; i < STOP_SIGNALS; i++) {
		if (sigismember(&pending, stop_signals[i]) == 1 && !stop_ignored(stop_signals[i]))
			return stop_signals[i];
	}
	return 0;
}

int64_t stop_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * STOP_SECOND + now.tv_nsec;
}

int64_t stop_deadline(int64_t duration)
{
	int64_t deadline;

	if (duration == STOP_NEVER || __builtin_add_overflow(stop_now(), duration, &deadline))
		return STOP_NEVER;
	return deadline;
}

int stop_poll(int fd, short events, int64_t deadline)
{
	struct pollfd fds[2] = {
		{.fd = stop_descriptor, .events = POLLIN},
		{.fd = fd, .events = events},
	};

	for (;;) {
		int64_t left = deadline - stop_now();
		struct timespec timeout;
		int n;

		if (left < 0)
			left = 0;
		timeout.tv_sec = left / STOP_SECOND;
		timeout.tv_nsec = left % STOP_SECOND;
		n = ppoll(fds, 2, deadline == STOP_NEVER ? NULL : &timeout, NULL);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n < 0)
			continue;
		if (fds[0].revents)
			return -EINTR;
		if (fds[1].revents)
			return fds[1].revents;
		if (n == 0 && deadline != STOP_NEVER)
			return -ETIMEDOUT;
	}
}

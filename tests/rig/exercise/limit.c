// SPDX-License-Identifier: GPL-2.0-or-later
#include "limit.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* Again and again: the first may come before the system call has begun. */
#define AGAIN_NS 50000000

static __thread volatile sig_atomic_t over, sigpipes;
static __thread bool has_timer;
static __thread timer_t timer;

static void handle_over(int signal)
{
	(void)signal;
	over = 1;
}

static void handle_pipe(int signal)
{
	(void)signal;
	sigpipes++;
}

static void handle_interrupt(int signal)
{
	(void)signal;
}

void limit_setup(void)
{
	/* Without SA_RESTART. */
	sigaction(SIGUSR2, &(struct sigaction){.sa_handler = handle_over}, NULL);
	sigaction(SIGPIPE, &(struct sigaction){.sa_handler = handle_pipe}, NULL);
	sigaction(SIGUSR1, &(struct sigaction){.sa_handler = handle_interrupt}, NULL);
}

static struct timespec from_ms(long ms)
{
	return (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
}

void limit_start(long ms)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = SIGUSR2,
	};
	struct itimerspec when = {
		.it_value = from_ms(ms),
		.it_interval = {.tv_nsec = AGAIN_NS},
	};

	event.sigev_notify_thread_id = gettid();
	over = 0;
	if (!has_timer)
		has_timer = !timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &when, NULL);
}

void limit_stop(void)
{
	timer_settime(timer, 0, &(struct itimerspec){0}, NULL);
}

bool limit_over(void)
{
	return over;
}

void limit_forget(void)
{
	has_timer = false;
}

int limit_sigpipes(void)
{
	return sigpipes;
}

int limit_signal(long ms, int signal)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = signal};
	timer_t once;

	if (timer_create(CLOCK_MONOTONIC, &event, &once))
		return -1;
	return timer_settime(once, 0, &(struct itimerspec){.it_value = from_ms(ms)}, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "control.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "limit.h"
#include "step.h"

#define THREADS 8

struct part {
	pthread_t thread;
	struct context context;
	char **steps;
	int from, to;
};

static struct part parts[THREADS];
static int part_count;
static pid_t child;

static void *part_run(void *argument)
{
	struct part *part = argument;

	control_run(&part->context, part->steps, part->from, part->to);
	return NULL;
}

static void thread_start(const struct context *context, char **steps, int from, int to)
{
	struct part *part = &parts[part_count++];

	if (part_count > THREADS)
		report_usage("fewer threads before a join");
	*part = (struct part){.context = *context, .steps = steps, .from = from, .to = to};
	if (pthread_create(&part->thread, NULL, part_run, part))
		report_usage("fewer threads");
}

static void child_start(const struct context *context, char **steps, int from, int to)
{
	struct context own = *context;

	child = fork();
	if (child)
		return;
	limit_forget();
	control_run(&own, steps, from, to);
	_exit(0);
}

/* The index of the end that belongs to the thread or child before FROM. */
static int end_find(char **steps, int from)
{
	for (int depth = 1;; from++) {
		depth += !strcmp(steps[from], "thread") || !strcmp(steps[from], "child");
		depth -= !strcmp(steps[from], "end");
		if (!depth)
			return from;
	}
}

void control_run(struct context *context, char **steps, int from, int to)
{
	for (int i = from; i < to; i++) {
		bool is_thread = !strcmp(steps[i], "thread");

		if (!is_thread && strcmp(steps[i], "child")) {
			step_run(context, steps, i);
			continue;
		}
		(is_thread ? thread_start : child_start)(context, steps, i + 1,
							 end_find(steps, i + 1));
		i = end_find(steps, i + 1);
	}
}

void control_use(struct step *step)
{
	step->context->file = file_place(step_number(step, 0));
	if (!step->context->file)
		report_usage("a number below 8");
}

void control_mark(struct step *step)
{
	step_text(step, 0);
}

void control_wait(struct step *step)
{
	ssize_t count;
	char byte;

	do
		count = read(STDIN_FILENO, &byte, 1);
	while (count == 1 && byte != '\n');
	step_result(step, count);
}

void control_sleep(struct step *step)
{
	long ms = (long)step_number(step, 0);

	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

void control_limit(struct step *step)
{
	step->context->limit = (long)step_number(step, 0);
}

static int signal_parse(const struct step *step)
{
	static const int signals[] = {SIGKILL, SIGTERM, SIGUSR1, SIGSTOP};

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (!strcmp(sigabbrev_np(signals[i]), step_text(step, 1)))
			return signals[i];
	report_usage(step->synopsis);
}

void control_signal(struct step *step)
{
	step_result(step, limit_signal((long)step_number(step, 0), signal_parse(step)));
}

void control_sigpipe(struct step *step)
{
	const char *how = step_text(step, 0);

	if (!strcmp(how, "count"))
		limit_setup();
	else
		signal(SIGPIPE, strcmp(how, "ignore") ? SIG_DFL : SIG_IGN);
}

void control_join(struct step *step)
{
	while (part_count)
		pthread_join(parts[--part_count].thread, NULL);
	step_result(step, 0);
}

void control_reap(struct step *step)
{
	static char text[32];
	int status;

	step_result(step, waitpid(child, &status, 0));
	if (step->result.error)
		return;
	snprintf(text, sizeof(text), "%s:%d", WIFSIGNALED(status) ? "signal" : "exit",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	step->result.text = text;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "io/crew.h"

#define JOBS	5u
#define THREADS 3u
#define NUMBERS 2000u

struct job {
	uint64_t number, result;
};

/* A tool is one thread's alone: that it counts right without a lock is what TSan watches. */
struct tool {
	uint64_t used;
};

static struct job jobs[JOBS];
static struct tool tools[8];
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static uint64_t work_result(uint64_t number)
{
	return number * number + 1;
}

/* Some take longer than those behind them. */
static void work(void *tool, void *arg)
{
	volatile uint64_t spin = 0;
	struct job *job = arg;

	while (spin < job->number % 7 * 500)
		spin++;
	((struct tool *)tool)->used++;
	job->result = work_result(job->number);
}

static void work_at_gate(void *tool, void *job)
{
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	work(tool, job);
}

static struct crew *crew_open(void (*how)(void *, void *), unsigned int threads)
{
	const struct crew_plan plan = {
		.work = how,
		.jobs = jobs,
		.tools = tools,
		.job_size = sizeof(jobs[0]),
		.tool_size = sizeof(tools[0]),
		.count = JOBS,
		.threads = threads,
	};
	struct crew *crew;

	for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
		tools[i].used = 0;
	assert_int_equal(crew_new(&plan, &crew), 0);
	return crew;
}

/* Gives NUMBER, which every fifth time needs no work. Returns whether there was room. */
static bool give(struct crew *crew, uint64_t number)
{
	struct job *job = crew_room(crew);

	if (!job)
		return false;
	*job = (struct job){.number = number};
	if (number % 5 == 0)
		job->result = work_result(number);
	crew_give(crew, number % 5 == 0);
	return true;
}

static void take(struct crew *crew, uint64_t number)
{
	struct job *job = crew_wait(crew);

	assert_non_null(job);
	assert_true(crew_ready(crew));
	assert_int_equal(job->number, number);
	assert_int_equal(job->result, work_result(number));
	crew_release(crew);
}

static void test_order(void **state)
{
	(void)state;
	for (unsigned int threads = 1; threads <= 8; threads++) {
		struct crew *crew = crew_open(work, threads);
		uint64_t given = 0, used = 0;

		assert_true(crew_idle(crew));
		assert_null(crew_wait(crew));
		for (uint64_t next = 0; next < NUMBERS; next++) {
			while (given < NUMBERS && give(crew, given))
				given++;
			assert_true(given - next <= JOBS);
			take(crew, next);
		}
		assert_true(crew_idle(crew));
		assert_null(crew_wait(crew));
		crew_free(crew);
		for (unsigned int i = 0; i < threads; i++)
			used += tools[i].used;
		assert_int_equal(used, NUMBERS - NUMBERS / 5);
	}
}

/* What cannot be done yet is not ready, and there is no room beside what is given. */
static void test_full(void **state)
{
	struct crew *crew = crew_open(work_at_gate, THREADS);

	(void)state;
	pthread_mutex_lock(&gate);
	for (uint64_t i = 1; i <= JOBS; i++) {
		assert_true(give(crew, i));
		assert_false(crew_ready(crew));
		assert_false(crew_idle(crew));
	}
	assert_null(crew_room(crew));
	pthread_mutex_unlock(&gate);
	for (uint64_t i = 1; i <= JOBS; i++)
		take(crew, i);
	assert_true(crew_idle(crew));
	crew_free(crew);
}

/* In the midst of work all are let go, and their places are used anew. */
static void test_forget(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < 200; round++) {
		struct crew *crew = crew_open(work, THREADS);

		for (uint64_t i = 0; i <= round % JOBS; i++)
			assert_true(give(crew, 1 + i));
		if (round % 3 == 0)
			take(crew, 1);
		crew_forget(crew);
		assert_true(crew_idle(crew));
		for (uint64_t i = 0; i < JOBS; i++)
			assert_true(give(crew, 100 + i));
		assert_null(crew_room(crew));
		for (uint64_t i = 0; i < JOBS; i++)
			take(crew, 100 + i);
		crew_free(crew);
	}
}

/* It ends although much is given, and nobody has begun with most of it. */
static void test_free_full(void **state)
{
	(void)state;
	crew_free(NULL);
	for (uint64_t round = 0; round < 200; round++) {
		struct crew *crew = crew_open(work, THREADS);

		for (uint64_t i = 0; i < JOBS; i++)
			assert_true(give(crew, round + i));
		crew_free(crew);
	}
}

/* Jobs that need no work come in their turn, without any thread. */
static void test_done(void **state)
{
	struct crew *crew = crew_open(work_at_gate, 1);

	(void)state;
	pthread_mutex_lock(&gate);
	assert_true(give(crew, 5));
	assert_true(crew_ready(crew));
	assert_true(give(crew, 6));
	assert_true(give(crew, 10));
	take(crew, 5);
	assert_false(crew_ready(crew));
	pthread_mutex_unlock(&gate);
	take(crew, 6);
	take(crew, 10);
	crew_free(crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),  cmocka_unit_test(test_full),
		cmocka_unit_test(test_forget), cmocka_unit_test(test_free_full),
		cmocka_unit_test(test_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

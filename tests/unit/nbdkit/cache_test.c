// SPDX-License-Identifier: GPL-2.0-or-later
/* The plugin's cache: what it keeps, what it loads once, whom it tells of a failure. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "nbdkit/cache.h"

#define CHUNK	     512u
#define CHUNKS	     16u
#define THREADS	     8u
#define LOADERS_MOST 4u

/* What load does, and what it saw. */
struct loads {
	atomic_uint count[CHUNKS];
	atomic_uint running, most;	/* loads at a time */
	atomic_bool busy[LOADERS_MOST]; /* a loader is one thread's */
	atomic_bool shared;		/* and was not */
	atomic_uint arrived;		/* threads of the test */
	unsigned int wait_for;		/* load waits for so many of them */
	int error;			/* it fails with this */
};

static void pause_shortly(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static int load(void *arg, unsigned int loader, uint64_t index, void *content)
{
	struct loads *loads = arg;
	unsigned int running = atomic_fetch_add(&loads->running, 1) + 1;
	unsigned int most = atomic_load(&loads->most);

	while (running > most && !atomic_compare_exchange_weak(&loads->most, &most, running))
		;
	if (atomic_exchange(&loads->busy[loader], true))
		atomic_store(&loads->shared, true);
	atomic_fetch_add(&loads->count[index], 1);
	while (atomic_load(&loads->arrived) < loads->wait_for)
		pause_shortly();
	/* Those that arrived last get the time to wait for this load, and not for the next. */
	if (loads->wait_for)
		pause_shortly();
	memset(content, (int)index, CHUNK);
	atomic_store(&loads->busy[loader], false);
	atomic_fetch_sub(&loads->running, 1);
	return loads->error;
}

static struct cache *make(struct loads *loads, unsigned int slots, unsigned int loaders)
{
	struct cache_options options = {
		.chunk_size = CHUNK,
		.slots = slots,
		.loaders = loaders,
		.load = load,
		.arg = loads,
	};
	struct cache *cache = NULL;

	assert_int_equal(cache_new(&options, &cache), 0);
	return cache;
}

static bool right(struct cache *cache, uint64_t index, size_t from, size_t len)
{
	uint8_t got[CHUNK], wanted[CHUNK];

	memset(wanted, (int)index, len);
	return cache_read(cache, index, from, len, got) == 0 && !memcmp(got, wanted, len);
}

static void cache_test_bounds(void **state)
{
	static const struct cache_options wrong[] = {
		{.slots = 0, .loaders = 1},
		{.slots = 1, .loaders = 0},
		{.slots = 1, .loaders = 2},
		{.slots = CACHE_SLOTS_MOST + 1, .loaders = 1},
	};
	struct cache *cache = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(cache_new(&wrong[i], &cache), -EINVAL);
	assert_null(cache);
	cache_free(NULL);
}

static void cache_test_keeps_last_used(void **state)
{
	struct loads loads = {0};
	struct cache *cache = make(&loads, 2, 1);

	(void)state;
	assert_true(right(cache, 1, 0, CHUNK));
	assert_true(right(cache, 2, 0, CHUNK));
	assert_true(right(cache, 1, 100, 7));
	assert_true(right(cache, 3, CHUNK - 1, 1)); /* in the place of 2 */
	assert_true(right(cache, 1, 0, CHUNK));
	assert_int_equal(loads.count[1], 1);
	assert_true(right(cache, 2, 0, CHUNK)); /* in the place of 3 */
	assert_int_equal(loads.count[2], 2);
	assert_true(right(cache, 1, 0, CHUNK));
	assert_int_equal(loads.count[1], 1);
	assert_int_equal(loads.count[3], 1);
	cache_free(cache);
}

static void cache_test_loads_ahead(void **state)
{
	struct loads loads = {0};
	struct cache *cache = make(&loads, 2, 1);

	(void)state;
	assert_int_equal(cache_read(cache, 5, 0, 0, NULL), 0);
	assert_true(right(cache, 5, 0, CHUNK));
	assert_int_equal(loads.count[5], 1);
	cache_free(cache);
}

/* One of the threads of a test. */
struct reader {
	pthread_t thread;
	struct cache *cache;
	struct loads *loads;
	unsigned int seed, rounds;
	int result;
};

static void start(struct reader *readers, struct cache *cache, struct loads *loads,
		  void *(*run)(void *))
{
	for (unsigned int i = 0; i < THREADS; i++) {
		readers[i].cache = cache;
		readers[i].loads = loads;
		readers[i].seed = i;
		assert_int_equal(pthread_create(&readers[i].thread, NULL, run, &readers[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
}

static void *read_same(void *arg)
{
	struct reader *reader = arg;
	uint8_t got[CHUNK] = {0};

	atomic_fetch_add(&reader->loads->arrived, 1);
	reader->result = cache_read(reader->cache, 7, 0, CHUNK, got);
	if (reader->result == 0 && (got[0] != 7 || got[CHUNK - 1] != 7))
		reader->result = 1;
	return NULL;
}

static void cache_test_loads_once(void **state)
{
	struct loads loads = {.wait_for = THREADS};
	struct cache *cache = make(&loads, 4, LOADERS_MOST);
	struct reader readers[THREADS] = {0};

	(void)state;
	start(readers, cache, &loads, read_same);
	for (unsigned int i = 0; i < THREADS; i++)
		assert_int_equal(readers[i].result, 0);
	assert_int_equal(loads.count[7], 1);
	cache_free(cache);
}

static void cache_test_tells_all_of_failure(void **state)
{
	struct loads loads = {.wait_for = THREADS, .error = -EBADMSG};
	struct cache *cache = make(&loads, 2, 1);
	struct reader readers[THREADS] = {0};

	(void)state;
	start(readers, cache, &loads, read_same);
	for (unsigned int i = 0; i < THREADS; i++)
		assert_int_equal(readers[i].result, -EBADMSG);
	/* It is not kept: the next one tries again, and all slots are there still. */
	loads.error = 0;
	assert_true(right(cache, 7, 0, CHUNK));
	assert_true(right(cache, 8, 0, CHUNK));
	unsigned int count = loads.count[7];

	assert_true(right(cache, 7, 0, CHUNK));
	assert_int_equal(loads.count[7], count);
	cache_free(cache);
}

static void *read_many(void *arg)
{
	struct reader *reader = arg;

	for (unsigned int i = 0; i < reader->rounds; i++) {
		unsigned int number = rand_r(&reader->seed);
		size_t from = number / CHUNKS % CHUNK;

		if (!right(reader->cache, number % CHUNKS, from, CHUNK - from))
			reader->result = 1;
	}
	return NULL;
}

static void cache_test_many(void **state)
{
	static const unsigned int sizes[][2] = {{1, 1}, {3, 2}, {5, 4}, {CHUNKS, 3}};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct loads loads = {0};
		struct cache *cache = make(&loads, sizes[i][0], sizes[i][1]);
		struct reader readers[THREADS] = {0};

		for (unsigned int j = 0; j < THREADS; j++)
			readers[j].rounds = 500;
		start(readers, cache, &loads, read_many);
		for (unsigned int j = 0; j < THREADS; j++)
			assert_int_equal(readers[j].result, 0);
		assert_in_range(loads.most, 1, sizes[i][1]);
		assert_false(loads.shared);
		if (sizes[i][0] == CHUNKS)
			for (unsigned int j = 0; j < CHUNKS; j++)
				assert_in_range(loads.count[j], 0, 1);
		cache_free(cache);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cache_test_bounds),
		cmocka_unit_test(cache_test_keeps_last_used),
		cmocka_unit_test(cache_test_loads_ahead),
		cmocka_unit_test(cache_test_loads_once),
		cmocka_unit_test(cache_test_tells_all_of_failure),
		cmocka_unit_test(cache_test_many),
	};

	return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}

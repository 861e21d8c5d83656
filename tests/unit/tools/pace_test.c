// SPDX-License-Identifier: GPL-2.0-or-later
/* The level follows the bottleneck: with times that are made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/param.h>

#include <cmocka.h>

#include "source/pace.h"

#define CHUNK	    (4u << 20)
#define MILLISECOND 1000000ll

/* What a chunk takes a packer, and what is left of it: as measured on a disk of real files. */
static const struct {
	int64_t pack;	/* nanoseconds */
	uint64_t parts; /* of 1000 */
} levels[] = {
	[1] = {11 * MILLISECOND, 453}, [2] = {13 * MILLISECOND, 412}, [3] = {18 * MILLISECOND, 362},
	[4] = {24 * MILLISECOND, 354}, [5] = {35 * MILLISECOND, 347}, [6] = {49 * MILLISECOND, 340},
	[7] = {57 * MILLISECOND, 335}, [8] = {70 * MILLISECOND, 333}, [9] = {87 * MILLISECOND, 327},
};

/* Where a transfer happens. */
struct world {
	struct pace pace;
	unsigned int threads;
	uint64_t rate;	    /* bytes a millisecond that the output takes */
	int64_t read;	    /* nanoseconds that a chunk takes to be read */
	bool noise;	    /* nothing gets smaller */
	unsigned int slows; /* per cent that the output loses with every level: it shares our CPU */
	bool serial;	    /* the output waits while a chunk is packed */
	int64_t took, best; /* nanoseconds of all chunks, and at level 1 */
};

static int64_t chunk_wall(const struct world *world, int level, struct pace_time *ret)
{
	uint64_t stored = world->noise ? CHUNK : CHUNK * levels[level].parts / 1000;
	uint64_t rate = world->rate * (100 - world->slows * (level - 1)) / 100;
	int64_t out = stored * MILLISECOND / rate, pack = levels[level].pack;
	int64_t wall = MAX(MAX(out, pack / world->threads), world->read);

	if (world->serial)
		wall = out + pack;
	*ret = (struct pace_time){
		.wall = wall,
		.out = world->serial ? out
		       : wall == out ? out - world->read
				     : 0,
		.work = pack,
		.bytes = CHUNK,
		.stored = stored,
		.chunks = 1,
	};
	return wall;
}

/* COUNT chunks go. Returns how often the level changed. */
static unsigned int go(struct world *world, unsigned int count)
{
	struct pace_time time, at_one;
	unsigned int changes = 0;

	for (unsigned int i = 0; i < count; i++) {
		int before = world->pace.level;

		world->took += chunk_wall(world, before, &time);
		world->best += chunk_wall(world, 1, &at_one);
		pace_add(&world->pace, &time);
		assert_in_range(world->pace.level, 1, world->pace.most);
		assert_true(world->pace.highest >= world->pace.level);
		assert_true(world->pace.level - before <= 1 && before - world->pace.level <= 1);
		changes += world->pace.level != before;
	}
	return changes;
}

static struct world begin(unsigned int threads, int most, uint64_t rate)
{
	struct world world = {.threads = threads, .rate = rate};

	pace_start(&world.pace, most, threads, true);
	assert_int_equal(world.pace.level, 1);
	return world;
}

/* 10 MB/s: the packers have nothing else to do. */
static void test_slow_output(void **state)
{
	struct world world = begin(2, 9, 10000);

	(void)state;
	go(&world, 11);
	assert_int_equal(world.pace.level, 1);
	go(&world, 1000);
	assert_int_equal(world.pace.level, 9);
	assert_int_equal(world.pace.highest, 9);
	assert_int_equal(go(&world, 1000), 0);
	assert_true(world.took < world.best * 3 / 4);
}

static void test_most(void **state)
{
	(void)state;
	for (int most = 1; most <= 9; most++) {
		struct world world = begin(2, most, 10000);

		go(&world, 2000);
		assert_int_equal(world.pace.level, most);
	}
}

/* An output that takes all at once, as a file on a quick disk does. */
static void test_busy_packers(void **state)
{
	(void)state;
	for (unsigned int threads = 1; threads <= 8; threads *= 2) {
		struct world world = begin(threads, 9, 100000000);

		assert_int_equal(go(&world, 10000), 0);
		assert_int_equal(world.pace.level, 1);
	}
}

/* Whatever the output takes: it settles, and costs nothing on the whole. */
static void test_settles(void **state)
{
	(void)state;
	for (uint64_t rate = 10000; rate < 2000000; rate += rate / 7) {
		for (unsigned int threads = 1; threads <= 8; threads *= 2) {
			struct world world = begin(threads, 9, rate);

			go(&world, 5000);
			assert_true(go(&world, 5000) <= 8);
			assert_true(world.took <= world.best * 101 / 100);
		}
	}
}

/* It falls again when the output gets quicker than the packers, and not at the first sign. */
static void test_falls(void **state)
{
	struct world world = begin(2, 9, 10000);
	int before;

	(void)state;
	go(&world, 2000);
	before = world.pace.level;
	world.rate = 10000000;
	go(&world, 10);
	assert_int_equal(world.pace.level, before);
	go(&world, 2000);
	assert_int_equal(world.pace.level, 1);
	assert_int_equal(world.pace.highest, 9);
	/* And up when it is slow again. */
	world.rate = 10000;
	go(&world, 5000);
	assert_int_equal(world.pace.level, 9);
}

/* A disk that is slow is no reason for anything. */
static void test_slow_disk(void **state)
{
	struct world world = begin(2, 9, 10000000);

	(void)state;
	world.read = 100 * MILLISECOND;
	assert_int_equal(go(&world, 5000), 0);
}

static void test_noise(void **state)
{
	struct world world = begin(2, 9, 10000);

	(void)state;
	world.noise = true;
	assert_int_equal(go(&world, 5000), 0);
	world.noise = false;
	go(&world, 2000);
	assert_int_equal(world.pace.level, 9);
}

/* The receiver runs on the same processors: what packs harder takes them from it. */
static void test_shared_processors(void **state)
{
	struct world world = begin(8, 9, 100000);
	unsigned int changes;

	(void)state;
	world.slows = 20;
	go(&world, 3000);
	assert_true(world.pace.level <= 2);
	changes = go(&world, 30000);
	/* It tries again more and more seldom. */
	assert_true(changes < 30);
	assert_true(world.took <= world.best * 102 / 100);
}

/* An output that gets slow for reasons of its own: that is no mistake of ours. */
static void test_output_slows(void **state)
{
	struct world world = begin(4, 9, 100000);

	(void)state;
	go(&world, 3000);
	assert_true(world.pace.level > 1);
	world.rate = 20000;
	go(&world, 3000);
	assert_int_equal(world.pace.level, 9);
}

/* One thread that packs, then writes: only where that is nothing beside the writing. */
static void test_serial(void **state)
{
	struct world world = {.threads = 1, .rate = 50000, .serial = true};

	(void)state;
	pace_start(&world.pace, 9, 1, false);
	assert_int_equal(go(&world, 3000), 0);
	world.rate = 2000;
	go(&world, 3000);
	assert_in_range(world.pace.level, 2, 6);
	assert_true(world.took <= world.best);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_output),  cmocka_unit_test(test_most),
		cmocka_unit_test(test_busy_packers), cmocka_unit_test(test_settles),
		cmocka_unit_test(test_falls),	     cmocka_unit_test(test_slow_disk),
		cmocka_unit_test(test_noise),	     cmocka_unit_test(test_shared_processors),
		cmocka_unit_test(test_output_slows), cmocka_unit_test(test_serial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

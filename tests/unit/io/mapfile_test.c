// SPDX-License-Identifier: GPL-2.0-or-later
/* A rescue's map in its file, and what becomes of it when it cannot be written. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/mapfile.h"

#define SIZE   (1u << 20)
#define SECTOR 512u

static const struct rescue_state finished = {.position = 0, .status = '+', .pass = 1};
static char folder[] = "/tmp/mapfile-XXXXXX";

static int folder_make(void **state)
{
	(void)state;
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int folder_remove(void **state)
{
	(void)state;
	return rmdir(folder);
}

/* Every second sector of COUNT pairs is bad. */
static struct rescue_map *map_make(unsigned int count)
{
	struct rescue_map *map;

	assert_int_equal(rescue_map_new(SIZE, &map), 0);
	assert_int_equal(rescue_map_set(map, 0, SIZE, RESCUE_FINISHED), 0);
	for (unsigned int i = 0; i < count; i++)
		assert_int_equal(rescue_map_set(map, 2 * i * SECTOR, SECTOR, RESCUE_BAD), 0);
	return map;
}

static uint64_t bad_in(const char *path)
{
	struct rescue_map *map = NULL;
	char why[256];
	uint64_t bad;

	assert_int_equal(mapfile_read(path, SIZE, SECTOR, &map, why, sizeof(why)), 0);
	bad = rescue_map_bytes(map, 0, SIZE, "-");
	rescue_map_free(map);
	return bad;
}

static void it_comes_back(void **state)
{
	struct rescue_map *map = map_make(3);

	(void)state;
	assert_int_equal(mapfile_write("map", map, &finished), 0);
	assert_int_equal(bad_in("map"), 3 * SECTOR);
	assert_int_equal(access("map.new", F_OK), -1);
	unlink("map");
	rescue_map_free(map);
}

static void where_there_is_no_room_the_old_one_stays(void **state)
{
	struct rlimit before, little = {.rlim_cur = 4096};
	struct rescue_map *one = map_make(1), *many = map_make(500);

	(void)state;
	assert_int_equal(mapfile_write("map", one, &finished), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	little.rlim_max = before.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	int r = mapfile_write("map", many, &finished);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(r, -EFBIG);
	assert_int_equal(access("map.new", F_OK), -1);
	assert_int_equal(bad_in("map"), SECTOR);
	unlink("map");
	rescue_map_free(one);
	rescue_map_free(many);
}

static void what_it_cannot_replace_it_says(void **state)
{
	struct rescue_map *map = map_make(1);

	(void)state;
	assert_int_equal(mkdir("map", 0700), 0);
	assert_int_equal(mapfile_write("map", map, &finished), -EISDIR);
	assert_int_equal(access("map.new", F_OK), -1);
	assert_int_equal(rmdir("map"), 0);
	assert_int_equal(symlink("elsewhere", "map.new"), 0);
	assert_int_equal(mapfile_write("map", map, &finished), -ELOOP);
	assert_int_equal(access("elsewhere", F_OK), -1);
	assert_int_equal(unlink("map.new"), 0);
	rescue_map_free(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_comes_back),
		cmocka_unit_test(where_there_is_no_room_the_old_one_stays),
		cmocka_unit_test(what_it_cannot_replace_it_says),
	};

	return cmocka_run_group_tests_name("mapfile", tests, folder_make, folder_remove);
}

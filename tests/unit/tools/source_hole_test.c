// SPDX-License-Identifier: GPL-2.0-or-later
/* Long holes, and ranges that nothing uses, go chunk by chunk however they are read. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <unistd.h>

#include "../io/view_test.h"

#include "codec/chunk.h"
#include "source/source_kinds.h"

#define CHUNKS 3000u /* 12 GiB, and no more than three of them are there */
#define SIZE   ((uint64_t)CHUNKS * CHUNK_SIZE - 4096)
#define UNUSED 500u /* what nothing uses, in the midst of a hole, ... */
#define USED   800u /* ... until here, half a chunk more */

static const uint64_t there[] = {3, 4, 2500};

static bool is_there(uint64_t index)
{
	return index == there[0] || index == there[1] || index == there[2];
}

static uint32_t flags_of(uint64_t index, bool used)
{
	return used && index >= UNUSED && index <= USED ? IMAGE_ENTRY_UNALLOCATED : 0;
}

static struct used *used_make(void)
{
	struct used *used = calloc(1, sizeof(*used));

	assert_non_null(used);
	used->spare = spare_new(SIZE);
	assert_non_null(used->spare);
	assert_int_equal(spare_add(used->spare, (uint64_t)UNUSED * CHUNK_SIZE,
				   (uint64_t)(USED - UNUSED) * CHUNK_SIZE + CHUNK_SIZE / 2),
			 0);
	assert_int_equal(spare_finish(used->spare), 0);
	return used;
}

static void expect(struct source *source, uint64_t from, uint64_t to, bool used)
{
	struct source_chunk chunk;
	struct digest digest;

	for (uint64_t i = from; i < to; i++) {
		assert_int_equal(source_next(source, &chunk), 1);
		assert_int_equal(chunk.index, i);
		assert_int_equal(chunk.zero, !is_there(i));
		assert_int_equal(chunk.entry.flags & ~IMAGE_ENTRY_ZERO, flags_of(i, used));
		/* Looking is slow. */
		if (i % 500 && i < CHUNKS - 1)
			continue;
		assert_int_equal(source_digest(source, i, &digest), 0);
		assert_true(digest_equal(&chunk.entry.digest, &digest));
	}
}

static void check(unsigned int threads, bool used)
{
	static const char byte = 'x';
	static const uint64_t seeks[] = {0, 3, 5, 6, UNUSED + 1, USED, 2499, 2600, CHUNKS - 1};
	int fd = memfd_create("disk", MFD_CLOEXEC);
	struct source *source;
	struct source_chunk chunk;
	char path[32], why[512];

	assert_int_equal(ftruncate(fd, SIZE), 0);
	for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++)
		assert_int_equal(pwrite(fd, &byte, 1, there[i] * CHUNK_SIZE + 77), 1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(source_open(path, PACK_LEVEL_DEFAULT, 0, &source, why, sizeof(why)), 0);
	source_threads(source, threads);
	if (used)
		source->used = used_make();
	expect(source, 0, CHUNKS, used);
	assert_int_equal(source_next(source, &chunk), 0);
	/* Out of the midst of a hole, into the midst of one. */
	for (size_t i = 0; i < sizeof(seeks) / sizeof(seeks[0]); i++) {
		assert_int_equal(source_seek(source, seeks[i]), 0);
		expect(source, seeks[i], MIN(seeks[i] + 20, CHUNKS), used);
	}
	assert_int_equal(source_next(source, &chunk), 0);
	source_close(source);
	close(fd);
}

static void test_holes(void **state)
{
	(void)state;
	check(1, false);
	check(2, false);
}

static void test_unused(void **state)
{
	(void)state;
	check(1, true);
	check(2, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_unused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

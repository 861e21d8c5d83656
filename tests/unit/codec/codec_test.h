/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the unit tests of codec share. They run from the top of the checkout. */
#ifndef CODEC_TEST_H
#define CODEC_TEST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Bytes in memory of just their length, so that a sanitizer or valgrind sees a read behind them. */
static inline uint8_t *test_copy(const void *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	if (len)
		memcpy(copy, data, len);
	return copy;
}

/* The golden file NAME, whole; free() it. */
static inline uint8_t *test_golden(const char *name, size_t *ret_len)
{
	static uint8_t buf[1 << 16];
	char path[256];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "tests/golden/%s", name);
	file = fopen(path, "rb");
	if (!file)
		fail_msg("%s: %s; run from the top of the checkout", path, strerror(errno));
	len = fread(buf, 1, sizeof(buf), file);
	fclose(file);
	assert_in_range(len, 1, sizeof(buf) - 1);
	*ret_len = len;
	return test_copy(buf, len);
}

/* Bytes that do not compress, the same for the same SEED. */
static inline void test_noise(uint8_t *buf, size_t len, uint64_t seed)
{
	uint64_t state = seed * 2 + 1;

	for (size_t i = 0; i < len; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		buf[i] = (uint8_t)(state >> 56);
	}
}

/* Whether LEN bytes at DATA still hold what test_unset put there. */
static inline void test_unset(void *data, size_t len)
{
	memset(data, 0x5a, len);
}

static inline void test_assert_unset(const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		assert_int_equal(p[i], 0x5a);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disk in memory that a file system's own program made, to change a thing in it. */
#ifndef USED_TEST_H
#define USED_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "used/used_kinds.h"

#define SIZE (64u << 20)

/* A private mapping of what was made: dropping it takes a change back. */
static uint8_t *disk;
static int disk_fd = -1;
static const char *doubt;
static int (*reader)(const struct probe_area *area, struct spare *spare, const char **ret_doubt);

static int disk_get(void *from, uint64_t offset, void *buf, size_t len)
{
	(void)from;
	assert_true(offset <= SIZE && len <= SIZE - offset);
	memcpy(buf, disk + offset, len);
	return 0;
}

static int find(struct spare **ret)
{
	const struct probe_area area = {.read = disk_get, .size = SIZE};

	doubt = "";
	*ret = spare_new(SIZE);
	assert_non_null(*ret);
	int r = reader(&area, *ret, &doubt);

	assert_true(r == 0 || (r == -EUCLEAN && *doubt));
	return r;
}

static void assert_doubt(const char *why)
{
	struct spare *spare;

	assert_int_equal(find(&spare), -EUCLEAN);
	assert_string_equal(doubt, why);
	spare_free(spare);
	assert_int_equal(madvise(disk, SIZE, MADV_DONTNEED), 0);
}

/* What was changed stays. */
static inline void keep(void)
{
	assert_int_equal(pwrite(disk_fd, disk, SIZE, 0), SIZE);
}

/* COMMAND makes it of "$f". */
static void make(const char *command)
{
	char path[] = "/tmp/used.XXXXXX", line[512];

	if (disk)
		assert_int_equal(munmap(disk, SIZE) + close(disk_fd), 0);
	disk_fd = mkstemp(path);
	assert_true(disk_fd >= 0);
	assert_int_equal(ftruncate(disk_fd, SIZE), 0);
	snprintf(line, sizeof(line), "PATH=$PATH:/sbin:/usr/sbin; f=%s; { %s; } >/dev/null 2>&1",
		 path, command);
	if (system(line) != 0)
		fail_msg("%s", line);
	disk = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, disk_fd, 0);
	assert_true(disk != MAP_FAILED);
	unlink(path);
}

static bool same(const struct spare *a, const struct spare *b)
{
	struct spare_range x = {0}, y = {0};

	while (spare_next(a, x.end, &x)) {
		if (!spare_next(b, y.end, &y) || x.start != y.start || x.end != y.end)
			return false;
	}
	return !spare_next(b, y.end, &y);
}

#endif

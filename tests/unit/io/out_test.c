// SPDX-License-Identifier: GPL-2.0-or-later
/* Files and folders that cannot be written, synced or renamed: what is said, and what stays. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/out.h"

static char folder[32], a[64], b[64];

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/out-test-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(a, sizeof(a), "%s/a", folder);
	snprintf(b, sizeof(b), "%s/b", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(a);
	unlink(b);
	return rmdir(folder);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(out_write(fd, text, strlen(text)), 0);
	assert_int_equal(out_sync(fd), 1);
	close(fd);
}

static void has(const char *path, const char *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buf[16] = "";

	assert_true(fd >= 0);
	assert_int_equal(out_read_at(fd, buf, sizeof(buf), 0), (ssize_t)strlen(text));
	assert_string_equal(buf, text);
	close(fd);
}

static void folders_are_synced(void **state)
{
	(void)state;
	assert_int_equal(out_sync_folder(folder), 0);
	assert_int_equal(out_sync_folder(a), -ENOENT);
	put(a, "file");
	assert_int_equal(out_sync_folder(a), -ENOTDIR);
}

static void a_pipe_has_no_medium(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(out_sync(fds[1]), 0);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(out_sync(fds[1]), -EBADF);
}

static void nothing_is_renamed_over(void **state)
{
	(void)state;
	put(a, "new");
	put(b, "old");
	assert_int_equal(out_rename(a, b, false), -EEXIST);
	has(a, "new");
	has(b, "old");
	assert_int_equal(out_rename(a, b, true), 0);
	has(b, "new");
	assert_int_equal(out_rename(a, b, true), -ENOENT);
	assert_int_equal(out_rename(b, a, false), 0);
	has(a, "new");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folders_are_synced),
		cmocka_unit_test(a_pipe_has_no_medium),
		cmocka_unit_test(nothing_is_renamed_over),
	};

	return cmocka_run_group_tests_name("out", tests, setup, teardown);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A folder in the place of /sys, for tests of what no machine that runs them has. Whatever the code
 * opens there is opened in the folder.
 */
#ifndef FAKE_SYS_H
#define FAKE_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

static char fake_root[64];

/* Unless it is NULL: may have another file be opened instead, or fail with an errno that it
 * returns. */
static int (*fake_open)(const char *path, int flags, char *ret, size_t len);

static inline void fake_path(const char *path, char *ret, size_t len)
{
	snprintf(ret, len, "%s%s", strncmp(path, "/sys/", 5) == 0 ? fake_root : "", path);
}

static int fake_open_at(int dir, const char *path, int flags, va_list args)
{
	mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	char there[256];

	fake_path(path, there, sizeof(there));
	errno = fake_open ? fake_open(path, flags, there, sizeof(there)) : 0;
	return errno ? -1 : (int)syscall(SYS_openat, dir, there, flags, mode);
}

/* In the place of the C library's. */
int openat(int dir, const char *path, int flags, ...)
{
	va_list args;

	va_start(args, flags);
	int fd = fake_open_at(dir, path, flags, args);
	va_end(args);
	return fd;
}

int open(const char *path, int flags, ...)
{
	va_list args;

	va_start(args, flags);
	int fd = fake_open_at(AT_FDCWD, path, flags, args);
	va_end(args);
	return fd;
}

int access(const char *path, int mode)
{
	char there[256];

	fake_path(path, there, sizeof(there));
	return faccessat(AT_FDCWD, there, mode, 0);
}

/* Makes PATH a folder, and those that it is in. */
static inline void fake_folder(const char *path)
{
	char there[256];

	fake_path(path, there, sizeof(there));
	for (char *slash = strchr(there + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		syscall(SYS_mkdirat, AT_FDCWD, there, 0755);
		*slash = '/';
	}
	syscall(SYS_mkdirat, AT_FDCWD, there, 0755);
}

static inline void fake_put_at(int dir, const char *path, const char *text)
{
	int fd = syscall(SYS_openat, dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* FILE in FOLDER, which is there. */
static inline void fake_put(const char *folder, const char *file, const char *text)
{
	char there[256], path[320];

	fake_path(folder, there, sizeof(there));
	snprintf(path, sizeof(path), "%s/%s", there, file);
	fake_put_at(AT_FDCWD, path, text);
}

static inline void fake_link(const char *path, const char *target)
{
	char there[256];

	fake_path(path, there, sizeof(there));
	assert_int_equal(symlink(target, there), 0);
}

static inline void fake_new(void)
{
	strcpy(fake_root, "/tmp/fake-sys-XXXXXX");
	assert_non_null(mkdtemp(fake_root));
}

static inline void fake_end(void)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf %s", fake_root);
	assert_int_equal(system(command), 0);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of disks share: a scratch folder, and real block devices (loop), which need root.
 * Everything goes away with the test, killed or not: loop devices clear themselves, mounts
 * are in a name space of their own; only the folder of a killed test stays.
 */
#ifndef DISK_TEST_H
#define DISK_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/loop.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB (1u << 20)

static char test_folder[64];

static inline int test_setup(void **state)
{
	(void)state;
	strcpy(test_folder, "/tmp/disk_test.XXXXXX");
	if (!mkdtemp(test_folder))
		return -1;
	if (unshare(CLONE_NEWNS) == 0)
		mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL);
	return 0;
}

static inline int test_teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", test_folder);
	return system(command);
}

/* The path of NAME in the scratch folder; good for the next eight calls. */
static inline const char *test_path(const char *name)
{
	static char paths[8][160];
	static int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", test_folder, name);
	return path;
}

/* A file of SIZE bytes: FILL, or a hole where FILL is -1. */
static inline const char *test_file(const char *name, uint64_t size, int fill)
{
	const char *path = test_path(name);
	char *block = malloc(MIB);
	uint64_t n;
	int fd;

	assert_non_null(block);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	if (fill < 0) {
		assert_int_equal(ftruncate(fd, (off_t)size), 0);
		size = 0;
	}
	memset(block, fill, MIB);
	for (; size > 0; size -= n) {
		n = size < MIB ? size : MIB;
		assert_int_equal(write(fd, block, n), n);
	}
	close(fd);
	free(block);
	return path;
}

struct test_loop {
	int fd;
	char path[32];
};

#define test_skip(...) (print_message("# skipped: " __VA_ARGS__), print_message("\n"), skip())

/* A block device over FILE with sectors of SECTOR bytes; skips where there can be none. */
static inline void test_loop_open(const char *file, unsigned int sector, unsigned int flags,
				  struct test_loop *ret)
{
	struct loop_config config = {.block_size = sector};
	int control, number, tries;

	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		test_skip("no loop devices here: %s", strerror(errno));
	config.fd = open(file, (flags & LO_FLAGS_READ_ONLY ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	assert_true((int)config.fd >= 0);
	config.info.lo_flags = flags | LO_FLAGS_AUTOCLEAR | LO_FLAGS_PARTSCAN;
	/* Another test may take the free one that we were told of. */
	for (tries = 0; tries < 100; tries++) {
		number = ioctl(control, LOOP_CTL_GET_FREE);
		if (number < 0)
			break;
		snprintf(ret->path, sizeof(ret->path), "/dev/loop%d", number);
		ret->fd = open(ret->path, O_RDWR | O_CLOEXEC);
		if (ret->fd < 0)
			break;
		if (ioctl(ret->fd, LOOP_CONFIGURE, &config) == 0)
			break;
		close(ret->fd);
		ret->fd = -1;
		if (errno != EBUSY)
			break;
	}
	close(control);
	close(config.fd);
	if (number < 0 || ret->fd < 0)
		test_skip("no loop device can be had: %s", strerror(errno));
}

/* Makes partition NUMBER known to the kernel, which need not know the table itself. */
static inline void test_loop_partition(const struct test_loop *loop, int number, uint64_t start,
				       uint64_t size, char ret[48])
{
	struct blkpg_partition part = {.start = start, .length = size, .pno = number};
	struct blkpg_ioctl_arg arg = {
		.op = BLKPG_ADD_PARTITION, .datalen = sizeof(part), .data = &part};

	assert_int_equal(ioctl(loop->fd, BLKPG, &arg), 0);
	snprintf(ret, 48, "%sp%d", loop->path, number);
}

static inline void test_loop_forget(const struct test_loop *loop, int number)
{
	struct blkpg_partition part = {.pno = number};
	struct blkpg_ioctl_arg arg = {
		.op = BLKPG_DEL_PARTITION, .datalen = sizeof(part), .data = &part};

	assert_int_equal(ioctl(loop->fd, BLKPG, &arg), 0);
}

static inline void test_loop_close(const struct test_loop *loop)
{
	close(loop->fd);
}

/* Runs a command, printf-like; its output shows where it fails. Skips where PROGRAM is missing. */
static inline void __attribute__((format(printf, 1, 2))) test_run(const char *format, ...)
{
	char command[1024], both[1152];
	va_list args;
	int rc;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	snprintf(both, sizeof(both), "PATH=$PATH:/usr/sbin:/sbin; (%s) >%s/log 2>&1", command,
		 test_folder);
	rc = system(both);
	if (WIFEXITED(rc) && WEXITSTATUS(rc) == 127)
		test_skip("%s is not installed", command);
	if (rc != 0) {
		snprintf(both, sizeof(both), "cat %s/log >&2", test_folder);
		rc = system(both);
		fail_msg("%s failed (%d)", command, rc);
	}
}

/* Whether LEN bytes at OFFSET of PATH are all VALUE. */
static inline bool test_holds(const char *path, uint64_t offset, uint64_t len, int value)
{
	unsigned char *data = malloc(len + 1);
	bool good;
	int fd;

	assert_non_null(data);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	good = pread(fd, data, len, (off_t)offset) == (ssize_t)len;
	for (uint64_t i = 0; good && i < len; i++)
		good = data[i] == value;
	close(fd);
	free(data);
	return good;
}

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whole transfers in which every second system call that may be interrupted is, and reads and
 * writes move less than they were asked to.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "programs.h"

#define SIZE  9000001
#define SHORT 69632 /* bytes, at most, that a call moves; whole sectors, as O_DIRECT wants them */

enum call { READ, WRITE, PREAD, PWRITE, FDATASYNC, FSYNC, PPOLL, ACCEPT, CALLS };

/* Shared with the children. */
static struct {
	_Atomic unsigned int calls[CALLS];
	_Atomic bool storm;
} * shared;

static bool interrupted(enum call call)
{
	if (!shared || !shared->storm || shared->calls[call]++ % 2)
		return false;
	errno = EINTR;
	return true;
}

static size_t less(size_t len)
{
	return shared && shared->storm && len > SHORT ? SHORT : len;
}

ssize_t read(int fd, void *buf, size_t len)
{
	return interrupted(READ) ? -1 : syscall(SYS_read, fd, buf, less(len));
}

ssize_t write(int fd, const void *buf, size_t len)
{
	return interrupted(WRITE) ? -1 : syscall(SYS_write, fd, buf, less(len));
}

ssize_t pread(int fd, void *buf, size_t len, off_t offset)
{
	return interrupted(PREAD) ? -1 : syscall(SYS_pread64, fd, buf, less(len), offset);
}

ssize_t pwrite(int fd, const void *buf, size_t len, off_t offset)
{
	return interrupted(PWRITE) ? -1 : syscall(SYS_pwrite64, fd, buf, less(len), offset);
}

int fdatasync(int fd)
{
	return interrupted(FDATASYNC) ? -1 : syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	return interrupted(FSYNC) ? -1 : syscall(SYS_fsync, fd);
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	struct timespec left = timeout ? *timeout : (struct timespec){0};

	return interrupted(PPOLL) ? -1
				  : syscall(SYS_ppoll, fds, count, timeout ? &left : NULL, mask,
					    sizeof(uint64_t));
}

int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	return interrupted(ACCEPT) ? -1 : syscall(SYS_accept4, fd, address, len, flags);
}

static char folder[] = "/tmp/interrupted-test-XXXXXX";

static int setup(void **state)
{
	(void)state;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED || !mkdtemp(folder) || chdir(folder))
		return -1;
	FILE *file = fopen("disk", "w");
	uint32_t random = 1;

	for (int i = 0; file && i < SIZE; i++) {
		random = random * 1664525 + 1013904223;
		fputc(i < SIZE / 2 ? random >> 24 : 0, file);
	}
	return !file || fclose(file);
}

static int teardown(void **state)
{
	static const char *const files[] = {"disk", "image", "target", "image.part", "sock"};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(files[i]);
	return chdir("/") || rmdir(folder);
}

/* MAIN in a process of its own. */
static pid_t start(int (*main)(int, char **), char **argv)
{
	pid_t pid = fork();
	int argc = 0;

	if (pid)
		return pid;
	while (argv[argc])
		argc++;
	_exit(main(argc, argv));
}

static int code(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void transfer(char **recv, char **send)
{
	memset(shared, 0, sizeof(*shared));
	shared->storm = true;
	pid_t receiver = start(tbrecv_main, recv), sender = start(tbsend_main, send);
	int sent = code(sender), received = code(receiver);

	shared->storm = false;
	assert_int_equal(sent, 0);
	assert_int_equal(received, 0);
}

static void test_image(void **state)
{
	char *recv[] = {"tbrecv", "-q", "-t50", "-sunix:sock", "-o", "image", NULL};
	char *send[] = {"tbsend", "-q", "-t50", "-sunix:sock", "disk", NULL};
	char *verify[] = {"tbstream", "verify", "-q", "image", NULL};

	(void)state;
	transfer(recv, send);
	for (int i = 0; i < CALLS; i++)
		if (i != PWRITE)
			assert_true(shared->calls[i] > 0);
	assert_int_equal(code(start(tbstream_main, verify)), 0);
}

/* From SEND's source to the file "target", which then has to be the disk. */
static void restore(char **send)
{
	char *recv[] = {"tbrecv",  "-q",       "-t50",	 "-sunix:sock",
			"--force", "--verify", "target", NULL};
	static char a[SIZE], b[SIZE];

	unlink("target");
	int fd = open("target", O_RDWR | O_CREAT, 0600);
	assert_int_equal(ftruncate(fd, SIZE), 0);
	transfer(recv, send);
	assert_true(shared->calls[PWRITE] > 0);
	int disk = open("disk", O_RDONLY);
	assert_int_equal(pread(fd, a, SIZE, 0), SIZE);
	assert_int_equal(pread(disk, b, SIZE, 0), SIZE);
	close(fd);
	close(disk);
	assert_memory_equal(a, b, SIZE);
}

static void test_restore(void **state)
{
	char *send[] = {"tbsend", "-q", "-t50", "-sunix:sock", "image", NULL};

	(void)state;
	restore(send);
}

static void test_rescue(void **state)
{
	char *send[] = {"tbsend", "-q", "-t50", "-sunix:sock", "--rescue", "disk", NULL};

	(void)state;
	restore(send);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_image),
		cmocka_unit_test(test_restore),
		cmocka_unit_test(test_rescue),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

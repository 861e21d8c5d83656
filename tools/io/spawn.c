// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/stop.h"

#define SPAWN_SYSTEM "/usr/sbin:/sbin:/usr/bin:/bin"

static bool spawn_is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* NAME in one of the FOLDERS, which stand between colons; only whole paths are looked at. */
static int spawn_find_in(const char *folders, const char *name, char *ret, size_t len)
{
	while (*folders) {
		size_t folder = strcspn(folders, ":");
		int n = snprintf(ret, len, "%.*s/%s", (int)folder, folders, name);

		if (n < 0 || (size_t)n >= len)
			return -ENAMETOOLONG;
		if (*folders == '/' && spawn_is_program(ret))
			return 0;
		folders += folder;
		folders += *folders == ':';
	}
	return -ENOENT;
}

int spawn_find(const char *name, char *ret, size_t len)
{
	const char *path = getenv("PATH");
	int r = path ? spawn_find_in(path, name, ret, len) : -ENOENT;

	return r == -ENOENT ? spawn_find_in(SPAWN_SYSTEM, name, ret, len) : r;
}

/* In the child, where nothing but the end can be told. */
static _Noreturn void spawn_exec(const struct spawn *spawn)
{
	struct rlimit limit = {spawn->file_most, spawn->file_most};
	int null = open("/dev/null", O_RDWR);
	int output = spawn->output < 0 ? null : spawn->output;
	sigset_t none;

	if (null < 0 || dup2(output, STDERR_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(null, STDIN_FILENO) < 0 || close_range(3, ~0u, 0))
		_exit(126);
	if (spawn->apart && setsid() < 0)
		_exit(126);
	if (spawn->file_most) {
		/* A write beyond it fails then, and nothing else happens. */
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(spawn->argv[0], (char *const *)spawn->argv);
	_exit(127);
}

int spawn_start(const struct spawn *spawn, pid_t *ret)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		spawn_exec(spawn);
	*ret = pid;
	return 0;
}

/* Whether what PIDFD stands for ended by DEADLINE, whatever signal came: 0, -ETIMEDOUT or -errno.
 */
static int spawn_ended(int pidfd, int64_t deadline)
{
	struct pollfd fds = {.fd = pidfd, .events = POLLIN};
	int n;

	do {
		int64_t left = (deadline - stop_now()) / (STOP_SECOND / 1000) + 1;

		n = poll(&fds, 1, left < 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX);
	} while ((n < 0 && errno == EINTR) || (n == 0 && stop_now() < deadline));
	return n > 0 ? 0 : n == 0 ? -ETIMEDOUT : -errno;
}

int spawn_wait(pid_t pid, int64_t deadline, bool stoppable)
{
	int fd = pidfd_open(pid, 0), status, r;

	if (fd < 0)
		return -errno;
	r = stoppable ? stop_poll(fd, POLLIN, deadline) : spawn_ended(fd, deadline);
	close(fd);
	if (r < 0)
		return r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void spawn_kill(pid_t pid)
{
	/* One that was started apart leads a group, of all that it started itself. */
	pid_t whom = getpgid(pid) == pid ? -pid : pid;

	kill(whom, SIGTERM);
	if (spawn_wait(pid, stop_deadline(STOP_SECOND), false) >= 0)
		return;
	kill(whom, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* What lies in the pipe, cut to LEN. A process that it left behind may hold the other end. */
static void spawn_said(int fd, char *text, size_t len)
{
	ssize_t n = read(fd, text, len - 1);

	text[n > 0 ? n : 0] = '\0';
	n = strlen(text);
	while (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
}

int spawn_run(const char *const *argv, int64_t deadline, bool stoppable, char *text, size_t len)
{
	struct spawn spawn = {.argv = argv};
	int fds[2], r;
	pid_t pid = -1;

	text[0] = '\0';
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	spawn.output = fds[1];
	r = spawn_start(&spawn, &pid);
	if (r == 0) {
		r = spawn_wait(pid, deadline, stoppable);
		if (r < 0)
			spawn_kill(pid);
		spawn_said(fds[0], text, len);
	}
	close(fds[0]);
	close(fds[1]);
	return r;
}

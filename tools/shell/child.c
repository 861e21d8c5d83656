// SPDX-License-Identifier: GPL-2.0-or-later
#include "shell/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define CHILD_PATIENCE 2000 /* milliseconds from SIGHUP to SIGKILL, and behind that */

/* Both ends of what joins us to it; -1 where there is none. */
struct child_ends {
	int ours_in, ours_out; /* we write to the one and read from the other */
	int its_in, its_out;
};

static int child_open_terminal(struct child_ends *ends, const struct wire_window *window)
{
	struct winsize size = {.ws_row = window->rows, .ws_col = window->columns};
	int zero = 0, fd;

	fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	ends->ours_in = ends->ours_out = fd;
	if (ioctl(fd, TIOCSPTLCK, &zero) || ioctl(fd, TIOCSWINSZ, &size))
		return -errno;
	/* Not by its path: /dev/pts need not be mounted here. */
	ends->its_in = ends->its_out = ioctl(fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return ends->its_in < 0 ? -errno : 0;
}

static int child_open_pipes(struct child_ends *ends)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC))
		return -errno;
	ends->its_in = in[0];
	ends->ours_in = in[1];
	if (pipe2(out, O_CLOEXEC))
		return -errno;
	ends->its_out = out[1];
	ends->ours_out = out[0];
	if (fcntl(ends->ours_in, F_SETFL, O_NONBLOCK) || fcntl(ends->ours_out, F_SETFL, O_NONBLOCK))
		return -errno;
	return 0;
}

/* In the child, where nothing but the end can be told. */
static _Noreturn void child_exec(const struct child_ends *ends, char *const *argv,
				 const struct wire_shell *shell)
{
	const char *home = getenv("HOME");
	sigset_t none;

	/* Whoever started us may ignore Ctrl-C: a shell does so for what it runs in the background.
	 */
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (shell->terminal && ioctl(ends->its_in, TIOCSCTTY, 0))
		_exit(126);
	if (dup2(ends->its_in, STDIN_FILENO) < 0 || dup2(ends->its_out, STDOUT_FILENO) < 0 ||
	    dup2(ends->its_out, STDERR_FILENO) < 0 || close_range(3, ~0u, 0))
		_exit(126);
	if (shell->term[0])
		setenv("TERM", shell->term, 1);
	if (home && chdir(home))
		(void)!chdir("/");
	execvp(argv[0], argv);
	dprintf(STDERR_FILENO, "%s: it cannot be started: %m\n", argv[0]);
	_exit(127);
}

static void child_close_ends(int *one, int *other)
{
	if (*one >= 0)
		close(*one);
	if (*other >= 0 && *other != *one)
		close(*other);
	*one = *other = -1;
}

int child_open(struct child *child, char *const *argv, const struct wire_shell *shell)
{
	struct child_ends ends = {-1, -1, -1, -1};
	int err;

	*child = (struct child){.ended = -1, .in = -1, .out = -1};
	err = shell->terminal ? child_open_terminal(&ends, &shell->window)
			      : child_open_pipes(&ends);
	if (!err) {
		child->pid = fork();
		if (child->pid == 0)
			child_exec(&ends, argv, shell);
		if (child->pid < 0) {
			err = -errno;
			child->pid = 0;
		}
	}
	child_close_ends(&ends.its_in, &ends.its_out);
	child->in = ends.ours_in;
	child->out = ends.ours_out;
	child->terminal = shell->terminal;
	if (!err) {
		child->ended = pidfd_open(child->pid, 0);
		err = child->ended < 0 ? -errno : 0;
	}
	if (err)
		child_close(child);
	return err;
}

void child_resize(struct child *child, const struct wire_window *window)
{
	struct winsize size = {.ws_row = window->rows, .ws_col = window->columns};

	if (child->terminal && child->in >= 0)
		ioctl(child->in, TIOCSWINSZ, &size);
}

void child_input_end(struct child *child)
{
	if (child->terminal || child->in < 0)
		return;
	close(child->in);
	child->in = -1;
}

int child_code(struct child *child)
{
	int status;

	if (waitpid(child->pid, &status, WNOHANG) != child->pid)
		return -EAGAIN;
	child->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void child_close(struct child *child)
{
	struct pollfd ended = {.fd = child->ended, .events = POLLIN};

	/* What runs in the foreground of a terminal hears of it by this. */
	child_close_ends(&child->in, &child->out);
	if (child->pid) {
		kill(-child->pid, SIGHUP);
		kill(-child->pid, SIGCONT);
		if (child->ended < 0 || poll(&ended, 1, CHILD_PATIENCE) != 1) {
			kill(-child->pid, SIGKILL);
			/* One that hangs in a broken disk is left to itself. */
			poll(&ended, 1, CHILD_PATIENCE);
		}
		waitpid(child->pid, NULL, WNOHANG);
		child->pid = 0;
	}
	if (child->ended >= 0)
		close(child->ended);
	child->ended = -1;
}

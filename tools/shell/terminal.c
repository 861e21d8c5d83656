// SPDX-License-Identifier: GPL-2.0-or-later
#include "shell/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <termios.h>

/* Those that ask us to end come as stop_fd; these end a program without a word. */
static const int terminal_signals[] = {SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
#define TERMINAL_SIGNALS (sizeof(terminal_signals) / sizeof(terminal_signals[0]))

/* A handler for signals finds it only here. */
static struct {
	int fd;
	struct termios before, raw;
	bool changed;
} terminal = {.fd = -1};

void terminal_restore(void)
{
	if (terminal.changed)
		tcsetattr(terminal.fd, TCSANOW, &terminal.before);
	terminal.changed = false;
}

static void terminal_end(int number)
{
	terminal_restore();
	raise(number); /* which has its old meaning again */
}

void terminal_again(void)
{
	if (terminal.changed)
		tcsetattr(terminal.fd, TCSANOW, &terminal.raw);
}

int terminal_raw(int fd)
{
	struct sigaction action = {.sa_handler = terminal_end, .sa_flags = SA_RESETHAND};

	if (tcgetattr(fd, &terminal.before))
		return -errno;
	terminal.fd = fd;
	terminal.raw = terminal.before;
	cfmakeraw(&terminal.raw);
	for (size_t i = 0; i < TERMINAL_SIGNALS; i++)
		sigaction(terminal_signals[i], &action, NULL);
	terminal.changed = true;
	if (tcsetattr(fd, TCSANOW, &terminal.raw)) {
		terminal.changed = false;
		return -errno;
	}
	return 0;
}

void terminal_window(int fd, struct wire_window *ret)
{
	struct winsize size;

	*ret = (struct wire_window){0};
	if (ioctl(fd, TIOCGWINSZ, &size) == 0)
		*ret = (struct wire_window){.rows = size.ws_row, .columns = size.ws_col};
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rig's hand inside a guest: runs commands that arrive on a serial line, any number at once,
 * and reports what they print, how they end and what the kernel announces. It may be process 1.
 *
 * One line each, the last field escaped: a byte that is not printable, or a backslash, is '\' and
 * two hex digits. ID is the rig's, a decimal number.
 *
 *   to the guest    run ID pipe|pty COMMAND   start /bin/sh -c COMMAND in a session of its own
 *                   in ID DATA                for its standard input
 *                   eof ID                    end of its standard input
 *                   kill ID SIGNAL            to its process group
 *   from the guest  ready                     once, at the start
 *                   out ID DATA, err ID DATA  what it printed (a pty has no err)
 *                   exit ID STATUS            its exit code, or 128 + the signal that ended it
 *                   event ACTION@DEVPATH      a kernel uevent
 *                   bad LINE                  a line that was not understood
 */

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <linux/netlink.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "job.h"
#include "line.h"

static int message_handle(char *line)
{
	int data = 0, word = 0, number;
	char verb[8], mode[8];
	unsigned id;

	if (sscanf(line, "%7s %u%n", verb, &id, &data) < 2)
		return -1;
	line += data;
	if (!strcmp(verb, "run") && sscanf(line, " %7s%n", mode, &word) == 1 && line[word]) {
		line += word + 1;
		line_unescape(line);
		return job_start(id, !strcmp(mode, "pty"), line);
	}
	if (!strcmp(verb, "in") && *line)
		return job_input(id, line + 1, line_unescape(line + 1));
	if (!strcmp(verb, "eof"))
		return job_input_end(id);
	if (!strcmp(verb, "kill") && sscanf(line, "%d", &number) == 1)
		return job_kill(id, number);
	return -1;
}

static void event_read(int fd)
{
	char data[8192];
	ssize_t count = recv(fd, data, sizeof(data) - 1, 0);

	if (count <= 0)
		return;
	data[count] = '\0';
	line_send(data, strnlen(data, LINE_DATA_MAX), "event ");
}

static int event_open(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
	int size = 1 << 20;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		line_fail("agent: listening for uevents");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fd;
}

static int signals_open(void)
{
	sigset_t wanted;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGCHLD);
	sigprocmask(SIG_BLOCK, &wanted, NULL);
	return signalfd(-1, &wanted, SFD_CLOEXEC);
}

int main(int argc, char **argv)
{
	struct pollfd fds[3 + JOB_FDS] = {0};
	struct signalfd_siginfo info;

	if (argc != 2) {
		fprintf(stderr, "usage: agent SERIAL-LINE\n");
		return 2;
	}
	fds[0] = (struct pollfd){line_open(argv[1]), POLLIN, 0};
	fds[1] = (struct pollfd){event_open(), POLLIN, 0};
	fds[2] = (struct pollfd){signals_open(), POLLIN, 0};
	line_send(NULL, 0, "ready");
	for (;;) {
		job_poll_add(fds + 3);
		if (poll(fds, 3 + JOB_FDS, -1) < 0)
			continue;
		job_poll_handle(fds + 3);
		if (fds[0].revents)
			line_read(message_handle);
		if (fds[1].revents)
			event_read(fds[1].fd);
		if (fds[2].revents && read(fds[2].fd, &info, sizeof(info)) > 0)
			job_reap();
	}
}

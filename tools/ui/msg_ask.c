// SPDX-License-Identifier: GPL-2.0-or-later
#include "ui/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "codec/text.h"
#include "ui/line.h"

/* A rescue shell may have no controlling terminal and still sit on one. */
static int terminal_open(void)
{
	int fd;

	fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 && isatty(STDIN_FILENO))
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -ENOTTY : fd;
}

/* As it stands, lines and all, but for what could steer the terminal. */
static int question_print(int fd, const char *question)
{
	char *text = strdup(question);
	size_t len, clean;
	int err = 0;

	if (!text)
		return -ENOMEM;
	for (char *line = text; *line;) {
		len = strcspn(line, "\n");
		clean = text_put(question + (line - text), len, line);
		memset(line + clean, '?', len - clean);
		line += len + (line[len] == '\n');
	}
	line_clear();
	if (dprintf(fd, "%s", text) < 0)
		err = -errno;
	free(text);
	return err;
}

/* Waits until FD can be read. */
static int terminal_wait(int fd, int stop_fd)
{
	struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = stop_fd, .events = POLLIN}};

	while (poll(fds, 2, -1) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	if (fds[1].revents)
		return -EINTR;
	return 0;
}

/* Reads up to the newline; what does not fit is read and dropped. */
static int line_read(int fd, int stop_fd, char *ret, size_t size)
{
	size_t len = 0;
	ssize_t n;
	char c;
	int err;

	for (;;) {
		err = terminal_wait(fd, stop_fd);
		if (err)
			return err;
		n = read(fd, &c, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		if (c == '\n')
			break;
		if (len < size - 1)
			ret[len++] = c;
	}
	ret[len] = '\0';
	return len;
}

int msg_ask(const char *question, int stop_fd, char *ret, unsigned long len)
{
	int fd, rc;

	fd = terminal_open();
	if (fd < 0)
		return fd;
	/* A yes must be the answer to what was just asked. */
	tcflush(fd, TCIFLUSH);
	rc = question_print(fd, question);
	if (rc == 0)
		rc = line_read(fd, stop_fd, ret, len);
	close(fd);
	return rc;
}

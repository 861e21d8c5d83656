// SPDX-License-Identifier: GPL-2.0-or-later
#include "ui/line.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_DEFAULT 80u
#define WIDTH_MOST    1000u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t drawn; /* columns that the status line covers; under lock */
static int copy = -1;

static size_t columns(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80; /* UTF-8 continues a character there */
	return n;
}

/* Nobody is left to be told when stderr itself fails. */
static void write_all(const char *text, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(STDERR_FILENO, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= n;
	}
}

/* Blanks instead of an escape sequence: a serial console may know none. */
static void put(const char *text, const char *end)
{
	size_t now = columns(text);
	size_t pad = drawn > now ? drawn - now : 0;
	char *all;
	int n;

	n = asprintf(&all, "%s%s%*s%s", drawn ? "\r" : "", text, (int)pad, "", end);
	/* Without memory nothing is put over what is drawn. */
	if (n < 0) {
		write_all(text, strlen(text));
		write_all(end, strlen(end));
		return;
	}
	write_all(all, n);
	free(all);
}

void line_log(const char *path)
{
	if (path && copy < 0)
		copy = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

void line_print(const char *text)
{
	pthread_mutex_lock(&lock);
	put(text, "\n");
	if (copy >= 0)
		dprintf(copy, "%s\n", text);
	drawn = 0;
	pthread_mutex_unlock(&lock);
}

void line_draw(const char *text)
{
	pthread_mutex_lock(&lock);
	put(text, "");
	drawn = columns(text);
	pthread_mutex_unlock(&lock);
}

void line_clear(void)
{
	pthread_mutex_lock(&lock);
	if (drawn > 0)
		put("", "\r");
	drawn = 0;
	pthread_mutex_unlock(&lock);
}

size_t line_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 2)
		return WIDTH_DEFAULT - 1;
	return size.ws_col > WIDTH_MOST ? WIDTH_MOST : size.ws_col - 1u;
}

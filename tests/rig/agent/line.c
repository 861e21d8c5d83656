// SPDX-License-Identifier: GPL-2.0-or-later
#include "line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* A message's words, their NUL included. */
#define WORDS_MAX 64

static int line_fd = -1;

_Noreturn void line_fail(const char *what)
{
	perror(what);
	exit(1);
}

int line_open(const char *path)
{
	struct termios raw;

	line_fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (line_fd < 0 || tcgetattr(line_fd, &raw))
		line_fail(path);
	cfmakeraw(&raw);
	cfsetspeed(&raw, B115200);
	if (tcsetattr(line_fd, TCSANOW, &raw))
		line_fail(path);
	return line_fd;
}

static void line_write(const char *data, size_t size)
{
	while (size) {
		ssize_t count = write(line_fd, data, size);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			line_fail("agent: writing to the serial line");
		data += count;
		size -= (size_t)count;
	}
}

void line_send(const void *data, size_t size, const char *format, ...)
{
	static const char hex[] = "0123456789abcdef";
	static char text[WORDS_MAX + 3 * LINE_DATA_MAX + 1];
	const unsigned char *byte = data;
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	length = (size_t)vsnprintf(text, WORDS_MAX, format, arguments);
	va_end(arguments);
	for (; size; size--, byte++) {
		if (*byte >= ' ' && *byte <= '~' && *byte != '\\') {
			text[length++] = (char)*byte;
		} else {
			text[length++] = '\\';
			text[length++] = hex[*byte >> 4];
			text[length++] = hex[*byte & 15];
		}
	}
	text[length++] = '\n';
	line_write(text, length);
}

size_t line_unescape(char *text)
{
	char *from = text, *to = text;

	while (*from) {
		unsigned byte;

		if (*from == '\\' && sscanf(from + 1, "%2x", &byte) == 1) {
			*to++ = (char)byte;
			from += 3;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
	return (size_t)(to - text);
}

void line_read(int (*handle)(char *line))
{
	static char *buffer;
	static size_t size, room;
	ssize_t count;
	char *end;

	if (room - size < LINE_DATA_MAX) {
		room += 16 * LINE_DATA_MAX;
		buffer = realloc(buffer, room);
		if (!buffer)
			line_fail("agent: memory");
	}
	count = read(line_fd, buffer + size, LINE_DATA_MAX);
	if (count <= 0) {
		if (count < 0 && errno == EINTR)
			return;
		line_fail("agent: reading from the serial line");
	}
	size += (size_t)count;
	while ((end = memchr(buffer, '\n', size))) {
		size_t length = (size_t)(end - buffer) + 1;

		*end = '\0';
		if (handle(buffer) < 0)
			line_send(buffer, strnlen(buffer, LINE_DATA_MAX), "bad ");
		size -= length;
		memmove(buffer, buffer + length, size);
	}
}

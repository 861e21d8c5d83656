/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RIG_AGENT_LINE_H
#define RIG_AGENT_LINE_H

#include <stddef.h>

/* The most data that one message takes, in bytes before escaping. */
#define LINE_DATA_MAX 1024

/* Opens the serial line in raw mode for all that follows and returns its fd, for poll(). Failures
 * of the line end the program, here and below: without it there is nobody to tell. */
int line_open(const char *path);

/* Sends a message: the formatted words (at most 64 bytes), then size bytes of data, escaped. */
__attribute__((format(printf, 3, 4))) void line_send(const void *data, size_t size,
						     const char *format, ...);

/* Reads what has come and calls handle() for every complete line, which it may change; a line
 * that handle() answers with a negative value is reported back. */
void line_read(int (*handle)(char *line));

/* Undoes the escapes of a text in place, NUL-terminated again; returns the size. */
size_t line_unescape(char *text);

/* Says why and ends the program. */
_Noreturn void line_fail(const char *what);

#endif

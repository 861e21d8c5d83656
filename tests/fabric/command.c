// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"

__attribute__((format(printf, 2, 0))) static void add(struct command_answer *answer,
						      const char *format, va_list args)
{
	const size_t room = COMMAND_ANSWER_MAX - answer->len;
	int len = vsnprintf(answer->text + answer->len, room, format, args);

	if (len > 0)
		answer->len += (size_t)len < room ? (size_t)len : room - 1;
}

void command_say(struct command_answer *answer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(answer, format, args);
	va_end(args);
}

void command_refuse(struct command_answer *answer, const char *format, ...)
{
	va_list args;

	answer->len = 0;
	command_say(answer, "error ");
	va_start(args, format);
	add(answer, format, args);
	va_end(args);
}

bool command_number(const char *text, uint64_t *ret_number)
{
	unsigned long long number;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || *end)
		return false;
	*ret_number = number;
	return true;
}

bool command_index(const char *text, unsigned int limit, unsigned int *ret_index)
{
	uint64_t number;

	if (!command_number(text, &number) || number >= limit)
		return false;
	*ret_index = (unsigned int)number;
	return true;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>

#include "log.h"

static FILE *log_stream;

void log_to(FILE *stream)
{
	log_stream = stream;
}

void log_event(const char *format, ...)
{
	va_list args;

	if (!log_stream)
		return;
	va_start(args, format);
	vfprintf(log_stream, format, args);
	va_end(args);
	fputc('\n', log_stream);
	fflush(log_stream);
}

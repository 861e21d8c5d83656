// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "limit.h"

void result_add(struct result *result, const char *format, ...)
{
	size_t length = strlen(result->more);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(result->more + length, sizeof(result->more) - length, format, arguments);
	va_end(arguments);
}

double report_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static const char *error_name(int error)
{
	if (!error)
		return "-";
	if (error == EINTR && limit_over())
		return "TIMEOUT";
	return strerrorname_np(error) ?: "unknown";
}

void report(int number, const char *step, const struct result *result, double ms)
{
	char line[1024], value[32];
	int length;

	snprintf(value, sizeof(value), "%lld", (long long)result->value);
	length = snprintf(line, sizeof(line), "%d %s result=%s error=%s ms=%.1f%s\n", number, step,
			  result->text ?: value, error_name(result->error), ms, result->more);
	/* One call, so that the lines of threads do not mix. */
	if (length >= (int)sizeof(line) || write(STDOUT_FILENO, line, (size_t)length) != length)
		abort();
}

_Noreturn void report_usage(const char *synopsis)
{
	fprintf(stderr, "exercise: wanted %s; `exercise --help` lists the steps\n", synopsis);
	exit(2);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ui/msg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "codec/text.h"
#include "ui/line.h"

static struct {
	const char *program;
	enum msg_level level;
	bool json;
} msg = {.program = "tbstream", .level = MSG_NORMAL};

void msg_setup(const char *program, enum msg_level level, bool json)
{
	const char *slash = strrchr(program, '/');

	msg.program = slash ? slash + 1 : program;
	msg.level = level;
	msg.json = json;
}

static void print_json(const char *event, const char *text)
{
	json_t *object;
	char *line;

	object = json_pack("{s:s, s:s}", "event", event, "message", text);
	line = json_dumps(object, JSON_COMPACT);
	line_print(line ? line : "{\"event\":\"error\",\"message\":\"Out of memory.\"}");
	free(line);
	json_decref(object);
}

/* TEXT without what could steer a terminal; free it. NULL where memory ran out. */
static char *text_clean(const char *text)
{
	size_t len = strlen(text);
	char *clean = malloc(len + 1);

	if (clean)
		clean[text_put(text, len, clean)] = '\0';
	return clean;
}

static void print(const char *event, const char *prefix, const char *format, va_list args)
{
	char *text = NULL, *clean = NULL, *line = NULL;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	else
		clean = text_clean(text);
	if (clean && !msg.json && asprintf(&line, "%s: %s%s", msg.program, prefix, clean) < 0)
		line = NULL;
	if (clean && msg.json)
		print_json(event, clean);
	else
		line_print(line ? line : "out of memory, also to say what for");
	free(line);
	free(clean);
	free(text);
}

void msg_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print("error", "", format, args);
	va_end(args);
}

void msg_warn(const char *format, ...)
{
	va_list args;

	if (msg.level < MSG_NORMAL)
		return;
	va_start(args, format);
	print("warning", "warning: ", format, args);
	va_end(args);
}

void msg_note(const char *format, ...)
{
	va_list args;

	if (msg.level < MSG_NORMAL)
		return;
	va_start(args, format);
	print("note", "", format, args);
	va_end(args);
}

void msg_debug(const char *format, ...)
{
	va_list args;

	if (msg.level < MSG_VERBOSE)
		return;
	va_start(args, format);
	print("debug", "", format, args);
	va_end(args);
}

char *msg_size(unsigned long long bytes, char ret[24])
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double size = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(ret, 24, "%llu byte%s", bytes, bytes == 1 ? "" : "s");
		return ret;
	}
	/* What would be shown as 1024 of a unit is 1.0 of the next. */
	while (size >= 1023.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		size /= 1024;
		unit++;
	}
	snprintf(ret, 24, size < 99.95 ? "%.1f %s" : "%.0f %s", size, units[unit]);
	return ret;
}

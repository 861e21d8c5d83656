// SPDX-License-Identifier: GPL-2.0-or-later
#include "programs.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "codec/text.h"
#include "ui/line.h"
#include "ui/msg.h"

int program_start(enum options_program program, int argc, char **argv, struct options *ret)
{
	const char *name = program == OPTIONS_SEND   ? "tbsend"
			   : program == OPTIONS_RECV ? "tbrecv"
						     : "tbstream";
	int r;

	msg_setup(name, MSG_NORMAL, false);
	line_log(getenv("TBSTREAM_LOG"));
	r = options_parse(program, argc, argv, ret);
	if (r == OPTIONS_DONE)
		return EXIT_VERIFIED;
	if (r == OPTIONS_USAGE)
		return EXIT_USAGE;
	if (ret->quiet && ret->progress == PROGRESS_AUTO)
		ret->progress = PROGRESS_NONE;
	msg_setup(name,
		  ret->quiet	 ? MSG_QUIET
		  : ret->verbose ? MSG_VERBOSE
				 : MSG_NORMAL,
		  ret->json);
	r = stop_install();
	if (r < 0) {
		msg_error("signals cannot be set up: %s", strerror(-r));
		return EXIT_FAILED;
	}
	return -1;
}

static void program_tell(void *arg, const char *sentence)
{
	(void)arg;
	msg_note("%s", sentence);
}

void program_stream_options(const struct options *options, bool listen, struct stream_options *ret)
{
	*ret = (struct stream_options){
		.listen = listen,
		.one_way = options->plain,
		.insecure = options->insecure,
		.deadline = stop_deadline(options->timeout),
		.records = options->records,
		.waiting = {.tell = program_tell},
	};
	memcpy(ret->peer, options->peer, sizeof(ret->peer));
}

void program_hello(const struct options *options, enum wire_role role, const uint8_t *transfer_id,
		   struct wire_hello *ret)
{
	struct utsname host;

	*ret = (struct wire_hello){
		.role = role,
		.version_least = WIRE_VERSION,
		.version_most = WIRE_VERSION,
		.capabilities = WIRE_CAPABILITY_SET,
		.program = "tbstream " TBSTREAM_VERSION,
	};
	if (options->stream.kind == STREAM_PAIRED)
		memcpy(ret->stream, options->stream.name, sizeof(ret->stream));
	if (transfer_id)
		memcpy(ret->transfer_id, transfer_id, sizeof(ret->transfer_id));
	if (!uname(&host))
		snprintf(ret->host, sizeof(ret->host), "%.64s", host.nodename);
}

void program_json(json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	if (text)
		fprintf(stderr, "%s\n", text);
	free(text);
	json_decref(object);
}

void program_json_out(json_t *object, size_t indent)
{
	size_t flags = (indent ? JSON_INDENT(indent) : JSON_COMPACT) | JSON_ENSURE_ASCII;
	char *text = object ? json_dumps(object, flags) : NULL;

	/* ASCII does nothing to a terminal but for DEL, which only strings can hold. */
	for (const char *at = text; at && *at; at++)
		if (*at == 0x7f)
			fputs("\\u007f", stdout);
		else
			putchar(*at);
	putchar('\n');
	free(text);
	json_decref(object);
}

json_t *program_json_text(const char *text)
{
	size_t len = strlen(text);
	char *clean = malloc(len + 1);
	json_t *string = clean ? json_stringn(clean, text_put(text, len, clean)) : NULL;

	free(clean);
	return string;
}

char *program_elapsed(int64_t start, char ret[24])
{
	long seconds = (stop_now() - start + STOP_SECOND / 2) / STOP_SECOND;

	if (seconds < 3600)
		snprintf(ret, 24, "%ld:%02ld", seconds / 60, seconds % 60);
	else
		snprintf(ret, 24, "%ld:%02ld:%02ld", seconds / 3600, seconds / 60 % 60,
			 seconds % 60);
	return ret;
}

json_t *program_times(const struct limit *limits, size_t count)
{
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++) {
		char name[16] = "";

		for (size_t at = 0; at < sizeof(name) - 1 && limits[i].name[at]; at++)
			name[at] = tolower((unsigned char)limits[i].name[at]);
		json_object_set_new(object, name,
				    json_integer(limits[i].time / (STOP_SECOND / 1000)));
	}
	return object;
}

void program_limit(const char *name, struct limit *limits, size_t count, const char *more)
{
	char text[LIMIT_TEXT];

	if (limit_text(limits, count, text)[0])
		msg_note("%s: limit: %s%s", name, text, more);
}

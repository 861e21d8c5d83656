// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * exercise: system calls on a device, step by step, and what came of each.
 *
 *   exercise open:/dev/tbstream0:rw,nonblock fill poll:in:2000 drain close
 *
 * Each step prints a line, see report.h. What is judged is judged by who reads them: the exit code
 * is 0 where all steps were made, whatever came of them, and 2 for a script that makes no sense.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "limit.h"
#include "pass.h"
#include "path.h"
#include "step.h"
#include "transfer.h"

#define LIMIT 20000 /* ms */

static const struct verb {
	const char *name;
	const char *synopsis;
	void (*run)(struct step *step);
} verbs[] = {
	{"open", "open:PATH:r|w|rw[,nonblock][,create]", file_open},
	{"close", "close", file_close},
	{"write", "write:SIZE[:CHUNK]    until all is accepted", transfer_write},
	{"writeonce", "writeonce:SIZE        one call", transfer_writeonce},
	{"fill", "fill[:CHUNK]          until there is no room for 200 ms", transfer_fill},
	{"pump", "pump[:CHUNK]          until a line is on standard input", transfer_pump},
	{"read", "read:SIZE[:CHUNK]     until all has come, or an end", transfer_read},
	{"readonce", "readonce:SIZE         one call", transfer_readonce},
	{"drain", "drain[:CHUNK]         until an end", transfer_drain},
	{"slowwrite", "slowwrite:MS          4K of a page that comes after MS", transfer_slowwrite},
	{"slowread", "slowread:MS           4K to a page that comes after MS", transfer_slowread},
	{"sendfile-from", "sendfile-from:PATH:SIZE", pass_sendfile_from},
	{"sendfile-to", "sendfile-to:PATH:SIZE by way of a pipe", pass_sendfile_to},
	{"splice-from", "splice-from:PATH:SIZE", pass_splice_from},
	{"splice-to", "splice-to:PATH:SIZE", pass_splice_to},
	{"poll", "poll:in|out|none:MS", file_poll},
	{"fsync", "fsync", file_fsync},
	{"pattern", "pattern:OFFSET        of the next byte, both ways", file_pattern},
	{"use", "use:NUMBER            another open file, 0 at first", control_use},
	{"put", "put:PATH:TEXT", path_put},
	{"mkdir", "mkdir:PATH", path_mkdir},
	{"rmdir", "rmdir:PATH", path_rmdir},
	{"mark", "mark:TEXT             says only that it was come to", control_mark},
	{"wait", "wait                  for a line on standard input", control_wait},
	{"sleep", "sleep:MS", control_sleep},
	{"limit", "limit:MS              of each step from now on; 20000", control_limit},
	{"signal", "signal:MS:KILL|TERM|USR1|STOP  to this process after MS", control_signal},
	{"sigpipe", "sigpipe:count|ignore|default", control_sigpipe},
	{"thread", "thread STEP... end    beside what comes then", NULL},
	{"join", "join                  waits for all threads", control_join},
	{"child", "child STEP... end     in a process of its own", NULL},
	{"reap", "reap                  waits for the child", control_reap},
	{"end", "end", NULL},
};

static void help(void)
{
	printf("Usage: exercise STEP...\n\n");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		printf("  %s\n", verbs[i].synopsis);
}

static const struct verb *verb_find(const char *text)
{
	size_t length = strcspn(text, ":");

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strlen(verbs[i].name) == length && !strncmp(verbs[i].name, text, length))
			return &verbs[i];
	return NULL;
}

void step_run(struct context *context, char **steps, int number)
{
	const struct verb *verb = verb_find(steps[number]);
	struct step step = {.context = context, .synopsis = verb->synopsis};
	char *copy = strdup(steps[number]), *rest = copy;
	int sigpipes = limit_sigpipes();
	double since = report_clock();

	strsep(&rest, ":");
	for (int i = 0; i < STEP_ARGS_MAX - 1 && rest; i++)
		step.args[i] = strsep(&rest, ":");
	step.args[STEP_ARGS_MAX - 1] = rest;
	limit_start(context->limit);
	verb->run(&step);
	if (limit_sigpipes() > sigpipes)
		result_add(&step.result, " sigpipe=%d", limit_sigpipes() - sigpipes);
	report(number + 1, steps[number], &step.result, report_clock() - since);
	limit_stop();
	free(copy);
}

static void script_check(char **steps, int count)
{
	int depth = 0;

	for (int i = 0; i < count; i++) {
		const struct verb *verb = verb_find(steps[i]);

		if (!verb)
			report_usage(steps[i]);
		depth += !verb->run ? strcmp(verb->name, "end") ? 1 : -1 : 0;
		if (depth < 0)
			break;
	}
	if (depth)
		report_usage("an end for each thread and child");
}

int main(int argc, char **argv)
{
	struct context context = {.file = file_place(0), .limit = LIMIT};

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		help();
		return 0;
	}
	script_check(argv + 1, argc - 1);
	limit_setup();
	control_run(&context, argv + 1, 0, argc - 1);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* tbstream shell: a shell on the machine at the other end, or one for it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "programs.h"
#include "shell/keys.h"
#include "shell/shell.h"
#include "ui/msg.h"

#define SHELL_STREAM "shell"
#define SHELL_PAUSE  (2 * STOP_SECOND) /* from a failure to the next offer */
#define SHELL_TRIES  5		       /* streams that end before the shell begins */

struct shell_run {
	struct options options;
	struct link *link;
	struct wire_hello peer;
	bool served; /* somebody has the shell */
	char why[768];
};

static const char *shell_host(const struct shell_run *run)
{
	return run->peer.host[0] ? run->peer.host : "the other machine";
}

/* Opens the link, or opens it again. */
static int shell_open(struct shell_run *run)
{
	const bool serve = run->options.serve;
	struct stream_options options;
	struct wire_hello hello;

	program_stream_options(&run->options, serve, &options);
	options.there = serve ? "tbstream shell" : "tbstream shell --serve";
	if (run->link)
		return link_renew(run->link, &options, &run->peer, run->why, sizeof(run->why));
	program_hello(&run->options, serve ? WIRE_SERVER : WIRE_ATTACHER, NULL, &hello);
	return link_open(&run->options.stream, &options, &hello, &run->link, &run->peer, run->why,
			 sizeof(run->why));
}

/* For whoever shows it on a screen: standard output has nothing but who comes and goes. */
static void shell_announce(const struct shell_run *run, const char *what)
{
	printf("%s %s\n", shell_host(run), what);
	fflush(stdout);
}

static void shell_served(void *arg)
{
	struct shell_run *run = arg;

	run->served = true;
	shell_announce(run, "is attached to the shell");
}

static void shell_serve_one(struct shell_run *run, char *const *argv)
{
	struct shell_serve serve = {.argv = argv, .begun = shell_served, .arg = run};
	int r = shell_serve(run->link, &serve, run->why, sizeof(run->why));

	if (r)
		msg_note("%s", run->why);
	if (run->served)
		shell_announce(run, "has gone, and its shell has ended");
	run->served = false;
}

static int shell_serve_all(struct shell_run *run)
{
	static char sh[] = "/bin/sh";
	char *none[] = {sh, NULL}, told[sizeof(run->why)] = "";
	char *const *argv = run->options.count ? run->options.arguments : none;

	for (;;) {
		int r = shell_open(run);

		if (r == 0)
			shell_serve_one(run, argv);
		if (stop_signal())
			break;
		if (r == 0)
			continue;
		if (strcmp(told, run->why) != 0)
			msg_warn("%s; offering the shell again", run->why);
		strcpy(told, run->why);
		link_close(run->link);
		run->link = NULL;
		if (stop_poll(-1, 0, stop_deadline(SHELL_PAUSE)) == -EINTR)
			break;
	}
	msg_error("interrupted: no shell is offered any more");
	return EXIT_FAILED;
}

static void shell_attached(void *arg)
{
	const struct shell_run *run = arg;

	msg_note("attached to the shell of %s%s", shell_host(run),
		 isatty(STDIN_FILENO) ? ": " KEYS_DETACH " leaves it, which ends it" : "");
}

static int shell_attach_one(struct shell_run *run)
{
	struct shell_attach attach = {
		.terminal = isatty(STDIN_FILENO),
		.begun = shell_attached,
		.arg = run,
	};
	int r, tries = 0;

	/* The other side may just have been closing what it had with somebody before us. */
	do {
		r = shell_open(run);
		if (r == 0)
			r = shell_attach(run->link, &attach, run->why, sizeof(run->why));
	} while (r < 0 && !attach.began && ++tries < SHELL_TRIES && run->link &&
		 link_mends(run->link));
	if (r < 0) {
		msg_error("%s", run->why);
		return EXIT_FAILED;
	}
	if (attach.detached) {
		/* Behind a prompt. */
		if (!run->options.quiet && !run->options.json)
			fputc('\n', stderr);
		msg_note("left the shell of %s", shell_host(run));
	}
	if (attach.terminal && !attach.detached)
		msg_note("the shell of %s has ended", shell_host(run));
	return attach.detached ? EXIT_VERIFIED : attach.code;
}

int tbstream_shell(int argc, char **argv)
{
	struct shell_run run = {0};
	int code = program_start(OPTIONS_SHELL, argc, argv, &run.options);
	sigset_t set;

	if (code >= 0)
		return code;
	if (!run.options.serve && run.options.count) {
		msg_error("no argument is wanted: give the shell commands on standard input");
		return EXIT_USAGE;
	}
	if (!run.options.stream_given)
		run.options.stream = (struct stream_address){.name = SHELL_STREAM};
	if (run.options.stream.kind == STREAM_STDIO) {
		msg_error("--stream=- has no room for a shell beside its records");
		return EXIT_USAGE;
	}
	/* Before a thread is started, so that they come where they are looked for. */
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGCONT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	code = run.options.serve ? shell_serve_all(&run) : shell_attach_one(&run);
	link_close(run.link);
	return code;
}

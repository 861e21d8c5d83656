// SPDX-License-Identifier: GPL-2.0-or-later
#include "shell/shell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/wire_shell.h"
#include "shell/child.h"
#include "shell/session.h"

#define SERVE_START (10 * STOP_SECOND) /* for SHELL to come, behind HELLO */
#define SERVE_LEAVE (5 * STOP_SECOND)  /* for BYE to come, behind EXIT */

struct serve {
	struct session session;
	const struct shell_serve *given;
	struct child child;
	bool started;
	bool input_ended; /* the other side has no more */
	bool output_ended;
	int code;	  /* its exit code, -1 while it runs */
	bool told;	  /* EXIT was sent */
	bool left;	  /* BYE came */
	int64_t deadline; /* for the other side to say what it has to, now */
};

static int serve_start(struct serve *serve, const struct link_record *record)
{
	struct session *session = &serve->session;
	struct wire_shell shell;
	int err;

	if (serve->started || wire_shell_get(record->payload, record->length, &shell))
		return session_refuse(session, record->type);
	err = child_open(&serve->child, serve->given->argv, &shell);
	if (err) {
		snprintf(session->why, session->why_len, "%s cannot be started: %s",
			 serve->given->argv[0], strerror(-err));
		link_abort(session->link, session->why);
		return err;
	}
	/* The first TAKEN says that it runs, and that this stream is no leftover. */
	session_tell(session);
	serve->given->begun(serve->given->arg);
	serve->started = true;
	serve->deadline = STOP_NEVER;
	return 0;
}

/* What is not for the flow. */
static int serve_handle(struct serve *serve, const struct link_record *record)
{
	struct wire_window window;

	switch (record->type) {
	case WIRE_TYPE_SHELL: return serve_start(serve, record);
	case WIRE_TYPE_BYE: serve->left = true; return 0;
	case WIRE_TYPE_BYTES: serve->input_ended = true; return 0;
	case WIRE_TYPE_WINDOW:
		if (!serve->started || wire_window_get(record->payload, record->length, &window))
			break;
		child_resize(&serve->child, &window);
		return 0;
	default: break;
	}
	return session_refuse(&serve->session, record->type);
}

static int serve_take(struct serve *serve)
{
	struct link_record *record;
	int r = 0;

	while (!serve->left && (r = session_take(&serve->session, &record)) > 0) {
		r = serve_handle(serve, record);
		free(record);
		if (r < 0)
			break;
	}
	if (r == 0 && !serve->left && stop_now() >= serve->deadline) {
		snprintf(serve->session.why, serve->session.why_len,
			 "the other side of the shell says nothing");
		r = -ETIMEDOUT;
	}
	return r;
}

/* Input for the shell. It need not want it: then it goes nowhere, and nobody waits for it. */
static void serve_input(struct serve *serve, bool ready)
{
	struct session *session = &serve->session;

	if ((ready || serve->child.in < 0) && session_write(session, serve->child.in, SIZE_MAX))
		child_input_end(&serve->child);
	if (serve->input_ended && !session_holds(session))
		child_input_end(&serve->child);
}

/* Output of the shell, as much as the other side takes. */
static void serve_output(struct serve *serve, size_t wants)
{
	uint8_t data[WIRE_BYTES_MOST];
	ssize_t n = read(serve->child.out, data, wants);

	if (n > 0)
		session_send(&serve->session, data, n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		serve->output_ended = true; /* EIO: nobody has the terminal any more */
}

/*
 * Once it has ended, and what it wrote is sent. What it left running may hold the pipe open, so
 * that nothing to be read now has to be enough.
 */
static void serve_exit(struct serve *serve)
{
	uint8_t payload[4];
	int len;

	if (!session_room(&serve->session))
		return;
	len = wire_exit_put(serve->code, payload, sizeof(payload));
	session_put(&serve->session, WIRE_TYPE_EXIT, payload, len);
	serve->told = true;
	serve->deadline = stop_deadline(SERVE_LEAVE);
}

/* Waits for something to happen, and does what there is to do. */
static int serve_turn(struct serve *serve)
{
	struct child *child = &serve->child;
	size_t wants = serve->started && !serve->output_ended ? session_wants(&serve->session) : 0;
	bool room = session_room(&serve->session);
	struct pollfd fds[4] = {
		[1] = {.fd = session_holds(&serve->session) ? child->in : -1, .events = POLLOUT},
		[2] = {.fd = wants ? child->out : -1, .events = POLLIN},
		[3] = {.fd = serve->code < 0 ? child->ended : -1, .events = POLLIN},
	};
	bool over = serve->code >= 0 && !serve->told;
	/* With room to read, what is not there now will not come. */
	bool last = over && room && (wants || serve->output_ended);
	int err = session_wait(&serve->session, fds, 4, last ? 0 : serve->deadline);

	if (err)
		return err;
	if (fds[1].revents)
		serve_input(serve, true);
	if (fds[2].revents)
		serve_output(serve, wants);
	else if (last)
		serve_exit(serve);
	if (fds[3].revents)
		serve->code = child_code(child);
	return 0;
}

int shell_serve(struct link *link, const struct shell_serve *given, char *ret_why, size_t len)
{
	struct serve serve = {
		.given = given,
		.child = {.ended = -1, .in = -1, .out = -1},
		.code = -1,
		.deadline = stop_deadline(SERVE_START),
	};
	int err = session_open(&serve.session, link, ret_why, len);

	while (!err) {
		err = serve_take(&serve);
		if (err || serve.left)
			break;
		if (serve.started)
			serve_input(&serve, false);
		err = serve_turn(&serve);
	}
	child_close(&serve.child);
	return serve.told ? 0 : err;
}

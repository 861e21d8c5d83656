// SPDX-License-Identifier: GPL-2.0-or-later
#include "shell/shell.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "codec/wire_shell.h"
#include "shell/keys.h"
#include "shell/session.h"
#include "shell/terminal.h"

#define ATTACH_LEAVE (2 * STOP_SECOND) /* for the other side to hear that we go */
#define ATTACH_WRITE 512	       /* bytes at a time: what a terminal takes without waiting */

struct attach {
	struct session session;
	struct shell_attach *given;
	struct keys keys;
	int signals;	  /* signalfd */
	bool resized;	  /* the other side does not know yet */
	bool input_ended; /* of standard input */
	bool exited;
};

static void attach_begin(struct attach *attach)
{
	struct wire_shell shell = {.terminal = attach->given->terminal};
	const char *term = getenv("TERM");
	uint8_t payload[64];
	int len;

	if (shell.terminal) {
		terminal_window(STDIN_FILENO, &shell.window);
		snprintf(shell.term, sizeof(shell.term), "%s", term ? term : "");
	}
	len = wire_shell_put(&shell, payload, sizeof(payload));
	if (len < 0) {
		shell.term[0] = '\0'; /* a strange name is none */
		len = wire_shell_put(&shell, payload, sizeof(payload));
	}
	session_put(&attach->session, WIRE_TYPE_SHELL, payload, len);
}

static int attach_take(struct attach *attach)
{
	struct link_record *record;
	uint32_t code;
	int r = 0;

	while (!attach->exited && (r = session_take(&attach->session, &record)) > 0) {
		uint8_t type = record->type;
		bool good = type == WIRE_TYPE_EXIT &&
			    wire_exit_get(record->payload, record->length, &code) == 0;

		free(record);
		if (!good)
			return session_refuse(&attach->session, type);
		attach->given->code = (int)code;
		attach->exited = true;
		r = 0;
	}
	return r;
}

/* The shell runs: from here on what is typed is for it. */
static int attach_began(struct attach *attach)
{
	struct shell_attach *given = attach->given;
	int err;

	given->began = true;
	given->begun(given->arg);
	err = given->terminal ? terminal_raw(STDIN_FILENO) : 0;
	if (err)
		snprintf(attach->session.why, attach->session.why_len,
			 "the terminal cannot be prepared: %s", strerror(-err));
	return err;
}

/* Standard input has ended, or its terminal has gone. */
static void attach_input_end(struct attach *attach)
{
	attach->input_ended = true;
	if (attach->given->terminal)
		attach->given->detached = true;
	else
		session_put(&attach->session, WIRE_TYPE_BYTES, NULL, 0);
}

/* Takes what was typed, as much as the other side takes. */
static void attach_input(struct attach *attach, size_t wants)
{
	uint8_t typed[WIRE_BYTES_MOST - 1], data[WIRE_BYTES_MOST];
	ssize_t n;
	size_t len;

	n = read(STDIN_FILENO, typed, wants - 1);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		attach_input_end(attach);
		return;
	}
	if (!attach->given->terminal) {
		session_send(&attach->session, typed, n);
		return;
	}
	len = keys_pass(&attach->keys, typed, n, data, &attach->given->detached);
	if (len)
		session_send(&attach->session, data, len);
}

static void attach_signal(struct attach *attach)
{
	struct signalfd_siginfo info;

	if (read(attach->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGCONT)
		terminal_again();
	/* Its size may have changed while we were stopped, too. */
	attach->resized = attach->given->terminal;
}

static void attach_resize(struct attach *attach)
{
	struct wire_window window;
	uint8_t payload[4];
	int len;

	terminal_window(STDIN_FILENO, &window);
	len = wire_window_put(&window, payload, sizeof(payload));
	session_put(&attach->session, WIRE_TYPE_WINDOW, payload, len);
	attach->resized = false;
}

static int attach_turn(struct attach *attach)
{
	struct session *session = &attach->session;
	size_t wants;
	struct pollfd fds[4] = {
		[1] = {.fd = session_holds(session) ? STDOUT_FILENO : -1, .events = POLLOUT},
		[3] = {.fd = attach->signals, .events = POLLIN},
	};
	int err;

	if (session_room(session) && attach->resized)
		attach_resize(attach);
	/* One byte may be added to what was typed: the Ctrl-] that was held back. */
	wants = attach->given->began && !attach->input_ended && !attach->exited
			? session_wants(session)
			: 0;
	fds[2] = (struct pollfd){.fd = wants > 1 ? STDIN_FILENO : -1, .events = POLLIN};
	err = session_wait(session, fds, 4, STOP_NEVER);
	if (err)
		return err;
	if (fds[1].revents)
		err = session_write(session, STDOUT_FILENO, ATTACH_WRITE);
	if (err)
		snprintf(session->why, session->why_len,
			 "standard output cannot be written: %s; the shell was left",
			 strerror(-err));
	if (fds[2].revents)
		attach_input(attach, wants);
	if (fds[3].revents)
		attach_signal(attach);
	return err;
}

/* The other side closes first: what is in a stream when a driver closes it may be lost. */
static void attach_leave(struct attach *attach)
{
	struct session *session = &attach->session;
	int64_t deadline = stop_deadline(ATTACH_LEAVE);
	struct pollfd fds[1];

	session_put(session, WIRE_TYPE_BYE, NULL, 0);
	while (stop_now() < deadline) {
		/* What it still says is for nobody, but is in the way of its end. */
		while (link_ready(session->link)) {
			struct link_record *record;

			if (link_get(session->link, STOP_NEVER, &record))
				return;
			free(record);
		}
		if (session_wait(session, fds, 1, deadline))
			return;
	}
}

static int attach_run(struct attach *attach)
{
	int err = 0;

	while (!err && !attach->given->detached) {
		err = attach_take(attach);
		if (!err && attach->session.heard && !attach->given->began)
			err = attach_began(attach);
		if (!err && attach->exited && !session_holds(&attach->session))
			break;
		if (!err)
			err = attach_turn(attach);
	}
	return err;
}

int shell_attach(struct link *link, struct shell_attach *given, char *ret_why, size_t len)
{
	struct attach attach = {.given = given, .signals = -1};
	sigset_t set;
	int err = session_open(&attach.session, link, ret_why, len);

	if (err)
		return err;
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGCONT);
	attach.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (attach.signals < 0) {
		err = -errno;
		snprintf(ret_why, len, "signals cannot be watched: %s", strerror(-err));
	} else {
		attach_begin(&attach);
		err = attach_run(&attach);
		if (!link_ended(link))
			attach_leave(&attach);
		terminal_restore();
	}
	if (attach.signals >= 0)
		close(attach.signals);
	return err;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sentences for the person at the terminal, all on stderr, each a line with the program's name
 * before it. What was put into them may come from a disk or a peer: no control character gets
 * through.
 */
#ifndef UI_MSG_H
#define UI_MSG_H

#include <stdarg.h>
#include <stdbool.h>

enum msg_level { MSG_QUIET, MSG_NORMAL, MSG_VERBOSE };

/*
 * The program's name (a literal or argv[0]) and how much it says. JSON: every message is a line of
 * {"event":"error","message":…}; the other events are warning, note and debug.
 */
void msg_setup(const char *program, enum msg_level level, bool json);

/* What went wrong: the thing, the reason, the way out. Always shown. */
void msg_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What the user should know though we go on. Shown unless quiet; so is msg_note. */
void msg_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What happens. */
void msg_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What happens in detail: only when verbose. */
void msg_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "1.0 GiB", "512 MiB", "37 bytes": one decimal below 100. RET holds 24 bytes. Returns RET. */
char *msg_size(unsigned long long bytes, char ret[24]);

/*
 * Asks QUESTION, which may have several lines, on the terminal (/dev/tty, else stdin where that is
 * one) and reads a line; what was typed before the question does not count. STOP_FD ends the wait
 * when it becomes readable (-1: none). Returns the line's length without the newline, cut to LEN -
 * 1; -ENOTTY where there is no terminal, -EINTR when STOP_FD said so, -ENODATA at the end of input,
 * or another -errno.
 */
int msg_ask(const char *question, int stop_fd, char *ret, unsigned long len);

#endif

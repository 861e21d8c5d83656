// SPDX-License-Identifier: GPL-2.0-or-later
/* What really reaches stderr and a terminal: a pipe and a pseudoterminal stand behind them. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "ui/line.h"
#include "ui/msg.h"
#include "ui/progress.h"

static char caught[8192];
static bool clock_stands; /* so that what is shown now and then does not hang on how busy we are */

/* In the place of the C library's. */
int clock_gettime(clockid_t clock, struct timespec *ret)
{
	if (!clock_stands)
		return (int)syscall(SYS_clock_gettime, clock, ret);
	*ret = (struct timespec){.tv_sec = 1000};
	return 0;
}

/* What SAY prints on stderr. */
static const char *catch_stderr(void (*say)(void))
{
	int fds[2], saved;
	ssize_t n;

	assert_int_equal(pipe(fds), 0);
	saved = dup(STDERR_FILENO);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	say();
	dup2(saved, STDERR_FILENO);
	close(saved);
	n = read(fds[0], caught, sizeof(caught) - 1);
	caught[n > 0 ? n : 0] = '\0';
	close(fds[0]);
	return caught;
}

static void say_all(void)
{
	msg_error("%s is %d.", "one", 1);
	msg_warn("two");
	msg_note("three");
	msg_debug("four");
}

static void levels_choose(void **state)
{
	(void)state;
	msg_setup("/usr/sbin/tbsend", MSG_NORMAL, false);
	assert_string_equal(catch_stderr(say_all),
			    "tbsend: one is 1.\ntbsend: warning: two\ntbsend: three\n");
	msg_setup("tbsend", MSG_QUIET, false);
	assert_string_equal(catch_stderr(say_all), "tbsend: one is 1.\n");
	msg_setup("tbsend", MSG_VERBOSE, false);
	assert_string_equal(
		catch_stderr(say_all),
		"tbsend: one is 1.\ntbsend: warning: two\ntbsend: three\ntbsend: four\n");
}

static void say_hostile(void)
{
	msg_error("label %s!", "\x1b[2J\r\n\x7f\x9b\xc2\x9b\xffsafe \xc3\xa4\t");
}

static void nothing_steers_the_terminal(void **state)
{
	(void)state;
	msg_setup("t", MSG_NORMAL, false);
	assert_string_equal(catch_stderr(say_hostile), "t: label ?[2J?????"
						       "??safe \xc3\xa4?!\n");
}

static void json_lines_are_json(void **state)
{
	const char *event, *message;
	json_t *object;

	(void)state;
	msg_setup("t", MSG_NORMAL, true);
	object = json_loads(catch_stderr(say_hostile), 0, NULL);
	assert_non_null(object);
	assert_int_equal(json_unpack(object, "{s:s, s:s !}", "event", &event, "message", &message),
			 0);
	assert_string_equal(event, "error");
	assert_string_equal(message, "label ?[2J?????"
				     "??safe \xc3\xa4?!");
	json_decref(object);
	assert_string_equal(catch_stderr(say_all),
			    "{\"event\":\"error\",\"message\":\"one is 1.\"}\n"
			    "{\"event\":\"warning\",\"message\":\"two\"}\n"
			    "{\"event\":\"note\",\"message\":\"three\"}\n");
	msg_setup("t", MSG_NORMAL, false);
}

static void say_around_a_status_line(void)
{
	line_draw("status 100");
	line_draw("status 2");
	msg_note("hi");
	line_draw("again");
	line_clear();
	line_clear();
	msg_note("end");
}

static void a_status_line_makes_room(void **state)
{
	(void)state;
	msg_setup("t", MSG_NORMAL, false);
	assert_string_equal(catch_stderr(say_around_a_status_line),
			    "status 100\rstatus 2  \rt: hi   \nagain\r     \rt: end\n");
}

static void sizes_read_well(void **state)
{
	static const struct {
		unsigned long long bytes;
		const char *text;
	} sizes[] = {
		{0, "0 bytes"},
		{1, "1 byte"},
		{37, "37 bytes"},
		{1023, "1023 bytes"},
		{1024, "1.0 KiB"},
		{1ull << 30, "1.0 GiB"},
		{512ull << 20, "512 MiB"},
		{(1ull << 30) - 1, "1.0 GiB"},
		{1023ull << 20, "1023 MiB"},
		{102348800, "97.6 MiB"},
		{104857599, "100 MiB"},
		{UINT64_MAX, "16.0 EiB"},
	};
	char text[24];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		assert_string_equal(msg_size(sizes[i].bytes, text), sizes[i].text);
}

static void run_progress(enum progress_mode mode)
{
	struct progress *progress = progress_new(mode, "disk", 1000);

	progress_resume(progress, 100);
	progress_update(progress, 500, 10);
	progress_update(progress, 600, 20);
	progress_update(progress, 2000, 30);
	progress_end(progress);
}

static void say_progress_json(void)
{
	run_progress(PROGRESS_JSON);
}

static void say_progress_human(void)
{
	run_progress(PROGRESS_HUMAN);
}

static void say_progress_auto(void)
{
	run_progress(PROGRESS_AUTO);
}

static void progress_is_told_now_and_then(void **state)
{
	json_t *object;
	char *line;

	(void)state;
	clock_stands = true;
	/* Twice: the first state, and the last one. */
	line = strtok((char *)catch_stderr(say_progress_json), "\n");
	object = json_loads(line, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(object, "done")), 500);
	json_decref(object);
	object = json_loads(strtok(NULL, "\n"), 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(object, "done")), 1000);
	assert_int_equal(json_integer_value(json_object_get(object, "stored")), 30);
	json_decref(object);
	assert_null(strtok(NULL, "\n"));

	line = strtok((char *)catch_stderr(say_progress_human), "\n");
	assert_int_equal(strncmp(line, "disk  50.0 %  500 bytes of 1000 bytes", 37), 0);
	line = strtok(NULL, "\n");
	assert_int_equal(strncmp(line, "disk  100 %  1000 bytes  ", 25), 0);
	assert_null(strtok(NULL, "\n"));

	assert_string_equal(catch_stderr(say_progress_auto), "");
	clock_stands = false;
}

static void progress_words_are_read(void **state)
{
	enum progress_mode mode = PROGRESS_JSON;

	(void)state;
	assert_int_equal(progress_parse("none", &mode), 0);
	assert_int_equal(mode, PROGRESS_NONE);
	assert_int_equal(progress_parse("", &mode), -EINVAL);
	assert_int_equal(progress_parse("jsonx", &mode), -EINVAL);
	assert_int_equal(mode, PROGRESS_NONE);
	progress_update(NULL, 1, 1);
	progress_resume(NULL, 1);
	progress_end(NULL);
}

/* A terminal: what the program sees, and the hands and eyes in front of it. */
struct terminal {
	int master, slave;
};

static struct terminal terminal_open(void)
{
	struct winsize size = {.ws_row = 24, .ws_col = 40};
	struct terminal terminal;

	terminal.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(terminal.master >= 0);
	assert_int_equal(grantpt(terminal.master), 0);
	assert_int_equal(unlockpt(terminal.master), 0);
	terminal.slave = open(ptsname(terminal.master), O_RDWR | O_NOCTTY);
	assert_true(terminal.slave >= 0);
	assert_int_equal(ioctl(terminal.slave, TIOCSWINSZ, &size), 0);
	return terminal;
}

static void terminal_close(struct terminal *terminal)
{
	close(terminal->master);
	close(terminal->slave);
}

/* Reads the master until TEXT came by; 10 seconds are for ever. */
static void terminal_expect(struct terminal *terminal, const char *text)
{
	struct pollfd fd = {.fd = terminal->master, .events = POLLIN};
	size_t len = 0;
	ssize_t n;

	caught[0] = '\0';
	while (!strstr(caught, text)) {
		if (poll(&fd, 1, 10000) != 1 || len + 1 >= sizeof(caught))
			fail_msg("'%s' did not come, but '%s'", text, caught);
		n = read(terminal->master, caught + len, sizeof(caught) - 1 - len);
		assert_true(n > 0);
		len += (size_t)n;
		caught[len] = '\0';
	}
}

/*
 * Asks in a process whose controlling terminal it is, types ANSWER at the question, and returns
 * what msg_ask returned (as an exit code: 100 - errno for errors).
 */
static int ask(const char *before, const char *answer, const char *expected, int stop_fd)
{
	struct terminal terminal = terminal_open();
	char text[8];
	int status;
	pid_t pid;
	int rc;

	if (before)
		assert_int_equal(write(terminal.master, before, strlen(before)), strlen(before));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		setsid();
		ioctl(terminal.slave, TIOCSCTTY, 0);
		rc = msg_ask("Really\x1b?\nSure? ", stop_fd, text, sizeof(text));
		if (rc >= 0 && strcmp(text, expected) != 0)
			rc = 99;
		_exit(rc < 0 ? 100 - rc : rc);
	}
	terminal_expect(&terminal, "Really??\r\nSure? ");
	assert_int_equal(write(terminal.master, answer, strlen(answer)), strlen(answer));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	terminal_close(&terminal);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void an_answer_is_read(void **state)
{
	(void)state;
	assert_int_equal(ask(NULL, "yes\n", "yes", -1), 3);
	assert_int_equal(ask(NULL, "\n", "", -1), 0);
	assert_int_equal(ask(NULL, "0123456789\n", "0123456", -1), 7);
	/* What was typed before the question answers nothing. */
	assert_int_equal(ask("yes\n", "no\n", "no", -1), 2);
	assert_int_equal(ask(NULL, "\4", "", -1), 100 + ENODATA);
}

static void a_signal_ends_the_question(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(ask(NULL, "", "", fds[0]), 100 + EINTR);
	close(fds[0]);
	close(fds[1]);
}

static void no_terminal_is_no_answer(void **state)
{
	int status;
	char text[8];
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		setsid();
		close(STDIN_FILENO);
		_exit(-msg_ask("?", -1, text, sizeof(text)));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), ENOTTY);
}

/* On a terminal of 40 columns it draws over itself and ends with a line of its own. */
static void progress_draws_over_itself(void **state)
{
	struct terminal terminal = terminal_open();
	int saved = dup(STDERR_FILENO);
	struct progress *progress;
	size_t width;

	(void)state;
	dup2(terminal.slave, STDERR_FILENO);
	width = line_width();
	clock_stands = true;
	progress = progress_new(PROGRESS_AUTO, "disk", 1000);
	progress_update(progress, 500, 0);
	progress_update(progress, 501, 0);
	msg_note("in between");
	progress_update(progress, 1000, 0);
	progress_end(progress);
	clock_stands = false;
	dup2(saved, STDERR_FILENO);
	close(saved);
	assert_int_equal(width, 39);
	terminal_expect(&terminal, "disk  100 %  1000 bytes");
	assert_non_null(strstr(caught, "disk  50.0 %  500 bytes of 1000 bytes\rt: in between"));
	assert_null(strstr(caught, "501"));
	terminal_close(&terminal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_choose),
		cmocka_unit_test(nothing_steers_the_terminal),
		cmocka_unit_test(json_lines_are_json),
		cmocka_unit_test(a_status_line_makes_room),
		cmocka_unit_test(sizes_read_well),
		cmocka_unit_test(progress_is_told_now_and_then),
		cmocka_unit_test(progress_words_are_read),
		cmocka_unit_test(an_answer_is_read),
		cmocka_unit_test(a_signal_ends_the_question),
		cmocka_unit_test(no_terminal_is_no_answer),
		cmocka_unit_test(progress_draws_over_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

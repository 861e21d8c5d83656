// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <valgrind/valgrind.h>

#include "io/spawn.h"
#include "io/stop.h"

static char sh[256];

/* Older valgrinds know no pidfd_open. */
static void needs_pidfd(void)
{
	if (RUNNING_ON_VALGRIND)
		skip();
}

static int said(const char *script, char text[64])
{
	const char *argv[] = {sh, "-c", script, "x", "a b;$(c)", NULL};

	return spawn_run(argv, stop_deadline(20 * STOP_SECOND), true, text, 64);
}

static void spawn_test_find(void **state)
{
	char path[256];

	(void)state;
	assert_int_equal(spawn_find("sh", sh, sizeof(sh)), 0);
	assert_int_equal(sh[0], '/');
	assert_int_equal(spawn_find("no-such-program", path, sizeof(path)), -ENOENT);
	assert_int_equal(spawn_find("sh", path, 4), -ENAMETOOLONG);
	/* What PATH lacks is found all the same; what is relative in it is not looked at. */
	char *kept = strdup(getenv("PATH"));

	setenv("PATH", ".::relative", 1);
	assert_int_equal(spawn_find("sh", path, sizeof(path)), 0);
	unsetenv("PATH");
	assert_int_equal(spawn_find("sh", path, sizeof(path)), 0);
	setenv("PATH", kept, 1);
	free(kept);
}

static void spawn_test_run(void **state)
{
	char text[64];

	needs_pidfd();
	(void)state;
	assert_int_equal(said("echo out; echo \"$1\" >&2; exit 3", text), 3);
	assert_string_equal(text, "out\na b;$(c)");
	assert_int_equal(said("exit 0", text), 0);
	assert_string_equal(text, "");
	assert_int_equal(said("kill -9 $$", text), 128 + SIGKILL);
	assert_int_equal(said("head -c 1000 /dev/zero | tr '\\0' x", text), 0);
	assert_int_equal(strlen(text), 63);
	const char *none[] = {"/nonexistent", NULL};

	assert_int_equal(spawn_run(none, STOP_NEVER, true, text, sizeof(text)), 127);
}

/* A descriptor of ours, close-on-exec or not, is not the child's; nor is what we do to signals. */
static void spawn_test_clean(void **state)
{
	char text[64];
	sigset_t set, old;
	int fd = open("/dev/null", O_RDONLY);

	needs_pidfd();
	(void)state;
	assert_true(fd > 2);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &old);
	assert_int_equal(said("for f in 3 4 5 6 7 8 9; do (: <&$f) 2>/dev/null && echo $f; done; "
			      "kill $$; echo blocked",
			      text),
			 128 + SIGTERM);
	assert_string_equal(text, "");
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(fd);
}

static void spawn_test_limit(void **state)
{
	char name[] = "/tmp/spawn-XXXXXX", buf[2048];
	const char *argv[] = {sh, "-c", "head -c 100000 /dev/zero; echo more; exit 5", NULL};
	int fd = mkstemp(name);
	struct spawn spawn = {.argv = argv, .output = fd, .apart = true, .file_most = 1024};
	pid_t pid;

	needs_pidfd();
	(void)state;
	assert_true(fd >= 0);
	unlink(name);
	assert_int_equal(spawn_start(&spawn, &pid), 0);
	assert_int_equal(spawn_wait(pid, stop_deadline(20 * STOP_SECOND), false), 5);
	assert_int_equal(pread(fd, buf, sizeof(buf), 0), 1024);
	close(fd);
}

static void spawn_test_late(void **state)
{
	const char *argv[] = {sh, "-c", "trap '' TERM; while :; do sleep 0.05; done", NULL};
	char text[64];

	needs_pidfd();
	(void)state;
	for (int stoppable = 0; stoppable < 2; stoppable++)
		assert_int_equal(spawn_run(argv, stop_deadline(STOP_SECOND / 10), stoppable, text,
					   sizeof(text)),
				 -ETIMEDOUT);
	/* Nothing is left of it. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spawn_test_find),  cmocka_unit_test(spawn_test_run),
		cmocka_unit_test(spawn_test_clean), cmocka_unit_test(spawn_test_limit),
		cmocka_unit_test(spawn_test_late),
	};

	return cmocka_run_group_tests_name("spawn", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Who serves a shell, and a peer that attaches by hand: as it should, or not at all so. */
#include "shell_test.h"

#include <signal.h>
#include <valgrind/valgrind.h>

struct server {
	struct link_test_end end;
	pthread_t thread;
	char *argv[4];
	int err;
	char why[800];
	int fd; /* the peer's */
	uint64_t said;
	bool begun;
};

/* Older valgrinds know no pidfd_open. */
static void needs_pidfd(void)
{
	if (RUNNING_ON_VALGRIND)
		skip();
}

static void begun(void *arg)
{
	*(bool *)arg = true;
}

static void *serve(void *arg)
{
	struct server *server = arg;
	struct shell_serve given = {.argv = server->argv, .begun = begun, .arg = &server->begun};

	server->err = shell_serve(server->end.link, &given, server->why, sizeof(server->why));
	link_close(server->end.link);
	return NULL;
}

static void say(struct server *server, uint8_t type, const void *payload, uint32_t len)
{
	link_test_say(server->fd, type, ++server->said, payload, len);
}

/* SCRIPT is served, without a terminal where that is started. */
static void server_open(struct server *server, const char *script)
{
	memset(server, 0, sizeof(*server));
	server->argv[0] = strdup("/bin/sh");
	server->argv[1] = strdup("-c");
	server->argv[2] = strdup(script);
	server->fd = shell_test_by_hand(&server->end, WIRE_SERVER, WIRE_ATTACHER);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_start(struct server *server, bool terminal)
{
	struct wire_shell shell = {.terminal = terminal, .window = {24, 80}, .term = "vt100"};
	uint8_t payload[1024];

	say(server, WIRE_TYPE_SHELL, payload, wire_shell_put(&shell, payload, sizeof(payload)));
	assert_int_equal(link_test_expect(server->fd, WIRE_TYPE_TAKEN, payload), 8);
	assert_memory_equal(payload, "\0\0\0\0\0\0\0", 8);
}

static void server_end(struct server *server, int err)
{
	pthread_join(server->thread, NULL);
	if (server->err != err)
		print_error("%s\n", server->why);
	assert_int_equal(server->err, err);
	close(server->fd);
	for (int i = 0; i < 3; i++)
		free(server->argv[i]);
}

/* Reads the output up to EXIT, all of it acknowledged. Returns the code. */
static uint32_t server_output(struct server *server, char *ret, size_t len)
{
	uint8_t header[WIRE_HEADER], payload[WIRE_BYTES_MOST], taken[8];
	uint64_t got = 0;

	for (;;) {
		struct wire_header read;
		uint32_t code;

		assert_int_equal(recv(server->fd, header, sizeof(header), MSG_WAITALL),
				 sizeof(header));
		assert_int_equal(wire_header_get(header, &read), 0);
		assert_true(read.length <= sizeof(payload));
		if (read.length)
			assert_int_equal(recv(server->fd, payload, read.length, MSG_WAITALL),
					 read.length);
		if (read.type == WIRE_TYPE_EXIT) {
			assert_int_equal(wire_exit_get(payload, read.length, &code), 0);
			ret[got] = '\0';
			return code;
		}
		if (read.type != WIRE_TYPE_BYTES)
			continue;
		assert_true(got + read.length < len);
		memcpy(ret + got, payload, read.length);
		got += read.length;
		wire_taken_put(got, taken, sizeof(taken));
		say(server, WIRE_TYPE_TAKEN, taken, sizeof(taken));
	}
}

static void a_program_runs_on_pipes(void **state)
{
	struct server server;
	char output[256];

	(void)state;
	needs_pidfd();
	server_open(&server, "tr a-z A-Z; test -t 0; echo $? $TERM; exit 7");
	server_start(&server, false);
	say(&server, WIRE_TYPE_BYTES, "hallo\n", 6);
	say(&server, WIRE_TYPE_BYTES, NULL, 0);
	assert_int_equal(server_output(&server, output, sizeof(output)), 7);
	assert_string_equal(output, "HALLO\n1 vt100\n");
	say(&server, WIRE_TYPE_BYE, NULL, 0);
	server_end(&server, 0);
}

static void a_program_runs_on_a_terminal(void **state)
{
	struct wire_window window = {50, 120};
	struct server server;
	char output[256];
	uint8_t payload[4];

	(void)state;
	needs_pidfd();
	server_open(&server, "read x; stty size; kill -9 $$");
	server_start(&server, true);
	wire_window_put(&window, payload, sizeof(payload));
	say(&server, WIRE_TYPE_WINDOW, payload, sizeof(payload));
	say(&server, WIRE_TYPE_BYTES, "\r", 1);
	assert_int_equal(server_output(&server, output, sizeof(output)), 128 + SIGKILL);
	assert_string_equal(output, "\r\n50 120\r\n");
	say(&server, WIRE_TYPE_BYE, NULL, 0);
	server_end(&server, 0);
}

static void output_stops_where_nobody_takes_it(void **state)
{
	uint8_t header[WIRE_HEADER], payload[WIRE_BYTES_MOST];
	struct wire_header read = {0};
	struct server server;
	uint64_t got = 0;
	int quiet = 0;

	(void)state;
	needs_pidfd();
	server_open(&server, "exec yes");
	server_start(&server, false);
	/* KEEPALIVE goes on: some of them, one behind the other, say that no more comes. */
	while (quiet < 5) {
		assert_int_equal(recv(server.fd, header, sizeof(header), MSG_WAITALL),
				 sizeof(header));
		assert_int_equal(wire_header_get(header, &read), 0);
		if (read.length)
			recv(server.fd, payload, read.length, MSG_WAITALL);
		quiet = read.type == WIRE_TYPE_BYTES ? 0 : quiet + 1;
		got += read.type == WIRE_TYPE_BYTES ? read.length : 0;
	}
	assert_int_equal(got, WIRE_BYTES_AHEAD);
	say(&server, WIRE_TYPE_BYE, NULL, 0);
	server_end(&server, 0);
}

static void input_beyond_the_bound_is_refused(void **state)
{
	static const uint8_t data[1024];
	struct server server;

	(void)state;
	needs_pidfd();
	server_open(&server, "exec sleep 1000");
	server_start(&server, false);
	/* The pipe takes as much as the flow, and nothing is told of what it has. */
	for (unsigned int n = 0; n <= 2 * WIRE_BYTES_AHEAD / sizeof(data); n++)
		say(&server, WIRE_TYPE_BYTES, data, sizeof(data));
	shell_test_abort(server.fd, "no place there: BYTES");
	server_end(&server, -EPROTO);
}

/* Each is the first record, or the first behind SHELL. */
static void what_has_no_place_is_refused(void **state)
{
	static const struct {
		bool started;
		uint8_t type;
		uint32_t len;
		uint8_t payload[8];
	} cases[] = {
		{false, WIRE_TYPE_SHELL, 3, {0}},	   {false, WIRE_TYPE_SHELL, 8, {2}},
		{false, WIRE_TYPE_WINDOW, 4, {24, 0, 80}}, {false, WIRE_TYPE_DATA, 8, {0}},
		{false, WIRE_TYPE_EXIT, 4, {0}},	   {true, WIRE_TYPE_SHELL, 8, {0}},
		{true, WIRE_TYPE_WINDOW, 3, {24, 0, 80}},  {true, WIRE_TYPE_TAKEN, 7, {0}},
		{true, WIRE_TYPE_TAKEN, 8, {1}},	   {true, WIRE_TYPE_OFFER, 8, {0}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct server server;

		if (cases[i].started && RUNNING_ON_VALGRIND)
			break;
		server_open(&server, "exec sleep 1000");
		if (cases[i].started)
			server_start(&server, false);
		say(&server, cases[i].type, cases[i].payload, cases[i].len);
		shell_test_abort(server.fd, wire_type_name(cases[i].type));
		server_end(&server, -EPROTO);
		assert_int_equal(server.begun, cases[i].started);
	}
}

static void a_program_that_is_not_there_is_said(void **state)
{
	struct server server;
	char output[256];

	(void)state;
	needs_pidfd();
	server_open(&server, "");
	strcpy(server.argv[0], "/bin/0");
	server_start(&server, false);
	assert_int_equal(server_output(&server, output, sizeof(output)), 127);
	assert_non_null(strstr(output, "/bin/0: it cannot be started: No such file"));
	say(&server, WIRE_TYPE_BYE, NULL, 0);
	server_end(&server, 0);
}

/* The peer's end ends the program, also one that does not want to. */
static void nothing_is_left_when_the_peer_goes(void **state)
{
	uint8_t payload[1024];
	struct server server;
	pid_t pid;

	(void)state;
	needs_pidfd();
	server_open(&server, "trap '' HUP; echo $$; while :; do sleep 1000; done");
	server_start(&server, false);
	payload[link_test_expect(server.fd, WIRE_TYPE_BYTES, payload)] = '\0';
	pid = atoi((char *)payload);
	assert_int_equal(kill(pid, 0), 0);
	shutdown(server.fd, SHUT_RDWR);
	server_end(&server, -EPIPE);
	assert_int_equal(kill(pid, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_runs_on_pipes),
		cmocka_unit_test(a_program_runs_on_a_terminal),
		cmocka_unit_test(output_stops_where_nobody_takes_it),
		cmocka_unit_test(input_beyond_the_bound_is_refused),
		cmocka_unit_test(what_has_no_place_is_refused),
		cmocka_unit_test(a_program_that_is_not_there_is_said),
		cmocka_unit_test(nothing_is_left_when_the_peer_goes),
	};

	return stop_install() || cmocka_run_group_tests_name("serve", tests, NULL, NULL);
}

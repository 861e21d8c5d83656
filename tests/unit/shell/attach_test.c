// SPDX-License-Identifier: GPL-2.0-or-later
/* Who attaches to a shell, and a peer that serves it by hand. Standard input and output are pipes.
 */
#include "shell_test.h"

#include <fcntl.h>

struct client {
	struct link_test_end end;
	struct shell_attach attach;
	pthread_t thread;
	int err;
	char why[800];
	int fd;	      /* the peer's */
	int in, out;  /* our ends of its standard input and output */
	int saved[2]; /* what they were */
	uint64_t said;
};

static void *attach(void *arg)
{
	struct client *client = arg;

	client->err =
		shell_attach(client->end.link, &client->attach, client->why, sizeof(client->why));
	link_close(client->end.link);
	return NULL;
}

static void say(struct client *client, uint8_t type, const void *payload, uint32_t len)
{
	link_test_say(client->fd, type, ++client->said, payload, len);
}

static void begun(void *arg)
{
	(void)arg;
}

static void client_open(struct client *client)
{
	int in[2], out[2];

	memset(client, 0, sizeof(*client));
	client->attach.begun = begun;
	client->fd = shell_test_by_hand(&client->end, WIRE_ATTACHER, WIRE_SERVER);
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	client->saved[0] = dup(STDIN_FILENO);
	client->saved[1] = dup(STDOUT_FILENO);
	fflush(stdout);
	dup2(in[0], STDIN_FILENO);
	dup2(out[1], STDOUT_FILENO);
	close(in[0]);
	close(out[1]);
	client->in = in[1];
	client->out = out[0];
	assert_int_equal(pthread_create(&client->thread, NULL, attach, client), 0);
}

static void client_close(struct client *client)
{
	for (int fd = 0; fd < 2; fd++) {
		dup2(client->saved[fd], fd);
		close(client->saved[fd]);
	}
	close(client->in);
	close(client->out);
	close(client->fd);
}

static void client_end(struct client *client, int err)
{
	pthread_join(client->thread, NULL);
	client_close(client);
	if (client->err != err)
		print_error("%s\n", client->why);
	assert_int_equal(client->err, err);
}

static void client_started(struct client *client)
{
	struct wire_shell shell;
	uint8_t payload[1024];
	uint32_t len = link_test_expect(client->fd, WIRE_TYPE_SHELL, payload);

	assert_int_equal(wire_shell_get(payload, len, &shell), 0);
	assert_false(shell.terminal);
	assert_string_equal(shell.term, "");
	assert_false(client->attach.began);
	say(client, WIRE_TYPE_TAKEN, "\0\0\0\0\0\0\0", 8);
}

static void input_and_output_pass(void **state)
{
	uint8_t payload[1024], code[4];
	struct client client;

	(void)state;
	client_open(&client);
	client_started(&client);
	assert_int_equal(write(client.in, "\035.ls\n", 5), 5);
	assert_int_equal(link_test_expect(client.fd, WIRE_TYPE_BYTES, payload), 5);
	assert_memory_equal(payload, "\035.ls\n", 5);
	close(client.in);
	client.in = -1;
	assert_int_equal(link_test_expect(client.fd, WIRE_TYPE_BYTES, payload), 0);
	say(&client, WIRE_TYPE_BYTES, "\033[1mboot\377", 9);
	wire_exit_put(42, code, sizeof(code));
	say(&client, WIRE_TYPE_EXIT, code, sizeof(code));
	assert_int_equal(link_test_expect(client.fd, WIRE_TYPE_BYE, payload), 0);
	assert_int_equal(read(client.out, payload, sizeof(payload)), 9);
	assert_memory_equal(payload, "\033[1mboot\377", 9);
	shutdown(client.fd, SHUT_RDWR);
	client_end(&client, 0);
	assert_int_equal(client.attach.code, 42);
	assert_false(client.attach.detached);
}

/* Nobody reads its standard output: what comes beyond the bound is not kept but refused. */
static void output_beyond_the_bound_is_refused(void **state)
{
	static const uint8_t data[1024];
	struct client client;

	(void)state;
	client_open(&client);
	client_started(&client);
	for (unsigned int n = 0; n <= 2 * WIRE_BYTES_AHEAD / sizeof(data); n++)
		say(&client, WIRE_TYPE_BYTES, data, sizeof(data));
	shell_test_abort(client.fd, "no place there: BYTES");
	client_end(&client, -EPROTO);
}

static void what_has_no_place_is_refused(void **state)
{
	static const struct {
		uint8_t type;
		uint32_t len;
		uint8_t payload[8];
	} cases[] = {
		{WIRE_TYPE_EXIT, 4, {0, 1}}, {WIRE_TYPE_EXIT, 3, {0}},	{WIRE_TYPE_BYTES, 0, {0}},
		{WIRE_TYPE_TAKEN, 8, {1}},   {WIRE_TYPE_SHELL, 8, {0}}, {WIRE_TYPE_BYE, 0, {0}},
		{WIRE_TYPE_RESULT, 8, {0}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct client client;

		client_open(&client);
		say(&client, cases[i].type, cases[i].payload, cases[i].len);
		shell_test_abort(client.fd, wire_type_name(cases[i].type));
		client_end(&client, -EPROTO);
	}
}

/* What was typed is kept for another link. */
static void nothing_is_read_before_the_shell_runs(void **state)
{
	uint8_t payload[1024];
	struct client client;

	(void)state;
	client_open(&client);
	assert_int_equal(write(client.in, "rm x\n", 5), 5);
	link_test_expect(client.fd, WIRE_TYPE_SHELL, payload);
	link_test_expect(client.fd, WIRE_TYPE_KEEPALIVE, payload);
	shutdown(client.fd, SHUT_RDWR);
	pthread_join(client.thread, NULL);
	assert_int_equal(client.err, -EPIPE);
	assert_false(client.attach.began);
	assert_int_equal(read(STDIN_FILENO, payload, sizeof(payload)), 5);
	client_close(&client);
}

static void a_peer_that_goes_is_said(void **state)
{
	uint8_t payload[1024];
	struct client client;

	(void)state;
	client_open(&client);
	client_started(&client);
	assert_int_equal(write(client.in, "x", 1), 1);
	link_test_expect(client.fd, WIRE_TYPE_BYTES, payload);
	shutdown(client.fd, SHUT_RDWR);
	client_end(&client, -EPIPE);
	assert_true(client.attach.began);
	assert_non_null(strstr(client.why, "the cable was pulled"));
}

static void a_reader_that_has_ended_is_said(void **state)
{
	uint8_t payload[1024];
	struct client client;

	(void)state;
	client_open(&client);
	client_started(&client);
	close(client.out);
	client.out = -1;
	say(&client, WIRE_TYPE_BYTES, "x", 1);
	assert_int_equal(link_test_expect(client.fd, WIRE_TYPE_BYE, payload), 0);
	shutdown(client.fd, SHUT_RDWR);
	client_end(&client, -EPIPE);
	assert_non_null(strstr(client.why, "standard output cannot be written"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(input_and_output_pass),
		cmocka_unit_test(output_beyond_the_bound_is_refused),
		cmocka_unit_test(what_has_no_place_is_refused),
		cmocka_unit_test(nothing_is_read_before_the_shell_runs),
		cmocka_unit_test(a_peer_that_goes_is_said),
		cmocka_unit_test(a_reader_that_has_ended_is_said),
	};

	return stop_install() || cmocka_run_group_tests_name("attach", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire_test.h"

#include "codec/wire_shell.h"

WIRE_TEST_GET(shell)
WIRE_TEST_GET(window)

static int get_taken(const uint8_t *payload, size_t len)
{
	uint64_t bytes;

	return wire_taken_get(payload, len, &bytes);
}

static int get_exit(const uint8_t *payload, size_t len)
{
	uint32_t code;

	return wire_exit_get(payload, len, &code);
}

static void shell_is_the_golden_one(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("shell", WIRE_TYPE_SHELL, &len), buf[64];
	struct wire_shell shell;

	(void)state;
	assert_int_equal(wire_shell_get(payload, len, &shell), 0);
	assert_true(shell.terminal);
	assert_int_equal(shell.window.rows, 40);
	assert_int_equal(shell.window.columns, 101);
	assert_string_equal(shell.term, "xterm-256color");
	wire_test_same(wire_shell_put(&shell, buf, len), buf, payload, len);
	assert_int_equal(wire_shell_put(&shell, buf, len - 1), -ENOBUFS);
	free(payload);
}

static void shell_get_refuses_malformed_ones(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("shell", WIRE_TYPE_SHELL, &len), longest[8 + 33] = {0};

	(void)state;
	wire_test_truncated(get_shell, payload, 8);
	wire_test_longer(get_shell, payload, len);	   /* a NUL in the name */
	wire_test_field(get_shell, payload, len, 0, 4, 2); /* flags */
	wire_test_field(get_shell, payload, len, 0, 4, 1u << 31);
	wire_test_field(get_shell, payload, len, 8, 1, ' '); /* the name */
	wire_test_field(get_shell, payload, len, 8, 1, '=');
	wire_test_field(get_shell, payload, len, 8, 1, '/');
	wire_test_field(get_shell, payload, len, 21, 1, 0xc3);
	memset(longest + 8, 'x', 33);
	assert_int_equal(get_shell(longest, 8 + 32), 0);
	assert_int_equal(get_shell(longest, 8 + 33), -EBADMSG);
	assert_int_equal(get_shell(longest, 8), 0);
	free(payload);
}

static void shell_put_refuses_a_name_that_get_would(void **state)
{
	struct wire_shell shell = {.term = "a b"};
	uint8_t buf[64];

	(void)state;
	assert_int_equal(wire_shell_put(&shell, buf, sizeof(buf)), -EINVAL);
	memset(shell.term, 'x', sizeof(shell.term)); /* no NUL */
	assert_int_equal(wire_shell_put(&shell, buf, sizeof(buf)), -EINVAL);
	shell.term[32] = '\0';
	assert_int_equal(wire_shell_put(&shell, buf, sizeof(buf)), 8 + 32);
	assert_int_equal(get_shell(buf, 8 + 32), 0);
}

static void window_is_the_golden_one_and_has_one_length(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("window", WIRE_TYPE_WINDOW, &len), buf[4];
	struct wire_window window;

	(void)state;
	assert_int_equal(wire_window_get(payload, len, &window), 0);
	assert_int_equal(window.rows, 50);
	assert_int_equal(window.columns, 120);
	wire_test_same(wire_window_put(&window, buf, len), buf, payload, len);
	assert_int_equal(wire_window_put(&window, buf, len - 1), -ENOBUFS);
	wire_test_truncated(get_window, payload, len);
	wire_test_longer(get_window, payload, len);
	free(payload);
}

static void bytes_have_a_bound(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("bytes", WIRE_TYPE_BYTES, &len);

	(void)state;
	assert_memory_equal(payload, "uname -a\r\x03\xff", len);
	assert_true(wire_bytes_valid(len));
	assert_true(wire_bytes_valid(0));
	assert_true(wire_bytes_valid(WIRE_BYTES_MOST));
	assert_false(wire_bytes_valid(WIRE_BYTES_MOST + 1));
	free(payload);
}

static void taken_is_the_golden_one_and_has_one_length(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("taken", WIRE_TYPE_TAKEN, &len), buf[8];
	uint64_t bytes;

	(void)state;
	assert_int_equal(wire_taken_get(payload, len, &bytes), 0);
	assert_int_equal(bytes, 16384);
	wire_test_same(wire_taken_put(bytes, buf, len), buf, payload, len);
	assert_int_equal(wire_taken_put(bytes, buf, len - 1), -ENOBUFS);
	wire_test_truncated(get_taken, payload, len);
	wire_test_longer(get_taken, payload, len);
	free(payload);
}

static void exit_is_the_golden_one_and_a_code(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("exit", WIRE_TYPE_EXIT, &len), buf[4];
	uint32_t code;

	(void)state;
	assert_int_equal(wire_exit_get(payload, len, &code), 0);
	assert_int_equal(code, 130);
	wire_test_same(wire_exit_put(code, buf, len), buf, payload, len);
	assert_int_equal(wire_exit_put(code, buf, len - 1), -ENOBUFS);
	assert_int_equal(wire_exit_put(255, buf, len), 4);
	assert_int_equal(get_exit(buf, 4), 0);
	assert_int_equal(wire_exit_put(256, buf, len), -EINVAL);
	wire_test_truncated(get_exit, payload, len);
	wire_test_longer(get_exit, payload, len);
	wire_test_field(get_exit, payload, len, 0, 4, 256);
	wire_test_field(get_exit, payload, len, 0, 4, UINT32_MAX);
	free(payload);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shell_is_the_golden_one),
		cmocka_unit_test(shell_get_refuses_malformed_ones),
		cmocka_unit_test(shell_put_refuses_a_name_that_get_would),
		cmocka_unit_test(window_is_the_golden_one_and_has_one_length),
		cmocka_unit_test(bytes_have_a_bound),
		cmocka_unit_test(taken_is_the_golden_one_and_has_one_length),
		cmocka_unit_test(exit_is_the_golden_one_and_a_code),
	};

	return cmocka_run_group_tests_name("wire_shell", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire_test.h"

WIRE_TEST_GET(end)
WIRE_TEST_GET(result)

static int get_abort(const uint8_t *payload, size_t len)
{
	char sentence[WIRE_SENTENCE_MOST + 1];
	int err;

	test_unset(sentence, sizeof(sentence));
	err = wire_abort_get(payload, len, sentence);
	if (err)
		test_assert_unset(sentence, sizeof(sentence));
	return err;
}

static void end_is_the_golden_one(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("end", WIRE_TYPE_END, &len), buf[64];
	struct wire_end end;

	(void)state;
	assert_int_equal(wire_end_get(payload, len, &end), 0);
	assert_int_equal(end.chunks, 7);
	assert_int_equal(end.size, 25084);
	assert_memory_equal(end.root.bytes, payload + 16, DIGEST_SIZE);
	wire_test_same(wire_end_put(&end, buf, len), buf, payload, len);
	assert_int_equal(wire_end_put(&end, buf, len - 1), -ENOBUFS);
	free(payload);
}

static void end_get_refuses_malformed_ones(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("end", WIRE_TYPE_END, &len);

	(void)state;
	wire_test_truncated(get_end, payload, len);
	wire_test_longer(get_end, payload, len);
	wire_test_field(get_end, payload, len, 0, 8, 0);
	wire_test_field(get_end, payload, len, 0, 8, CHUNK_COUNT_MOST + 1ull);
	wire_test_field(get_end, payload, len, 0, 8, UINT64_MAX);
	wire_test_field(get_end, payload, len, 8, 8, 7ull * CHUNK_SIZE_MOST + 1);
	wire_test_field(get_end, payload, len, 8, 8, UINT64_MAX);
	free(payload);
}

static void end_put_refuses_fields_out_of_bounds(void **state)
{
	struct wire_end end = {.chunks = CHUNK_COUNT_MOST,
			       .size = (uint64_t)CHUNK_COUNT_MOST * CHUNK_SIZE_MOST};
	uint8_t buf[64];

	(void)state;
	assert_int_equal(wire_end_put(&end, buf, sizeof(buf)), 32);
	assert_int_equal(get_end(buf, 32), 0);
	assert_int_equal(wire_end_put(&(struct wire_end){.chunks = 1}, buf, sizeof(buf)), 32);
	assert_int_equal(get_end(buf, 32), 0);
	end.size++;
	assert_int_equal(wire_end_put(&end, buf, sizeof(buf)), -EINVAL);
	end.size = 0;
	end.chunks = 0;
	assert_int_equal(wire_end_put(&end, buf, sizeof(buf)), -EINVAL);
	end.chunks = CHUNK_COUNT_MOST + 1ull;
	assert_int_equal(wire_end_put(&end, buf, sizeof(buf)), -EINVAL);
}

static void result_is_the_golden_one(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("result", WIRE_TYPE_RESULT, &len), buf[256];
	struct wire_result result;

	(void)state;
	assert_int_equal(wire_result_get(payload, len, &result), 0);
	assert_int_equal(result.status, WIRE_STATUS_PARTIAL);
	assert_int_equal(result.stored, 16384);
	assert_memory_equal(result.root.bytes, payload + 16, DIGEST_SIZE);
	assert_string_equal(result.sentence,
			    "512 bytes could not be read \342\200\223 see the manifest");
	wire_test_same(wire_result_put(&result, buf, len), buf, payload, len);
	assert_int_equal(wire_result_put(&result, buf, len - 1), -ENOBUFS);
	free(payload);
}

static void result_get_refuses_malformed_ones(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("result", WIRE_TYPE_RESULT, &len), *longer;

	(void)state;
	wire_test_truncated(get_result, payload, 32);
	wire_test_longer(get_result, payload, len); /* by a NUL */
	wire_test_field(get_result, payload, len, 0, 8, 4);
	wire_test_field(get_result, payload, len, 0, 8, 0x100);
	wire_test_field(get_result, payload, len, 0, 8, 1ull << 63);
	wire_test_field(get_result, payload, len, 32, 1, 27);
	wire_test_field(get_result, payload, len, len - 1, 1, 0xe2);
	wire_test_field(get_result, payload, 32, 0, 8,
			WIRE_STATUS_FAILED); /* and does not say why */
	longer = malloc(32 + WIRE_SENTENCE_MOST + 1);
	assert_non_null(longer);
	memcpy(longer, payload, 32);
	memset(longer + 32, 'x', WIRE_SENTENCE_MOST + 1);
	assert_int_equal(get_result(longer, 32 + WIRE_SENTENCE_MOST), 0);
	assert_int_equal(get_result(longer, 32 + WIRE_SENTENCE_MOST + 1), -EBADMSG);
	free(longer);
	free(payload);
}

static void result_put_refuses_fields_out_of_bounds(void **state)
{
	struct wire_result result = {.status = WIRE_STATUS_FAILED, .sentence = "no space left"};
	uint8_t buf[64];

	(void)state;
	assert_int_equal(wire_result_put(&result, buf, sizeof(buf)), 32 + 13);
	assert_int_equal(get_result(buf, 32 + 13), 0);
	result.status = WIRE_STATUS_DURABLE;
	result.sentence[0] = '\0';
	assert_int_equal(wire_result_put(&result, buf, sizeof(buf)), 32);
	assert_int_equal(get_result(buf, 32), 0);
	result.status = WIRE_STATUS_FAILED;
	assert_int_equal(wire_result_put(&result, buf, sizeof(buf)), -EINVAL);
	result.status = WIRE_STATUS_FAILED + 1;
	strcpy(result.sentence, "of no known kind");
	assert_int_equal(wire_result_put(&result, buf, sizeof(buf)), -EINVAL);
}

static void abort_is_the_golden_one(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("abort", WIRE_TYPE_ABORT, &len), buf[64];
	char sentence[WIRE_SENTENCE_MOST + 1];

	(void)state;
	assert_int_equal(wire_abort_get(payload, len, sentence), 0);
	assert_string_equal(sentence, "interrupted");
	wire_test_same(wire_abort_put(sentence, buf, len), buf, payload, len);
	assert_int_equal(wire_abort_put(sentence, buf, len - 1), -ENOBUFS);
	free(payload);
}

static void abort_get_refuses_malformed_ones(void **state)
{
	uint8_t *longer = malloc(WIRE_SENTENCE_MOST + 1);

	(void)state;
	assert_non_null(longer);
	memset(longer, 'x', WIRE_SENTENCE_MOST + 1);
	assert_int_equal(get_abort(longer, WIRE_SENTENCE_MOST), 0);
	assert_int_equal(get_abort(longer, WIRE_SENTENCE_MOST + 1), -EBADMSG);
	assert_int_equal(get_abort(longer, 0), -EBADMSG);
	wire_test_field(get_abort, longer, 20, 19, 1, 0);
	wire_test_field(get_abort, longer, 20, 3, 1, '\r');
	wire_test_field(get_abort, longer, 20, 19, 1, 0xc3);
	free(longer);
}

static void abort_put_says_something_of_everything(void **state)
{
	static char text[2 * WIRE_SENTENCE_MOST];
	char buf[WIRE_SENTENCE_MOST];

	(void)state;
	assert_int_equal(wire_abort_put("", buf, sizeof(buf)), -EINVAL);
	assert_int_equal(wire_abort_put("/mnt/a\nb: No space", buf, sizeof(buf)), 18);
	assert_memory_equal(buf, "/mnt/a?b: No space", 18);
	memset(text, 'x', WIRE_SENTENCE_MOST - 1);
	strcpy(text + WIRE_SENTENCE_MOST - 1, "\303\274 and more");
	assert_int_equal(wire_abort_put(text, buf, sizeof(buf)), WIRE_SENTENCE_MOST - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(end_is_the_golden_one),
		cmocka_unit_test(end_get_refuses_malformed_ones),
		cmocka_unit_test(end_put_refuses_fields_out_of_bounds),
		cmocka_unit_test(result_is_the_golden_one),
		cmocka_unit_test(result_get_refuses_malformed_ones),
		cmocka_unit_test(result_put_refuses_fields_out_of_bounds),
		cmocka_unit_test(abort_is_the_golden_one),
		cmocka_unit_test(abort_get_refuses_malformed_ones),
		cmocka_unit_test(abort_put_says_something_of_everything),
	};

	return cmocka_run_group_tests_name("wire_close", tests, NULL, NULL);
}

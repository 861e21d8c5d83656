// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "ui/meter.h"
#include "ui/progress_text.h"

#define GIB (1ull << 30)

static const struct progress_state running = {
	.what = "backup",
	.done = 12 * GIB / 10,
	.total = 29 * GIB / 10,
	.rate = 310400000,
	.remaining = 5,
	.elapsed = 7 * METER_SECOND,
	.level = -1,
};

static const char *human(const struct progress_state *state, size_t width)
{
	static char text[PROGRESS_TEXT_MOST];

	memset(text, 0x5a, sizeof(text));
	progress_text_human(state, width, text);
	return text;
}

static void it_reads_as_promised(void **state)
{
	(void)state;
	assert_string_equal(human(&running, 79),
			    "backup  41.3 %  1.2 GiB of 2.9 GiB  310 MB/s  0:05 left");
}

static void hundred_percent_is_the_whole(void **state)
{
	struct progress_state s = running;

	(void)state;
	s.done = s.total - 1;
	s.remaining = 1;
	assert_string_equal(human(&s, 79),
			    "backup  99.9 %  2.9 GiB of 2.9 GiB  310 MB/s  0:01 left");
	s.done = s.total;
	s.ended = true;
	s.stored = GIB;
	assert_string_equal(human(&s, 79),
			    "backup  100 %  2.9 GiB  310 MB/s  in 7.0 s  stored in 1.0 GiB");
	s.done--;
	s.elapsed = 3725 * METER_SECOND;
	assert_string_equal(human(&s, 100), "backup  99.9 %  2.9 GiB of 2.9 GiB  310 MB/s  "
					    "in 1:02:05  stored in 1.0 GiB");
}

static void what_is_not_known_is_left_out(void **state)
{
	struct progress_state s = {.what = "-", .remaining = -1, .level = -1};

	(void)state;
	assert_string_equal(human(&s, 79), "-  0 bytes  0.0 MB/s  0:00");
	s.done = 1;
	s.elapsed = 61 * METER_SECOND;
	assert_string_equal(human(&s, 79), "-  1 byte  0.0 MB/s  1:01");
	s.total = UINT64_MAX;
	s.done = UINT64_MAX - 1;
	s.rate = UINT64_MAX;
	assert_string_equal(human(&s, 79), "-  99.9 %  16.0 EiB of 16.0 EiB  18446744073709 MB/s");
}

/* Never wider than it may be, and the percentage stays longest. */
static void a_narrow_terminal_gets_less(void **state)
{
	struct progress_state s = running;
	size_t columns, before = SIZE_MAX;

	(void)state;
	s.what = "/dev/disk/by-id/nvme-Samsung_SSD_980_PRO_1TB_\xc3\xa4\xc3\xb6\xc3\xbc";
	s.stored = GIB;
	for (size_t width = 200; width >= 16; width--) {
		const char *text = human(&s, width);

		columns = 0;
		for (const char *p = text; *p; p++)
			columns += (*p & 0xc0) != 0x80;
		assert_true(columns <= width);
		assert_true(columns <= before);
		assert_non_null(strstr(text, "41.3 %"));
		assert_non_null(strstr(text, "\xc3\xa4\xc3\xb6\xc3\xbc  "));
		before = columns;
	}
	assert_string_equal(human(&running, 40), "backup  41.3 %  0:05 left");
	assert_string_equal(human(&running, 0), "backup");
}

static void a_long_name_fits_in_memory(void **state)
{
	char what[2048];
	struct progress_state s = running;

	(void)state;
	memset(what, 'x', sizeof(what));
	what[sizeof(what) - 1] = '\0';
	s.what = what;
	assert_true(strlen(human(&s, 1000)) < 250);
	for (size_t i = 0; i + 4 < sizeof(what); i += 4)
		memcpy(what + i, "\xf0\x9f\x92\xbe", 4);
	assert_true(strlen(human(&s, 1000)) < 250);
}

static void json_is_json(void **state)
{
	struct progress_state s = running;
	char text[PROGRESS_TEXT_MOST];
	json_int_t done, total, stored, rate, remaining;
	const char *event;
	double elapsed;
	json_t *object;

	(void)state;
	s.stored = 17;
	progress_text_json(&s, text);
	object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(object);
	assert_int_equal(json_unpack(object, "{s:s, s:I, s:I, s:I, s:I, s:I, s:F !}", "event",
				     &event, "done", &done, "total", &total, "stored", &stored,
				     "rate", &rate, "remaining", &remaining, "elapsed", &elapsed),
			 0);
	assert_string_equal(event, "progress");
	assert_int_equal(done, s.done);
	assert_int_equal(total, s.total);
	assert_int_equal(stored, 17);
	assert_int_equal(rate, s.rate);
	assert_int_equal(remaining, 5);
	assert_true(elapsed == 7.0);
	json_decref(object);

	s.remaining = -1;
	s.total = 0;
	progress_text_json(&s, text);
	object = json_loads(text, 0, NULL);
	assert_true(json_is_null(json_object_get(object, "remaining")));
	assert_null(json_object_get(object, "total"));
	assert_int_equal(json_integer_value(json_object_get(object, "stored")), 17);
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_reads_as_promised),
		cmocka_unit_test(hundred_percent_is_the_whole),
		cmocka_unit_test(what_is_not_known_is_left_out),
		cmocka_unit_test(a_narrow_terminal_gets_less),
		cmocka_unit_test(a_long_name_fits_in_memory),
		cmocka_unit_test(json_is_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

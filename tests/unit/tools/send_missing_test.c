// SPDX-License-Identifier: GPL-2.0-or-later
/* What is missing on its way to the receiver: however much it is, it fits, and none of it is lost.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec/manifest.h"
#include "codec/manifest_missing.h"
#include "codec/manifest_table.h"
#include "recv/recv_internal.h"
#include "send/send_missing.h"

#define SIZE (1ull << 46)

/* A manifest with COUNT ranges of a sector, far out, where the numbers are long. */
static json_t *manifest_of(unsigned int count)
{
	json_t *manifest = json_pack("{s:s}", "tool", "test");
	struct rescue_map *map;

	assert_int_equal(rescue_map_new(SIZE, &map), 0);
	assert_int_equal(rescue_map_set(map, 0, SIZE, RESCUE_FINISHED), 0);
	for (uint64_t i = 0; i < count; i++)
		assert_int_equal(
			rescue_map_set(map, SIZE / 2 + i * 65536 + i % 7 * 4096, 512, RESCUE_BAD),
			0);
	assert_int_equal(manifest_missing_put(manifest, map), 0);
	rescue_map_free(map);
	return manifest;
}

static void assert_same_ranges(const json_t *a, const json_t *b)
{
	assert_true(json_equal(json_object_get(a, "unreadable"), json_object_get(b, "unreadable")));
}

/* Takes RECORD into THERE, the manifest of a disk of SIZE bytes. */
static int taken(const struct link_record *record, uint64_t size, json_t *there)
{
	char why[64];
	struct recv recv = {
		.head.map = {.size = size, .chunk_size = CHUNK_SIZE},
		.manifest = there,
		.why = why,
		.why_len = sizeof(why),
	};

	return recv_again_missing(&recv, record);
}

static void everything_arrives(void **state)
{
	static const unsigned int counts[] = {1, 100, 5000};

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		json_t *manifest = manifest_of(counts[i]), *there = json_object();
		struct link_record *record;

		assert_int_equal(send_missing_record(manifest, SIZE, &record), 0);
		assert_int_equal(record->type, WIRE_TYPE_UNREADABLE);
		assert_int_equal(taken(record, SIZE, there), 0);
		assert_same_ranges(manifest, there);
		/* What was there before is no more; a smaller disk cannot have these. */
		assert_int_equal(taken(record, SIZE, there), 0);
		assert_same_ranges(manifest, there);
		assert_int_equal(taken(record, SIZE / 2, there), -EBADMSG);
		/* A stream has no size yet, and nothing that could be missing. */
		assert_int_equal(taken(record, CHUNK_OPEN, there), -EBADMSG);
		assert_same_ranges(manifest, there);
		free(record);
		json_decref(manifest);
		json_decref(there);
	}
}

static void an_offer_has_room_for_them(void **state)
{
	json_t *manifest = manifest_of(60000), *offered = NULL;
	struct rescue_map *map;
	uint64_t offset, length;
	char *text;
	size_t len;

	(void)state;
	assert_int_equal(manifest_format(manifest, &text, &len), 0);
	assert_true(len > WIRE_MANIFEST_MOST);
	free(text);
	assert_int_equal(send_missing_offer(manifest, SIZE, &text, &len), 0);
	assert_true(len <= WIRE_MANIFEST_MOST);
	assert_int_equal(manifest_parse(text, len, &offered), 0);
	assert_string_equal(manifest_string(offered, "tool"), "test");
	/* Fewer, but none is left out; and the manifest itself is as it was. */
	assert_true(manifest_range_count(offered, "unreadable") <= 16384);
	assert_int_equal(manifest_range_count(manifest, "unreadable"), 60000);
	assert_int_equal(manifest_missing_get(offered, SIZE, &map), 0);
	for (size_t i = 0; i < 60000; i++) {
		assert_true(manifest_range_get(manifest, "unreadable", i, &offset, &length));
		assert_int_equal(rescue_map_bytes(map, offset, length, RESCUE_MISSING), length);
	}
	rescue_map_free(map);
	free(text);
	json_decref(offered);
	json_decref(manifest);
}

static void a_short_one_is_as_it_is(void **state)
{
	json_t *manifest = manifest_of(3);
	char *text, *offer;
	size_t len, offer_len;

	(void)state;
	assert_int_equal(manifest_format(manifest, &text, &len), 0);
	assert_int_equal(send_missing_offer(manifest, SIZE, &offer, &offer_len), 0);
	assert_int_equal(len, offer_len);
	assert_string_equal(text, offer);
	free(text);
	free(offer);
	json_decref(manifest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_arrives),
		cmocka_unit_test(an_offer_has_room_for_them),
		cmocka_unit_test(a_short_one_is_as_it_is),
	};

	return cmocka_run_group_tests_name("send_missing", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Images with slots that were cut, before a slot was filled, behind it and in between. */
#include "resume_slot_test.h"

#include <time.h>

/* In the place of the C library's. */
time_t time(time_t *ret)
{
	(void)ret;
	return 2;
}

int fdatasync(int fd)
{
	(void)fd;
	return 0;
}

/* The last CHECKPOINT's end at or before LEN. */
static uint64_t end_before(const struct slotted *slotted, uint64_t len)
{
	uint64_t end = 0;

	for (int i = 0; i < 4 && slotted->ends[i] <= len; i++)
		end = slotted->ends[i];
	return end;
}

/* How far a test can go back from AT: slots are long and empty. */
static uint64_t step(const struct slotted *slotted, uint64_t at)
{
	const uint64_t far = RUNNING_ON_VALGRIND ? 4000000 : 700001;

	for (int i = 0; i < 2; i++) {
		uint64_t empty = slotted->at[i] + slotted->len[i] + 20;

		if (at > empty && at < slotted->at[i] + CHUNK_SIZE)
			return at - empty < far ? at - empty : far;
	}
	return RUNNING_ON_VALGRIND ? 5003 : 211;
}

/* What is kept ends at a CHECKPOINT, and goes on to what it would have been. */
static void cut_anywhere(void **state)
{
	struct slotted whole, cut;

	(void)state;
	slotted_open(&whole, false);
	slotted_finish(whole.store);
	assert_whole(whole.fd);
	slotted_open(&cut, false);
	slotted_finish(cut.store);
	store_free(cut.store);
	for (uint64_t at = whole.ends[3]; at > 2000; at -= step(&whole, at)) {
		struct resume resume;
		uint64_t end = end_before(&whole, at);

		/* Never longer again than what goes on makes it. */
		assert_int_equal(ftruncate(cut.fd, at), 0);
		assert_int_equal(kept(cut.fd, &resume), end);
		if (end && at < end + 40) {
			uint64_t count = resume_chunks(&resume);
			struct slotted on = {.fd = cut.fd};

			assert_int_equal(store_continue(cut.fd, &resume, &on.store), 0);
			slotted_put(&on, count, CHUNKS, false);
			slotted_finish(on.store);
			store_free(on.store);
			assert_same(cut.fd, whole.fd);
		}
		resume_clear(&resume);
	}
	cut.store = NULL;
	slotted_close(&cut);
	slotted_close(&whole);
}

/* Flips a bit of the byte AT. Returns what is kept then. */
static uint64_t flipped(int fd, uint64_t at)
{
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 1u << at % 8;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	uint64_t end = kept_bytes(fd);
	byte ^= 1u << at % 8;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	return end;
}

/* Nothing that was changed is kept, what stands before is: in frames, PADs and CHECKPOINTs. */
static void flipped_anywhere(void **state)
{
	struct slotted whole;

	(void)state;
	slotted_open(&whole, false);
	slotted_finish(whole.store);
	for (uint64_t at = whole.ends[3] - 1; at > 2000; at -= step(&whole, at))
		assert_int_equal(flipped(whole.fd, at), end_before(&whole, at));
	for (int i = 0; i < SLOTS; i++)
		for (uint64_t at = whole.at[i] + whole.len[i] - 1, n = 0; n < 19; n++)
			assert_int_equal(flipped(whole.fd, at + n), end_before(&whole, at));
	slotted_close(&whole);
}

/* Slots of what an earlier run wrote are filled, and the image is the one written at once. */
static void filled_behind_a_cut(void **state)
{
	(void)state;
	for (int cut = 1; cut <= 4; cut += RUNNING_ON_VALGRIND ? 3 : 1) {
		struct slotted once, later;
		struct resume resume;

		slotted_open(&once, true);
		slotted_finish(once.store);
		slotted_open(&later, false);
		/* With its last CHECKPOINT, and a part of the trailer. */
		if (cut == 4)
			slotted_finish(later.store);
		store_free(later.store);
		assert_int_equal(ftruncate(later.fd, later.ends[cut - 1] + 3), 0);
		assert_int_equal(kept(later.fd, &resume), later.ends[cut - 1]);
		uint64_t count = resume_chunks(&resume);
		assert_int_equal(store_continue(later.fd, &resume, &later.store), 0);
		assert_true(store_fills(later.store));
		slotted_put(&later, count, CHUNKS, false);
		for (int i = SLOTS; i-- > 0;)
			slotted_fill(later.store, slots[i], true);
		slotted_finish(later.store);
		assert_same(once.fd, later.fd);
		assert_whole(later.fd);
		resume_clear(&resume);
		slotted_close(&later);
		slotted_close(&once);
	}
}

/* What is filled survives a cut. */
static void cut_behind_a_fill(void **state)
{
	struct slotted slotted;
	struct image_entry told, entry;
	static uint8_t frame[PACK_FRAME_MOST];
	struct resume resume;

	(void)state;
	slotted_open(&slotted, false);
	slotted_fill(slotted.store, slots[1], true);
	slotted_fill(slotted.store, slots[0], true);
	assert_int_equal(kept(slotted.fd, &resume), slotted.ends[2]);
	store_free(slotted.store);
	assert_int_equal(store_continue(slotted.fd, &resume, &slotted.store), 0);
	for (int i = 0; i < 2; i++) {
		slotted_chunk(slots[i], true, &entry, frame);
		assert_int_equal(store_entries(slotted.store, slots[i], 1, &told), 0);
		assert_true(digest_equal(&told.digest, &entry.digest));
		assert_int_equal(told.flags, IMAGE_ENTRY_SLOT);
	}
	resume_clear(&resume);
	slotted_close(&slotted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(flipped_anywhere),
		cmocka_unit_test(filled_behind_a_cut),
		cmocka_unit_test(cut_behind_a_fill),
	};

	return cmocka_run_group_tests_name("resume_slot", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What is there when the power goes while a slot is filled: the old or the new, as a whole. */
#include "resume_slot_test.h"

#include <time.h>

#include "io/redo.h"

static int *syncs; /* unless it is NULL: a copy of what is synced goes to the next of these two */

static int copied(int from, uint64_t len);

/* In the place of the C library's. */
time_t time(time_t *ret)
{
	(void)ret;
	return 2;
}

int fdatasync(int fd)
{
	if (syncs)
		syncs[syncs[0] >= 0] = copied(fd, 0);
	return 0;
}

/* A copy of FROM's first LEN bytes, all where LEN is 0. */
static int copied(int from, uint64_t len)
{
	uint64_t all;
	uint8_t *data = contents(from, &all);
	int fd = file();

	assert_int_equal(pwrite(fd, data, len ? len : all, 0), (ssize_t)(len ? len : all));
	free(data);
	return fd;
}

/* An image whose slot I was filled, and the file as it was when each of the two syncs began. */
struct filling {
	struct slotted old, filled;
	int synced[2];
};

static void filling_open(struct filling *filling, int i)
{
	slotted_open(&filling->old, false);
	slotted_open(&filling->filled, false);
	/* The last slot's end is a hole, which the file gets when something follows. */
	assert_int_equal(ftruncate(filling->old.fd, store_size(filling->old.store)), 0);
	filling->synced[0] = filling->synced[1] = -1;
	syncs = filling->synced;
	slotted_fill(filling->filled.store, slots[i], true);
	syncs = NULL;
	assert_true(filling->synced[1] >= 0);
}

static void filling_close(struct filling *filling)
{
	close(filling->synced[0]);
	close(filling->synced[1]);
	slotted_close(&filling->old);
	slotted_close(&filling->filled);
}

/* Bytes LEN at AT become nonsense. */
static void spoil(int fd, uint64_t at, size_t len)
{
	uint8_t *nonsense = malloc(len);

	memset(nonsense, 0x5a, len);
	assert_int_equal(pwrite(fd, nonsense, len, at), (ssize_t)len);
	free(nonsense);
}

/* Power that goes while the new is put in its places, whichever of the writes came through. */
static void power_cut_in_a_fill(void **state)
{
	size_t mark = image_checkpoint_size(GAP);

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct filling filling;

		filling_open(&filling, i);
		for (int torn = 0; torn < 4; torn++) {
			int fd = copied(filling.synced[0], 0);

			if (torn & 1)
				spoil(fd, filling.old.at[i] + 7, filling.old.len[i]);
			if (torn & 2)
				spoil(fd, filling.old.ends[i] - mark + 30, mark - 40);
			assert_int_equal(redo_finish(fd), 1);
			assert_same(fd, filling.filled.fd);
			assert_int_equal(kept_bytes(fd), filling.old.ends[2]);
			assert_int_equal(redo_finish(fd), 0);
			close(fd);
		}
		/* All is in its place already. */
		assert_int_equal(redo_finish(filling.synced[1]), 1);
		assert_same(filling.synced[1], filling.filled.fd);
		filling_close(&filling);
	}
}

/* Power that goes before: of the REDO some is there, or anything, and the old is. */
static void power_cut_before_a_fill(void **state)
{
	struct filling filling;
	uint64_t size, old;

	(void)state;
	filling_open(&filling, 0);
	free(contents(filling.synced[0], &size));
	free(contents(filling.old.fd, &old));
	for (uint64_t at = size - 1; at > old; at -= at - old > 1000 ? (at - old) / 7 : 101) {
		int cut = copied(filling.synced[0], at), flip = copied(filling.synced[0], 0);
		uint8_t byte;

		assert_int_equal(redo_finish(cut), 0);
		assert_int_equal(kept_bytes(cut), filling.old.ends[2]);
		assert_int_equal(pread(flip, &byte, 1, at), 1);
		byte ^= 1u << at % 8;
		assert_int_equal(pwrite(flip, &byte, 1, at), 1);
		assert_int_equal(redo_finish(flip), 0);
		assert_int_equal(kept_bytes(flip), filling.old.ends[2]);
		close(cut);
		close(flip);
	}
	filling_close(&filling);
}

/* A disk that was imaged can end with an unfinished image, whose REDO is none of ours. */
static void redo_of_another_image(void **state)
{
	struct filling filling;
	struct image_head head = test_head();
	struct slotted other = {.fd = file()};
	uint64_t size, old, others;

	(void)state;
	filling_open(&filling, 0);
	uint8_t *data = contents(filling.synced[0], &size);
	free(contents(filling.old.fd, &old));
	head.transfer_id[15] = 9;
	assert_int_equal(store_new(other.fd, &head, &other.store), 0);
	slotted_put(&other, 0, CHUNKS, false);
	others = store_size(other.store);
	assert_int_equal(others, old);
	assert_int_equal(pwrite(other.fd, data + old, size - old, old), (ssize_t)(size - old));
	int before = copied(other.fd, 0);
	assert_int_equal(redo_finish(other.fd), 0);
	assert_same(before, other.fd);
	close(before);
	free(data);
	slotted_close(&other);
	filling_close(&filling);
}

/* Nothing is written over before the REDO is on the medium, which stays until all is. */
static void synced_before_its_place(void **state)
{
	struct filling filling;
	uint64_t old;

	(void)state;
	filling_open(&filling, 0);
	free(contents(filling.old.fd, &old));
	int first = copied(filling.synced[0], old), second = copied(filling.synced[1], old);
	assert_same(first, filling.old.fd);
	assert_same(second, filling.filled.fd);
	close(first);
	close(second);
	filling_close(&filling);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(power_cut_in_a_fill),
		cmocka_unit_test(power_cut_before_a_fill),
		cmocka_unit_test(redo_of_another_image),
		cmocka_unit_test(synced_before_its_place),
	};

	return cmocka_run_group_tests_name("redo", tests, NULL, NULL);
}

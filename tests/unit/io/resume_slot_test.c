// SPDX-License-Identifier: GPL-2.0-or-later
/* Images with slots that were cut, before a slot was filled, behind it and in between. */
#include "resume_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "io/out.h"
#include "io/verify.h"

#define SLOTS 3

/* The first gap's midst, the second one's end, and the image's end, which is short. */
static const uint64_t slots[SLOTS] = {5, 2 * GAP - 1, CHUNKS - 1};

struct slotted {
	int fd;
	struct store *store;
	uint64_t ends[4];    /* of the CHECKPOINTs */
	uint64_t at[SLOTS];  /* of the slots' frames */
	uint64_t len[SLOTS]; /* of these */
};

static off_t watched; /* this byte was not changed yet when the file was synced last */
static uint8_t watched_byte;

/* In the place of the C library's. */
time_t time(time_t *ret)
{
	(void)ret;
	return 2;
}

int fdatasync(int fd)
{
	if (watched)
		assert_int_equal(pread(fd, &watched_byte, 1, watched), 1);
	return 0;
}

static int slot_of(uint64_t index)
{
	for (int i = 0; i < SLOTS; i++)
		if (slots[i] == index)
			return i;
	return -1;
}

/* Chunk INDEX; one with a slot lacks something, unless it is BETTER. */
static void slotted_chunk(uint64_t index, bool better, struct image_entry *entry, uint8_t *frame)
{
	bool slot = slot_of(index) >= 0;
	/* The last one is shorter than the others, and always the same. */
	uint64_t other = slot && !better && index != CHUNKS - 1 ? index + 2 : index;

	test_chunk(other, entry, frame);
	entry->flags = slot ? IMAGE_ENTRY_SLOT : 0;
	if (slot && !better)
		entry->flags |= IMAGE_ENTRY_UNREADABLE;
}

static void slotted_put(struct slotted *slotted, uint64_t first, uint64_t end, bool better)
{
	static uint8_t frame[PACK_FRAME_MOST];
	struct image_entry entry;

	for (uint64_t i = first; i < end; i++) {
		int slot = slot_of(i);

		slotted_chunk(i, better, &entry, frame);
		if (slot >= 0) {
			slotted->at[slot] = store_size(slotted->store);
			slotted->len[slot] = entry.stored_size;
		}
		assert_int_equal(store_chunk(slotted->store, &entry, frame), 0);
		if ((i + 1) % GAP == 0)
			slotted->ends[i / GAP] = store_size(slotted->store);
	}
}

static void slotted_fill(struct store *store, uint64_t index, bool better)
{
	static uint8_t frame[PACK_FRAME_MOST];
	struct image_entry entry;

	slotted_chunk(index, better, &entry, frame);
	assert_int_equal(store_fill(store, index, &entry, frame), 0);
}

static int file(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

/* An image with all chunks, but no trailer yet. */
static void slotted_open(struct slotted *slotted, bool better)
{
	struct image_head head = test_head();

	*slotted = (struct slotted){.fd = file()};
	assert_int_equal(store_new(slotted->fd, &head, &slotted->store), 0);
	slotted_put(slotted, 0, CHUNKS, better);
	slotted->ends[3] = store_size(slotted->store) + image_checkpoint_size(CHUNKS - 3 * GAP);
}

static void slotted_close(struct slotted *slotted)
{
	store_free(slotted->store);
	close(slotted->fd);
}

static void slotted_finish(struct store *store)
{
	json_t *manifest = json_object();
	struct digest root;

	assert_int_equal(store_finish(store, manifest, &root), 0);
	json_decref(manifest);
}

static uint8_t *contents(int fd, uint64_t *ret_len)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	uint8_t *data = malloc(st.st_size);
	assert_int_equal(out_read_at(fd, data, st.st_size, 0), st.st_size);
	*ret_len = st.st_size;
	return data;
}

static void assert_same(int a, int b)
{
	uint64_t len_a, len_b;
	uint8_t *data_a = contents(a, &len_a), *data_b = contents(b, &len_b);

	assert_int_equal(len_a, len_b);
	assert_memory_equal(data_a, data_b, len_a);
	free(data_a);
	free(data_b);
}

static void assert_whole(int fd)
{
	struct verify_options options = {.threads = 1};
	struct verify_result result;
	int r = verify_file(fd, &options, &result);

	if (r < 0)
		print_error("%s\n", result.why);
	assert_int_equal(r, 0);
}

static uint64_t kept(int fd, struct resume *ret)
{
	char why[256] = "";

	*ret = (struct resume){0};
	if (resume_open(fd, NULL, ret, why, sizeof(why)) < 0) {
		assert_true(why[0]);
		*ret = (struct resume){0};
	}
	return ret->end;
}

static uint64_t kept_bytes(int fd)
{
	struct resume resume;
	uint64_t end = kept(fd, &resume);

	resume_clear(&resume);
	return end;
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

/* Copies LEN bytes at AT of FROM to TO. */
static void copy(int from, int to, uint64_t at, size_t len)
{
	uint8_t *buf = malloc(len);

	assert_int_equal(out_read_at(from, buf, len, at), (ssize_t)len);
	assert_int_equal(pwrite(to, buf, len, at), (ssize_t)len);
	free(buf);
}

/* Power that goes while a slot is filled, whichever of its writes came through. */
static void power_cut_in_a_fill(void **state)
{
	size_t mark = image_checkpoint_size(GAP);

	(void)state;
	for (int i = 0; i < 2; i++) {
		uint64_t before;
		struct slotted old, filled;

		slotted_open(&old, false);
		slotted_open(&filled, false);
		slotted_fill(filled.store, slots[i], true);
		before = i ? old.ends[0] : 0;
		/* The frame, but not the CHECKPOINT; then the other way round. */
		copy(filled.fd, old.fd, old.at[i], CHUNK_SIZE);
		assert_int_equal(kept_bytes(old.fd), before);
		copy(filled.fd, old.fd, old.ends[i] - mark, mark);
		assert_int_equal(kept_bytes(old.fd), old.ends[2]);
		slotted_fill(filled.store, slots[i], false);
		copy(filled.fd, old.fd, old.at[i], CHUNK_SIZE);
		assert_int_equal(kept_bytes(old.fd), before);
		slotted_close(&old);
		slotted_close(&filled);
	}
}

/* The CHECKPOINT is not written before its frame is on the medium. */
static void synced_before_its_checkpoint(void **state)
{
	struct slotted slotted;
	uint8_t old, now;

	(void)state;
	slotted_open(&slotted, false);
	/* The hash at its end. */
	watched = slotted.ends[0] - 3;
	assert_int_equal(pread(slotted.fd, &old, 1, watched), 1);
	watched_byte = ~old;
	slotted_fill(slotted.store, slots[0], true);
	assert_int_equal(watched_byte, old);
	assert_int_equal(pread(slotted.fd, &now, 1, watched), 1);
	assert_int_not_equal(now, old);
	watched = 0;
	slotted_close(&slotted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(flipped_anywhere),
		cmocka_unit_test(filled_behind_a_cut),
		cmocka_unit_test(cut_behind_a_fill),
		cmocka_unit_test(power_cut_in_a_fill),
		cmocka_unit_test(synced_before_its_checkpoint),
	};

	return cmocka_run_group_tests_name("resume_slot", tests, NULL, NULL);
}

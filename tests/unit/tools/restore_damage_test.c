// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Images that are cut, and with flipped bits, restored from a file and from a pipe: it fails, the
 * target has no wrong byte, and both its ends stay zeros. Of a small image, which is kept back
 * whole, every cut and a bit of every byte are tried (verify_test has every bit); of one whose
 * middle is written at once, a sample.
 */
#include "../io/disk_test.h"

#include <sys/mman.h>
#include <valgrind/valgrind.h>

#include "codec/pack.h"
#include "io/out.h"
#include "io/store.h"
#include "io/target.h"
#include "recv/recv.h"
#include "ui/msg.h"

#define COUNT  9u /* chunks; where they have 1 MiB, all but the fifth are kept back to the end */
#define MIDDLE (TARGET_KEPT / MIB)

static uint32_t unit; /* bytes of a chunk */
static uint8_t image[8192];
static size_t image_len;
static int target = -1; /* a memfd */
static char target_path[32];

/* Chunk I is all I + 1. */
static void image_chunks(struct store *store)
{
	static uint8_t content[MIB], frame[PACK_FRAME_MOST];
	struct pack *pack;

	assert_int_equal(pack_new(PACK_LEVEL_DEFAULT, &pack), 0);
	for (unsigned int i = 0; i < COUNT; i++) {
		struct image_entry entry = {0};
		size_t len;

		memset(content, i + 1, unit);
		assert_int_equal(pack_chunk(pack, content, unit, frame, sizeof(frame), &len), 0);
		digest_chunk(content, unit, &entry.digest);
		entry.stored_size = len;
		entry.stored_hash = digest_stored(frame, len);
		assert_int_equal(store_chunk(store, &entry, frame), 0);
	}
	pack_free(pack);
}

static void image_make(uint32_t chunk)
{
	static const char identity[] = "{\"path\":\"/dev/x\",\"kind\":\"disk\"}";
	const struct image_head head = {
		.transfer_id = {1},
		.map = {.size = COUNT * chunk, .chunk_size = chunk},
		.logical_sector = 512,
		.identity = identity,
		.identity_len = sizeof(identity) - 1,
	};
	int fd = memfd_create("image", MFD_CLOEXEC);
	json_t *manifest = json_object();
	struct store *store;
	struct digest root;

	unit = chunk;
	assert_int_equal(store_new(fd, &head, &store), 0);
	image_chunks(store);
	assert_int_equal(store_finish(store, manifest, &root), 0);
	image_len = store_size(store);
	assert_int_equal(pread(fd, image, sizeof(image), 0), image_len);
	store_free(store);
	json_decref(manifest);
	close(fd);
	close(target);
	target = memfd_create("target", MFD_CLOEXEC);
	snprintf(target_path, sizeof(target_path), "/proc/self/fd/%d", target);
	assert_int_equal(ftruncate(target, COUNT * unit), 0);
}

/* A descriptor that gives the first LEN bytes of the image: a file's, or a pipe's. */
static int image_fd(size_t len, bool pipes)
{
	int fds[2];

	if (!pipes) {
		fds[0] = memfd_create("image", MFD_CLOEXEC);
		assert_int_equal(out_write(fds[0], image, len), 0);
		assert_int_equal(lseek(fds[0], 0, SEEK_SET), 0);
		return fds[0];
	}
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(out_write(fds[1], image, len), 0);
	close(fds[1]);
	return fds[0];
}

/* Restores it; whether the target says of itself that it is not complete goes to RET_INCOMPLETE. */
static int restored(size_t len, bool pipes, bool *ret_incomplete)
{
	const struct sink_options options = {.force = true, .from = -1};
	const struct recv_options recv = {.progress = PROGRESS_NONE};
	int fd = image_fd(len, pipes);
	struct recv_result result;
	struct sink *sink;
	char why[512];

	assert_int_equal(sink_open_disk(target_path, &options, &sink, why, sizeof(why)), 0);
	int r = recv_plain(fd, sink, &recv, &result, why, sizeof(why));
	if (r < 0)
		assert_true(why[0]);
	*ret_incomplete = strstr(sink_note(sink), "is not complete");
	sink_close(sink);
	close(fd);
	return r;
}

/* Whether the target has nothing but holes, and, in its middle alone, what belongs there. */
static bool target_right(bool *ret_written)
{
	static uint8_t data[MIB];
	off_t from = lseek(target, 0, SEEK_DATA);

	*ret_written = from >= 0;
	if (from < 0)
		return errno == ENXIO;
	assert_int_equal(pread(target, data, MIB, MIDDLE * MIB), MIB);
	return from == MIDDLE * MIB && lseek(target, from, SEEK_HOLE) == from + MIB &&
	       data[0] == MIDDLE + 1 && !memcmp(data, data + 1, MIB - 1);
}

static void damaged(size_t len, bool pipes, const char *what, size_t at)
{
	bool incomplete, written;
	int r = restored(len, pipes, &incomplete);

	if (r >= 0)
		fail_msg("%s at byte %zu, from a %s: accepted", what, at, pipes ? "pipe" : "file");
	if (!target_right(&written))
		fail_msg("%s at byte %zu: a wrong byte is on the target", what, at);
	if (written && !incomplete)
		fail_msg("%s at byte %zu: nobody says that it is not complete", what, at);
	if (written)
		assert_int_equal(fallocate(target, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					   MIDDLE * MIB, MIB),
				 0);
}

static void flipped(size_t bit, bool pipes)
{
	image[bit / 8] ^= 1u << bit % 8;
	damaged(image_len, pipes, "a flip", bit / 8);
	image[bit / 8] ^= 1u << bit % 8;
}

/* Under valgrind less has to do. */
static size_t stride(size_t step)
{
	return RUNNING_ON_VALGRIND ? 37 * step : step;
}

static void a_small_image(void **state)
{
	(void)state;
	image_make(CHUNK_SIZE_LEAST);
	for (size_t cut = 0; cut < image_len; cut += stride(1))
		damaged(cut, cut % 2, "a cut", cut);
	for (size_t byte = 0; byte < image_len; byte += stride(1))
		flipped(8 * byte + byte % 8, false);
}

static void an_image_that_is_written_as_it_comes(void **state)
{
	(void)state;
	image_make(MIB);
	for (size_t cut = 0; cut < image_len; cut += stride(5))
		damaged(cut, cut % 2, "a cut", cut);
	for (size_t bit = 0; bit < 8 * image_len; bit += stride(41))
		flipped(bit, bit % 2);
	/* Its end in particular comes after everything else. */
	for (size_t byte = image_len - 64; byte < image_len; byte += stride(3))
		flipped(8 * byte + byte % 8, true);
}

/* The same images unharmed: what the two above hold the damage against. */
static void whole_images_are_restored(void **state)
{
	bool incomplete;

	(void)state;
	for (int i = 0; i < 4; i++) {
		image_make(i / 2 ? MIB : CHUNK_SIZE_LEAST);
		assert_int_equal(restored(image_len, i % 2, &incomplete), 0);
		assert_false(incomplete);
		for (unsigned int n = 0; n < COUNT; n++)
			assert_true(test_holds(target_path, n * unit, unit, n + 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_image),
		cmocka_unit_test(an_image_that_is_written_as_it_comes),
		cmocka_unit_test(whole_images_are_restored),
	};

	msg_setup("restore_damage_test", MSG_QUIET, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Images that were cut: what can be kept of them, and that they become what they would have. */
#include "resume_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "codec/bytes.h"
#include "io/resume_internal.h"

#define HEAD_END 340 /* more than the first frame and HEAD take */

static struct whole whole;
static off_t synced; /* of the file that was synced last */

/* In the place of the C library's, so that the time is always the same, and syncs are seen. */
time_t time(time_t *ret)
{
	(void)ret;
	return 2;
}

int fdatasync(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	synced = st.st_size;
	return 0;
}

/* Under valgrind a sample has to do. */
static size_t stride(void)
{
	return RUNNING_ON_VALGRIND ? 211 : 1;
}

/* What can be kept of LEN bytes at DATA; the file is *ret_fd then, where that is not NULL. */
static int opened(const void *data, size_t len, const struct resume_limits *limits,
		  struct resume *ret, int *ret_fd)
{
	int fd = test_image_file(data, len);
	char why[256];
	int r = resume_open_limited(fd, NULL, limits, ret, why, sizeof(why));

	if (r < 0) {
		assert_true(why[0]);
		*ret = (struct resume){0};
	}
	if (ret_fd)
		*ret_fd = fd;
	else
		close(fd);
	return r;
}

/* The last CHECKPOINT that ends at or before LEN: that many gaps. */
static unsigned int gaps(size_t len)
{
	unsigned int n = 0;

	while (n < 4 && whole.ends[n] <= len)
		n++;
	return n;
}

/* Goes on with the file FD, and finishes it; it has to be what it would have been. */
static void goes_on(int fd, struct resume *resume)
{
	static uint8_t data[sizeof(whole.data)];
	uint64_t count = resume_chunks(resume);
	json_t *manifest = json_object();
	struct store *store;
	struct digest root;

	assert_int_equal(store_continue(fd, resume, &store), 0);
	assert_int_equal(synced, store_size(store));
	assert_int_equal(store_chunks(store), count);
	assert_int_equal(store_kept(store), count);
	assert_memory_equal(store_head(store)->identity, test_identity, sizeof(test_identity) - 1);
	test_put(store, count, CHUNKS);
	assert_int_equal(store_finish(store, manifest, &root), 0);
	assert_int_equal(store_size(store), whole.len);
	test_read(fd, data, whole.len);
	assert_memory_equal(data, whole.data, whole.len);
	store_free(store);
	json_decref(manifest);
}

static void cut_at_every_byte(void **state)
{
	(void)state;
	for (size_t cut = 0; cut <= whole.len; cut += stride()) {
		struct resume resume;
		int fd, r = opened(whole.data, cut, NULL, &resume, &fd);

		/* A frame alone may be another program's. */
		if (cut < HEAD_END && (r == -ENODATA || r == -ENOMSG)) {
			close(fd);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(resume.lost, 0);
		unsigned int n = gaps(cut);
		assert_int_equal(resume.end, n ? whole.ends[n - 1] : 0);
		assert_int_equal(resume_chunks(&resume), n == 4 ? CHUNKS : n * GAP);
		/* The entries between two cuts are always the same. */
		if (resume.end && (cut == resume.end || cut == whole.len || cut % 97 == 0))
			goes_on(fd, &resume);
		resume_clear(&resume);
		close(fd);
	}
}

static void entries_are_kept(void **state)
{
	static uint8_t frame[PACK_FRAME_MOST];
	struct image_entry told[CHUNKS], entry;
	struct resume resume;
	struct store *store;
	int fd;

	(void)state;
	assert_int_equal(opened(whole.data, whole.ends[2] + 100, NULL, &resume, &fd), 0);
	assert_int_equal(store_continue(fd, &resume, &store), 0);
	assert_int_equal(store_entries(store, 0, 3 * GAP, told), 0);
	for (unsigned int i = 0; i < 3 * GAP; i++) {
		test_chunk(i, &entry, frame);
		assert_true(digest_equal(&told[i].digest, &entry.digest));
		assert_int_equal(told[i].stored_hash, entry.stored_hash);
		assert_int_equal(told[i].stored_size, entry.stored_size);
	}
	store_free(store);
	resume_clear(&resume);
	close(fd);
}

/* Nothing that was changed is kept, be it of a file that was cut or of one that is whole. */
static void a_bit_of_every_byte_flipped(void **state)
{
	const size_t lengths[] = {whole.ends[2] + 100, whole.len}, steps[] = {1, 7};

	(void)state;
	for (int i = 0; i < 2; i++)
		for (size_t byte = 0; byte < lengths[i]; byte += steps[i] * stride()) {
			struct resume resume;

			whole.data[byte] ^= 1u << byte % 8;
			int r = opened(whole.data, lengths[i], NULL, &resume, NULL);
			whole.data[byte] ^= 1u << byte % 8;
			if (r == 0 && byte < resume.end)
				fail_msg("byte %zu of %zu flipped, and kept", byte, lengths[i]);
			/* What stands before is not lost. */
			if (gaps(byte) && (r < 0 || resume.end != whole.ends[gaps(byte) - 1]) &&
			    byte < whole.data_len)
				fail_msg("byte %zu of %zu flipped, and %d, %ju bytes kept", byte,
					 lengths[i], r, (uintmax_t)resume.end);
			resume_clear(&resume);
		}
}

/* What a power cut leaves where data had no time to become any. */
static void zeros_behind(void **state)
{
	static uint8_t data[sizeof(whole.data)];
	struct resume resume;
	struct stat st;
	int fd;

	(void)state;
	memcpy(data, whole.data, whole.ends[1]);
	assert_int_equal(opened(data, sizeof(data), NULL, &resume, &fd), 0);
	assert_int_equal(resume.end, whole.ends[1]);
	goes_on(fd, &resume);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, whole.len);
	resume_clear(&resume);
	close(fd);
}

static void note_bytes(void *arg, uint64_t bytes, uint64_t size)
{
	*(uint64_t *)arg = bytes;
	assert_int_equal(size, whole.ends[2]);
}

static void what_chance_chooses(void **state)
{
	const struct resume_limits none = {.window = 1000, .samples = 0},
				   many = {.window = 1000, .samples = 4096};
	size_t len = whole.ends[2], byte = whole.ends[0] + 30;
	char why[256];
	struct resume resume;

	(void)state;
	whole.data[byte] ^= 1;
	/* Far from the end, and no sample: it is not seen. */
	assert_int_equal(opened(whole.data, len, &none, &resume, NULL), 0);
	assert_int_equal(resume.end, len);
	resume_clear(&resume);
	assert_int_equal(opened(whole.data, len, &many, &resume, NULL), 0);
	assert_int_equal(resume.end, whole.ends[0]);
	assert_int_equal(resume.lost, 2 * GAP);
	resume_clear(&resume);
	int fd = test_image_file(whole.data, len);
	uint64_t bytes = 0;
	const struct resume_options all = {.recheck = true, .looked = note_bytes, .arg = &bytes};
	assert_int_equal(resume_open_limited(fd, &all, &none, &resume, why, sizeof(why)), 0);
	assert_int_equal(bytes, whole.ends[0]);
	assert_int_equal(resume.end, whole.ends[0]);
	resume_clear(&resume);
	close(fd);
	whole.data[byte] ^= 1;
}

/* A damaged sample leads to what no sample was of. */
static void what_a_sample_says(void **state)
{
	const struct resume_limits few = {.window = 1000, .samples = 3};
	size_t one = whole.ends[0] - 700, len = whole.ends[2];
	unsigned int seen = 0;

	(void)state;
	whole.data[one] ^= 1;
	for (size_t byte = whole.ends[0]; byte < whole.ends[1] - 600; byte += 40)
		whole.data[byte] ^= 1;
	for (unsigned int i = 0; i < 40; i++) {
		struct resume resume;
		int r = opened(whole.data, len, &few, &resume, NULL);

		if (r == 0)
			assert_int_equal(resume.end, len);
		else
			assert_int_equal(r, -EBADMSG);
		seen += r < 0;
		resume_clear(&resume);
	}
	assert_true(seen > 0);
	whole.data[one] ^= 1;
	for (size_t byte = whole.ends[0]; byte < whole.ends[1] - 600; byte += 40)
		whole.data[byte] ^= 1;
}

#define RAW_HEADER (4 + 1 + 4 + 3) /* magic, descriptor, content size, the first block's */

/* A frame of LEN content bytes, all of them in blocks as they are. */
static size_t raw_frame(uint8_t *frame, const uint8_t *content, uint32_t len)
{
	uint8_t *p = frame;

	p = bytes_put32(p, 0xfd2fb528);
	*p++ = 0xa4; /* single segment, checksum, four bytes of content size */
	p = bytes_put32(p, len);
	for (uint32_t at = 0; at < len; at += 1u << 17) {
		uint32_t n = len - at < 1u << 17 ? len - at : 1u << 17;
		uint32_t block = n << 3 | (at + n == len);

		*p++ = block;
		p = bytes_put16(p, block >> 8);
		memcpy(p, content + at, n);
		p += n;
	}
	return bytes_put32(p, 0) - frame;
}

/*
 * A disk that holds, where it does not compress, frames and two CHECKPOINTs that lead to a real
 * one: they must not be taken for what they say, whatever they hash to.
 */
static void a_false_chain(void **state)
{
	static uint8_t data[CHUNK_SIZE + (1 << 16)], content[CHUNK_SIZE];
	/* So far into the frame are the first content byte, and what GAP entries can speak of. */
	uint8_t *inner = content + GAP * PACK_FRAME_LEAST - RAW_HEADER;
	uint8_t *p = inner + image_checkpoint_size(GAP);
	struct image_entry entries[GAP] = {0};
	struct load_head front;
	struct load_reader reader;
	struct resume resume;
	struct chain chain;
	char why[256];
	size_t len = whole.ends[1];

	(void)state;
	for (unsigned int i = 0; i < GAP; i++)
		entries[i].stored_size = PACK_FRAME_LEAST;
	image_checkpoint_put(2 * GAP, entries, GAP, inner, 4096);
	for (unsigned int i = 0; i < CHUNKS - 3 * GAP; i++, p += entries[i - 1].stored_size)
		test_chunk(3 * GAP + i, &entries[i], p);
	image_checkpoint_put(3 * GAP, entries, CHUNKS - 3 * GAP, p, 4096);
	memcpy(data, whole.data, len);
	len += raw_frame(data + len, content, CHUNK_SIZE);

	int fd = test_image_file(data, len);
	/* It is followed to the file's beginning, or this test shows nothing. */
	load_reader_init_at(&reader, fd, 0);
	assert_int_equal(load_head_read(&reader, &front, why, sizeof(why)), 0);
	load_reader_clear(&reader);
	assert_int_equal(chain_find(fd, len, &front, len, &chain), 0);
	assert_int_equal(chain.count, 4);
	assert_true(chain.marks[2] > whole.ends[1]);
	chain_clear(&chain);
	free(front.identity);
	close(fd);
	/* Not by chance. */
	const struct resume_limits limits = {.window = len, .samples = 0};
	assert_int_equal(opened(data, len, &limits, &resume, NULL), 0);
	assert_int_equal(resume.end, whole.ends[1]);
	resume_clear(&resume);
}

/* Nor is an image that the disk holds, which has a chain of its own. */
/* One of right length and hash whose chunks are others is none: only what stands before it is kept.
 */
static void a_checkpoint_of_other_chunks(void **state)
{
	static uint8_t data[sizeof(whole.data)];
	size_t len = image_checkpoint_size(GAP), at = whole.ends[1] - len;
	struct resume resume;

	(void)state;
	memcpy(data, whole.data, whole.data_len);
	data[at + IMAGE_FRAME_HEADER + IMAGE_TAG] ^= 1; /* the first one's number */
	bytes_put64(data + at + len - 8, digest_stored(data + at + 8, len - 16));
	assert_int_equal(opened(data, whole.data_len, NULL, &resume, NULL), 0);
	assert_int_equal(resume.end, whole.ends[0]);
	resume_clear(&resume);
}

static void an_image_in_an_image(void **state)
{
	static uint8_t data[CHUNK_SIZE + (1 << 16)], content[CHUNK_SIZE];
	struct resume resume;
	size_t len = whole.ends[0];

	(void)state;
	memcpy(data, whole.data, len);
	memcpy(content + 1000, whole.data, whole.ends[2]);
	len += raw_frame(data + len, content, CHUNK_SIZE);
	assert_int_equal(opened(data, len, NULL, &resume, NULL), 0);
	assert_int_equal(resume.end, whole.ends[0]);
	resume_clear(&resume);
}

static void what_is_none(void **state)
{
	struct resume resume;
	size_t len;
	uint8_t *golden = test_image_golden("tests/golden/image.zst", &len);

	(void)state;
	assert_int_equal(opened("", 0, NULL, &resume, NULL), -ENODATA);
	assert_int_equal(opened(whole.data, 100, NULL, &resume, NULL), -ENODATA);
	assert_int_equal(opened("a letter", 8, NULL, &resume, NULL), -ENOMSG);
	/* The CHECKPOINT of the golden image is where store puts none. */
	assert_int_equal(opened(golden, len, NULL, &resume, NULL), 0);
	assert_int_equal(resume.end, 0);
	resume_clear(&resume);
	free(golden);
	int ends[2];
	char why[256];
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(resume_open(ends[0], NULL, &resume, why, sizeof(why)), -ESPIPE);
	close(ends[0]);
	close(ends[1]);
}

static int setup(void **state)
{
	(void)state;
	test_whole(&whole);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(entries_are_kept),
		cmocka_unit_test(a_bit_of_every_byte_flipped),
		cmocka_unit_test(zeros_behind),
		cmocka_unit_test(what_chance_chooses),
		cmocka_unit_test(what_a_sample_says),
		cmocka_unit_test(a_false_chain),
		cmocka_unit_test(a_checkpoint_of_other_chunks),
		cmocka_unit_test(an_image_in_an_image),
		cmocka_unit_test(what_is_none),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}

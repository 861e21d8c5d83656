// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A small image that is restored from a file is cut at every byte, and every bit of it is flipped:
 * no wrong chunk may leave it. The same from a pipe.
 */
#include "../io/view_test.h"

#include "codec/chunk.h"
#include "io/load.h"
#include "source/source.h"

/* Under valgrind a sample has to do. */
static size_t stride(size_t sample)
{
	return RUNNING_ON_VALGRIND ? sample : 1;
}

static struct test_image image;
static uint8_t device[4 * TEST_CHUNK];

static int setup(void **state)
{
	struct load_chunk chunk;
	struct load *load;

	(void)state;
	test_image_small(&image);
	int fd = test_image_file(image.data, image.len);

	assert_int_equal(load_new(fd, &load), 0);
	while (load_next(load, &chunk) == 1)
		memcpy(device + chunk.index * TEST_CHUNK, chunk.content, chunk.length);
	load_free(load);
	close(fd);
	/* What is compared with is what the builder put there. */
	assert_int_equal(device[1], 'a');
	assert_true(chunk_is_zero(device + TEST_CHUNK, TEST_CHUNK));
	assert_int_equal(device[2 * TEST_CHUNK + 1], 'c');
	assert_int_equal(device[3 * TEST_CHUNK + 9], 'd');
	return 0;
}

static bool chunk_is_right(struct pack *pack, const struct image_head *head,
			   const struct source_chunk *chunk)
{
	uint32_t len = chunk_length(&image.head.map, chunk->index);
	uint8_t content[TEST_CHUNK] = {0};

	return head->map.size == image.head.map.size && head->map.chunk_size == TEST_CHUNK &&
	       (chunk->zero ||
		pack_restore(pack, chunk->frame, chunk->entry.stored_size, content, len) == 0) &&
	       !memcmp(content, device + chunk->index * TEST_CHUNK, len);
}

/* Sends what PATH holds, and fails where a chunk is wrong. Returns as source_open, source_next. */
static int sent(const char *path, struct pack *pack, char why[512])
{
	struct source_chunk chunk;
	struct source *source;
	int r = source_open(path, PACK_LEVEL_DEFAULT, 0, &source, why, 512);

	if (r < 0)
		return r;
	while ((r = source_next(source, &chunk)) == 1)
		if (!chunk_is_right(pack, source_head(source), &chunk))
			fail_msg("chunk %d is wrong, and sent", (int)chunk.index);
	snprintf(why, 512, "%s", source_why(source));
	source_close(source);
	return r;
}

struct file {
	int fd;
	char path[32];
	struct pack *pack;
	char why[512];
};

static void file_open(struct file *file)
{
	file->fd = test_image_file(image.data, image.len);
	snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", file->fd);
	assert_int_equal(pack_new(PACK_LEVEL_DEFAULT, &file->pack), 0);
	assert_int_equal(sent(file->path, file->pack, file->why), 0);
}

static void file_close(struct file *file)
{
	pack_free(file->pack);
	close(file->fd);
}

static void source_test_every_cut(void **state)
{
	struct file file;

	(void)state;
	file_open(&file);
	/* Three bytes are a file like any other. */
	for (size_t cut = image.len - 1; cut > 3; cut -= cut > stride(11) ? stride(11) : 1) {
		assert_int_equal(ftruncate(file.fd, cut), 0);
		if (sent(file.path, file.pack, file.why) >= 0)
			fail_msg("cut at %zu of %zu bytes, and sent", cut, image.len);
		assert_true(file.why[0]);
	}
	file_close(&file);
}

static void source_test_every_bit(void **state)
{
	struct file file;

	(void)state;
	file_open(&file);
	for (size_t bit = 0; bit < 8 * image.len; bit += stride(97)) {
		uint8_t flipped = image.data[bit / 8] ^ (1u << bit % 8);

		assert_int_equal(pwrite(file.fd, &flipped, 1, bit / 8), 1);
		if (sent(file.path, file.pack, file.why) >= 0)
			fail_msg("bit %zu of byte %zu flipped, and sent", bit % 8, bit / 8);
		assert_true(file.why[0]);
		assert_int_equal(pwrite(file.fd, &image.data[bit / 8], 1, bit / 8), 1);
	}
	file_close(&file);
}

/* Chunk 2 where chunk 0 was: each is right by itself, and no CHECKPOINT has spoken yet. */
static void source_test_reordered(void **state)
{
	size_t len = image.stored[0], c = 0;
	struct file file;

	(void)state;
	for (int i = 0; i < 4; i++)
		c += image.stored[i];
	assert_int_equal(image.stored[4], len);
	file_open(&file);
	assert_int_equal(pwrite(file.fd, image.data + c, len, 0), len);
	assert_int_equal(pwrite(file.fd, image.data, len, c), len);
	assert_int_equal(sent(file.path, file.pack, file.why), -EBADMSG);
	assert_non_null(strstr(file.why, "chunk 0 (device byte 0) is not the one"));
	file_close(&file);
}

/* Another's file, compressed, would be restored as the bytes that it has. */
static void source_test_foreign(void **state)
{
	struct file file;

	(void)state;
	file_open(&file);
	assert_int_equal(ftruncate(file.fd, image.stored[0]), 0);
	assert_int_equal(sent(file.path, file.pack, file.why), -ENOMSG);
	assert_non_null(strstr(file.why, "compressed by zstd, but"));
	assert_non_null(strstr(file.why, "--raw"));
	file_close(&file);
}

/* Front to back, as a restore from a pipe reads it. */
static void piped(const uint8_t *data, size_t len, size_t what)
{
	struct load_chunk chunk;
	struct load *load = NULL;
	int fds[2], r;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], data, len), len);
	close(fds[1]);
	r = load_new(fds[0], &load);
	if (r == 0)
		while ((r = load_next(load, &chunk)) == 1)
			if (memcmp(chunk.content, device + chunk.index * TEST_CHUNK, chunk.length))
				fail_msg("%zu: chunk %d is wrong, and given out", what,
					 (int)chunk.index);
	if (r >= 0)
		fail_msg("%zu: accepted", what);
	load_free(load);
	close(fds[0]);
}

static void source_test_pipe(void **state)
{
	(void)state;
	for (size_t cut = 0; cut < image.len; cut += stride(11))
		piped(image.data, cut, cut);
	for (size_t bit = 0; bit < 8 * image.len; bit += stride(97)) {
		image.data[bit / 8] ^= 1u << bit % 8;
		piped(image.data, image.len, bit);
		image.data[bit / 8] ^= 1u << bit % 8;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(source_test_every_cut), cmocka_unit_test(source_test_every_bit),
		cmocka_unit_test(source_test_reordered), cmocka_unit_test(source_test_foreign),
		cmocka_unit_test(source_test_pipe),
	};

	return cmocka_run_group_tests_name("source", tests, setup, NULL);
}

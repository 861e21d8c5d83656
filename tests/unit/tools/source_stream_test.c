// SPDX-License-Identifier: GPL-2.0-or-later
/* A stream as the source: where it is cut into chunks, what its end is, and what it says of itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "codec/manifest.h"
#include "io/out.h"
#include "source/source_kinds.h"

struct stream {
	int fds[2];
	uint64_t size; /* bytes that are written, pieces of PIECE bytes each */
	uint64_t data; /* zeros from here on */
	pthread_t thread;
	struct source *source;
	char why[512];
};

#define PIECE 3001u /* no part of a chunk, nor of a pipe's room */

static void *stream_write(void *arg)
{
	struct stream *stream = arg;
	uint8_t piece[PIECE];

	for (uint64_t at = 0; at < stream->size;) {
		size_t n = stream->size - at < PIECE ? stream->size - at : PIECE;

		for (size_t i = 0; i < n; i++)
			piece[i] = at + i < stream->data ? 1 : 0;
		assert_int_equal(out_write(stream->fds[1], piece, n), 0);
		at += n;
	}
	close(stream->fds[1]);
	return NULL;
}

static void stream_open(struct stream *stream, uint64_t size, uint64_t data)
{
	*stream = (struct stream){.size = size, .data = data};
	assert_int_equal(pipe2(stream->fds, O_CLOEXEC), 0);
	assert_int_equal(pthread_create(&stream->thread, NULL, stream_write, stream), 0);
	assert_int_equal(source_open_stream(stream->fds[0], PACK_LEVEL_DEFAULT, &stream->source,
					    stream->why, sizeof(stream->why)),
			 0);
}

static void stream_close(struct stream *stream)
{
	pthread_join(stream->thread, NULL);
	source_close(stream->source);
	close(stream->fds[0]);
}

/* As source_next, however long the writer takes. */
static int stream_next(struct source *source, struct source_chunk *ret)
{
	int r;

	do {
		r = source_next(source, ret);
	} while (r == -EAGAIN);
	return r;
}

/* The next chunk is number INDEX, LEN bytes, and goes as "zeros" or not. */
static void stream_expect(struct stream *stream, uint64_t index, uint32_t len, bool zero)
{
	static uint8_t content[CHUNK_SIZE];
	struct source_chunk chunk;
	struct digest digest;

	assert_int_equal(stream_next(stream->source, &chunk), 1);
	assert_int_equal(chunk.index, index);
	assert_int_equal(chunk.zero, zero);
	for (uint32_t i = 0; i < len; i++)
		content[i] =
			chunk_offset(&source_head(stream->source)->map, index) + i < stream->data;
	digest_chunk(content, len, &digest);
	assert_true(digest_equal(&digest, &chunk.entry.digest));
	if (!zero)
		assert_int_equal(pack_check(chunk.frame, chunk.entry.stored_size, len), 0);
}

static void stream_expect_end(struct stream *stream)
{
	struct source_chunk chunk;

	for (int i = 0; i < 2; i++)
		assert_int_equal(stream_next(stream->source, &chunk), 0);
	assert_int_equal(source_head(stream->source)->map.size, stream->size);
}

static void test_of_every_length(void **state)
{
	static const uint64_t sizes[] = {
		0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 2 * CHUNK_SIZE,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct chunk_map map = {.size = sizes[i], .chunk_size = CHUNK_SIZE};
		struct stream stream;

		stream_open(&stream, sizes[i], UINT64_MAX);
		assert_true(chunk_map_open(&source_head(stream.source)->map));
		for (uint64_t n = 0; n < chunk_count(&map); n++)
			stream_expect(&stream, n, chunk_length(&map, n), false);
		stream_expect_end(&stream);
		stream_close(&stream);
	}
}

/* ZERO has no length: only whole chunks go by it. */
static void test_zeros(void **state)
{
	struct stream stream;

	(void)state;
	stream_open(&stream, 2 * CHUNK_SIZE + 70000, 5);
	stream_expect(&stream, 0, CHUNK_SIZE, false);
	stream_expect(&stream, 1, CHUNK_SIZE, true);
	stream_expect(&stream, 2, 70000, false);
	stream_expect_end(&stream);
	stream_close(&stream);
}

static void test_what_it_says_of_itself(void **state)
{
	struct stream stream;

	(void)state;
	stream_open(&stream, 0, 0);
	const struct image_head *head = source_head(stream.source);
	const json_t *manifest = source_manifest(stream.source);
	static const char identity[] = "{\"path\":\"-\",\"kind\":\"stream\"}";

	assert_int_equal(head->identity_len, strlen(identity));
	assert_memory_equal(head->identity, identity, strlen(identity));
	assert_int_equal(head->logical_sector, 0);
	assert_string_equal(manifest_string(manifest, "source.kind"), "stream");
	assert_string_equal(manifest_string(manifest, "tool"), "tbstream " TBSTREAM_VERSION);
	assert_true(json_is_object(json_object_get(manifest, "host")));
	assert_null(json_object_get(manifest, "contents"));
	assert_null(json_object_get(json_object_get(manifest, "source"), "size"));
	stream_close(&stream);
}

static void test_longer_than_an_image(void **state)
{
	struct source_chunk chunk;
	struct stream stream;

	(void)state;
	/* Just so many are an image; */
	stream_open(&stream, CHUNK_SIZE, UINT64_MAX);
	stream.source->next = stream.source->read = CHUNK_COUNT_MOST - 1;
	assert_int_equal(stream_next(stream.source, &chunk), 1);
	assert_int_equal(stream_next(stream.source, &chunk), 0);
	assert_int_equal(source_head(stream.source)->map.size, 1ull << 48);
	stream_close(&stream);
	/* a byte more is not. */
	stream_open(&stream, 1, UINT64_MAX);
	stream.source->next = stream.source->read = CHUNK_COUNT_MOST;
	assert_int_equal(stream_next(stream.source, &chunk), -EFBIG);
	assert_non_null(strstr(source_why(stream.source), "281474976710656 bytes: send it in"));
	stream_close(&stream);
}

/* What came before is not lost while nothing comes. */
static void test_slow(void **state)
{
	struct stream stream = {.data = UINT64_MAX, .size = 11};
	struct source_chunk chunk;

	(void)state;
	assert_int_equal(pipe2(stream.fds, O_CLOEXEC), 0);
	assert_int_equal(source_open_stream(stream.fds[0], PACK_LEVEL_DEFAULT, &stream.source,
					    stream.why, sizeof(stream.why)),
			 0);
	assert_int_equal(source_next(stream.source, &chunk), -EAGAIN);
	assert_int_equal(write(stream.fds[1], "\1\1\1\1\1", 5), 5);
	assert_int_equal(source_next(stream.source, &chunk), -EAGAIN);
	assert_int_equal(source_next(stream.source, &chunk), -EAGAIN);
	assert_int_equal(write(stream.fds[1], "\1\1\1\1\1\1", 6), 6);
	close(stream.fds[1]);
	stream_expect(&stream, 0, 11, false);
	stream_expect_end(&stream);
	source_close(stream.source);
	close(stream.fds[0]);
}

static void test_read_error(void **state)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct source_chunk chunk;
	struct source *source;
	char why[512];

	(void)state;
	assert_int_equal(source_open_stream(fd, PACK_LEVEL_DEFAULT, &source, why, sizeof(why)), 0);
	assert_int_equal(source_next(source, &chunk), -EISDIR);
	assert_string_equal(source_why(source),
			    "standard input cannot be read at byte 0: Is a directory");
	source_close(source);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_of_every_length),
		cmocka_unit_test(test_zeros),
		cmocka_unit_test(test_what_it_says_of_itself),
		cmocka_unit_test(test_longer_than_an_image),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_read_error),
	};

	return cmocka_run_group_tests_name("source_stream", tests, NULL, NULL);
}

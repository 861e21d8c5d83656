// SPDX-License-Identifier: GPL-2.0-or-later
/* Several threads that pack give what one gives, to the byte, and end where it ends. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "../io/view_test.h"

#include "codec/chunk.h"
#include "io/crew.h"
#include "io/out.h"
#include "source/source_kinds.h"

#define CHUNKS	   15u /* the last one, which is shorter, has no zeros */
#define SIZE	   ((uint64_t)(CHUNKS - 1) * CHUNK_SIZE + 1234567)
#define THREADS	   4u
#define UNREADABLE 9u /* the chunk at which a file is cut */

/* What one chunk becomes. */
struct packed {
	struct source_chunk chunk;
	uint64_t frame; /* hash of it */
};

/* What there is of a source, by one thread. */
struct oracle {
	struct packed packed[CHUNKS];
	uint64_t count;
};

static uint8_t content[CHUNK_SIZE];

/* Text, noise, zeros that are there, and holes: by the chunk's number. */
static bool content_make(uint64_t index)
{
	uint64_t seed = index + 1;

	switch (index % 5) {
	case 1: memset(content, 0, sizeof(content)); return true;
	case 3: return false;
	default:
		for (size_t i = 0; i < sizeof(content); i += 8) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			uint64_t word = index % 5 == 2 ? seed : 0x2020202020202020u + (seed >> 60);

			memcpy(content + i, &word, sizeof(word));
		}
		return true;
	}
}

static int disk_make(void)
{
	int fd = test_image_file("", 0);

	assert_int_equal(ftruncate(fd, SIZE), 0);
	for (uint64_t i = 0; i < CHUNKS; i++) {
		size_t len = i == CHUNKS - 1 ? SIZE % CHUNK_SIZE : CHUNK_SIZE;

		if (content_make(i))
			assert_int_equal(pwrite(fd, content, len, i * CHUNK_SIZE), len);
	}
	return fd;
}

static struct source *disk_open_by(int fd, int partition, unsigned int threads)
{
	struct source *source;
	char path[32], why[512];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(
		source_open(path, PACK_LEVEL_DEFAULT, partition, &source, why, sizeof(why)), 0);
	source_threads(source, threads);
	return source;
}

static void packed_take(const struct source_chunk *chunk, struct packed *ret)
{
	*ret = (struct packed){.chunk = *chunk};
	if (!chunk->zero)
		ret->frame = digest_stored(chunk->frame, chunk->entry.stored_size);
	ret->chunk.frame = NULL;
}

static void packed_equal(const struct source_chunk *chunk, const struct packed *due)
{
	struct packed packed;

	packed_take(chunk, &packed);
	assert_int_equal(packed.chunk.index, due->chunk.index);
	assert_int_equal(packed.chunk.zero, due->chunk.zero);
	assert_int_equal(packed.frame, due->frame);
	assert_int_equal(packed.chunk.entry.stored_size, due->chunk.entry.stored_size);
	assert_int_equal(packed.chunk.entry.stored_hash, due->chunk.entry.stored_hash);
	assert_int_equal(packed.chunk.entry.flags, due->chunk.entry.flags);
	assert_true(digest_equal(&packed.chunk.entry.digest, &due->chunk.entry.digest));
}

static void oracle_ask(struct source *source, struct oracle *oracle)
{
	struct source_chunk chunk;

	oracle->count = 0;
	while (source_next(source, &chunk) == 1) {
		assert_true(oracle->count < CHUNKS);
		packed_take(&chunk, &oracle->packed[oracle->count++]);
	}
}

/* The chunks from FROM to TO, as the oracle has them. */
static void expect(struct source *source, const struct oracle *oracle, uint64_t from, uint64_t to)
{
	struct source_chunk chunk;

	for (uint64_t i = from; i < to; i++) {
		assert_int_equal(source_next(source, &chunk), 1);
		packed_equal(&chunk, &oracle->packed[i]);
	}
}

static void expect_end(struct source *source, const struct oracle *oracle, uint64_t from)
{
	struct source_chunk chunk;

	expect(source, oracle, from, oracle->count);
	assert_int_equal(source_next(source, &chunk), 0);
	assert_int_equal(source_next(source, &chunk), 0);
}

static void test_disk(void **state)
{
	int fd = disk_make();
	struct source *source = disk_open_by(fd, 0, 1);
	struct oracle oracle;

	(void)state;
	oracle_ask(source, &oracle);
	assert_int_equal(oracle.count, CHUNKS);
	assert_null(source->ahead);
	source_close(source);
	for (unsigned int threads = 2; threads <= 8; threads++) {
		source = disk_open_by(fd, 0, threads);
		expect(source, &oracle, 0, 3);
		assert_non_null(source->ahead);
		/* It goes no farther than it has room for. */
		assert_true(source->read <= 2 + CREW_JOBS * threads);
		expect_end(source, &oracle, 3);
		assert_null(source->ahead);
		source_close(source);
	}
	close(fd);
}

/* From any chunk to any other one, behind the end and from there, with digests in between. */
static void test_seek(void **state)
{
	int fd = disk_make();
	struct source *source = disk_open_by(fd, 0, 1);
	struct oracle oracle;
	struct digest digest;

	(void)state;
	oracle_ask(source, &oracle);
	source_threads(source, THREADS);
	for (uint64_t from = 0; from <= CHUNKS; from++) {
		uint64_t at = from * 7 % CHUNKS;

		assert_int_equal(source_seek(source, from), 0);
		expect(source, &oracle, from, from + (CHUNKS - from) / 2);
		assert_int_equal(source_digest(source, at, &digest), 0);
		assert_true(digest_equal(&digest, &oracle.packed[at].chunk.entry.digest));
		expect(source, &oracle, from + (CHUNKS - from) / 2, from + (CHUNKS - from) * 3 / 4);
	}
	assert_int_equal(source_seek(source, CHUNKS - 2), 0);
	expect_end(source, &oracle, CHUNKS - 2);
	assert_int_equal(source_seek(source, 1), 0);
	expect_end(source, &oracle, 1);
	source_close(source);
	close(fd);
}

/* A place that cannot be read is told of behind all that stands before it, and not earlier. */
static void test_error(void **state)
{
	int fd = disk_make();
	struct source *source = disk_open_by(fd, 0, 1);
	struct oracle oracle;
	struct source_chunk chunk;

	(void)state;
	oracle_ask(source, &oracle);
	source_close(source);
	source = disk_open_by(fd, 0, THREADS);
	assert_int_equal(ftruncate(fd, UNREADABLE * (uint64_t)CHUNK_SIZE + 100), 0);
	for (uint64_t i = 0; i < UNREADABLE; i++) {
		expect(source, &oracle, i, i + 1);
		assert_string_equal(source_why(source), "");
	}
	assert_int_equal(source_next(source, &chunk), -ENODATA);
	assert_non_null(strstr(source_why(source), "cannot be read at byte 37748736: "));
	/* It is gone back to: what is behind it may have healed. */
	assert_int_equal(source_seek(source, 2), 0);
	expect(source, &oracle, 2, UNREADABLE);
	source_close(source);
	close(fd);
}

/* Left in the midst of everything. */
static void test_close(void **state)
{
	int fd = disk_make();
	struct source *source = disk_open_by(fd, 0, 1);
	struct oracle oracle;

	(void)state;
	oracle_ask(source, &oracle);
	source_close(source);
	for (uint64_t i = 0; i < 4; i++) {
		source = disk_open_by(fd, 0, THREADS);
		expect(source, &oracle, 0, i * 3);
		source_close(source);
	}
	close(fd);
}

static int stream_next(struct source *source, struct source_chunk *ret)
{
	int r;

	do {
		r = source_next(source, ret);
	} while (r == -EAGAIN);
	return r;
}

/* A pipe that gives a chunk at a time: what came is packed and given, though no more comes. */
static void test_stream(void **state)
{
	struct oracle oracle = {.count = CHUNKS};
	struct source_chunk chunk;
	struct source *source;
	int disk = disk_make(), fds[2];
	char why[512];

	(void)state;
	source = disk_open_by(disk, 0, 1);
	oracle_ask(source, &oracle);
	source_close(source);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_true(fcntl(fds[1], F_SETPIPE_SZ, 1 << 20) > 0);
	assert_int_equal(source_open_stream(fds[0], PACK_LEVEL_DEFAULT, &source, why, sizeof(why)),
			 0);
	source_threads(source, THREADS);
	for (uint64_t i = 0; i < 3; i++) {
		size_t done = 0;

		assert_int_equal(pread(disk, content, CHUNK_SIZE, i * CHUNK_SIZE), CHUNK_SIZE);
		while (done < CHUNK_SIZE) {
			assert_int_equal(out_write(fds[1], content + done, 1 << 19), 0);
			done += 1 << 19;
			if (done < CHUNK_SIZE)
				assert_int_equal(source_next(source, &chunk), -EAGAIN);
		}
		assert_int_equal(stream_next(source, &chunk), 1);
		packed_equal(&chunk, &oracle.packed[i]);
	}
	assert_int_equal(out_write(fds[1], "end", 3), 0);
	assert_int_equal(source_next(source, &chunk), -EAGAIN);
	assert_true(chunk_map_open(&source_head(source)->map));
	close(fds[1]);
	assert_int_equal(stream_next(source, &chunk), 1);
	assert_int_equal(chunk.index, 3);
	assert_int_equal(stream_next(source, &chunk), 0);
	assert_int_equal(source_head(source)->map.size, 3 * CHUNK_SIZE + 3);
	source_close(source);
	close(fds[0]);
	close(disk);
}

/* A stream that is longer than what may be kept: it goes back, and on, and to its end. */
static void test_keep(void **state)
{
	struct oracle oracle;
	struct source_chunk chunk;
	struct digest_state before;
	struct digest digest;
	struct source *source;
	int disk = disk_make();
	char why[512];
	int r;

	(void)state;
	source = disk_open_by(disk, 0, 1);
	oracle_ask(source, &oracle);
	source_close(source);
	assert_int_equal(lseek(disk, 0, SEEK_SET), 0);
	assert_int_equal(source_open_stream(disk, PACK_LEVEL_DEFAULT, &source, why, sizeof(why)),
			 0);
	source_threads(source, THREADS);
	assert_int_equal(source_keep(source, 1), 0);
	digest_start(&before);
	for (uint64_t i = 0; i < CHUNKS; i++) {
		r = stream_next(source, &chunk);
		if (r == -ENOBUFS) {
			source_confirm(source, i - 1);
			r = stream_next(source, &chunk);
		}
		assert_int_equal(r, 1);
		packed_equal(&chunk, &oracle.packed[i]);
		if (i % 3 != 1)
			continue;
		/* The last one again. */
		digest_start(&before);
		for (uint64_t k = 0; k < i; k++)
			digest_update(&before, oracle.packed[k].chunk.entry.digest.bytes,
				      DIGEST_SIZE);
		digest_read(&before, &digest);
		assert_int_equal(source_go_on(source, i, &digest), 0);
		assert_int_equal(stream_next(source, &chunk), 1);
		packed_equal(&chunk, &oracle.packed[i]);
	}
	assert_int_equal(stream_next(source, &chunk), 0);
	assert_int_equal(source_head(source)->map.size, SIZE);
	source_close(source);
	close(disk);
}

/* Where there is no room for several, one does it. */
static void test_no_room(void **state)
{
	int fd = disk_make();
	struct source *source = disk_open_by(fd, 0, 1);
	struct oracle oracle;

	(void)state;
	oracle_ask(source, &oracle);
	source_seek(source, 0);
	source->most = PACK_LEVEL_MOST + 1;
	source_threads(source, THREADS);
	expect_end(source, &oracle, 0);
	assert_null(source->ahead);
	source_close(source);
	close(fd);
}

/* Chunks of any level, one beside the other: the digests stay what they are. */
static void levels_check(int fd, unsigned int threads, const struct oracle *oracle)
{
	struct source *source = disk_open_by(fd, 0, threads);
	uint64_t stored = 0, stored_at_one = 0;
	uint8_t *restored = malloc(CHUNK_SIZE);
	struct source_chunk chunk;
	struct source_time time;
	int level, highest;
	struct pack *pack;

	assert_non_null(restored);
	assert_int_equal(pack_new(PACK_LEVEL_NONE, &pack), 0);
	assert_int_equal(source_pace(source, PACE_MOST, true), 0);
	assert_true(source_levels(source, &level, &highest));
	assert_int_equal(level, PACK_LEVEL_LEAST);
	for (uint64_t i = 0; i < CHUNKS; i++) {
		const struct packed *due = &oracle->packed[i];

		source->level = source->pace.level = 1 + i % PACE_MOST;
		assert_int_equal(source_next(source, &chunk), 1);
		assert_int_equal(chunk.zero, due->chunk.zero);
		assert_true(digest_equal(&chunk.entry.digest, &due->chunk.entry.digest));
		if (chunk.zero)
			continue;
		uint32_t len = chunk_length(&source_head(source)->map, i);

		assert_int_equal(
			pack_restore(pack, chunk.frame, chunk.entry.stored_size, restored, len), 0);
		stored += chunk.entry.stored_size;
		stored_at_one += due->chunk.entry.stored_size;
	}
	assert_int_not_equal(stored, stored_at_one);
	assert_int_equal(source_next(source, &chunk), 0);
	source_time(source, &time);
	assert_true(time.read > 0 && time.pack > 0);
	pack_free(pack);
	free(restored);
	source_close(source);
}

static void test_levels(void **state)
{
	int fd = disk_make();
	struct source *source = disk_open_by(fd, 0, 1);
	struct oracle oracle;

	(void)state;
	oracle_ask(source, &oracle);
	source_close(source);
	levels_check(fd, 1, &oracle);
	levels_check(fd, THREADS, &oracle);
	close(fd);
}

/* Where there is no room for several that may go far, one stays at the level that it began at. */
static void test_no_room_for_levels(void **state)
{
	int fd = disk_make();
	struct source *source = disk_open_by(fd, 0, 1);
	struct oracle oracle;

	(void)state;
	oracle_ask(source, &oracle);
	source_seek(source, 0);
	source_threads(source, THREADS);
	assert_int_equal(source_pace(source, PACE_MOST, true), 0);
	source->most = PACK_LEVEL_MOST + 1;
	expect_end(source, &oracle, 0);
	assert_null(source->ahead);
	assert_false(source->paced);
	source_close(source);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disk),
		cmocka_unit_test(test_seek),
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_no_room_for_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

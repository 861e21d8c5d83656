// SPDX-License-Identifier: GPL-2.0-or-later
/* The image of a disk of 16 TiB is opened in little memory, though its trailer has 170 MB. */
#include "view_test.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include "io/view.h"

/* An image of zeros whose trailer is right, and whose frames are a hole behind the first two. */
struct huge {
	FILE *file;
	uint64_t chunks;
	struct image_head head;
	struct image_entry entry; /* of every chunk */
	size_t head_len, json_len;
	char *json;
	uint8_t *raw; /* TABLE's entries, later the seek table, which is shorter */
	struct manifest_end end;
	struct digest_state state; /* of the trailer */
};

static void put(struct huge *huge, const void *data, size_t len)
{
	digest_update(&huge->state, data, len);
	fwrite(data, 1, len, huge->file);
}

static void write_front(struct huge *huge)
{
	static uint8_t buf[PACK_FRAME_MOST], content[CHUNK_SIZE];
	struct pack *pack;
	size_t stored;

	assert_int_equal(pack_new(1, &pack), 0);
	assert_int_equal(pack_chunk(pack, content, CHUNK_SIZE, buf, sizeof(buf), &stored), 0);
	pack_free(pack);
	huge->entry.flags = IMAGE_ENTRY_ZERO;
	digest_chunk(content, CHUNK_SIZE, &huge->entry.digest);
	huge->entry.stored_hash = digest_stored(buf, stored);
	huge->entry.stored_size = stored;
	fwrite(buf, 1, stored, huge->file);
	huge->head_len = image_head_put(&huge->head, buf, sizeof(buf));
	fwrite(buf, 1, huge->head_len, huge->file);
}

static void make_manifest(struct huge *huge)
{
	json_t *manifest = json_object();
	struct digest_state root;

	digest_start(&root);
	for (uint64_t i = 0; i < huge->chunks; i++) {
		image_entry_put(&huge->entry, huge->raw + i * IMAGE_ENTRY);
		digest_update(&root, huge->entry.digest.bytes, DIGEST_SIZE);
	}
	huge->end = (struct manifest_end){
		.head = &huge->head,
		.size = huge->head.map.size,
		.chunks = huge->chunks,
		.frames = huge->chunks + IMAGE_FRAMES_BESIDE,
	};
	digest_root(&root, huge->head.map.size, CHUNK_SIZE, &huge->end.root);
	assert_int_equal(manifest_finish(manifest, &huge->end), 0);
	assert_int_equal(manifest_format(manifest, &huge->json, &huge->json_len), 0);
	json_decref(manifest);
}

/* Stored length of frame INDEX of the seek table. */
static uint32_t frame_stored(const struct huge *huge, uint64_t index)
{
	if (index == 1)
		return huge->head_len;
	if (index <= huge->chunks)
		return huge->entry.stored_size;
	switch (index - huge->chunks) {
	case 1: return IMAGE_TABLE_HEADER + huge->chunks * IMAGE_ENTRY;
	case 2: return IMAGE_MANIFEST_HEADER + huge->json_len;
	default: return IMAGE_SUM_FRAME;
	}
}

static void make_seek_table(struct huge *huge)
{
	uint8_t *at = huge->raw;

	image_seek_header_put(huge->end.frames, at);
	at += IMAGE_SEEK_HEADER;
	for (uint64_t i = 0; i < huge->end.frames; i++, at += IMAGE_SEEK_ENTRY)
		image_seek_entry_put(frame_stored(huge, i),
				     i != 1 && i <= huge->chunks ? CHUNK_SIZE : 0, at);
	image_seek_footer_put(huge->end.frames, at);
}

static void write_trailer(struct huge *huge)
{
	uint64_t table = huge->head_len + huge->chunks * huge->entry.stored_size;
	uint8_t buf[IMAGE_TABLE_HEADER + IMAGE_MANIFEST_HEADER + IMAGE_SUM_FRAME];
	struct image_sum sum = {.entries = huge->chunks};

	sum.trailer_size = IMAGE_TABLE_HEADER + huge->chunks * IMAGE_ENTRY + IMAGE_MANIFEST_HEADER +
			   huge->json_len + IMAGE_SUM_FRAME + image_seek_size(huge->end.frames);
	sum.file_size = table + sum.trailer_size;
	digest_start(&huge->state);
	fseeko(huge->file, table, SEEK_SET);
	image_table_header_put(huge->chunks, buf);
	put(huge, buf, IMAGE_TABLE_HEADER);
	put(huge, huge->raw, huge->chunks * IMAGE_ENTRY);
	image_manifest_header_put(huge->json_len, buf);
	put(huge, buf, IMAGE_MANIFEST_HEADER);
	put(huge, huge->json, huge->json_len);
	uint64_t sum_at = ftello(huge->file);

	/* Its own digest counts as zeros. */
	image_sum_put(&sum, buf);
	put(huge, buf, IMAGE_SUM_FRAME);
	make_seek_table(huge);
	put(huge, huge->raw, image_seek_size(huge->end.frames));
	digest_read(&huge->state, &sum.digest);
	fseeko(huge->file, sum_at, SEEK_SET);
	image_sum_put(&sum, buf);
	fwrite(buf, 1, IMAGE_SUM_FRAME, huge->file);
	assert_int_equal(fflush(huge->file), 0);
}

static void write_huge(FILE *file, uint64_t chunks)
{
	struct huge huge = {
		.file = file,
		.chunks = chunks,
		.head = {.transfer_id = {1},
			 .map = {.size = chunks * CHUNK_SIZE, .chunk_size = CHUNK_SIZE},
			 .identity = "{}",
			 .identity_len = 2},
		.raw = malloc(chunks * IMAGE_ENTRY),
	};

	assert_non_null(huge.raw);
	write_front(&huge);
	make_manifest(&huge);
	write_trailer(&huge);
	free(huge.json);
	free(huge.raw);
}

/* The process that opens it starts with what this one has in memory: it is another's child. */
static void view_huge_test_16_tib(void **state)
{
	/* Under valgrind a terabyte has to do, and nobody counts memory. */
	uint64_t chunks = RUNNING_ON_VALGRIND ? 1u << 18 : 1u << 22;
	FILE *file = tmpfile();
	struct rusage usage;
	int status;

	(void)state;
	assert_non_null(file);
	pid_t pid = fork();
	if (pid == 0) {
		write_huge(file, chunks);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	pid = fork();
	if (pid == 0) {
		struct view_scratch *scratch = NULL;
		struct view *view = NULL;
		uint64_t offset;
		uint32_t stored;
		bool right = view_open(fileno(file), &view) == 0 &&
			     view_scratch_new(view, &scratch) == 0 &&
			     view_place(view, chunks - 1, scratch, &offset, &stored) == 0 &&
			     offset + stored == view_data_size(view);

		view_scratch_free(scratch);
		view_close(view);
		_exit(right ? 0 : 1);
	}
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	assert_int_equal(status, 0);
	if (!RUNNING_ON_VALGRIND)
		assert_in_range(usage.ru_maxrss, 1, 160 << 10);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(view_huge_test_16_tib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

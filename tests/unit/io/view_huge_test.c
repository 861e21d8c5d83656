// SPDX-License-Identifier: GPL-2.0-or-later
/* The image of a disk of 16 TiB is opened in little memory, though its trailer has 170 MB. */
#include "view_test.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include "io/view.h"

/* An image of CHUNKS chunks whose trailer is right, and whose frames are a hole but for two. */
static void write_huge(FILE *file, uint64_t chunks)
{
	static uint8_t buf[PACK_FRAME_MOST], content[CHUNK_SIZE];
	struct image_head head = {
		.transfer_id = {1},
		.map = {.size = chunks * CHUNK_SIZE, .chunk_size = CHUNK_SIZE},
		.identity = "{}",
		.identity_len = 2,
	};
	struct manifest_end end = {.head = &head, .size = head.map.size, .chunks = chunks};
	json_t *manifest = json_object();
	struct digest_state root, state;
	struct image_sum sum = {.entries = chunks};
	struct image_entry entry = {.flags = IMAGE_ENTRY_ZERO};
	uint8_t *raw = malloc(chunks * IMAGE_ENTRY);
	struct pack *pack;
	size_t stored, json_len, head_len;
	char *json;

	assert_non_null(raw);
	assert_int_equal(pack_new(1, &pack), 0);
	assert_int_equal(pack_chunk(pack, content, CHUNK_SIZE, buf, sizeof(buf), &stored), 0);
	pack_free(pack);
	digest_chunk(content, CHUNK_SIZE, &entry.digest);
	entry.stored_hash = digest_stored(buf, stored);
	entry.stored_size = stored;
	fwrite(buf, 1, stored, file);
	head_len = image_head_put(&head, buf, sizeof(buf));
	fwrite(buf, 1, head_len, file);
	uint64_t table = head_len + chunks * stored;

	digest_start(&root);
	for (uint64_t i = 0; i < chunks; i++) {
		image_entry_put(&entry, raw + i * IMAGE_ENTRY);
		digest_update(&root, entry.digest.bytes, DIGEST_SIZE);
	}
	digest_root(&root, head.map.size, CHUNK_SIZE, &end.root);
	end.frames = chunks + IMAGE_FRAMES_BESIDE;
	assert_int_equal(manifest_finish(manifest, &end), 0);
	assert_int_equal(manifest_format(manifest, &json, &json_len), 0);
	json_decref(manifest);
	sum.trailer_size = IMAGE_TABLE_HEADER + chunks * IMAGE_ENTRY + IMAGE_MANIFEST_HEADER +
			   json_len + IMAGE_SUM_FRAME + image_seek_size(end.frames);
	sum.file_size = table + sum.trailer_size;

	digest_start(&state);
	fseeko(file, table, SEEK_SET);
	image_table_header_put(chunks, buf);
	digest_update(&state, buf, IMAGE_TABLE_HEADER);
	fwrite(buf, 1, IMAGE_TABLE_HEADER, file);
	digest_update(&state, raw, chunks * IMAGE_ENTRY);
	fwrite(raw, 1, chunks * IMAGE_ENTRY, file);
	image_manifest_header_put(json_len, buf);
	memcpy(buf + IMAGE_MANIFEST_HEADER, json, json_len);
	digest_update(&state, buf, IMAGE_MANIFEST_HEADER + json_len);
	fwrite(buf, 1, IMAGE_MANIFEST_HEADER + json_len, file);
	image_sum_put(&sum, buf);
	digest_update(&state, buf, IMAGE_SUM_FRAME);
	uint64_t sum_at = ftello(file);

	/* The seek table, over what held the TABLE: it is shorter. */
	uint8_t *at = raw;
	image_seek_header_put(end.frames, at);
	at += IMAGE_SEEK_HEADER;
	for (uint64_t i = 0; i < end.frames; i++, at += IMAGE_SEEK_ENTRY) {
		if (i != 1 && i <= chunks)
			image_seek_entry_put(stored, CHUNK_SIZE, at);
		else
			image_seek_entry_put(i == 1 ? head_len
					     : i == chunks + 1
						     ? IMAGE_TABLE_HEADER + chunks * IMAGE_ENTRY
					     : i == chunks + 2 ? IMAGE_MANIFEST_HEADER + json_len
							       : IMAGE_SUM_FRAME,
					     0, at);
	}
	image_seek_footer_put(end.frames, at);
	digest_update(&state, raw, image_seek_size(end.frames));
	digest_read(&state, &sum.digest);
	image_sum_put(&sum, buf);
	fseeko(file, sum_at, SEEK_SET);
	fwrite(buf, 1, IMAGE_SUM_FRAME, file);
	fwrite(raw, 1, image_seek_size(end.frames), file);
	assert_int_equal(fflush(file), 0);
	free(json);
	free(raw);
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

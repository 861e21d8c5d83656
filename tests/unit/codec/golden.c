// SPDX-License-Identifier: GPL-2.0-or-later
/* The golden image, which tests/golden/make.py wrote: read whole, and written again to the byte. */
#include "codec_test.h"

#include <zstd.h>

#include "codec/image.h"
#include "codec/manifest.h"
#include "codec/pack.h"

#define GOLDEN_CHUNKS 7
#define GOLDEN_FRAMES 13

/* What stands where: the kinds of the frames in order, 0 for a data frame. */
static const enum image_kind golden_kinds[GOLDEN_FRAMES] = {
	[1] = IMAGE_HEAD,   [6] = IMAGE_PAD,	   [7] = IMAGE_CHECKPOINT,
	[10] = IMAGE_TABLE, [11] = IMAGE_MANIFEST, [12] = IMAGE_SUM,
};

static const uint32_t golden_flags[GOLDEN_CHUNKS] = {
	[1] = IMAGE_ENTRY_ZERO,
	[4] = IMAGE_ENTRY_UNREADABLE | IMAGE_ENTRY_SLOT,
	[5] = IMAGE_ENTRY_ZERO | IMAGE_ENTRY_UNALLOCATED,
};

struct golden {
	uint8_t *image, *device;
	size_t len, device_len;
	size_t at[GOLDEN_FRAMES], size[GOLDEN_FRAMES]; /* by the seek table */
	size_t frames;
	struct image_head head;
	struct image_entry entries[GOLDEN_CHUNKS]; /* by TABLE */
};

static void golden_seek_table(struct golden *g)
{
	const uint8_t *footer = g->image + g->len - IMAGE_SEEK_FOOTER, *header;
	uint8_t wrote[IMAGE_SEEK_HEADER + IMAGE_SEEK_FOOTER];
	uint32_t frames, content;
	size_t at = 0;

	assert_int_equal(image_seek_footer_get(footer, &frames), 0);
	assert_in_range(frames, 1, GOLDEN_FRAMES);
	g->frames = frames;
	header = g->image + g->len - image_seek_size(frames);
	image_seek_header_put(frames, wrote);
	image_seek_footer_put(frames, wrote + IMAGE_SEEK_HEADER);
	assert_memory_equal(wrote, header, IMAGE_SEEK_HEADER);
	assert_memory_equal(wrote + IMAGE_SEEK_HEADER, footer, IMAGE_SEEK_FOOTER);
	for (size_t i = 0; i < frames; i++) {
		uint32_t stored;

		image_seek_entry_get(header + 8 + i * IMAGE_SEEK_ENTRY, &stored, &content);
		image_seek_entry_put(stored, content, wrote);
		assert_memory_equal(wrote, header + 8 + i * IMAGE_SEEK_ENTRY, IMAGE_SEEK_ENTRY);
		g->at[i] = at;
		g->size[i] = stored;
		at += stored;
	}
	assert_ptr_equal(g->image + at, header);
}

static size_t golden_find(const struct golden *g, enum image_kind kind)
{
	for (size_t i = 1; i < g->frames; i++) {
		if (golden_kinds[i] == kind)
			return i;
	}
	fail();
	return 0;
}

static void golden_table(struct golden *g)
{
	size_t table = golden_find(g, IMAGE_TABLE);
	const uint8_t *p = g->image + g->at[table];
	uint8_t wrote[IMAGE_ENTRY];
	uint64_t entries;

	assert_int_equal(image_table_header_get(p, &entries), 0);
	assert_int_equal(entries, GOLDEN_CHUNKS);
	assert_int_equal(g->size[table], IMAGE_TABLE_HEADER + entries * IMAGE_ENTRY);
	image_table_header_put(entries, wrote);
	assert_memory_equal(wrote, p, IMAGE_TABLE_HEADER);
	for (size_t i = 0; i < entries; i++) {
		const uint8_t *raw = p + IMAGE_TABLE_HEADER + i * IMAGE_ENTRY;

		assert_int_equal(image_entry_get(raw, &g->entries[i]), 0);
		image_entry_put(&g->entries[i], wrote);
		assert_memory_equal(wrote, raw, IMAGE_ENTRY);
		assert_int_equal(g->entries[i].flags, golden_flags[i]);
	}
}

static int golden_open(void **state)
{
	static struct golden g;
	size_t head;

	memset(&g, 0, sizeof(g));
	g.image = test_golden("image.zst", &g.len);
	g.device = test_golden("device.raw", &g.device_len);
	golden_seek_table(&g);
	head = golden_find(&g, IMAGE_HEAD);
	assert_int_equal(image_head_get(g.image + g.at[head], g.size[head], &g.head), 0);
	golden_table(&g);
	*state = &g;
	return 0;
}

static int golden_close(void **state)
{
	struct golden *g = *state;

	free(g->image);
	free(g->device);
	return 0;
}

static void walk_over_the_frames_is_the_seek_table(void **state)
{
	const struct golden *g = *state;
	size_t at = 0, chunk = 0;

	assert_int_equal(g->frames, GOLDEN_FRAMES);
	for (size_t i = 0; i < g->frames; i++) {
		const uint8_t *p = g->image + at;
		struct image_frame frame;
		int err = image_frame_get(p, g->len - at, &frame);

		assert_int_equal(at, g->at[i]);
		if (golden_kinds[i] == 0) {
			assert_int_equal(err, -ENOMSG);
			at += ZSTD_findFrameCompressedSize(p, g->len - at);
			chunk++;
		} else {
			assert_int_equal(err, 0);
			assert_int_equal(frame.magic, IMAGE_MAGIC);
			assert_int_equal(frame.kind, golden_kinds[i]);
			at += IMAGE_FRAME_HEADER + frame.size;
		}
	}
	assert_int_equal(chunk, GOLDEN_CHUNKS);
	assert_int_equal(at, g->len - image_seek_size(GOLDEN_FRAMES));
}

static void head_is_written_to_the_byte(void **state)
{
	const struct golden *g = *state;
	size_t head = golden_find(g, IMAGE_HEAD);
	uint8_t wrote[4096];

	assert_int_equal(g->head.map.size, g->device_len);
	assert_int_equal(g->head.map.chunk_size, 4096);
	assert_int_equal(g->head.logical_sector, 512);
	assert_int_equal(g->head.physical_sector, 4096);
	assert_int_equal(g->head.created, 1767225600);
	assert_int_equal(g->head.transfer_id[0], 0xa0);
	assert_int_equal(g->head.transfer_id[15], 0xaf);
	assert_int_equal(image_head_put(&g->head, wrote, sizeof(wrote)), g->size[head]);
	assert_memory_equal(wrote, g->image + g->at[head], g->size[head]);
}

static void frames_hold_the_chunks_of_the_device(void **state)
{
	const struct golden *g = *state;
	uint8_t chunk[4096];
	struct digest digest;
	struct pack *pack;
	size_t index = 0;

	assert_int_equal(chunk_count(&g->head.map), GOLDEN_CHUNKS);
	assert_int_equal(pack_new(PACK_LEVEL_DEFAULT, &pack), 0);
	for (size_t i = 0; i < g->frames; i++) {
		const uint8_t *source = g->device + chunk_offset(&g->head.map, index);
		uint32_t len = chunk_length(&g->head.map, index);
		const struct image_entry *entry = &g->entries[index];

		if (golden_kinds[i] != 0)
			continue;
		assert_int_equal(pack_restore(pack, g->image + g->at[i], g->size[i], chunk, len),
				 0);
		assert_memory_equal(chunk, source, len);
		digest_chunk(source, len, &digest);
		assert_true(digest_equal(&digest, &entry->digest));
		assert_int_equal(entry->stored_size, g->size[i]);
		assert_int_equal(entry->stored_hash,
				 digest_stored(g->image + g->at[i], g->size[i]));
		assert_int_equal(!!(entry->flags & IMAGE_ENTRY_ZERO), chunk_is_zero(source, len));
		index++;
	}
	pack_free(pack);
}

/* Another zstd may compress otherwise; the one that made the golden image has to agree. */
static void frames_are_written_to_the_byte(void **state)
{
	const struct golden *g = *state;
	uint8_t *wrote = malloc(PACK_FRAME_MOST);
	struct pack *pack;
	size_t len, index = 0;

	if (ZSTD_versionNumber() != 10504) {
		free(wrote);
		skip();
	}
	assert_non_null(wrote);
	assert_int_equal(pack_new(1, &pack), 0);
	for (size_t i = 0; i < g->frames; i++) {
		if (golden_kinds[i] != 0)
			continue;
		assert_int_equal(pack_chunk(pack, g->device + chunk_offset(&g->head.map, index),
					    chunk_length(&g->head.map, index), wrote,
					    PACK_FRAME_MOST, &len),
				 0);
		assert_int_equal(len, g->size[i]);
		assert_memory_equal(wrote, g->image + g->at[i], len);
		index++;
	}
	pack_free(pack);
	free(wrote);
}

static void checkpoint_is_written_to_the_byte(void **state)
{
	const struct golden *g = *state;
	size_t checkpoint = golden_find(g, IMAGE_CHECKPOINT);
	const uint8_t *p = g->image + g->at[checkpoint], *entries;
	uint8_t wrote[4096];
	uint64_t first;
	uint32_t count;

	assert_int_equal(image_checkpoint_get(p, g->size[checkpoint], &first, &count, &entries), 0);
	assert_int_equal(first, 0);
	assert_int_equal(count, 5);
	assert_int_equal(image_checkpoint_put(first, g->entries, count, wrote, sizeof(wrote)),
			 g->size[checkpoint]);
	assert_memory_equal(wrote, p, g->size[checkpoint]);
}

static void pad_fills_the_slot_of_its_chunk(void **state)
{
	const struct golden *g = *state;
	size_t pad = golden_find(g, IMAGE_PAD);
	const uint8_t *p = g->image + g->at[pad];
	uint8_t wrote[IMAGE_FRAME_HEADER + IMAGE_TAG];

	assert_int_equal(g->size[pad - 1] + g->size[pad], ZSTD_compressBound(4096));
	assert_int_equal(image_pad_header_put(g->size[pad], wrote), 0);
	assert_memory_equal(wrote, p, sizeof(wrote));
	assert_true(chunk_is_zero(p + sizeof(wrote), g->size[pad] - sizeof(wrote)));
}

static void golden_root(const struct golden *g, struct digest *ret)
{
	struct digest_state root;

	digest_start(&root);
	for (size_t i = 0; i < GOLDEN_CHUNKS; i++)
		digest_update(&root, g->entries[i].digest.bytes, DIGEST_SIZE);
	digest_root(&root, g->head.map.size, g->head.map.chunk_size, ret);
}

static void manifest_is_written_to_the_byte(void **state)
{
	const struct golden *g = *state;
	size_t frame = golden_find(g, IMAGE_MANIFEST), offer_len, len;
	const uint8_t *p = g->image + g->at[frame];
	uint8_t *offer = test_golden("records/offer.bin", &offer_len);
	size_t head = g->size[golden_find(g, IMAGE_HEAD)];
	struct manifest_end end = {.head = &g->head, .size = g->device_len, .finished = 1767225612};
	uint8_t wrote[IMAGE_MANIFEST_HEADER];
	uint32_t json_len;
	json_t *manifest;
	char *text;

	end.chunks = GOLDEN_CHUNKS;
	end.frames = g->frames;
	golden_root(g, &end.root);
	assert_int_equal(image_manifest_header_get(p, &json_len), 0);
	image_manifest_header_put(json_len, wrote);
	assert_memory_equal(wrote, p, sizeof(wrote));

	/* What stands in OFFER, and what the end adds, is what stands in the trailer. */
	assert_int_equal(
		manifest_parse((char *)offer + 48 + head, offer_len - 48 - head, &manifest), 0);
	assert_int_equal(manifest_check(manifest, &end), -EBADMSG);
	assert_int_equal(manifest_finish(manifest, &end), 0);
	assert_int_equal(manifest_format(manifest, &text, &len), 0);
	assert_int_equal(len, json_len);
	assert_memory_equal(text, p + IMAGE_MANIFEST_HEADER, len);
	free(text);
	json_decref(manifest);
	free(offer);

	assert_int_equal(manifest_parse((char *)p + IMAGE_MANIFEST_HEADER, json_len, &manifest), 0);
	assert_int_equal(manifest_check(manifest, &end), 0);
	assert_string_equal(manifest_string(manifest, "source.serial"), "GD-0001");
	assert_string_equal(manifest_string(manifest, "host.machine"), "Example \303\234ber 9000");
	json_decref(manifest);
}

static void sum_covers_the_whole_trailer(void **state)
{
	const struct golden *g = *state;
	const uint8_t *p = g->image + g->len - image_seek_size(GOLDEN_FRAMES) - IMAGE_SUM_FRAME;
	size_t start = g->at[golden_find(g, IMAGE_TABLE)];
	uint8_t *trailer = test_copy(g->image + start, g->len - start);
	uint8_t wrote[IMAGE_SUM_FRAME];
	struct digest digest;
	struct image_sum sum;

	assert_int_equal(image_sum_get(p, &sum), 0);
	assert_int_equal(sum.file_size, g->len);
	assert_int_equal(sum.trailer_size, g->len - start);
	assert_int_equal(sum.entries, GOLDEN_CHUNKS);
	memset(trailer + (p - g->image) - start + IMAGE_SUM_DIGEST, 0, DIGEST_SIZE);
	digest_chunk(trailer, g->len - start, &digest);
	assert_true(digest_equal(&digest, &sum.digest));
	image_sum_put(&sum, wrote);
	assert_memory_equal(wrote, p, sizeof(wrote));
	free(trailer);
}

static void any_zstd_reads_the_device(void **state)
{
	const struct golden *g = *state;
	uint8_t *out = malloc(g->device_len);

	assert_non_null(out);
	assert_int_equal(ZSTD_decompress(out, g->device_len, g->image, g->len), g->device_len);
	assert_memory_equal(out, g->device, g->device_len);
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walk_over_the_frames_is_the_seek_table),
		cmocka_unit_test(head_is_written_to_the_byte),
		cmocka_unit_test(frames_hold_the_chunks_of_the_device),
		cmocka_unit_test(frames_are_written_to_the_byte),
		cmocka_unit_test(checkpoint_is_written_to_the_byte),
		cmocka_unit_test(pad_fills_the_slot_of_its_chunk),
		cmocka_unit_test(manifest_is_written_to_the_byte),
		cmocka_unit_test(sum_covers_the_whole_trailer),
		cmocka_unit_test(any_zstd_reads_the_device),
	};

	return cmocka_run_group_tests_name("golden", tests, golden_open, golden_close);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Walks over INPUT as over an image, frame by frame, and reads whatever frame it meets; then looks
 * from its end for a seek table and SUM. What was understood is written again and has to be the
 * same.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_same(int put, const uint8_t *buf, const uint8_t *frame, size_t len)
{
	if (put < 0 || (size_t)put != len || memcmp(buf, frame, len) != 0)
		abort();
}

/* A fuzzer finds no hash: FRAME gets the right one. */
static void fuzz_seal(uint8_t *frame, size_t len)
{
	uint64_t hash = digest_stored(frame + 8, len - 16);

	for (int i = 0; i < 8; i++)
		frame[len - 8 + i] = (uint8_t)(hash >> (8 * i));
}

static void fuzz_head(const uint8_t *frame, size_t len, uint8_t *buf)
{
	struct image_head head;

	if (image_head_get(frame, len, &head) != 0)
		return;
	fuzz_same(image_head_put(&head, buf, len), buf, frame, len);
	if (head.identity + head.identity_len > (const char *)frame + len)
		abort();
	if (chunk_count(&head.map) < 1 || chunk_count(&head.map) > CHUNK_COUNT_MOST)
		abort();
	if (chunk_length(&head.map, chunk_count(&head.map) - 1) > CHUNK_SIZE_MOST)
		abort();
}

static void fuzz_checkpoint(const uint8_t *frame, size_t len, uint8_t *buf)
{
	struct image_entry *entries;
	const uint8_t *raw;
	uint64_t first;
	uint32_t count;

	if (image_checkpoint_get(frame, len, &first, &count, &raw) != 0)
		return;
	entries = calloc(count, sizeof(*entries));
	if (!entries)
		abort();
	for (uint32_t i = 0; i < count; i++) {
		if (image_entry_get(raw + (size_t)i * IMAGE_ENTRY, &entries[i]) != 0)
			abort();
	}
	fuzz_same(image_checkpoint_put(first, entries, count, buf, len), buf, frame, len);
	free(entries);
}

/* The frames whose bodies are streamed: their headers, when that many bytes are there. */
static void fuzz_headers(const uint8_t *p, size_t len)
{
	uint8_t buf[IMAGE_SUM_FRAME];
	struct image_sum sum;
	uint64_t entries;
	uint32_t json_len;

	if (len >= IMAGE_TABLE_HEADER && image_table_header_get(p, &entries) == 0) {
		image_table_header_put(entries, buf);
		fuzz_same(IMAGE_TABLE_HEADER, buf, p, IMAGE_TABLE_HEADER);
	}
	if (len >= IMAGE_MANIFEST_HEADER && image_manifest_header_get(p, &json_len) == 0) {
		image_manifest_header_put(json_len, buf);
		fuzz_same(IMAGE_MANIFEST_HEADER, buf, p, IMAGE_MANIFEST_HEADER);
	}
	if (len >= IMAGE_SUM_FRAME && image_sum_get(p, &sum) == 0) {
		image_sum_put(&sum, buf);
		fuzz_same(IMAGE_SUM_FRAME, buf, p, IMAGE_SUM_FRAME);
	}
}

static void fuzz_frame(const uint8_t *p, size_t len, const struct image_frame *frame)
{
	size_t whole = IMAGE_FRAME_HEADER + (size_t)frame->size;
	uint8_t *copy, *buf;

	fuzz_headers(p, len);
	if (whole > len || frame->size < 16)
		return;
	copy = malloc(whole);
	buf = malloc(whole);
	if (!copy || !buf)
		abort();
	memcpy(copy, p, whole);
	fuzz_head(copy, whole, buf);
	fuzz_checkpoint(copy, whole, buf);
	fuzz_seal(copy, whole);
	fuzz_head(copy, whole, buf);
	fuzz_checkpoint(copy, whole, buf);
	free(buf);
	free(copy);
}

static void fuzz_seek_table(const uint8_t *data, size_t size)
{
	uint8_t buf[IMAGE_SEEK_FOOTER];
	uint32_t frames, again, stored, content;
	const uint8_t *p;
	uint64_t len;

	if (size < IMAGE_SEEK_FOOTER ||
	    image_seek_footer_get(data + size - IMAGE_SEEK_FOOTER, &frames) != 0)
		return;
	image_seek_footer_put(frames, buf);
	fuzz_same(IMAGE_SEEK_FOOTER, buf, data + size - IMAGE_SEEK_FOOTER, IMAGE_SEEK_FOOTER);
	len = image_seek_size(frames);
	if (len > size)
		return;
	p = data + size - len;
	if (image_seek_header_get(p, &again) != 0 || again != frames)
		return;
	image_seek_header_put(frames, buf);
	fuzz_same(IMAGE_SEEK_HEADER, buf, p, IMAGE_SEEK_HEADER);
	for (uint32_t i = 0; i < frames; i++) {
		p += i ? IMAGE_SEEK_ENTRY : IMAGE_SEEK_HEADER;
		image_seek_entry_get(p, &stored, &content);
		image_seek_entry_put(stored, content, buf);
		fuzz_same(IMAGE_SEEK_ENTRY, buf, p, IMAGE_SEEK_ENTRY);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = 0;

	fuzz_seek_table(data, size);
	while (at < size) {
		struct image_frame frame = {0};
		int err = image_frame_get(data + at, size - at, &frame);

		if (err == -ENOMSG) {
			at += IMAGE_FRAME_HEADER; /* data is another fuzzer's: look behind its magic
						   */
			continue;
		}
		if (err == 0)
			fuzz_frame(data + at, size - at, &frame);
		if (err == 0 && frame.size <= size - at)
			at += IMAGE_FRAME_HEADER + (size_t)frame.size;
		else
			at++;
	}
	return 0;
}

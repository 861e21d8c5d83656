// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "codec/bytes.h"
#include "codec/image.h"
#include "codec/image_tag.h"
#include "codec/pack.h"

void image_table_header_put(uint64_t entries, uint8_t buf[IMAGE_TABLE_HEADER])
{
	uint8_t *p = image_tag_put(buf, IMAGE_TABLE, IMAGE_TABLE_HEADER + entries * IMAGE_ENTRY);

	bytes_put64(p, entries);
}

int image_table_header_get(const uint8_t buf[IMAGE_TABLE_HEADER], uint64_t *ret_entries)
{
	uint64_t entries;
	uint32_t size;

	if (image_tag_get(buf, IMAGE_TABLE_HEADER, IMAGE_TABLE, &size) != 0)
		return -EBADMSG;
	entries = bytes_get64(buf + IMAGE_FRAME_HEADER + IMAGE_TAG);
	if (entries < 1 || entries > CHUNK_COUNT_MOST)
		return -EBADMSG;
	if (size != IMAGE_TABLE_HEADER - IMAGE_FRAME_HEADER + entries * IMAGE_ENTRY)
		return -EBADMSG;
	*ret_entries = entries;
	return 0;
}

void image_manifest_header_put(uint32_t json_len, uint8_t buf[IMAGE_MANIFEST_HEADER])
{
	image_tag_put(buf, IMAGE_MANIFEST, IMAGE_MANIFEST_HEADER + (uint64_t)json_len);
}

int image_manifest_header_get(const uint8_t buf[IMAGE_MANIFEST_HEADER], uint32_t *ret_json_len)
{
	uint32_t size;

	if (image_tag_get(buf, IMAGE_MANIFEST_HEADER, IMAGE_MANIFEST, &size) != 0)
		return -EBADMSG;
	size -= IMAGE_TAG;
	if (size < 2 || size > IMAGE_MANIFEST_MOST)
		return -EBADMSG;
	*ret_json_len = size;
	return 0;
}

void image_sum_put(const struct image_sum *sum, uint8_t buf[IMAGE_SUM_FRAME])
{
	uint8_t *p = image_tag_put(buf, IMAGE_SUM, IMAGE_SUM_FRAME);

	p = bytes_put64(p, sum->file_size);
	p = bytes_put64(p, sum->trailer_size);
	p = bytes_put64(p, sum->entries);
	bytes_put_all(p, sum->digest.bytes, DIGEST_SIZE);
}

/* Sizes that an image of so many chunks can have, so that no offset taken from them wraps. */
static bool image_sum_valid(const struct image_sum *sum)
{
	uint64_t trailer, data;

	if (sum->entries < 1 || sum->entries > CHUNK_COUNT_MOST)
		return false;
	trailer = IMAGE_TABLE_HEADER + sum->entries * IMAGE_ENTRY + IMAGE_MANIFEST_HEADER +
		  IMAGE_SUM_FRAME + image_seek_size((uint32_t)sum->entries + IMAGE_FRAMES_BESIDE);
	data = sum->entries * PACK_FRAME_LEAST;
	if (sum->trailer_size < trailer || sum->file_size > INT64_MAX)
		return false;
	return sum->trailer_size < sum->file_size && sum->file_size - sum->trailer_size >= data;
}

int image_sum_get(const uint8_t buf[IMAGE_SUM_FRAME], struct image_sum *ret)
{
	const uint8_t *p = buf + IMAGE_FRAME_HEADER + IMAGE_TAG;
	struct image_sum sum;
	uint32_t size;

	if (image_tag_get(buf, IMAGE_SUM_FRAME, IMAGE_SUM, &size) != 0)
		return -EBADMSG;
	if (size != IMAGE_SUM_FRAME - IMAGE_FRAME_HEADER)
		return -EBADMSG;
	sum.file_size = bytes_get64(p);
	sum.trailer_size = bytes_get64(p + 8);
	sum.entries = bytes_get64(p + 16);
	memcpy(sum.digest.bytes, p + 24, DIGEST_SIZE);
	if (!image_sum_valid(&sum))
		return -EBADMSG;
	*ret = sum;
	return 0;
}

uint64_t image_seek_size(uint32_t frames)
{
	return IMAGE_SEEK_HEADER + (uint64_t)frames * IMAGE_SEEK_ENTRY + IMAGE_SEEK_FOOTER;
}

void image_seek_header_put(uint32_t frames, uint8_t buf[IMAGE_SEEK_HEADER])
{
	bytes_put32(buf, IMAGE_SEEK_MAGIC);
	bytes_put32(buf + 4, (uint32_t)(image_seek_size(frames) - IMAGE_FRAME_HEADER));
}

int image_seek_header_get(const uint8_t buf[IMAGE_SEEK_HEADER], uint32_t *ret_frames)
{
	uint32_t size = bytes_get32(buf + 4);
	uint32_t frames;

	if (bytes_get32(buf) != IMAGE_SEEK_MAGIC || size < IMAGE_SEEK_ENTRY + IMAGE_SEEK_FOOTER)
		return -EBADMSG;
	size -= IMAGE_SEEK_FOOTER;
	frames = size / IMAGE_SEEK_ENTRY;
	if (size % IMAGE_SEEK_ENTRY || frames > IMAGE_FRAMES_MOST)
		return -EBADMSG;
	*ret_frames = frames;
	return 0;
}

void image_seek_entry_put(uint32_t stored, uint32_t content, uint8_t buf[IMAGE_SEEK_ENTRY])
{
	bytes_put32(buf, stored);
	bytes_put32(buf + 4, content);
}

void image_seek_entry_get(const uint8_t buf[IMAGE_SEEK_ENTRY], uint32_t *ret_stored,
			  uint32_t *ret_content)
{
	*ret_stored = bytes_get32(buf);
	*ret_content = bytes_get32(buf + 4);
}

void image_seek_footer_put(uint32_t frames, uint8_t buf[IMAGE_SEEK_FOOTER])
{
	bytes_put32(buf, frames);
	buf[4] = 0; /* descriptor: no checksums beside the sizes */
	bytes_put32(buf + 5, IMAGE_SEEK_FOOTER_MAGIC);
}

int image_seek_footer_get(const uint8_t buf[IMAGE_SEEK_FOOTER], uint32_t *ret_frames)
{
	uint32_t frames = bytes_get32(buf);

	if (bytes_get32(buf + 5) != IMAGE_SEEK_FOOTER_MAGIC || buf[4] != 0)
		return -EBADMSG;
	if (frames < 1 || frames > IMAGE_FRAMES_MOST)
		return -EBADMSG;
	*ret_frames = frames;
	return 0;
}

int image_pad_header_put(size_t len, uint8_t buf[IMAGE_FRAME_HEADER + IMAGE_TAG])
{
	if (len < IMAGE_FRAME_HEADER + IMAGE_TAG || len - IMAGE_FRAME_HEADER > UINT32_MAX)
		return -EINVAL;
	image_tag_put(buf, IMAGE_PAD, len);
	return 0;
}

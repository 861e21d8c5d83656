// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "codec/bytes.h"
#include "codec/image.h"
#include "codec/image_tag.h"
#include "codec/pack.h"

#define IMAGE_DATA_MAGIC 0xfd2fb528u /* of a zstd frame: RFC 8878 section 3.1.1 */
#define IMAGE_SKIP_MAGIC 0x184d2a50u /* ... and the fifteen that follow: section 3.1.2 */
#define IMAGE_HASH	 8	     /* XXH3-64 of the body, last in HEAD and CHECKPOINT */

#define IMAGE_HEAD_FIXED       (IMAGE_FRAME_HEADER + IMAGE_TAG + 48)
#define IMAGE_CHECKPOINT_FIXED (IMAGE_FRAME_HEADER + IMAGE_TAG + 16)

static const uint8_t image_tag[4] = {'T', 'B', 'S', 'I'};

uint8_t *image_tag_put(uint8_t *p, enum image_kind kind, uint64_t frame_size)
{
	p = bytes_put32(p, IMAGE_MAGIC);
	p = bytes_put32(p, (uint32_t)(frame_size - IMAGE_FRAME_HEADER));
	p = bytes_put_all(p, image_tag, sizeof(image_tag));
	*p++ = (uint8_t)kind;
	*p++ = IMAGE_VERSION;
	return bytes_put16(p, 0);
}

int image_frame_get(const void *buf, size_t len, struct image_frame *ret)
{
	const uint8_t *p = buf;
	struct image_frame frame = {0};

	if (len < IMAGE_FRAME_HEADER + IMAGE_TAG)
		return -EBADMSG;
	frame.magic = bytes_get32(p);
	frame.size = bytes_get32(p + 4);
	if (frame.magic == IMAGE_DATA_MAGIC)
		return -ENOMSG;
	if ((frame.magic & ~0xfu) != IMAGE_SKIP_MAGIC)
		return -EBADMSG;
	if (frame.magic == IMAGE_MAGIC) {
		p += IMAGE_FRAME_HEADER;
		if (frame.size < IMAGE_TAG || memcmp(p, image_tag, sizeof(image_tag)) != 0)
			return -EBADMSG;
		if (p[5] != IMAGE_VERSION)
			return -EPROTONOSUPPORT;
		if (p[4] < IMAGE_HEAD || p[4] > IMAGE_PAD || bytes_get16(p + 6) != 0)
			return -EBADMSG;
		frame.kind = p[4];
	}
	*ret = frame;
	return 0;
}

int image_tag_get(const void *buf, size_t len, enum image_kind kind, uint32_t *ret_size)
{
	struct image_frame frame;
	int err = image_frame_get(buf, len, &frame);

	if (err == -EPROTONOSUPPORT)
		return err;
	if (err || frame.magic != IMAGE_MAGIC || frame.kind != kind)
		return -EBADMSG;
	*ret_size = frame.size;
	return 0;
}

static void image_hash_put(uint8_t *frame, uint8_t *end)
{
	const uint8_t *body = frame + IMAGE_FRAME_HEADER;

	bytes_put64(end, digest_stored(body, (size_t)(end - body)));
}

/* A whole frame of LEN bytes, hash last, at least FIXED and a hash long. */
static int image_hash_check(const uint8_t *frame, size_t len, enum image_kind kind, size_t fixed)
{
	uint32_t size;
	uint64_t hash;
	int err;

	if (len < fixed + IMAGE_HASH)
		return -EBADMSG;
	err = image_tag_get(frame, len, kind, &size);
	if (err)
		return err;
	if (size != len - IMAGE_FRAME_HEADER)
		return -EBADMSG;
	hash = digest_stored(frame + IMAGE_FRAME_HEADER, len - IMAGE_FRAME_HEADER - IMAGE_HASH);
	return bytes_get64(frame + len - IMAGE_HASH) == hash ? 0 : -EBADMSG;
}

static bool image_head_valid(const struct image_head *head)
{
	static const uint8_t no_id[sizeof(head->transfer_id)];
	uint32_t sector = head->logical_sector;

	if (memcmp(head->transfer_id, no_id, sizeof(no_id)) == 0)
		return false;
	if (!chunk_map_valid(&head->map) || head->created > INT64_MAX)
		return false;
	if (sector && (sector < 512 || (sector & (sector - 1))))
		return false;
	if (head->physical_sector && head->physical_sector < sector)
		return false;
	return head->identity_len >= 2 && head->identity_len <= IMAGE_IDENTITY_MOST;
}

size_t image_head_size(const struct image_head *head)
{
	return IMAGE_HEAD_FIXED + (size_t)head->identity_len + IMAGE_HASH;
}

int image_head_put(const struct image_head *head, void *buf, size_t capacity)
{
	uint8_t *p;

	if (!image_head_valid(head))
		return -EINVAL;
	if (capacity < image_head_size(head))
		return -ENOBUFS;
	p = image_tag_put(buf, IMAGE_HEAD, image_head_size(head));
	p = bytes_put_all(p, head->transfer_id, sizeof(head->transfer_id));
	p = bytes_put64(p, head->map.size);
	p = bytes_put64(p, head->created);
	p = bytes_put32(p, head->map.chunk_size);
	p = bytes_put32(p, head->logical_sector);
	p = bytes_put32(p, head->physical_sector);
	p = bytes_put32(p, head->identity_len);
	p = bytes_put_all(p, head->identity, head->identity_len);
	image_hash_put(buf, p);
	return (int)image_head_size(head);
}

int image_head_get(const void *buf, size_t len, struct image_head *ret)
{
	const uint8_t *p = buf;
	struct image_head head;
	int err = image_hash_check(buf, len, IMAGE_HEAD, IMAGE_HEAD_FIXED);

	if (err)
		return err;
	p += IMAGE_FRAME_HEADER + IMAGE_TAG;
	memcpy(head.transfer_id, p, sizeof(head.transfer_id));
	head.map.size = bytes_get64(p + 16);
	head.created = bytes_get64(p + 24);
	head.map.chunk_size = bytes_get32(p + 32);
	head.logical_sector = bytes_get32(p + 36);
	head.physical_sector = bytes_get32(p + 40);
	head.identity_len = bytes_get32(p + 44);
	head.identity = (const char *)p + 48;
	if (!image_head_valid(&head) || image_head_size(&head) != len)
		return -EBADMSG;
	*ret = head;
	return 0;
}

bool image_entry_valid(const struct image_entry *entry)
{
	if (entry->flags & ~IMAGE_ENTRY_FLAGS)
		return false;
	return entry->stored_size >= PACK_FRAME_LEAST && entry->stored_size <= PACK_FRAME_MOST;
}

void image_entry_put(const struct image_entry *entry, uint8_t buf[IMAGE_ENTRY])
{
	uint8_t *p = bytes_put_all(buf, entry->digest.bytes, DIGEST_SIZE);

	p = bytes_put64(p, entry->stored_hash);
	p = bytes_put32(p, entry->stored_size);
	bytes_put32(p, entry->flags);
}

int image_entry_get(const uint8_t buf[IMAGE_ENTRY], struct image_entry *ret)
{
	struct image_entry entry;

	memcpy(entry.digest.bytes, buf, DIGEST_SIZE);
	entry.stored_hash = bytes_get64(buf + 16);
	entry.stored_size = bytes_get32(buf + 24);
	entry.flags = bytes_get32(buf + 28);
	if (!image_entry_valid(&entry))
		return -EBADMSG;
	*ret = entry;
	return 0;
}

static bool image_checkpoint_valid(uint64_t first, uint32_t count)
{
	if (count < 1 || count > IMAGE_CHECKPOINT_MOST)
		return false;
	return first <= CHUNK_COUNT_MOST - count;
}

size_t image_checkpoint_size(uint32_t count)
{
	return IMAGE_CHECKPOINT_FIXED + (size_t)count * IMAGE_ENTRY + IMAGE_HASH;
}

int image_checkpoint_put(uint64_t first, const struct image_entry *entries, uint32_t count,
			 void *buf, size_t capacity)
{
	uint8_t *p;

	if (!image_checkpoint_valid(first, count))
		return -EINVAL;
	for (uint32_t i = 0; i < count; i++) {
		if (!image_entry_valid(&entries[i]))
			return -EINVAL;
	}
	if (capacity < image_checkpoint_size(count))
		return -ENOBUFS;
	p = image_tag_put(buf, IMAGE_CHECKPOINT, image_checkpoint_size(count));
	p = bytes_put64(p, first);
	p = bytes_put32(p, count);
	p = bytes_put32(p, 0);
	for (uint32_t i = 0; i < count; i++, p += IMAGE_ENTRY)
		image_entry_put(&entries[i], p);
	image_hash_put(buf, p);
	return (int)image_checkpoint_size(count);
}

int image_checkpoint_get(const void *buf, size_t len, uint64_t *ret_first, uint32_t *ret_count,
			 const uint8_t **ret_entries)
{
	const uint8_t *p = buf;
	struct image_entry entry;
	uint64_t first;
	uint32_t count;

	if (image_hash_check(p, len, IMAGE_CHECKPOINT, IMAGE_CHECKPOINT_FIXED) != 0)
		return -EBADMSG;
	p += IMAGE_FRAME_HEADER + IMAGE_TAG;
	first = bytes_get64(p);
	count = bytes_get32(p + 8);
	if (!image_checkpoint_valid(first, count) || bytes_get32(p + 12) != 0 ||
	    image_checkpoint_size(count) != len)
		return -EBADMSG;
	p += 16;
	for (uint32_t i = 0; i < count; i++) {
		if (image_entry_get(p + (size_t)i * IMAGE_ENTRY, &entry) != 0)
			return -EBADMSG;
	}
	*ret_first = first;
	*ret_count = count;
	*ret_entries = p;
	return 0;
}

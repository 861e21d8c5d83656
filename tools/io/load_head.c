// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/load_head.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_FOREIGN "it is compressed by zstd, but it is no image of tbstream"
#define HEAD_SNIFF   1024u /* bytes in which other kinds of file show themselves */

static const uint8_t head_zstd[] = {0x28, 0xb5, 0x2f, 0xfd};

static const struct head_kind {
	size_t at;
	const char *magic;
	size_t len;
	const char *what;
} head_kinds[] = {
	{0, "\x1f\x8b", 2, "a file that gzip compressed"},
	{0,
	 "\xfd"
	 "7zXZ",
	 5, "a file that xz compressed"},
	{0, "QFI\xfb", 4, "a virtual machine's disk (qcow2)"},
	{512, "EFI PART", 8, "a raw disk with a GPT"},
	{510, "\x55\xaa", 2, "a raw disk, or the start of one"},
};

/* What begins with no zstd frame. */
static int head_foreign(struct load_reader *reader, char *why, size_t len)
{
	const uint8_t *at;
	int r = load_reader_peek(reader, HEAD_SNIFF, &at);
	size_t there = reader->end - reader->start;

	if (r < 0 && r != -ENODATA)
		return r;
	at = reader->buf + reader->start;
	if (there == 0) {
		snprintf(why, len, "it is no image: it is empty");
		return -ENOMSG;
	}
	for (size_t i = 0; i < sizeof(head_kinds) / sizeof(head_kinds[0]); i++) {
		const struct head_kind *kind = &head_kinds[i];

		if (kind->at + kind->len > there || memcmp(at + kind->at, kind->magic, kind->len))
			continue;
		snprintf(why, len, "it is no image, but %s", kind->what);
		return -ENOMSG;
	}
	snprintf(why, len, "it is no image: no zstd frame begins it");
	return -ENOMSG;
}

static int head_cut(const struct load_reader *reader, char *why, size_t len)
{
	snprintf(why, len, "it ends at byte %" PRIu64 ", before its HEAD does: it is not complete",
		 reader->offset + (reader->end - reader->start));
	return -ENODATA;
}

/* The lengths of both frames, all of which is then visible at *ret. */
static int head_find(struct load_reader *reader, struct load_head *head, const uint8_t **ret,
		     char *why, size_t len)
{
	struct image_frame frame;
	const uint8_t *at;
	int r = load_reader_peek(reader, IMAGE_FRAME_HEADER + IMAGE_TAG, &at);

	/* A few bytes that begin as zstd's do are the start of a frame. */
	if (r == -ENODATA && reader->end - reader->start >= sizeof(head_zstd) &&
	    !memcmp(reader->buf + reader->start, head_zstd, sizeof(head_zstd)))
		r = 0;
	else if (r == -ENODATA ||
		 (r == 0 && image_frame_get(at, IMAGE_FRAME_HEADER + IMAGE_TAG, &frame) != -ENOMSG))
		return head_foreign(reader, why, len);
	if (r == 0)
		r = load_reader_frame(reader, &at, &head->first_len);
	if (r == -ENODATA)
		return head_cut(reader, why, len);
	if (r == 0)
		r = load_reader_peek(reader, head->first_len + IMAGE_FRAME_HEADER + IMAGE_TAG, &at);
	if (r == 0)
		r = image_frame_get(at + head->first_len, IMAGE_FRAME_HEADER + IMAGE_TAG, &frame);
	if (r == -EPROTONOSUPPORT)
		return r;
	/* A file that ends with its first frame has nothing of ours. */
	if (r == -EBADMSG || r == -ENOMSG || r == -ENODATA ||
	    (r == 0 && (frame.magic != IMAGE_MAGIC || frame.kind != IMAGE_HEAD))) {
		snprintf(why, len, HEAD_FOREIGN);
		return -ENOMSG;
	}
	if (r == 0 && frame.size > IMAGE_IDENTITY_MOST + 2048) {
		snprintf(why, len, "its HEAD is too long");
		return -EBADMSG;
	}
	if (r < 0)
		return r;
	head->head_len = IMAGE_FRAME_HEADER + (size_t)frame.size;
	r = load_reader_peek(reader, head->first_len + head->head_len, ret);
	return r == -ENODATA ? head_cut(reader, why, len) : r;
}

int load_head_read(struct load_reader *reader, struct load_head *ret, char *why, size_t len)
{
	struct load_head head = {0};
	const uint8_t *at;
	int r = head_find(reader, &head, &at, why, len);

	if (r == 0)
		r = image_head_get(at + head.first_len, head.head_len, &head.head);
	else if (r != -EPROTONOSUPPORT)
		return r;
	if (r == -EPROTONOSUPPORT)
		snprintf(why, len, "a newer version wrote it; this one reads version %d",
			 IMAGE_VERSION);
	else if (r < 0)
		snprintf(why, len, "its HEAD is damaged");
	if (r < 0)
		return r;
	head.identity = malloc(head.head.identity_len + 1);
	if (!head.identity)
		return -ENOMEM;
	memcpy(head.identity, head.head.identity, head.head.identity_len);
	head.identity[head.head.identity_len] = '\0';
	head.head.identity = head.identity;
	*ret = head;
	return 0;
}

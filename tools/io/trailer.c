// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/trailer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/manifest.h"
#include "io/out.h"

/* All of LEN bytes; a file that has become shorter has changed. */
static int trailer_read(int fd, void *buf, size_t len, uint64_t offset)
{
	ssize_t n = out_read_at(fd, buf, len, offset);

	if (n < 0)
		return n;
	return (size_t)n == len ? 0 : -EBADMSG;
}

int trailer_find(int fd, uint64_t size, struct trailer *ret)
{
	uint8_t footer[IMAGE_SEEK_FOOTER], raw[IMAGE_SUM_FRAME];
	struct trailer trailer;
	uint64_t behind, before;

	if (size < sizeof(footer))
		return -ENOMSG;
	int r = trailer_read(fd, footer, sizeof(footer), size - sizeof(footer));
	if (r < 0)
		return r;
	if (image_seek_footer_get(footer, &trailer.frames) < 0)
		return -ENOMSG;
	behind = image_seek_size(trailer.frames) + sizeof(raw);
	if (behind > size)
		return -ENOMSG;
	r = trailer_read(fd, raw, sizeof(raw), size - behind);
	if (r < 0)
		return r;
	if (image_sum_get(raw, &trailer.sum) < 0)
		return -ENOMSG;
	/* What is left between TABLE and SUM is MANIFEST. No sum wraps: SUM bounds its numbers. */
	before = IMAGE_TABLE_HEADER + trailer.sum.entries * IMAGE_ENTRY + IMAGE_MANIFEST_HEADER;
	if (trailer.sum.file_size != size || trailer.sum.trailer_size > size ||
	    trailer.sum.trailer_size < before + 2 + behind ||
	    trailer.sum.trailer_size - before - behind > IMAGE_MANIFEST_MOST ||
	    trailer.frames < trailer.sum.entries + IMAGE_FRAMES_BESIDE)
		return -EBADMSG;
	trailer.json_len = trailer.sum.trailer_size - before - behind;
	trailer.table = size - trailer.sum.trailer_size;
	trailer.seek = size - image_seek_size(trailer.frames);
	*ret = trailer;
	return 0;
}

void trailer_take(struct load_reader *reader, struct digest_state *sum, const uint8_t *at,
		  size_t len)
{
	digest_update(sum, at, len);
	load_reader_take(reader, len);
}

int trailer_manifest(struct load_reader *reader, struct digest_state *sum, json_t **ret,
		     uint32_t *ret_json_len)
{
	uint32_t len, got = 0;
	const uint8_t *at;
	int r = load_reader_peek(reader, IMAGE_MANIFEST_HEADER, &at);

	if (r == 0)
		r = image_manifest_header_get(at, &len);
	if (r < 0)
		return r;
	trailer_take(reader, sum, at, IMAGE_MANIFEST_HEADER);
	char *json = malloc(len + 1);

	if (!json)
		return -ENOMEM;
	while (got < len && r == 0) {
		long n = load_reader_some(reader, len - got, &at);

		if (n < 0) {
			r = n;
			break;
		}
		memcpy(json + got, at, n);
		trailer_take(reader, sum, at, n);
		got += n;
	}
	if (r == 0)
		r = manifest_parse(json, len, ret);
	free(json);
	if (r == 0)
		*ret_json_len = len;
	return r;
}

int trailer_sum(struct load_reader *reader, struct digest_state *sum, struct image_sum *ret)
{
	static const uint8_t zeros[DIGEST_SIZE];
	const uint8_t *at;
	int r = load_reader_peek(reader, IMAGE_SUM_FRAME, &at);

	if (r == 0)
		r = image_sum_get(at, ret);
	if (r < 0)
		return r;
	digest_update(sum, at, IMAGE_SUM_DIGEST);
	digest_update(sum, zeros, sizeof(zeros));
	load_reader_take(reader, IMAGE_SUM_FRAME);
	return 0;
}

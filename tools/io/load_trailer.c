// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/load_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/manifest.h"

/* Takes LEN bytes that were peeked at, as a part of the trailer. */
static void load_sum(struct load *load, struct digest_state *sum, const uint8_t *at, size_t len)
{
	digest_update(sum, at, len);
	load_reader_take(&load->reader, len);
}

static int load_table(struct load *load, struct digest_state *sum)
{
	struct digest_state told;
	struct digest a, b;
	const uint8_t *at;
	uint64_t entries;
	int r = load_peek(load, IMAGE_TABLE_HEADER, &at);

	if (r < 0)
		return r;
	if (image_table_header_get(at, &entries) < 0 || entries != load->next ||
	    entries != chunk_count(&load->head.map))
		return load_fail(load, -EBADMSG,
				 "it holds %" PRIu64 " chunks, but should hold %" PRIu64,
				 load->next, chunk_count(&load->head.map));
	load_count_frame(load, IMAGE_TABLE_HEADER + entries * IMAGE_ENTRY, 0);
	load_sum(load, sum, at, IMAGE_TABLE_HEADER);
	digest_start(&told);
	for (uint64_t i = 0; i < entries; i++) {
		r = load_peek(load, IMAGE_ENTRY, &at);
		if (r == 0 && i >= load->pending_first)
			r = load_confirm(load, at, i - load->pending_first);
		if (r < 0)
			return r;
		if (i < load->pending_first)
			digest_update(&told, at, IMAGE_ENTRY);
		load_sum(load, sum, at, IMAGE_ENTRY);
	}
	digest_read(&told, &a);
	digest_read(&load->table, &b);
	return digest_equal(&a, &b) ? 0 : load_fail(load, -EBADMSG, "its digest table is damaged");
}

static int load_json(struct load *load, struct digest_state *sum)
{
	uint32_t len, got = 0;
	const uint8_t *at;
	int r = load_peek(load, IMAGE_MANIFEST_HEADER, &at);

	if (r < 0)
		return r;
	if (image_manifest_header_get(at, &len) < 0)
		return load_fail(load, -EBADMSG, "its manifest is damaged");
	load_count_frame(load, IMAGE_MANIFEST_HEADER + len, 0);
	load_sum(load, sum, at, IMAGE_MANIFEST_HEADER);
	char *json = malloc(len + 1);

	if (!json)
		return -ENOMEM;
	while (got < len && r == 0) {
		r = load_peek(load, 1, &at);
		if (r < 0)
			break;
		long n = load_reader_some(&load->reader, len - got, &at);

		memcpy(json + got, at, n);
		load_sum(load, sum, at, n);
		got += n;
	}
	if (r == 0 && manifest_parse(json, len, &load->manifest) < 0)
		r = load_fail(load, -EBADMSG, "its manifest is damaged");
	free(json);
	return r;
}

static int load_sum_frame(struct load *load, struct digest_state *sum, struct image_sum *ret)
{
	static const uint8_t zeros[DIGEST_SIZE];
	const uint8_t *at;
	int r = load_peek(load, IMAGE_SUM_FRAME, &at);

	if (r < 0)
		return r;
	if (image_sum_get(at, ret) < 0)
		return load_fail(load, -EBADMSG, "its trailer is damaged");
	digest_update(sum, at, IMAGE_SUM_DIGEST);
	digest_update(sum, zeros, sizeof(zeros));
	load_reader_take(&load->reader, IMAGE_SUM_FRAME);
	load_count_frame(load, IMAGE_SUM_FRAME, 0);
	return 0;
}

static int load_seek_table(struct load *load, struct digest_state *sum)
{
	uint8_t header[IMAGE_SEEK_HEADER], footer[IMAGE_SEEK_FOOTER];
	uint64_t frames = load->frames;
	struct digest_state told;
	struct digest a, b;
	const uint8_t *at;
	int r = load_peek(load, sizeof(header), &at);

	if (r < 0)
		return r;
	/* Its header and footer are known to the byte by now. */
	image_seek_header_put(frames, header);
	image_seek_footer_put(frames, footer);
	if (memcmp(at, header, sizeof(header)))
		return load_fail(load, -EBADMSG, "its seek table is damaged");
	load_sum(load, sum, at, sizeof(header));
	digest_start(&told);
	for (uint64_t i = 0; i < frames; i++) {
		r = load_peek(load, IMAGE_SEEK_ENTRY, &at);
		if (r < 0)
			return r;
		digest_update(&told, at, IMAGE_SEEK_ENTRY);
		load_sum(load, sum, at, IMAGE_SEEK_ENTRY);
	}
	r = load_peek(load, sizeof(footer), &at);
	if (r < 0)
		return r;
	digest_read(&told, &a);
	digest_read(&load->seek, &b);
	if (!digest_equal(&a, &b) || memcmp(at, footer, sizeof(footer)))
		return load_fail(load, -EBADMSG, "its seek table is damaged");
	load_sum(load, sum, at, sizeof(footer));
	return 0;
}

static int load_end(struct load *load)
{
	struct manifest_end end = {
		.head = &load->head,
		.size = load->head.map.size,
		.chunks = load->next,
		.frames = load->frames,
	};
	const uint8_t *at;
	int r = load_reader_peek(&load->reader, 1, &at);

	if (r == 0)
		return load_fail(load, -EBADMSG, "something follows its end, byte %" PRIu64,
				 load->reader.offset);
	if (r != -ENODATA)
		return r;
	load_root(load, &end.root);
	if (manifest_check(load->manifest, &end) < 0)
		return load_fail(load, -EBADMSG, "its manifest is not that of its data");
	return 0;
}

int load_trailer(struct load *load)
{
	uint64_t start = load->reader.offset;
	struct digest_state state;
	struct digest digest;
	struct image_sum sum;

	digest_start(&state);
	int r = load_table(load, &state);
	if (r == 0)
		r = load_json(load, &state);
	if (r == 0)
		r = load_sum_frame(load, &state, &sum);
	if (r == 0)
		r = load_seek_table(load, &state);
	if (r < 0)
		return r;
	digest_read(&state, &digest);
	if (!digest_equal(&digest, &sum.digest) || sum.entries != load->next ||
	    sum.file_size != load->reader.offset || sum.trailer_size != load->reader.offset - start)
		return load_fail(load, -EBADMSG, "its trailer is damaged");
	return load_end(load);
}

static int load_pread(int fd, void *buf, size_t len, uint64_t offset)
{
	ssize_t n = pread(fd, buf, len, offset);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EBADMSG;
}

int load_peek_manifest(int fd, json_t **ret)
{
	uint8_t footer[IMAGE_SEEK_FOOTER], raw[IMAGE_SUM_FRAME], header[IMAGE_MANIFEST_HEADER];
	uint32_t frames, len;
	struct image_sum sum;
	struct stat st;
	char *json;

	if (fstat(fd, &st))
		return -errno;
	uint64_t size = st.st_size;
	if (!S_ISREG(st.st_mode) || size < IMAGE_SEEK_FOOTER ||
	    load_pread(fd, footer, sizeof(footer), size - IMAGE_SEEK_FOOTER) < 0 ||
	    image_seek_footer_get(footer, &frames) < 0)
		return -ENOMSG;
	uint64_t behind = image_seek_size(frames) + IMAGE_SUM_FRAME;
	if (behind > size || load_pread(fd, raw, sizeof(raw), size - behind) < 0)
		return -ENOMSG;
	int r = image_sum_get(raw, &sum);
	if (r < 0)
		return -ENOMSG;
	uint64_t table = IMAGE_TABLE_HEADER + sum.entries * IMAGE_ENTRY;
	if (sum.entries > CHUNK_COUNT_MOST || sum.file_size != size || sum.trailer_size > size ||
	    sum.trailer_size < table + sizeof(header) + behind)
		return -EBADMSG;
	uint64_t at = size - sum.trailer_size + table;
	r = load_pread(fd, header, sizeof(header), at);
	if (r == 0)
		r = image_manifest_header_get(header, &len);
	if (r < 0)
		return r;
	if (at + sizeof(header) + len + behind != size)
		return -EBADMSG;
	json = malloc(len + 1);
	if (!json)
		return -ENOMEM;
	r = load_pread(fd, json, len, at + sizeof(header));
	if (r == 0)
		r = manifest_parse(json, len, ret);
	free(json);
	return r;
}

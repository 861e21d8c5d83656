// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/load_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "codec/manifest.h"
#include "io/trailer.h"

static int load_table(struct load *load, struct digest_state *sum)
{
	struct digest_state told;
	struct digest a, b;
	const uint8_t *at;
	uint64_t entries;
	int r = load_peek(load, IMAGE_TABLE_HEADER, &at);

	if (r < 0)
		return r;
	if (chunk_map_open(&load->head.map))
		load->head.map.size = load->walked;
	if (image_table_header_get(at, &entries) < 0 || entries != load->next ||
	    entries != chunk_count(&load->head.map))
		return load_fail(load, -EBADMSG,
				 "it holds %" PRIu64 " chunks, but should hold %" PRIu64,
				 load->next, chunk_count(&load->head.map));
	load_count_frame(load, IMAGE_TABLE_HEADER + entries * IMAGE_ENTRY, 0);
	trailer_take(&load->reader, sum, at, IMAGE_TABLE_HEADER);
	digest_start(&told);
	for (uint64_t i = 0; i < entries; i++) {
		r = load_peek(load, IMAGE_ENTRY, &at);
		if (r == 0 && i >= load->pending_first)
			r = load_confirm(load, at, i - load->pending_first);
		if (r < 0)
			return r;
		if (i < load->pending_first)
			digest_update(&told, at, IMAGE_ENTRY);
		trailer_take(&load->reader, sum, at, IMAGE_ENTRY);
	}
	digest_read(&told, &a);
	digest_read(&load->table, &b);
	return digest_equal(&a, &b) ? 0 : load_fail(load, -EBADMSG, "its digest table is damaged");
}

static int load_json(struct load *load, struct digest_state *sum)
{
	uint32_t len;
	int r = trailer_manifest(&load->reader, sum, &load->manifest, &len);

	if (r == -EBADMSG)
		return load_fail(load, r, "its manifest is damaged");
	if (r < 0)
		return load_input(load, r);
	load_count_frame(load, IMAGE_MANIFEST_HEADER + len, 0);
	return 0;
}

static int load_sum_frame(struct load *load, struct digest_state *sum, struct image_sum *ret)
{
	int r = trailer_sum(&load->reader, sum, ret);

	if (r == -EBADMSG)
		return load_fail(load, r, "its trailer is damaged");
	if (r < 0)
		return load_input(load, r);
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
	trailer_take(&load->reader, sum, at, sizeof(header));
	digest_start(&told);
	for (uint64_t i = 0; i < frames; i++) {
		r = load_peek(load, IMAGE_SEEK_ENTRY, &at);
		if (r < 0)
			return r;
		digest_update(&told, at, IMAGE_SEEK_ENTRY);
		trailer_take(&load->reader, sum, at, IMAGE_SEEK_ENTRY);
	}
	r = load_peek(load, sizeof(footer), &at);
	if (r < 0)
		return r;
	digest_read(&told, &a);
	digest_read(&load->seek, &b);
	if (!digest_equal(&a, &b) || memcmp(at, footer, sizeof(footer)))
		return load_fail(load, -EBADMSG, "its seek table is damaged");
	trailer_take(&load->reader, sum, at, sizeof(footer));
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

	load_ahead_free(load);
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

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * LVM physical volumes: what no logical volume has of it. LVM2, lib/label/label.h (the label),
 * lib/format_text/layout.h (the header of the physical volume and of its metadata); the text's keys
 * are in lib/format_text/export.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "codec/bytes.h"
#include "used/used_kinds.h"
#include "used/used_lvm.h"

#define LVM_SECTOR	 512u
#define LVM_LABELS	 4u /* sectors that can have the label */
#define LVM_CRC		 0xf597a6cfu
#define LVM_UUID	 32u
#define LVM_AREAS_MOST	 8u
#define LVM_TEXT_MOST	 (4u << 20)
#define LVM_EXTENTS_MOST (1u << 24) /* 64 TiB of 4 MiB */

struct lvm_area {
	uint64_t offset, size; /* bytes, from the volume's start */
};

struct lvm {
	const struct probe_area *area;
	struct spare *spare;
	char uuid[LVM_UUID];
	struct lvm_area data, metadata[LVM_AREAS_MOST];
	unsigned int count; /* of metadata */
	char *raw;	    /* the text, LEN bytes */
	size_t len;
	struct lvm_text text;
	uint32_t vg, pv;		 /* nodes of it */
	uint64_t extent, start, extents; /* bytes; bytes; how many */
	uint8_t *used;			 /* a bit for each of them */
	const char **ret_doubt;
};

static int lvm_doubt(const struct lvm *lvm, const char *doubt)
{
	return used_doubt(doubt, lvm->ret_doubt);
}

static uint32_t lvm_crc(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return crc;
}

/* A list of areas at *AT, which ends with one of zeros: to RET, which has room for MOST. */
static int lvm_areas(const struct lvm *lvm, const uint8_t *label, size_t *at, unsigned int most,
		     struct lvm_area *ret, unsigned int *ret_count)
{
	for (unsigned int n = 0;; n++, *at += 16) {
		if (*at + 16 > LVM_SECTOR)
			return lvm_doubt(lvm, "its label is damaged");
		struct lvm_area area = {bytes_get64(label + *at), bytes_get64(label + *at + 8)};

		if (area.offset == 0) {
			*at += 16;
			*ret_count = n;
			return 0;
		}
		if (n == most)
			return lvm_doubt(lvm, "it has more areas than this program knows");
		if (area.offset > lvm->area->size || area.size > lvm->area->size - area.offset)
			return lvm_doubt(lvm, "it goes on behind the end of its partition");
		ret[n] = area;
	}
}

static int lvm_read_label(struct lvm *lvm)
{
	uint8_t labels[LVM_LABELS * LVM_SECTOR], *label = labels;
	unsigned int count, i = 0;
	int r = used_get(lvm->area, 0, labels, sizeof(labels), lvm->ret_doubt);

	if (r < 0)
		return r;
	while (i < LVM_LABELS && memcmp(label, "LABELONE", 8) != 0) {
		i++;
		label += LVM_SECTOR;
	}
	if (i == LVM_LABELS || bytes_get64(label + 8) != i ||
	    memcmp(label + 24, "LVM2 001", 8) != 0 ||
	    bytes_get32(label + 16) != lvm_crc(LVM_CRC, label + 20, LVM_SECTOR - 20))
		return lvm_doubt(lvm, "its label is damaged");
	size_t at = bytes_get32(label + 20);

	if (at < 32 || at > LVM_SECTOR - 40)
		return lvm_doubt(lvm, "its label is damaged");
	memcpy(lvm->uuid, label + at, LVM_UUID);
	if (bytes_get64(label + at + LVM_UUID) > lvm->area->size)
		return lvm_doubt(lvm, "it goes on behind the end of its partition");
	at += LVM_UUID + 8;
	r = lvm_areas(lvm, label, &at, 1, &lvm->data, &count);
	if (r == 0 && count != 1)
		r = lvm_doubt(lvm, "it has no area for data");
	if (r == 0)
		r = lvm_areas(lvm, label, &at, LVM_AREAS_MOST, lvm->metadata, &lvm->count);
	if (r == 0 && lvm->count == 0)
		r = lvm_doubt(lvm, "its metadata are on another disk");
	return r;
}

/* LEN bytes of the text at OFFSET of AREA, where it begins again behind its header, to *RET. */
static int lvm_read_ring(const struct lvm *lvm, const struct lvm_area *area, uint64_t offset,
			 size_t len, char **ret)
{
	size_t first = MIN(len, area->size - offset);
	char *text = malloc(len);

	if (!text)
		return -ENOMEM;
	int r = used_get(lvm->area, area->offset + offset, text, first, lvm->ret_doubt);

	if (r == 0 && first < len)
		r = used_get(lvm->area, area->offset + LVM_SECTOR, text + first, len - first,
			     lvm->ret_doubt);
	if (r < 0) {
		free(text);
		return r;
	}
	*ret = text;
	return 0;
}

/* The text that one area of the metadata has. Each has to have the same. */
static int lvm_read_metadata(struct lvm *lvm, const struct lvm_area *area)
{
	static const char magic[] = " LVM2 x[5A%r0N*>";
	uint8_t header[LVM_SECTOR];
	char *text;
	int r = used_get(lvm->area, area->offset, header, sizeof(header), lvm->ret_doubt);

	if (r < 0)
		return r;
	uint64_t offset = bytes_get64(header + 40), len = bytes_get64(header + 48);

	if (memcmp(header + 4, magic, 16) != 0 || bytes_get32(header + 20) != 1 ||
	    bytes_get64(header + 24) != area->offset || bytes_get64(header + 32) != area->size ||
	    bytes_get32(header) != lvm_crc(LVM_CRC, header + 4, LVM_SECTOR - 4))
		return lvm_doubt(lvm, "the header of its metadata is damaged");
	/* The second place is that of metadata which are just being changed. */
	if (bytes_get32(header + 60) != 0 || bytes_get64(header + 64) != 0)
		return lvm_doubt(lvm, "its metadata are not in use, or were being changed");
	if (offset < LVM_SECTOR || offset >= area->size || len == 0 || len > LVM_TEXT_MOST ||
	    len > area->size - LVM_SECTOR)
		return lvm_doubt(lvm, "it belongs to no volume group, or its metadata are damaged");
	r = lvm_read_ring(lvm, area, offset, len, &text);
	if (r < 0)
		return r;
	if (lvm_crc(LVM_CRC, text, len) != bytes_get32(header + 56))
		r = lvm_doubt(lvm, "the checksum of its metadata is wrong");
	else if (lvm->raw && (len != lvm->len || memcmp(lvm->raw, text, len) != 0))
		r = lvm_doubt(lvm, "its two metadata differ");
	if (r < 0 || lvm->raw) {
		free(text);
		return r;
	}
	lvm->raw = text;
	lvm->len = len;
	return 0;
}

/* Whether the text ID, which has dashes, is the UUID of this volume. */
static bool lvm_is_ours(const struct lvm *lvm, const struct lvm_node *id)
{
	size_t found = 0;

	for (size_t i = 0; i < id->len; i++) {
		if (id->text[i] == '-')
			continue;
		if (found == LVM_UUID || id->text[i] != lvm->uuid[found++])
			return false;
	}
	return found == LVM_UUID;
}

static int lvm_find_pv(struct lvm *lvm)
{
	uint32_t pvs = lvm_text_find(&lvm->text, lvm->vg, "physical_volumes", LVM_SECTION);

	for (uint32_t i = pvs ? lvm->text.nodes[pvs].first : 0; i; i = lvm->text.nodes[i].next) {
		uint32_t id = lvm_text_find(&lvm->text, i, "id", LVM_STRING);

		if (!id || !lvm_is_ours(lvm, &lvm->text.nodes[id]))
			continue;
		if (lvm->pv)
			return lvm_doubt(lvm, "its metadata name it twice");
		lvm->pv = i;
	}
	return lvm->pv ? 0 : lvm_doubt(lvm, "its metadata do not name it");
}

/* The volume group is the only section; what it says of itself must be what everybody's says. */
static int lvm_read_group(struct lvm *lvm)
{
	static const char *const states[] = {"RESIZEABLE", "READ", "WRITE", NULL};
	static const char *const pv_states[] = {"ALLOCATABLE", NULL};
	static const char *const none[] = {NULL};
	const struct lvm_text *text = &lvm->text;
	uint64_t sectors = 0, start = 0;

	for (uint32_t i = text->nodes[0].first; i; i = text->nodes[i].next) {
		if (text->nodes[i].kind != LVM_SECTION)
			continue;
		if (lvm->vg)
			return lvm_doubt(lvm, "it belongs to two volume groups");
		lvm->vg = i;
	}
	if (!lvm->vg || !lvm_text_within(text, lvm->vg, "status", states) ||
	    !lvm_text_within(text, lvm->vg, "flags", none) ||
	    lvm_text_find(text, lvm->vg, "lock_type", LVM_STRING))
		return lvm_doubt(lvm, "its volume group is in a state that this program does not "
				      "know");
	int r = lvm_find_pv(lvm);

	if (r < 0)
		return r;
	if (!lvm_text_within(text, lvm->pv, "status", pv_states) ||
	    !lvm_text_within(text, lvm->pv, "flags", none))
		return lvm_doubt(lvm, "it is in a state that this program does not know");
	if (!lvm_text_number(text, lvm->vg, "extent_size", &sectors) || sectors == 0 ||
	    sectors > UINT32_MAX || !lvm_text_number(text, lvm->pv, "pe_start", &start) ||
	    start > lvm->area->size / LVM_SECTOR ||
	    !lvm_text_number(text, lvm->pv, "pe_count", &lvm->extents) || lvm->extents == 0 ||
	    lvm->extents > LVM_EXTENTS_MOST)
		return lvm_doubt(lvm, "its metadata are not what they can be");
	lvm->extent = sectors * LVM_SECTOR;
	lvm->start = start * LVM_SECTOR;
	if (lvm->start != lvm->data.offset ||
	    lvm->extents > (lvm->area->size - lvm->start) / lvm->extent)
		return lvm_doubt(lvm, "its metadata contradict its label");
	for (unsigned int i = 0; i < lvm->count; i++) {
		const struct lvm_area *area = &lvm->metadata[i];

		if (area->offset < lvm->start + lvm->extents * lvm->extent &&
		    lvm->start < area->offset + area->size)
			return lvm_doubt(lvm, "its metadata lie where its extents are");
	}
	return 0;
}

/* Whether NODE, a string, names a physical volume; our own to *RET_OURS. */
static bool lvm_names_pv(const struct lvm *lvm, const struct lvm_node *node, bool *ret_ours)
{
	const struct lvm_text *text = &lvm->text;
	uint32_t pvs = lvm_text_find(text, lvm->vg, "physical_volumes", LVM_SECTION);

	for (uint32_t i = text->nodes[pvs].first; node->kind == LVM_STRING && i;
	     i = text->nodes[i].next) {
		if (text->nodes[i].key_len != node->len ||
		    memcmp(text->nodes[i].key, node->text, node->len) != 0)
			continue;
		*ret_ours = i == lvm->pv;
		return true;
	}
	return false;
}

static int lvm_take(struct lvm *lvm, uint64_t first, uint64_t count)
{
	if (first > lvm->extents || count > lvm->extents - first)
		return lvm_doubt(lvm, "a logical volume goes on behind its end");
	for (uint64_t i = first; i < first + count; i++) {
		if (lvm->used[i / 8] >> i % 8 & 1)
			return lvm_doubt(lvm, "two logical volumes have the same of it");
		lvm->used[i / 8] |= 1u << i % 8;
	}
	return 0;
}

/* The stripes of SEGMENT, name and first extent by turns. */
static int lvm_take_stripes(struct lvm *lvm, uint32_t segment)
{
	const struct lvm_text *text = &lvm->text;
	uint32_t list = lvm_text_find(text, segment, "stripes", LVM_LIST);
	uint64_t count, stripes, left;
	int r = 0;

	if (!list || !lvm_text_number(text, segment, "extent_count", &count) ||
	    !lvm_text_number(text, segment, "stripe_count", &stripes) || stripes == 0 ||
	    count % stripes)
		return lvm_doubt(lvm, "a logical volume is not what it can be");
	left = stripes;
	for (uint32_t i = text->nodes[list].first; r == 0 && i; i = text->nodes[i].next) {
		const struct lvm_node *name = &text->nodes[i];
		bool ours = false, pv = lvm_names_pv(lvm, name, &ours);

		i = name->next;
		if (!i || left-- == 0 || text->nodes[i].kind != LVM_NUMBER)
			return lvm_doubt(lvm, "a logical volume is not what it can be");
		if (pv && ours)
			r = lvm_take(lvm, text->nodes[i].number, count / stripes);
	}
	return r == 0 && left ? lvm_doubt(lvm, "a logical volume is not what it can be") : r;
}

/* What is made of other logical volumes has nothing of its own. */
static int lvm_check_layer(struct lvm *lvm, uint32_t segment)
{
	const struct lvm_text *text = &lvm->text;
	bool ours;

	for (uint32_t i = text->nodes[segment].first; i; i = text->nodes[i].next) {
		if (text->nodes[i].kind != LVM_LIST)
			continue;
		for (uint32_t k = text->nodes[i].first; k; k = text->nodes[k].next) {
			if (lvm_names_pv(lvm, &text->nodes[k], &ours))
				return lvm_doubt(lvm, "a part of it is just being moved");
		}
	}
	return 0;
}

static int lvm_take_segment(struct lvm *lvm, uint32_t segment)
{
	static const char *const layers[] = {"thin",	   "thin-pool", "snapshot", "mirror",
					     "raid0",	   "raid1",	"raid4",    "raid5",
					     "raid6",	   "raid10",	"cache",    "cache-pool",
					     "writecache", "zero",	"error",    "raid0_meta"};
	uint32_t type = lvm_text_find(&lvm->text, segment, "type", LVM_STRING);
	const struct lvm_node *node = &lvm->text.nodes[type];

	if (type && node->len == 7 && memcmp(node->text, "striped", 7) == 0)
		return lvm_take_stripes(lvm, segment);
	for (size_t i = 0; type && i < sizeof(layers) / sizeof(layers[0]); i++) {
		/* "raid5" is a family: raid5_ls and so on. */
		if (node->len >= strlen(layers[i]) &&
		    memcmp(node->text, layers[i], strlen(layers[i])) == 0)
			return lvm_check_layer(lvm, segment);
	}
	return lvm_doubt(lvm, "it has a logical volume of a type that this program does not know");
}

static int lvm_take_volumes(struct lvm *lvm)
{
	const struct lvm_text *text = &lvm->text;
	uint32_t lvs = lvm_text_find(text, lvm->vg, "logical_volumes", LVM_SECTION);
	int r = 0;

	for (uint32_t lv = lvs ? text->nodes[lvs].first : 0; r == 0 && lv;
	     lv = text->nodes[lv].next) {
		uint64_t due, found = 0;

		if (!lvm_text_number(text, lv, "segment_count", &due))
			return lvm_doubt(lvm, "a logical volume is not what it can be");
		for (uint32_t i = text->nodes[lv].first; r == 0 && i; i = text->nodes[i].next) {
			if (text->nodes[i].kind != LVM_SECTION)
				continue;
			found++;
			r = lvm_take_segment(lvm, i);
		}
		if (r == 0 && found != due)
			r = lvm_doubt(lvm, "a logical volume is not what it can be");
	}
	return r;
}

static int lvm_add(struct lvm *lvm)
{
	struct used_map map = {.spare = lvm->spare};
	uint64_t unused = 0;
	int r = lvm_read_group(lvm);

	if (r < 0)
		return r;
	lvm->used = calloc(1, (lvm->extents + 7) / 8);
	if (!lvm->used)
		return -ENOMEM;
	map.origin = lvm->start;
	map.unit = lvm->extent;
	r = lvm_take_volumes(lvm);
	if (r == 0)
		r = used_map_add(&map, lvm->used, 0, lvm->extents, &unused);
	free(lvm->used);
	return r;
}

int used_lvm(const struct probe_area *area, struct spare *spare, const char **ret_doubt)
{
	struct lvm lvm = {.area = area, .spare = spare, .ret_doubt = ret_doubt};
	int r = lvm_read_label(&lvm);

	for (unsigned int i = 0; r == 0 && i < lvm.count; i++)
		r = lvm_read_metadata(&lvm, &lvm.metadata[i]);
	if (r == 0) {
		r = lvm_text_parse(lvm.raw, lvm.len, &lvm.text);
		if (r == -EUCLEAN)
			lvm_doubt(&lvm, "its metadata are damaged");
	}
	if (r == 0)
		r = lvm_add(&lvm);
	lvm_text_clear(&lvm.text);
	free(lvm.raw);
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* A physical volume made by hand, with one thing wrong in it at a time. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "codec/bytes.h"
#include "used/used_kinds.h"

#define SIZE	(4u << 20)
#define MDA	4096u
#define MDA_LEN 61440u
#define START	(1u << 20)
#define EXTENT	65536u
#define EXTENTS 40u

static const char uuid[] = "abcdefGHIJklmnOPQRstuvWXYZ012345";

/* What is written, unless a test changes it. */
struct volume {
	const char *status, *pv_status, *more; /* of the group, the volume; logical volumes */
	uint32_t at;			       /* where in its area the text begins */
	uint32_t mark;			       /* of the text's place */
	uint64_t second;		       /* a second place */
	uint32_t flip;			       /* a byte to change at the end; 0: none */
	uint32_t size;			       /* of the area, 0: SIZE */
};

static uint8_t disk[SIZE];
static const char *doubt;

static uint32_t crc(const uint8_t *p, size_t len)
{
	uint32_t sum = 0xf597a6cf;

	for (size_t i = 0; i < len; i++) {
		sum ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			sum = sum & 1 ? sum >> 1 ^ 0xedb88320 : sum >> 1;
	}
	return sum;
}

static void make_label(void)
{
	uint8_t *label = disk + 512;

	memset(label, 0, 512);
	memcpy(label, "LABELONE", 8);
	bytes_put64(label + 8, 1);
	bytes_put32(label + 20, 32);
	memcpy(label + 24, "LVM2 001", 8);
	memcpy(label + 32, uuid, 32);
	bytes_put64(label + 64, SIZE);
	bytes_put64(label + 72, START);
	bytes_put64(label + 104, MDA);
	bytes_put64(label + 112, MDA_LEN);
	bytes_put32(label + 16, crc(label + 20, 512 - 20));
}

static int make_text(const struct volume *volume, char *ret, size_t len)
{
	return snprintf(
		ret, len,
		"# made by hand {\ngroup {\nid = \"x\"\nseqno = 3\nstatus = [%s]\nflags = []\n"
		"extent_size = %u\nphysical_volumes {\n"
		"pv0 {\nid = \"zzzzzz-zzzz-zzzz-zzzz-zzzz-zzzz-zzzzzz\"\nstatus = []\n"
		"pe_start = 2048\npe_count = 9\n}\n"
		"pv1 {\nid = \"abcdef-GHIJ-klmn-OPQR-stuv-WXYZ-012345\"\ndevice = \"a\\\"}\"\n"
		"status = [%s]\npe_start = %u\npe_count = %u\n}\n}\n"
		"logical_volumes {\n%s\n}\n}\ncontents = \"Text Format Volume Group\"\n"
		"version = 1\ncreation_time = -1.5\n",
		volume->status, EXTENT / 512, volume->pv_status, START / 512, EXTENTS,
		volume->more);
}

static void make_metadata(const struct volume *volume)
{
	uint8_t *header = disk + MDA;
	static char text[MDA_LEN];
	uint32_t len = (uint32_t)make_text(volume, text, sizeof(text)) + 1;

	memset(header, 0, 512);
	memcpy(header + 4, " LVM2 x[5A%r0N*>", 16);
	bytes_put32(header + 20, 1);
	bytes_put64(header + 24, MDA);
	bytes_put64(header + 32, MDA_LEN);
	bytes_put64(header + 40, volume->at);
	bytes_put64(header + 48, len);
	bytes_put32(header + 56, crc((uint8_t *)text, len));
	bytes_put32(header + 60, volume->mark);
	bytes_put64(header + 64, volume->second);
	bytes_put32(header, crc(header + 4, 512 - 4));
	for (uint32_t i = 0, at = volume->at; i < len; i++, at++) {
		if (at == MDA_LEN)
			at = 512;
		header[at] = text[i];
	}
}

static int read_disk(void *from, uint64_t offset, void *buf, size_t len)
{
	(void)from;
	memcpy(buf, disk + offset, len);
	return 0;
}

/* What used_lvm returns for VOLUME, with its ranges of extents in RET, as "3-5 9-40". */
static int look(const struct volume *volume, char ret[64])
{
	const struct probe_area area = {.read = read_disk,
					.size = volume->size ? volume->size : SIZE};
	struct spare *spare = spare_new(area.size);
	struct spare_range range = {0};
	int n = 0;

	memset(disk, 0xa5, sizeof(disk));
	make_label();
	make_metadata(volume);
	if (volume->flip)
		disk[volume->flip] ^= 1;
	doubt = "";
	ret[0] = '\0';
	int r = used_lvm(&area, spare, &doubt);

	assert_int_equal(spare_finish(spare), 0);
	while (spare_next(spare, range.end, &range))
		n += snprintf(ret + n, 64 - n, "%s%u-%u", n ? " " : "",
			      (unsigned int)((range.start - START) / EXTENT),
			      (unsigned int)((range.end - START) / EXTENT));
	spare_free(spare);
	return r;
}

#define LINEAR(at, count)                                                              \
	"lv {\nsegment_count = 1\nsegment1 {\nstart_extent = 0\nextent_count = " count \
	"\ntype = \"striped\"\nstripe_count = 1\nstripes = [\n\"pv1\", " at "\n]\n}\n}\n"
#define LAYER(type, lists)                                                                         \
	"top {\nsegment_count = 1\nsegment1 {\nstart_extent = 0\nextent_count = 4\ntype = \"" type \
	"\"\n" lists "\n}\n}\n"

static const struct volume good = {
	.status = "\"RESIZEABLE\", \"READ\", \"WRITE\"",
	.pv_status = "\"ALLOCATABLE\"",
	.more = LINEAR("3", "6"),
	.at = 512,
};

static void finds(const struct volume *volume, const char *wanted)
{
	char ranges[64];

	assert_int_equal(look(volume, ranges), 0);
	assert_string_equal(ranges, wanted);
}

static void doubts(const struct volume *volume, const char *why)
{
	char ranges[64];

	assert_int_equal(look(volume, ranges), -EUCLEAN);
	assert_non_null(strstr(doubt, why));
}

static void lvm_frees_what_no_volume_has(void **state)
{
	struct volume volume = good;

	(void)state;
	finds(&volume, "0-3 9-40");
	volume.more = "";
	finds(&volume, "0-40");
	volume.more = LINEAR("0", "40");
	finds(&volume, "");
	/* Of two stripes each has half; those on another disk are not ours. */
	volume.more = "lv {\nsegment_count = 2\nsegment1 {\nextent_count = 8\ntype = \"striped\"\n"
		      "stripe_count = 2\nstripes = [ \"pv0\", 0, \"pv1\", 10 ]\n}\n"
		      "segment2 {\nextent_count = 1\ntype = \"striped\"\nstripe_count = 1\n"
		      "stripes = [\"pv1\", 39]\n}\n}\n";
	finds(&volume, "0-10 14-39");
	volume.more = LAYER("raid1", "raids = [\"a_rmeta\", \"a_rimage\"]") LINEAR("0", "1");
	finds(&volume, "1-40");
}

/* The text begins again behind the header of its area. */
static void lvm_reads_a_ring(void **state)
{
	struct volume volume = good;

	(void)state;
	volume.at = MDA_LEN - 100;
	finds(&volume, "0-3 9-40");
	volume.at = MDA_LEN;
	doubts(&volume, "metadata are damaged");
	volume.at = 508;
	doubts(&volume, "header of its metadata");
}

static void lvm_doubts_what_is_damaged(void **state)
{
	struct volume volume = good;

	(void)state;
	volume.flip = 512 + 33;
	doubts(&volume, "its label is damaged");
	volume.flip = MDA + 300;
	doubts(&volume, "header of its metadata");
	volume.flip = MDA + 512 + 100;
	doubts(&volume, "checksum of its metadata");
	volume.flip = 0;
	volume.size = SIZE - 512;
	doubts(&volume, "behind the end");
}

static void lvm_doubts_a_state_that_it_does_not_know(void **state)
{
	struct volume volume = good;

	(void)state;
	volume.mark = 1;
	doubts(&volume, "not in use");
	volume.mark = 0;
	volume.second = 8192;
	doubts(&volume, "being changed");
	volume.second = 0;
	volume.status = "\"RESIZEABLE\", \"EXPORTED\"";
	doubts(&volume, "its volume group is in a state");
	volume.status = good.status;
	volume.pv_status = "\"MISSING\"";
	doubts(&volume, "it is in a state");
}

static void lvm_doubts_volumes_that_cannot_be(void **state)
{
	static const struct {
		const char *more, *why;
	} cases[] = {
		{LINEAR("35", "6"), "behind its end"},
		{LINEAR("41", "0"), "behind its end"},
		{LINEAR("18446744073709551615", "2"), "behind its end"},
		{LINEAR("3", "6") LINEAR("8", "1"), "two logical volumes"},
		{LAYER("vdo", ""), "of a type"},
		{LAYER("mirror", "mirrors = [\"pv0\", 0, \"pv1\", 5]"), "being moved"},
		{"lv {\nsegment_count = 2\nsegment1 {\ntype = \"error\"\n}\n}\n", "can be"},
		{"lv {\nsegment1 {\ntype = \"error\"\n}\n}\n", "can be"},
		{"lv {\nsegment_count = 1\nsegment1 {\nextent_count = 3\ntype = \"striped\"\n"
		 "stripe_count = 2\nstripes = [\"pv1\", 1, \"pv1\", 5]\n}\n}\n",
		 "can be"},
		{"lv {\nsegment_count = 1\nsegment1 {\nextent_count = 2\ntype = \"striped\"\n"
		 "stripe_count = 2\nstripes = [\"pv1\", 1]\n}\n}\n",
		 "can be"},
		{"lv {\n", "damaged"},
		{"lv = [1, 2\n", "damaged"},
		{"lv = \"\n", "damaged"},
		{"a{a{a{a{a{a{a{a{a{a{}}}}}}}}}}", "damaged"},
	};
	struct volume volume = good;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		volume.more = cases[i].more;
		doubts(&volume, cases[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lvm_frees_what_no_volume_has),
		cmocka_unit_test(lvm_reads_a_ring),
		cmocka_unit_test(lvm_doubts_what_is_damaged),
		cmocka_unit_test(lvm_doubts_a_state_that_it_does_not_know),
		cmocka_unit_test(lvm_doubts_volumes_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

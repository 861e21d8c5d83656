// SPDX-License-Identifier: GPL-2.0-or-later
#include "disk_test.h"

#include "io/probe.h"

#define OWN 10 /* device numbers: the disk itself, */
#define SON 20 /* and others */

static struct probe_disk disk(dev_t device, const char *serial, const char *wwn)
{
	struct probe_disk disk = {.device = device, .size = 1000204886016};

	snprintf(disk.serial, sizeof(disk.serial), "%s", serial);
	snprintf(disk.wwn, sizeof(disk.wwn), "%s", wwn);
	return disk;
}

static void assert_proof(const char *serial, const char *wwn, const struct probe_disk *others,
			 size_t count, enum probe_proof_kind kind, const char *text, size_t least)
{
	const struct probe_disk own = disk(OWN, serial, wwn);
	struct probe_proof proof;

	probe_proof_choose(&own, others, count, &proof);
	assert_int_equal(proof.kind, kind);
	assert_string_equal(proof.text, text);
	assert_int_equal(proof.least, least);
	assert_string_equal(proof.serial, serial);
	assert_true(probe_proof_holds(&proof, text));
	assert_true(probe_proof_holds(&proof, text + strlen(text) - least));
	assert_false(probe_proof_holds(&proof, text + strlen(text) - least + 1));
	assert_false(probe_proof_holds(&proof, ""));
	assert_false(probe_proof_holds(&proof, "wrong"));
}

static void the_last_four_characters_prove(void **state)
{
	const struct probe_disk all[] = {disk(OWN, "S5GXNX0R1234", ""), disk(SON, "1234", ""),
					 disk(SON + 1, "", "")};

	(void)state;
	assert_proof("S5GXNX0R1234", "", NULL, 0, PROBE_PROOF_SERIAL, "S5GXNX0R1234", 4);
	/* The disk itself is in the list: no rival of its own. */
	assert_proof("S5GXNX0R1234", "", all, 1, PROBE_PROOF_SERIAL, "S5GXNX0R1234", 4);
	assert_proof("R123", "", NULL, 0, PROBE_PROOF_SERIAL, "R123", 4);
}

static void what_two_disks_share_proves_nothing(void **state)
{
	const struct probe_disk near[] = {disk(SON, "XX0R1234", "")};

	(void)state;
	/* More of it does. */
	assert_proof("S5GXNX0R1234", "", near, 1, PROBE_PROOF_SERIAL, "S5GXNX0R1234", 8);
	/* All of it is the end of the other's. */
	assert_proof("0R1234", "", near, 1, PROBE_PROOF_SIZE, "1000204886016", 13);
	assert_proof("XX0R1234", "eui.0025388b710116a2", near, 1, PROBE_PROOF_WWN,
		     "eui.0025388b710116a2", 4);
}

static void without_a_serial_the_size_does(void **state)
{
	const struct probe_disk twin[] = {disk(SON, "", "naa.5000")};

	(void)state;
	assert_proof("", "", NULL, 0, PROBE_PROOF_SIZE, "1000204886016", 13);
	assert_proof("123", "", NULL, 0, PROBE_PROOF_SIZE, "1000204886016", 13);
	assert_proof("123", "naa.5000", NULL, 0, PROBE_PROOF_WWN, "naa.5000", 4);
	assert_proof("123", "naa.5000", twin, 1, PROBE_PROOF_SIZE, "1000204886016", 13);
}

static void proof_of(const char *path, struct probe_proof *ret)
{
	struct disk *disk;

	assert_int_equal(disk_open_source(path, &disk), 0);
	assert_int_equal(probe_proof_find(disk, ret), 0);
	disk_close(disk);
}

static void files_and_loops_have_no_serial(void **state)
{
	const char *path = test_file("file", 3 * MIB, 0);
	struct probe_proof proof;
	struct test_loop loop;

	(void)state;
	proof_of(path, &proof);
	assert_int_equal(proof.kind, PROBE_PROOF_NONE);
	test_loop_open(path, 512, 0, &loop);
	proof_of(loop.path, &proof);
	assert_int_equal(proof.kind, PROBE_PROOF_SIZE);
	assert_string_equal(proof.text, "3145728");
	test_loop_close(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_four_characters_prove),
		cmocka_unit_test(what_two_disks_share_proves_nothing),
		cmocka_unit_test(without_a_serial_the_size_does),
		cmocka_unit_test(files_and_loops_have_no_serial),
	};

	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}

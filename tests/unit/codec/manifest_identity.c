// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec_test.h"

#include "codec/manifest_identity.h"

static struct image_head head(const char *identity)
{
	return (struct image_head){
		.map = {.size = 1 << 20, .chunk_size = 4096},
		.logical_sector = 512,
		.physical_sector = 4096,
		.identity = identity,
		.identity_len = strlen(identity),
	};
}

static bool same(const char *a, const char *b)
{
	struct image_head one = head(a), other = head(b);

	return manifest_identity_same(&one, &other);
}

static void the_identity_counts(void **state)
{
	(void)state;
	assert_true(same("{\"path\":\"/dev/x\",\"serial\":\"1\"}",
			 "{\"path\":\"/dev/x\",\"serial\":\"1\"}"));
	assert_true(
		same("{\"path\":\"x\",\"kind\":\"file\"}", "{ \"kind\":\"file\", \"path\":\"x\"}"));
	assert_false(same("{\"path\":\"x\"}", "{\"path\":\"y\"}"));
	assert_false(
		same("{\"path\":\"x\",\"serial\":\"1\"}", "{\"path\":\"x\",\"serial\":\"2\"}"));
	assert_false(same("{\"path\":\"x\",\"serial\":\"1\"}", "{\"path\":\"x\"}"));
	assert_false(same("{\"path\":\"x\"}", "no JSON"));
}

/* After a reboot a disk may have another name. */
static void the_path_may_differ_where_the_disk_is_known(void **state)
{
	(void)state;
	assert_true(same("{\"path\":\"/dev/sda\",\"serial\":\"1\"}",
			 "{\"path\":\"/dev/sdb\",\"serial\":\"1\"}"));
	assert_true(same("{\"path\":\"/dev/sda\",\"wwn\":\"1\"}",
			 "{\"path\":\"/dev/sdb\",\"wwn\":\"1\"}"));
	assert_false(same("{\"path\":\"/dev/sda\",\"serial\":\"\"}",
			  "{\"path\":\"/dev/sdb\",\"serial\":\"\"}"));
	assert_false(same("{\"path\":\"/dev/sda\",\"model\":\"1\"}",
			  "{\"path\":\"/dev/sdb\",\"model\":\"1\"}"));
}

static void the_geometry_counts(void **state)
{
	struct image_head one = head("{}"), other = head("{}");

	(void)state;
	memset(other.transfer_id, 7, sizeof(other.transfer_id));
	other.created = 9;
	assert_true(manifest_identity_same(&one, &other));
	other.map.size++;
	assert_false(manifest_identity_same(&one, &other));
	other = head("{}");
	other.map.chunk_size *= 2;
	assert_false(manifest_identity_same(&one, &other));
	other = head("{}");
	other.logical_sector = 0;
	assert_false(manifest_identity_same(&one, &other));
	other = head("{}");
	other.physical_sector = 512;
	assert_false(manifest_identity_same(&one, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_identity_counts),
		cmocka_unit_test(the_path_may_differ_where_the_disk_is_known),
		cmocka_unit_test(the_geometry_counts),
	};

	return cmocka_run_group_tests_name("manifest_identity", tests, NULL, NULL);
}

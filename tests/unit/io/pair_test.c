// SPDX-License-Identifier: GPL-2.0-or-later
/* What pairing decides, and how it reads sysfs. The rig pairs real kernels. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/pair_config.h"
#include "io/pair_internal.h"
#include "io/pair_sysfs.h"

#define LOW  "00000000-0000-8086-ffff-ffffffffffff"
#define HIGH "80a70100-0000-1234-ffff-ffffffffffff"

static void test_leads(void **state)
{
	(void)state;
	assert_true(pair_leads(LOW, HIGH));
	assert_false(pair_leads(HIGH, LOW));
	assert_false(pair_leads(LOW, LOW));
	/* Never both, whatever letters the digits have. */
	assert_false(pair_leads("AB", "ab"));
	assert_true(pair_leads("aa", "AB"));
	assert_false(pair_leads("AB", "aa"));
}

static void test_decide(void **state)
{
	(void)state;
	for (int leads = 0; leads < 2; leads++) {
		for (int grace = 0; grace < 2; grace++)
			assert_int_equal(pair_decide(true, leads, grace), PAIR_FOLLOW);
	}
	assert_int_equal(pair_decide(false, true, true), PAIR_LEAD);
	assert_int_equal(pair_decide(false, true, false), PAIR_LEAD);
	assert_int_equal(pair_decide(false, false, true), PAIR_WAIT);
	assert_int_equal(pair_decide(false, false, false), PAIR_LEAD);
}

static void expect_hopids(int maxhopid, bool leads, const int *expected)
{
	int n = 0;

	do {
		assert_int_equal(pair_hopid_choice(maxhopid, leads, n), expected[n]);
	} while (expected[n++]);
}

/* All of them once, from different ends, so that the first few of both sides never meet. */
static void test_hopids(void **state)
{
	static const int leader[] = {15, 14, 13, 12, 11, 10, 9, 8, 0};
	static const int other[] = {11, 10, 9, 8, 15, 14, 13, 12, 0};
	static const int few[] = {10, 9, 8, 0}, few_other[] = {9, 8, 10, 0};
	static const int one[] = {8, 0}, none[] = {0};

	(void)state;
	expect_hopids(31, true, leader);
	expect_hopids(15, false, other);
	expect_hopids(10, true, few);
	expect_hopids(10, false, few_other);
	for (int leads = 0; leads < 2; leads++) {
		expect_hopids(8, leads, one);
		expect_hopids(7, leads, none);
		expect_hopids(INT32_MIN, leads, none);
	}
}

static void test_due(void **state)
{
	struct pair pair = {.opened = 100 * STOP_SECOND, .settle = PAIR_SETTLE};

	(void)state;
	strcpy(pair.peer.host, HIGH);
	strcpy(pair.peer.uuid, LOW);
	/* HopIDs of our own choice or freshly read: only the peer can have made them wrong. */
	assert_false(pair_due(&pair, 10000 * STOP_SECOND));
	pair.changed = 200 * STOP_SECOND;
	assert_false(pair_due(&pair, pair.changed + PAIR_SETTLE - 1));
	assert_true(pair_due(&pair, pair.changed + PAIR_SETTLE));
	pair.changed = 0;
	pair.reused = true;
	assert_false(pair_due(&pair, pair.opened + PAIR_GRACE - 1));
	assert_true(pair_due(&pair, pair.opened + PAIR_GRACE));
	/* The lower side stays, and doubts later. */
	strcpy(pair.peer.host, LOW);
	strcpy(pair.peer.uuid, HIGH);
	assert_false(pair_due(&pair, 10000 * STOP_SECOND));
	pair.changed = 200 * STOP_SECOND;
	assert_false(pair_due(&pair, pair.changed + PAIR_SETTLE));
	assert_true(pair_due(&pair, pair.changed + 2 * PAIR_SETTLE));
}

static void test_choose(void **state)
{
	struct pair_peer peers[3] = {
		{.uuid = LOW, .xdomain = "0-1"},
		{.uuid = HIGH, .xdomain = "0-3", .service = "0-3.1"},
		{.uuid = "c0", .xdomain = "1-1", .service = "1-1.0"},
	};
	size_t chosen = 99;

	(void)state;
	assert_int_equal(pair_choose(peers, 0, "", &chosen), -EAGAIN);
	assert_int_equal(chosen, 0);
	assert_int_equal(pair_choose(peers, 1, "", &chosen), -EAGAIN);
	assert_int_equal(chosen, 0);
	/* One that offers no streams is no choice. */
	assert_int_equal(pair_choose(peers, 2, "", &chosen), 0);
	assert_int_equal(chosen, 1);
	assert_int_equal(pair_choose(peers, 3, "", &chosen), -ENOTUNIQ);
	assert_int_equal(pair_choose(peers, 3, "C0", &chosen), 0);
	assert_int_equal(chosen, 2);
	assert_int_equal(pair_choose(peers, 3, LOW, &chosen), -EAGAIN);
	assert_int_equal(chosen, 0);
	assert_int_equal(pair_choose(peers, 3, "d0", &chosen), -EAGAIN);
	assert_int_equal(chosen, 3);
}

static void test_describe(void **state)
{
	const struct pair_peer peer = {.name = "debian", .uuid = HIGH, .xdomain = "0-1"};
	char text[320], cut[12];

	(void)state;
	pair_describe("backup", &peer, text, sizeof(text));
	assert_string_equal(text, "backup (peer debian, " HIGH ", route 0-1)");
	pair_describe("backup", &peer, cut, sizeof(cut));
	assert_string_equal(cut, "backup (pee");
}

static char folder[] = "/tmp/pair-test-XXXXXX";
static int devices = -1;

/* FILE of DEVICE, as sysfs would show it. */
static void put(const char *device, const char *file, const char *text)
{
	char path[128];
	int fd;

	mkdirat(devices, device, 0755);
	snprintf(path, sizeof(path), "%s/%s", device, file);
	fd = openat(devices, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return 1;
	devices = open(folder, O_RDONLY | O_DIRECTORY);
	return devices < 0;
}

static int remove_folder(void **state)
{
	char command[64];

	(void)state;
	close(devices);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static void test_sysfs(void **state)
{
	struct pair_peer *peers;
	char line[8];
	size_t count;

	(void)state;
	assert_false(pair_sysfs_controller(devices));
	assert_int_equal(pair_sysfs_peers(devices, &peers, &count), 0);
	assert_int_equal(count, 0);
	free(peers);

	put("domain0", "uevent", "DEVTYPE=thunderbolt_domain\n");
	put("0-0", "uevent", "DEVTYPE=thunderbolt_device\nUSB4_VERSION=1.0\n");
	put("0-0", "unique_id", HIGH "\n");
	put("0-1", "uevent", "DEVTYPE=thunderbolt_xdomain\n");
	put("0-1", "unique_id", LOW "\n");
	put("0-1", "device_name", "deb\033[2Jian\n");
	put("0-1", "vendor_name", "Linux\n");
	put("0-1", "rx_speed", "20.0 Gb/s\n");
	put("0-1", "rx_lanes", "2\n");
	put("0-1.0", "uevent", "DEVTYPE=thunderbolt_service\nMODALIAS=x\n");
	put("0-1.0", "key", "network\n");
	put("0-1.12", "uevent", "DEVTYPE=thunderbolt_service\n");
	put("0-1.12", "key", "stream\n");
	/* A cable between two ports of our own, a dock, and a peer without names or streams. */
	put("0-3", "uevent", "DEVTYPE=thunderbolt_xdomain\n");
	put("0-3", "unique_id", HIGH "\n");
	put("0-5", "uevent", "DEVTYPE=thunderbolt_device\n");
	put("0-5", "unique_id", "c0\n");
	put("1-1", "uevent", "DEVTYPE=thunderbolt_xdomain\n");
	put("1-1", "unique_id", "d0\n");
	put("1-1", "maxhopid", "11\n");

	assert_true(pair_sysfs_controller(devices));
	assert_int_equal(pair_sysfs_peers(devices, &peers, &count), 0);
	assert_int_equal(count, 2);
	assert_string_equal(peers[0].uuid, LOW);
	assert_string_equal(peers[0].host, HIGH);
	assert_string_equal(peers[0].xdomain, "0-1");
	assert_string_equal(peers[0].service, "0-1.12");
	assert_string_equal(peers[0].name, "deb?[2Jian");
	assert_string_equal(peers[0].vendor, "Linux");
	assert_string_equal(peers[0].speed, "20.0 Gb/s");
	assert_int_equal(peers[0].lanes, 2);
	assert_int_equal(pair_sysfs_maxhopid(devices, &peers[0]), 15);
	assert_string_equal(peers[1].service, "");
	assert_string_equal(peers[1].name, "");
	assert_int_equal(peers[1].lanes, 0);
	assert_int_equal(pair_sysfs_maxhopid(devices, &peers[1]), 11);
	free(peers);

	assert_int_equal(pair_sysfs_read(devices, "0-1/vendor_name", line, sizeof(line)), 5);
	assert_string_equal(line, "Linux");
	assert_int_equal(pair_sysfs_read(devices, "0-1/rx_speed", line, sizeof(line)), -EFBIG);
	assert_int_equal(pair_sysfs_read(devices, "0-1/none", line, sizeof(line)), -ENOENT);
	assert_int_equal(pair_sysfs_read(devices, "0-1", line, sizeof(line)), -EISDIR);
}

static void test_close_nothing(void **state)
{
	struct pair_state looked = {0};

	(void)state;
	pair_close(NULL);
	pair_state_clear(&looked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leads),  cmocka_unit_test(test_decide),
		cmocka_unit_test(test_hopids), cmocka_unit_test(test_due),
		cmocka_unit_test(test_choose), cmocka_unit_test(test_describe),
		cmocka_unit_test(test_sysfs),  cmocka_unit_test(test_close_nothing),
	};

	return cmocka_run_group_tests_name("pair", tests, make_folder, remove_folder);
}

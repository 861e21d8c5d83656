// SPDX-License-Identifier: GPL-2.0-or-later
/* Which disks a machine has, as a folder laid out like sysfs lists them. */
#include "fake_sys.h"

#include <sys/sysmacros.h>

#include "io/probe.h"

#define MAJOR 511u /* nobody's, so that nothing of it is mounted here */

static unsigned int minors;

/* A block device NAME of SECTORS of 512 bytes, with the attributes that each has. */
static void disk_make(const char *name, const char *sectors)
{
	char folder[64], numbers[32], uevent[64], path[64], target[64];

	snprintf(folder, sizeof(folder), "/sys/block/%s", name);
	snprintf(numbers, sizeof(numbers), "%u:%u", MAJOR, ++minors);
	snprintf(uevent, sizeof(uevent), "MAJOR=%u\nDEVNAME=none-such/%s\n", MAJOR, name);
	fake_folder(folder);
	fake_put(folder, "dev", numbers);
	fake_put(folder, "size", sectors);
	fake_put(folder, "uevent", uevent);
	fake_put(folder, "ro", "0\n");
	fake_put(folder, "removable", "0\n");
	fake_folder("/sys/dev/block");
	snprintf(path, sizeof(path), "/sys/dev/block/%s", numbers);
	snprintf(target, sizeof(target), "../../block/%s", name);
	fake_link(path, target);
}

static void machine_make(void)
{
	fake_new();
	disk_make("nvme1n1", "2000409264\n");
	fake_folder("/sys/block/nvme1n1/device");
	fake_put("/sys/block/nvme1n1/device", "model", "Samsung SSD 980 PRO 1TB   \n");
	fake_put("/sys/block/nvme1n1/device", "serial", "S5GXNX0R123456      \n");
	fake_put("/sys/block/nvme1n1", "wwid", "eui.002538b111b2c3d4\n");
	fake_link("/sys/block/nvme1n1/device/subsystem", "../../../class/nvme");
	disk_make("vdb", "16\n");
	fake_folder("/sys/block/vdb/device");
	fake_put("/sys/block/vdb", "serial", "VD0004\n");
	fake_put("/sys/block/vdb", "ro", "1\n");
	fake_put("/sys/block/vdb", "removable", "1\n");
	fake_link("/sys/block/vdb/device/subsystem", "../../../bus/virtio");
}

static void disks_with_what_is_known_of_them(void **state)
{
	struct probe_disk *disks;
	size_t count;

	(void)state;
	machine_make();
	assert_int_equal(probe_list(&disks, &count), 0);
	assert_int_equal(count, 2);
	assert_string_equal(disks[0].path, "/dev/none-such/nvme1n1");
	assert_int_equal(disks[0].size, 2000409264 * UINT64_C(512));
	assert_string_equal(disks[0].model, "Samsung SSD 980 PRO 1TB");
	assert_string_equal(disks[0].serial, "S5GXNX0R123456");
	assert_string_equal(disks[0].wwn, "eui.002538b111b2c3d4");
	assert_string_equal(disks[0].transport, "nvme");
	assert_int_equal(disks[0].device, makedev(MAJOR, minors - 1));
	assert_false(disks[0].readonly || disks[0].removable || disks[0].mounted || disks[0].inuse);
	assert_string_equal(disks[1].path, "/dev/none-such/vdb");
	assert_string_equal(disks[1].serial, "VD0004");
	assert_string_equal(disks[1].transport, "virtio");
	assert_true(disks[1].readonly && disks[1].removable);
	free(disks);
	fake_end();
}

/* What is none: no device behind it, another path to one, no medium, optical, no number, no node.
 */
static void what_is_no_disk(void **state)
{
	struct probe_disk *disks;
	size_t count;

	(void)state;
	machine_make();
	disk_make("loop7", "2048\n");
	disk_make("nvme2c0n1", "2048\n");
	fake_folder("/sys/block/nvme2c0n1/device");
	fake_put("/sys/block/nvme2c0n1", "hidden", "1\n");
	disk_make("mmcblk0boot0", "2048\n");
	fake_folder("/sys/block/mmcblk0boot0/device");
	fake_link("/sys/block/mmcblk0boot0/device/subsystem", "../../../../class/block");
	disk_make("sdc", "0\n");
	fake_folder("/sys/block/sdc/device");
	disk_make("sr0", "2048\n");
	fake_folder("/sys/block/sr0/device");
	fake_put("/sys/block/sr0/device", "type", "5\n");
	disk_make("sdd", "2048\n");
	fake_folder("/sys/block/sdd/device");
	fake_put("/sys/block/sdd", "dev", "none\n");
	disk_make("sde", "2048\n");
	fake_folder("/sys/block/sde/device");
	fake_put("/sys/block/sde", "uevent", "MAJOR=511\n");
	assert_int_equal(probe_list(&disks, &count), 0);
	assert_int_equal(count, 2);
	free(disks);
	fake_end();
}

static void no_sysfs(void **state)
{
	struct probe_disk *disks;
	size_t count;

	(void)state;
	fake_new();
	assert_int_equal(probe_list(&disks, &count), -ENOENT);
	fake_folder("/sys/block");
	assert_int_equal(probe_list(&disks, &count), 0);
	assert_int_equal(count, 0);
	free(disks);
	fake_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disks_with_what_is_known_of_them),
		cmocka_unit_test(what_is_no_disk),
		cmocka_unit_test(no_sysfs),
	};

	return cmocka_run_group_tests_name("probe_list", tests, NULL, NULL);
}

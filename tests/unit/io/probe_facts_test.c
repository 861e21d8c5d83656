// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Folders laid out as sysfs lays them out for each kind of disk: no test machine has them all. The
 * recovery tests look at real ones.
 */
#include "disk_test.h"

#include "io/disk_sysfs.h"
#include "io/probe_facts.h"

#define NO_UDEV "/nonexistent"

static void make_file(const char *name, const void *data, size_t len)
{
	const char *path = test_path(name);
	char command[256];
	FILE *file;

	snprintf(command, sizeof(command), "mkdir -p $(dirname %s)", path);
	assert_int_equal(system(command), 0);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void make(const char *name, const char *text)
{
	make_file(name, text, strlen(text));
}

static void make_link(const char *name, const char *target)
{
	if (unlink(test_path(name)) < 0)
		make(name, "");
	unlink(test_path(name));
	assert_int_equal(symlink(target, test_path(name)), 0);
}

static struct probe_facts facts_of(const char *name, const char *udev)
{
	struct probe_facts facts;
	int dir;

	dir = open(test_path(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	memset(&facts, 0x5a, sizeof(facts));
	probe_facts_read(dir, udev, &facts);
	close(dir);
	return facts;
}

static void nvme_and_its_partition(void **state)
{
	struct probe_facts facts;

	(void)state;
	make("nvme/nvme0/model", "Samsung SSD 980 PRO 1TB                 \n");
	make("nvme/nvme0/serial", "S5GXNX0R123456      \n");
	make_link("nvme/nvme0/subsystem", "../../../class/nvme");
	make("nvme/nvme0/nvme0n1/wwid", "eui.002538b111b2c3d4\n");
	make_link("nvme/nvme0/nvme0n1/device", "..");
	make("nvme/nvme0/nvme0n1/nvme0n1p1/partition", "1\n");
	facts = facts_of("nvme/nvme0/nvme0n1", NO_UDEV);
	assert_string_equal(facts.model, "Samsung SSD 980 PRO 1TB");
	assert_string_equal(facts.serial, "S5GXNX0R123456");
	assert_string_equal(facts.wwn, "eui.002538b111b2c3d4");
	assert_string_equal(facts.transport, "nvme");
	assert_false(facts.partition);
	facts = facts_of("nvme/nvme0/nvme0n1/nvme0n1p1", NO_UDEV);
	assert_true(facts.partition);
	assert_string_equal(facts.serial, "S5GXNX0R123456");
}

/* A disk behind host/target/LUN, as every SCSI disk is. */
#define SCSI(top, name) top "/host2/target2:0:0/2:0:0:0/" name

static void ata_string_put(uint8_t *page, size_t word, size_t len, const char *text)
{
	for (size_t i = 0; i < len; i++)
		page[60 + 2 * word + (i ^ 1)] = i < strlen(text) ? text[i] : ' ';
}

static void ata_gives_its_whole_name(void **state)
{
	uint8_t page[572] = {0, 0x89, 0x02, 0x38};
	struct probe_facts facts;

	(void)state;
	ata_string_put(page, 27, 40, "Samsung SSD 860 EVO 500GB");
	ata_string_put(page, 10, 20, "      S3Z2NB0K123456");
	page[60 + 2 * 76] = 0x0e;
	make_file(SCSI("ata1", "vpd_pg89"), page, sizeof(page));
	make("ata1/ata_port/ata1/port_no", "1\n");
	make(SCSI("ata1", "vendor"), "ATA     \n");
	make(SCSI("ata1", "model"), "Samsung SSD 860 \n");
	make(SCSI("ata1", "wwid"), "naa.5002538e40a1b2c3\n");
	make_link(SCSI("ata1", "subsystem"), "../../../../bus/scsi");
	make_link(SCSI("ata1", "block/sda/device"), "../..");
	facts = facts_of(SCSI("ata1", "block/sda"), NO_UDEV);
	assert_string_equal(facts.model, "Samsung SSD 860 EVO 500GB");
	assert_string_equal(facts.serial, "S3Z2NB0K123456");
	assert_string_equal(facts.wwn, "naa.5002538e40a1b2c3");
	assert_string_equal(facts.transport, "sata");

	/* Cut short it counts for nothing, and the old names do. */
	make_file(SCSI("ata1", "vpd_pg89"), page, sizeof(page) - 1);
	make_file(SCSI("ata1", "vpd_pg80"), "\0\x80\0\x08  WD-1 \0", 12);
	facts = facts_of(SCSI("ata1", "block/sda"), NO_UDEV);
	assert_string_equal(facts.model, "Samsung SSD 860");
	assert_string_equal(facts.serial, "WD-1");
	assert_string_equal(facts.transport, "ata");
}

static void a_usb_stick_has_its_device_s_number(void **state)
{
	struct probe_facts facts;

	(void)state;
	make("usb1/1-2/idVendor", "0781\n");
	make("usb1/1-2/serial", "4C530001230904113253\n");
	make_link("usb1/1-2/subsystem", "../../bus/usb");
	make_link("usb1/1-2/1-2:1.0/subsystem", "../../../bus/usb");
	make(SCSI("usb1/1-2/1-2:1.0", "vendor"), "SanDisk \n");
	make(SCSI("usb1/1-2/1-2:1.0", "model"), "Ultra           \n");
	make_link(SCSI("usb1/1-2/1-2:1.0", "subsystem"), "../../bus/scsi");
	make_link(SCSI("usb1/1-2/1-2:1.0", "block/sdb/device"), "../..");
	facts = facts_of(SCSI("usb1/1-2/1-2:1.0", "block/sdb"), NO_UDEV);
	assert_string_equal(facts.model, "SanDisk Ultra");
	assert_string_equal(facts.serial, "4C530001230904113253");
	assert_string_equal(facts.transport, "usb");
	assert_string_equal(facts.wwn, "");
	make(SCSI("usb1/1-2/1-2:1.0", "model"), "SanDisk Ultra 3D\n");
	facts = facts_of(SCSI("usb1/1-2/1-2:1.0", "block/sdb"), NO_UDEV);
	assert_string_equal(facts.model, "SanDisk Ultra 3D");
}

static void virtio_and_mmc(void **state)
{
	struct probe_facts facts;

	(void)state;
	make("virtio1/vendor", "0x1af4\n");
	make_link("virtio1/subsystem", "../../bus/virtio");
	make("virtio1/block/vda/serial", "rescue-1");
	make_link("virtio1/block/vda/device", "../..");
	facts = facts_of("virtio1/block/vda", NO_UDEV);
	assert_string_equal(facts.transport, "virtio");
	assert_string_equal(facts.serial, "rescue-1");
	assert_string_equal(facts.model, "");

	make("mmc0/name", "SD64G\n");
	make("mmc0/serial", "0x1234abcd\n");
	make_link("mmc0/subsystem", "../../bus/mmc");
	make_link("mmc0/block/mmcblk0/device", "../..");
	facts = facts_of("mmc0/block/mmcblk0", NO_UDEV);
	assert_string_equal(facts.transport, "mmc");
	assert_string_equal(facts.model, "SD64G");
	assert_string_equal(facts.serial, "0x1234abcd");
}

static struct probe_facts serial_page(const void *page, size_t len)
{
	make_link(SCSI("scsi", "subsystem"), "../../../../bus/scsi");
	make_link(SCSI("scsi", "block/sdc/device"), "../..");
	make_file(SCSI("scsi", "vpd_pg80"), page, len);
	return facts_of(SCSI("scsi", "block/sdc"), NO_UDEV);
}

static void a_hostile_serial_page_is_harmless(void **state)
{
	uint8_t page[300];

	(void)state;
	memset(page, 'A', sizeof(page));
	page[1] = 0x80;
	page[2] = page[3] = 0xff;
	assert_int_equal(strlen(serial_page(page, sizeof(page)).serial), 95);
	page[2] = 0;
	page[3] = 4;
	assert_string_equal(serial_page(page, sizeof(page)).serial, "AAAA");
	assert_string_equal(serial_page(page, 6).serial, "AA");
	assert_string_equal(serial_page(page, 4).serial, "");
	assert_string_equal(serial_page(page, 3).serial, "");
	assert_string_equal(serial_page(page, 0).serial, "");
	page[1] = 0x83;
	assert_string_equal(serial_page(page, sizeof(page)).serial, "");
	assert_string_equal(serial_page("\0\x80\0\x06 \x1b[\xff\t ", 10).serial, "?[??");
	assert_string_equal(serial_page("\0\x80\0\x02xy", 6).transport, "scsi");
}

static void udev_fills_the_gaps(void **state)
{
	struct probe_facts facts;

	(void)state;
	make("udev", "S:disk/by-id/x\nE:ID_BUS=usb\nE:ID_MODEL=Na_me\n"
		     "E:ID_MODEL_ENC=Na\\x20me\\x20\\x20\nE:ID_SERIAL_SHORT=U1\nE:ID_WWN=0x5\n"
		     "E:ID_SERIAL_SHORT=second\nE:ID_MODEL\nX\n\nE:=\n");
	make("bare/size", "8\n");
	facts = facts_of("bare", test_path("udev"));
	assert_string_equal(facts.model, "Na me");
	assert_string_equal(facts.serial, "U1");
	assert_string_equal(facts.wwn, "0x5");
	assert_string_equal(facts.transport, "usb");
	/* What the kernel says counts more. */
	facts = facts_of("nvme/nvme0/nvme0n1", test_path("udev"));
	assert_string_equal(facts.serial, "S5GXNX0R123456");
	facts = facts_of("bare", NO_UDEV);
	assert_string_equal(facts.model, "");
}

static void texts_are_trimmed(void **state)
{
	char text[16];

	(void)state;
	strcpy(text, " \t a b \n");
	disk_sysfs_trim(text);
	assert_string_equal(text, "a b");
	strcpy(text, " \n ");
	disk_sysfs_trim(text);
	assert_string_equal(text, "");
	assert_false(disk_sysfs_text(AT_FDCWD, NO_UDEV, text, sizeof(text)));
	make("long", "0123456789abcdefghij");
	assert_true(disk_sysfs_text(AT_FDCWD, test_path("long"), text, sizeof(text)));
	assert_string_equal(text, "0123456789abcde");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nvme_and_its_partition),
		cmocka_unit_test(ata_gives_its_whole_name),
		cmocka_unit_test(a_usb_stick_has_its_device_s_number),
		cmocka_unit_test(virtio_and_mmc),
		cmocka_unit_test(a_hostile_serial_page_is_harmless),
		cmocka_unit_test(udev_fills_the_gaps),
		cmocka_unit_test(texts_are_trimmed),
	};

	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/probe_facts.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "codec/text.h"
#include "io/disk_sysfs.h"

#define PARENTS_MOST 32

/* ATA INFORMATION VPD page (SAT-5 section 12.4.2) and the IDENTIFY DEVICE data in it (ACS-4
 * section 7.13). */
#define ATA_PAGE_IDENTIFY 60
#define ATA_PAGE_SIZE	  (ATA_PAGE_IDENTIFY + 512)
#define ATA_WORD_SERIAL	  10
#define ATA_WORD_MODEL	  27
#define ATA_WORD_SATA	  76

/* Takes over LEN bytes of TEXT, which may be padded and need not be text at all. */
static void fact_put(char *fact, size_t size, const char *text, size_t len)
{
	len = strnlen(text, len);
	while (len > 0 && *text == ' ') {
		text++;
		len--;
	}
	while (len > 0 && text[len - 1] == ' ')
		len--;
	if (len > size - 1)
		len = size - 1;
	fact[text_put(text, len, fact)] = '\0';
}

#define FACT_PUT(fact, text, len) fact_put(fact, sizeof(fact), text, len)

/* Whole words, padded as SCSI and NVMe do: runs of blanks say nothing. */
static void blanks_squeeze(char *text)
{
	char *out = text;

	for (; *text; text++) {
		if (*text != ' ' || text[1] != ' ')
			*out++ = *text;
	}
	*out = '\0';
}

static void text_read(int dir, const char *name, char *fact, size_t size)
{
	char text[512];

	if (!disk_sysfs_text(dir, name, text, sizeof(text)))
		return;
	blanks_squeeze(text);
	fact_put(fact, size, text, sizeof(text));
}

#define TEXT_READ(dir, name, fact) text_read(dir, name, fact, sizeof(fact))

/* UNIT SERIAL NUMBER VPD page (SPC-5 section 7.7.20): page code, big-endian length, ASCII. */
static void scsi_serial_read(int device, struct probe_facts *facts)
{
	uint8_t page[256];
	ssize_t n, len;

	n = disk_sysfs_bytes(device, "vpd_pg80", page, sizeof(page));
	if (n < 4 || page[1] != 0x80)
		return;
	len = page[2] << 8 | page[3];
	FACT_PUT(facts->serial, (const char *)page + 4, len < n - 4 ? len : n - 4);
}

/* ATA strings hold the first of two characters in a word's upper byte. */
static void ata_string(const uint8_t *identify, size_t word, size_t len, char *fact, size_t size)
{
	char text[64];

	for (size_t i = 0; i < len; i++)
		text[i] = (char)identify[2 * word + (i ^ 1)];
	fact_put(fact, size, text, len);
}

/* SCSI's INQUIRY has room for 16 characters of a name that ATA keeps in 40. */
static bool ata_read(int device, struct probe_facts *facts, bool *ret_sata)
{
	uint8_t page[ATA_PAGE_SIZE];
	const uint8_t *identify = page + ATA_PAGE_IDENTIFY;
	unsigned int sata;

	if (disk_sysfs_bytes(device, "vpd_pg89", page, sizeof(page)) != sizeof(page) ||
	    page[1] != 0x89)
		return false;
	ata_string(identify, ATA_WORD_SERIAL, 20, facts->serial, sizeof(facts->serial));
	ata_string(identify, ATA_WORD_MODEL, 40, facts->model, sizeof(facts->model));
	sata = identify[2 * ATA_WORD_SATA] | identify[2 * ATA_WORD_SATA + 1] << 8;
	*ret_sata = sata != 0 && sata != 0xffff;
	return true;
}

/* The parent of DIR, which is closed; -1 at the top. */
static int parent_open(int dir)
{
	int parent;

	parent = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(dir);
	return parent;
}

/* What a SCSI disk hangs on: a USB device, whose serial number is better than none, or an ATA port.
 */
static void scsi_parents_read(int device, bool sata, struct probe_facts *facts)
{
	char kind[16];
	int dir;

	dir = openat(device, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; dir >= 0 && i < PARENTS_MOST; i++) {
		if (disk_sysfs_link(dir, "subsystem", kind, sizeof(kind)) &&
		    strcmp(kind, "usb") == 0 && disk_sysfs_has(dir, "idVendor")) {
			FACT_PUT(facts->transport, "usb", 3);
			if (facts->serial[0] == '\0')
				TEXT_READ(dir, "serial", facts->serial);
			break;
		}
		if (disk_sysfs_has(dir, "ata_port")) {
			FACT_PUT(facts->transport, sata ? "sata" : "ata", 4);
			break;
		}
		dir = parent_open(dir);
	}
	if (dir >= 0)
		close(dir);
}

static void scsi_read(int device, struct probe_facts *facts)
{
	char vendor[16] = "", model[32] = "", both[64];
	bool sata = false;

	FACT_PUT(facts->transport, "scsi", 4);
	TEXT_READ(device, "wwid", facts->wwn);
	if (!ata_read(device, facts, &sata)) {
		TEXT_READ(device, "vendor", vendor);
		TEXT_READ(device, "model", model);
		/* "ATA" is not who made it, and some say their name twice. */
		if (strcmp(vendor, "ATA") == 0 || strncmp(model, vendor, strlen(vendor)) == 0)
			vendor[0] = '\0';
		snprintf(both, sizeof(both), "%s %s", vendor, model);
		FACT_PUT(facts->model, both, sizeof(both));
	}
	if (facts->serial[0] == '\0')
		scsi_serial_read(device, facts);
	scsi_parents_read(device, sata, facts);
}

static void disk_read_facts(int dir, struct probe_facts *facts)
{
	char kind[24];
	int device;

	TEXT_READ(dir, "wwid", facts->wwn);
	device = openat(dir, "device", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (device < 0)
		return;
	disk_sysfs_link(device, "subsystem", kind, sizeof(kind));
	if (strcmp(kind, "nvme") == 0 || strcmp(kind, "nvme-subsystem") == 0) {
		FACT_PUT(facts->transport, "nvme", 4);
		TEXT_READ(device, "model", facts->model);
		TEXT_READ(device, "serial", facts->serial);
	} else if (strcmp(kind, "scsi") == 0) {
		scsi_read(device, facts);
	} else if (strcmp(kind, "mmc") == 0) {
		FACT_PUT(facts->transport, "mmc", 3);
		TEXT_READ(device, "name", facts->model);
		TEXT_READ(device, "serial", facts->serial);
	} else if (strcmp(kind, "virtio") == 0) {
		FACT_PUT(facts->transport, "virtio", 6);
		TEXT_READ(dir, "serial", facts->serial);
	}
	close(device);
}

/* udev writes \x20 for what it finds unsafe. */
static void hex_decode(char *text)
{
	char *out = text;
	unsigned int c;
	int n;

	while (*text) {
		n = 0;
		if (sscanf(text, "\\x%2x%n", &c, &n) == 1 && n == 4 && c != 0) {
			*out++ = (char)c;
			text += 4;
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
}

/* Where one of udev's properties goes; earlier ones win. */
static const struct {
	const char *key;
	size_t offset, size;
} udev_keys[] = {
#define UDEV_KEY(key, field)                                                                       \
	{                                                                                          \
		key, offsetof(struct probe_facts, field), sizeof(((struct probe_facts *)0)->field) \
	}
	UDEV_KEY("ID_MODEL_ENC", model),
	UDEV_KEY("ID_SCSI_SERIAL", serial),
	UDEV_KEY("ID_SERIAL_SHORT", serial),
	UDEV_KEY("ID_WWN_WITH_EXTENSION", wwn),
	UDEV_KEY("ID_WWN", wwn),
	UDEV_KEY("ID_BUS", transport),
#undef UDEV_KEY
};
#define UDEV_KEYS (sizeof(udev_keys) / sizeof(udev_keys[0]))

static void udev_read(const char *path, struct probe_facts *facts)
{
	char *values[UDEV_KEYS] = {NULL};
	char *line = NULL, *value, *fact;
	size_t size = 0;
	FILE *file;

	file = fopen(path, "re");
	if (!file)
		return;
	while (getline(&line, &size, file) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		value = strchr(line, '=');
		if (strncmp(line, "E:", 2) != 0 || !value)
			continue;
		*value++ = '\0';
		for (size_t i = 0; i < UDEV_KEYS; i++) {
			if (!values[i] && strcmp(line + 2, udev_keys[i].key) == 0)
				values[i] = strdup(value);
		}
	}
	fclose(file);
	free(line);
	for (size_t i = 0; i < UDEV_KEYS; i++) {
		fact = (char *)facts + udev_keys[i].offset;
		if (values[i] && fact[0] == '\0') {
			hex_decode(values[i]);
			fact_put(fact, udev_keys[i].size, values[i], SIZE_MAX);
		}
		free(values[i]);
	}
}

void probe_facts_read(int dir, const char *udev, struct probe_facts *ret)
{
	struct probe_facts facts = {0};
	int disk = dir;

	if (disk_sysfs_has(dir, "partition")) {
		facts.partition = true;
		disk = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (disk >= 0)
		disk_read_facts(disk, &facts);
	if (disk >= 0 && disk != dir)
		close(disk);
	udev_read(udev, &facts);
	*ret = facts;
}

int probe_facts_find(dev_t device, struct probe_facts *ret)
{
	char udev[64];
	int dir;

	dir = disk_sysfs_open(device);
	if (dir < 0)
		return dir;
	snprintf(udev, sizeof(udev), "/run/udev/data/b%u:%u", major(device), minor(device));
	probe_facts_read(dir, udev, ret);
	close(dir);
	return 0;
}

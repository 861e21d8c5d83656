// SPDX-License-Identifier: GPL-2.0-or-later
/* The disks of this machine, as sysfs lists them. */
#include "io/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/major.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "io/disk_sysfs.h"
#include "io/disk_user.h"
#include "io/probe_facts.h"

#define SYSFS_SECTOR	  512u /* sysfs counts in these whatever the disk's sectors are */
#define SCSI_TYPE_OPTICAL "5"  /* SPC-5 table 147 */

struct list {
	struct probe_disk *disks;
	size_t count;
};

static bool attribute_is(int dir, const char *name, const char *value)
{
	char text[32];

	return disk_sysfs_text(dir, name, text, sizeof(text)) && strcmp(text, value) == 0;
}

/*
 * Whether DIR is a disk of its own: what the kernel makes up (loop, zram, dm, md) has no device
 * behind it; the boot areas of an eMMC hang on its disk; a hidden one is a path to a disk.
 */
static bool device_is_disk(int dir, dev_t device)
{
	char kind[16];

	return disk_sysfs_has(dir, "device") && !attribute_is(dir, "hidden", "1") &&
	       !(disk_sysfs_link(dir, "device/subsystem", kind, sizeof(kind)) &&
		 strcmp(kind, "block") == 0) &&
	       !attribute_is(dir, "device/type", SCSI_TYPE_OPTICAL) &&
	       major(device) != FLOPPY_MAJOR;
}

/* The node's path; the kernel alone knows it (cciss!c0d0 is /dev/cciss/c0d0). */
static bool path_read(int dir, char *ret, size_t len)
{
	char text[1024];
	char *name;

	if (!disk_sysfs_text(dir, "uevent", text, sizeof(text)))
		return false;
	name = strstr(text, "DEVNAME=");
	if (!name)
		return false;
	name += strlen("DEVNAME=");
	name[strcspn(name, "\n")] = '\0';
	return (size_t)snprintf(ret, len, "/dev/%s", name) < len;
}

static void facts_put(dev_t device, struct probe_disk *disk)
{
	struct probe_facts facts;

	if (probe_facts_find(device, &facts) < 0)
		return;
	snprintf(disk->model, sizeof(disk->model), "%s", facts.model);
	snprintf(disk->serial, sizeof(disk->serial), "%s", facts.serial);
	snprintf(disk->wwn, sizeof(disk->wwn), "%s", facts.wwn);
	snprintf(disk->transport, sizeof(disk->transport), "%s", facts.transport);
}

static void contents_put(struct probe_disk *ret)
{
	struct disk *disk;

	if (disk_open_source(ret->path, &disk) < 0)
		return;
	if (probe_contents(disk, ret->contents, sizeof(ret->contents)) < 0)
		snprintf(ret->contents, sizeof(ret->contents), "unreadable");
	disk_close(disk);
}

static int disk_add(void *arg, int list_dir, const char *name)
{
	struct probe_disk disk = {0}, *disks;
	struct disk_user user;
	struct list *list = arg;
	char sectors[32];
	dev_t device;
	int dir, rc = 0;

	dir = openat(list_dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return 0;
	if (!disk_sysfs_device(dir, &device) || !device_is_disk(dir, device) ||
	    !disk_sysfs_text(dir, "size", sectors, sizeof(sectors)) ||
	    !path_read(dir, disk.path, sizeof(disk.path)))
		goto out;
	disk.size = strtoumax(sectors, NULL, 10) * SYSFS_SECTOR;
	if (disk.size == 0) /* a card reader without a card */
		goto out;
	disk.readonly = attribute_is(dir, "ro", "1");
	disk.removable = attribute_is(dir, "removable", "1");
	disk.device = device;
	facts_put(device, &disk);
	if (disk_user_find(device, &user) == 0) {
		disk.mounted = user.mounted;
		disk.inuse = user.held;
	}
	contents_put(&disk);
	disks = reallocarray(list->disks, list->count + 1, sizeof(*disks));
	if (!disks) {
		rc = -ENOMEM;
		goto out;
	}
	list->disks = disks;
	list->disks[list->count++] = disk;
out:
	close(dir);
	return rc;
}

static int disk_compare(const void *a, const void *b)
{
	return strverscmp(((const struct probe_disk *)a)->path,
			  ((const struct probe_disk *)b)->path);
}

int probe_list(struct probe_disk **ret, size_t *ret_count)
{
	struct list list = {0};
	int err;

	if (access("/sys/block", R_OK | X_OK) < 0)
		return -errno;
	err = disk_sysfs_each(AT_FDCWD, "/sys/block", disk_add, &list);
	if (err) {
		free(list.disks);
		return err;
	}
	if (list.count > 0)
		qsort(list.disks, list.count, sizeof(*list.disks), disk_compare);
	*ret = list.disks;
	*ret_count = list.count;
	return 0;
}

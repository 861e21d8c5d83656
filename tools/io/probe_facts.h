/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a disk is: model, serial number, world wide name, transport. For probe*.c only. */
#ifndef IO_PROBE_FACTS_H
#define IO_PROBE_FACTS_H

#include <stdbool.h>
#include <sys/types.h>

/* UTF-8 without control characters, "" where unknown. */
struct probe_facts {
	char model[96], serial[96], wwn[192];
	char transport[16]; /* nvme, sata, ata, usb, virtio, mmc, scsi */
	bool partition;	    /* the device is one; all else is its disk's */
};

/*
 * Reads the facts out of DIR, the device's folder in sysfs, and fills what is missing there from
 * UDEV, the path of its disk's entry in udev's database (it need not exist).
 */
void probe_facts_read(int dir, const char *udev, struct probe_facts *ret);

/* As probe_facts_read, for block device DEVICE of this machine. Returns 0 or -errno. */
int probe_facts_find(dev_t device, struct probe_facts *ret);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's events about devices, straight from its netlink multicast group: needs no udev, so
 * it works in any initramfs. Source of the format: the kernel's lib/kobject_uevent.c.
 */
#ifndef IO_UEVENT_H
#define IO_UEVENT_H

#include <stdbool.h>
#include <stddef.h>

struct uevent {
	char action[12];    /* "add", "change", "remove", "bind", ... */
	char subsystem[24]; /* "thunderbolt" */
	char devtype[32];   /* "thunderbolt_service", "" where the device has none */
	char name[32];	    /* the last part of its path: "0-1.2" */
};

/*
 * Reads one event of the LEN bytes at TEXT ("change@/devices/..." and KEY=VALUE strings, each with
 * its NUL). Returns 0, or -EBADMSG for what is none or does not fit.
 */
int uevent_parse(const char *text, size_t len, struct uevent *ret);

/* A non-blocking socket that becomes readable with every event from now on, or -errno. */
int uevent_open(void);
/*
 * Takes the next event from SOCKET. Returns 0; -EAGAIN when there is none; -ENOBUFS when some were
 * lost, so that anything may have changed.
 */
int uevent_read(int socket, struct uevent *ret);

#endif

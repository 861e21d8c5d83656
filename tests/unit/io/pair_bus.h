/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bus of Thunderbolt/USB4 peers as files in a folder, for tests of pairing without a kernel that
 * has one: what the code opens under /sys is there, /dev/tbstream* is /dev/full, and a directory
 * made in configfs has its attributes at once. What real kernels do, the recovery tests show.
 */
#ifndef PAIR_BUS_H
#define PAIR_BUS_H

#include "fake_sys.h"

#define LOW  "00000000-0000-8086-ffff-ffffffffffff"
#define MID  "40000000-0000-1234-ffff-ffffffffffff"
#define HIGH "80a70100-0000-1234-ffff-ffffffffffff"

#define BUS_DEVICES "/sys/bus/thunderbolt/devices"
#define BUS_DRIVER  "/sys/bus/thunderbolt/drivers/tbstream"
#define BUS_CONFIG  "/sys/kernel/config/thunderbolt/stream"

static int bus_open_errno; /* of the device, unless it is 0 */
static int bus_open_times; /* how often still, if not 0 */
static bool bus_held;	   /* the driver refuses to change what is open */
static int bus_announced;  /* the HopID that the peer announces for any name, 0: none */

static const char *const bus_attributes[] = {"index",	  "in_hopid",	"out_hopid",
					     "ring_size", "throttling", "busy_poll"};

/* The device of a stream is one that nobody else has open. */
static int bus_open(const char *path, int flags, char *ret, size_t len)
{
	if (bus_held && strcmp(path, "ring_size") == 0 && flags & O_WRONLY)
		return EBUSY;
	if (strncmp(path, "/dev/tbstream", 13) != 0)
		return 0;
	int failure = bus_open_errno;

	if (bus_open_times && --bus_open_times == 0)
		bus_open_errno = 0;
	snprintf(ret, len, "/dev/full");
	return failure;
}

/* In the place of the C library's. */
int stat(const char *path, struct stat *ret)
{
	char there[256];

	fake_path(path, there, sizeof(there));
	return fstatat(AT_FDCWD, strncmp(path, "/dev/tbstream", 13) ? there : "/dev/full", ret, 0);
}

/* Not root: no driver is looked for, and nothing mounted. */
uid_t geteuid(void)
{
	return 1;
}

int mkdirat(int dir, const char *path, mode_t mode)
{
	char file[160], hopid[16];
	int r = syscall(SYS_mkdirat, dir, path, mode);

	snprintf(hopid, sizeof(hopid), "%d\n", bus_announced);
	for (size_t i = 0; r == 0 && dir != AT_FDCWD && strchr(path, '/') && i < 6; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, bus_attributes[i]);
		fake_put_at(dir, file, i == 1 || i == 2 ? hopid : i == 3 ? "256\n" : "0\n");
	}
	return r;
}

int unlinkat(int dir, const char *path, int flags)
{
	char file[160];

	for (size_t i = 0; strchr(path, '/') && i < 6; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, bus_attributes[i]);
		syscall(SYS_unlinkat, dir, file, 0);
	}
	return syscall(SYS_unlinkat, dir, path, flags);
}

/* An attribute of a stream, or -1. */
static inline int bus_number(const char *stream, const char *file)
{
	char path[320], text[16] = "";
	int fd;

	snprintf(path, sizeof(path), "%s" BUS_CONFIG "/%s/%s", fake_root, stream, file);
	fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return atoi(text);
}

static inline void bus_device(const char *name, const char *type, const char *uuid)
{
	char folder[128], uevent[64];

	snprintf(folder, sizeof(folder), BUS_DEVICES "/%s", name);
	snprintf(uevent, sizeof(uevent), "DEVTYPE=%s\n", type);
	fake_folder(folder);
	fake_put(folder, "uevent", uevent);
	if (uuid)
		fake_put(folder, "unique_id", uuid);
}

/* A peer NAME ("0-1"), which has the service number SERVICE, if not 0, for streams. */
static inline void bus_peer(const char *name, const char *uuid, const char *called, int service)
{
	char folder[128], number[32];

	bus_device(name, "thunderbolt_xdomain", uuid);
	snprintf(folder, sizeof(folder), BUS_DEVICES "/%s", name);
	fake_put(folder, "device_name", called);
	fake_put(folder, "vendor_name", "Linux\n");
	fake_put(folder, "rx_speed", "20.0 Gb/s\n");
	fake_put(folder, "rx_lanes", "2\n");
	fake_put(folder, "maxhopid", "15\n");
	snprintf(number, sizeof(number), "%s.0", name);
	bus_device(number, "thunderbolt_service", NULL);
	snprintf(folder, sizeof(folder), BUS_DEVICES "/%s", number);
	fake_put(folder, "key", "network\n");
	if (!service)
		return;
	snprintf(number, sizeof(number), "%s.%d", name, service);
	bus_device(number, "thunderbolt_service", NULL);
	snprintf(folder, sizeof(folder), BUS_DEVICES "/%s", number);
	fake_put(folder, "key", "stream\n");
}

/* A new bus, with a host router of UUID where that is not NULL, and a driver. */
static inline void bus_new(const char *uuid)
{
	bus_open_errno = bus_open_times = bus_announced = 0;
	bus_held = false;
	fake_open = bus_open;
	fake_new();
	if (!uuid)
		return;
	bus_device("domain0", "thunderbolt_domain", NULL);
	bus_device("0-0", "thunderbolt_device", uuid);
	fake_folder(BUS_DRIVER);
	fake_folder(BUS_CONFIG);
}

#endif

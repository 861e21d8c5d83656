// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/pair_config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/pair_sysfs.h"

int pair_config_open(void)
{
	int fd = open("/sys/kernel/config/thunderbolt/stream", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int pair_config_directory(int root, const char *service, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", service, name);
	fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int pair_config_write(int directory, const char *file, int value)
{
	char text[16];
	int fd, err = 0;
	int len = snprintf(text, sizeof(text), "%d\n", value);

	fd = openat(directory, file, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, len) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int pair_config_number(int directory, const char *file, int *ret)
{
	char text[16];
	int len = pair_sysfs_read(directory, file, text, sizeof(text));

	if (len < 0)
		return len;
	*ret = atoi(text);
	return 0;
}

/* Gives both HopIDs back, which also withdraws the announcement. -EBUSY while the device is open.
 */
static int pair_config_reset(int directory)
{
	int err = pair_config_write(directory, "in_hopid", 0);

	return err ? err : pair_config_write(directory, "out_hopid", 0);
}

int pair_config_add(int root, const char *service, const char *name)
{
	char path[64];

	if (mkdirat(root, service, 0755) && errno != EEXIST)
		return -errno;
	snprintf(path, sizeof(path), "%s/%s", service, name);
	return mkdirat(root, path, 0755) ? -errno : 0;
}

int pair_config_withdraw(int root, const char *service, const char *name)
{
	int directory, err;

	directory = pair_config_directory(root, service, name);
	if (directory < 0)
		return directory;
	err = pair_config_reset(directory);
	close(directory);
	return err;
}

int pair_config_remove(int root, const char *service, const char *name)
{
	char path[64];
	int err = pair_config_withdraw(root, service, name);

	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/%s", service, name);
	if (unlinkat(root, path, AT_REMOVEDIR))
		return -errno;
	if (unlinkat(root, service, AT_REMOVEDIR) && errno != ENOTEMPTY)
		return -errno;
	return 0;
}

int pair_config_again(int root, const char *service, const char *name)
{
	static const char *const kept[] = {"ring_size", "throttling"};
	int values[2] = {0, 0};
	int directory, err;

	directory = pair_config_directory(root, service, name);
	if (directory < 0)
		return directory;
	for (int i = 0; i < 2; i++)
		pair_config_number(directory, kept[i], &values[i]);
	close(directory);

	err = pair_config_remove(root, service, name);
	if (!err)
		err = pair_config_add(root, service, name);
	if (err)
		return err;
	directory = pair_config_directory(root, service, name);
	if (directory < 0)
		return directory;
	for (int i = 0; i < 2; i++) {
		if (values[i] > 0)
			pair_config_write(directory, kept[i], values[i]);
	}
	close(directory);
	return 0;
}

int pair_config_read(int root, const char *service, const char *name, struct pair_local *ret)
{
	struct pair_local local = {0};
	int directory, err;

	directory = pair_config_directory(root, service, name);
	if (directory < 0)
		return directory;
	snprintf(local.name, sizeof(local.name), "%.*s", (int)sizeof(local.name) - 1, name);
	snprintf(local.service, sizeof(local.service), "%.*s", (int)sizeof(local.service) - 1,
		 service);
	err = pair_config_number(directory, "index", &local.index);
	if (!err)
		err = pair_config_number(directory, "in_hopid", &local.in_hopid);
	if (!err)
		err = pair_config_number(directory, "out_hopid", &local.out_hopid);
	close(directory);
	if (!err)
		*ret = local;
	return err;
}

int pair_config_busy(int root, const char *service, const char *name)
{
	int directory, value, err;

	directory = pair_config_directory(root, service, name);
	if (directory < 0)
		return directory;
	/* The driver refuses to change an open stream; what we write changes nothing. */
	err = pair_config_number(directory, "ring_size", &value);
	if (!err)
		err = pair_config_write(directory, "ring_size", value);
	close(directory);
	return err == -EBUSY ? 1 : err;
}

int pair_config_interrupts(int root, const char *service, const char *name)
{
	int directory, err, value = 0;

	directory = pair_config_directory(root, service, name);
	if (directory < 0)
		return directory;
	err = pair_config_number(directory, "busy_poll", &value);
	if (!err && value)
		err = pair_config_write(directory, "busy_poll", 0);
	close(directory);
	return err == -ENOENT ? 0 : err; /* before 7.3 there was none */
}

int pair_hopid_choice(int maxhopid, bool leads, int n)
{
	int top = maxhopid < PAIR_HOPID_MOST ? maxhopid : PAIR_HOPID_MOST;
	int count = top < PAIR_HOPID_LEAST ? 0 : top - PAIR_HOPID_LEAST + 1;
	int first = leads ? top : PAIR_HOPID_LEAST + (count - 1) / 2;

	if (n >= count)
		return 0;
	return first - n >= PAIR_HOPID_LEAST ? first - n : first - n + count;
}

/* -ENOSPC is what the driver says when HOPID and all above it are in use. */
static bool pair_config_taken(int err)
{
	return err == -EBUSY || err == -EINVAL || err == -ENOSPC;
}

int pair_config_allocate(int root, const char *service, const char *name, int maxhopid, bool leads,
			 uint32_t avoid)
{
	int directory, hopid, err;

	directory = pair_config_directory(root, service, name);
	if (directory < 0)
		return directory;
	/*
	 * From 0 on: a HopID that cannot be had leaves the old one given back and yet on record, so
	 * that the driver would give it back twice.
	 */
	err = pair_config_reset(directory);
	if (err) {
		close(directory);
		return err;
	}
	err = -ENOSPC;
	for (int n = 0; pair_config_taken(err); n++) {
		hopid = pair_hopid_choice(maxhopid, leads, n);
		if (!hopid)
			break;
		if (avoid & 1u << hopid)
			continue;
		err = pair_config_write(directory, "in_hopid", hopid);
		if (err)
			continue;
		err = pair_config_write(directory, "out_hopid", hopid);
		if (err)
			pair_config_write(directory, "in_hopid", 0);
	}
	close(directory);
	return pair_config_taken(err) ? -ENOSPC : err;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/pair_sysfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAIR_SYSFS_PEERS_MOST 64
#define PAIR_SYSFS_MAXHOPID   15 /* XDOMAIN_DEFAULT_MAX_HOPID in drivers/thunderbolt/xdomain.c */

int pair_sysfs_read(int directory, const char *path, char *ret, size_t len)
{
	char text[1024];
	ssize_t got;
	size_t line;
	int fd;

	fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	got = read(fd, text, sizeof(text) - 1);
	if (got < 0)
		got = -errno;
	close(fd);
	if (got < 0)
		return got;
	text[got] = '\0';
	line = strcspn(text, "\n");
	if (line >= len)
		return -EFBIG;
	memcpy(ret, text, line);
	ret[line] = '\0';
	return line;
}

/* The attribute FILE of DEVICE, cut where it does not fit; "" where there is none. */
static void pair_sysfs_attribute(int devices, const char *device, const char *file, char *ret,
				 size_t len)
{
	char path[64], text[1024];

	ret[0] = '\0';
	if (snprintf(path, sizeof(path), "%s/%s", device, file) >= (int)sizeof(path) ||
	    pair_sysfs_read(devices, path, text, sizeof(text)) < 0)
		return;
	snprintf(ret, len, "%.*s", (int)len - 1, text);
	/* A peer chooses its own name: none of it may reach a terminal as a control sequence. */
	for (char *c = ret; *c; c++) {
		if (iscntrl((unsigned char)*c))
			*c = '?';
	}
}

/* Whether the kernel calls DEVICE a TYPE: routers, XDomains and services share one directory. */
static bool pair_sysfs_is(int devices, const char *device, const char *type)
{
	char path[64], text[1024], line[64];
	ssize_t got;
	int fd;

	if (snprintf(path, sizeof(path), "%s/uevent", device) >= (int)sizeof(path))
		return false;
	fd = openat(devices, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (got < 0)
		return false;
	text[got] = '\0';
	snprintf(line, sizeof(line), "DEVTYPE=%s\n", type);
	return strstr(text, line) != NULL;
}

int pair_sysfs_open(void)
{
	int fd = open("/sys/bus/thunderbolt/devices", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int pair_sysfs_select(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
	       strlen(entry->d_name) < sizeof(((struct pair_peer *)0)->service);
}

/* Every device of the bus, sorted by name. Returns their number or -errno; free each and the array.
 */
static int pair_sysfs_list(int devices, struct dirent ***ret)
{
	int count = scandirat(devices, ".", ret, pair_sysfs_select, alphasort);

	return count < 0 ? -errno : count;
}

static void pair_sysfs_list_free(struct dirent **list, int count)
{
	for (int i = 0; i < count; i++)
		free(list[i]);
	free(list);
}

bool pair_sysfs_controller(int devices)
{
	struct dirent **list;
	bool found = false;
	int count;

	count = pair_sysfs_list(devices, &list);
	if (count < 0)
		return false;
	for (int i = 0; i < count && !found; i++)
		found = pair_sysfs_is(devices, list[i]->d_name, "thunderbolt_domain");
	pair_sysfs_list_free(list, count);
	return found;
}

/* The service of XDOMAIN with key `stream`: its number changes whenever it comes anew. */
static void pair_sysfs_service(int devices, struct dirent **list, int count, const char *xdomain,
			       char *ret, size_t len)
{
	size_t prefix = strlen(xdomain);

	ret[0] = '\0';
	for (int i = 0; i < count; i++) {
		const char *name = list[i]->d_name;
		char key[16];

		if (strncmp(name, xdomain, prefix) != 0 || name[prefix] != '.')
			continue;
		pair_sysfs_attribute(devices, name, "key", key, sizeof(key));
		if (strcmp(key, "stream") == 0) {
			snprintf(ret, len, "%.*s", (int)len - 1, name);
			return;
		}
	}
}

/* Fills in the XDomain NAME. Returns false for one that went away meanwhile, or that is ourselves.
 */
static bool pair_sysfs_peer(int devices, struct dirent **list, int count, const char *name,
			    struct pair_peer *ret)
{
	struct pair_peer peer = {0};
	char router[32], lanes[8];

	if (strlen(name) >= sizeof(peer.xdomain))
		return false;
	strcpy(peer.xdomain, name);
	pair_sysfs_attribute(devices, name, "unique_id", peer.uuid, sizeof(peer.uuid));
	snprintf(router, sizeof(router), "%.*s-0", (int)strcspn(name, "-"), name);
	pair_sysfs_attribute(devices, router, "unique_id", peer.host, sizeof(peer.host));
	/* A cable from one of our ports to another shows ourselves as a peer. */
	if (!peer.uuid[0] || strcmp(peer.uuid, peer.host) == 0)
		return false;
	pair_sysfs_attribute(devices, name, "device_name", peer.name, sizeof(peer.name));
	pair_sysfs_attribute(devices, name, "vendor_name", peer.vendor, sizeof(peer.vendor));
	pair_sysfs_attribute(devices, name, "rx_speed", peer.speed, sizeof(peer.speed));
	pair_sysfs_attribute(devices, name, "rx_lanes", lanes, sizeof(lanes));
	peer.lanes = atoi(lanes);
	pair_sysfs_service(devices, list, count, name, peer.service, sizeof(peer.service));
	*ret = peer;
	return true;
}

int pair_sysfs_peers(int devices, struct pair_peer **ret, size_t *ret_count)
{
	struct pair_peer *peers = NULL;
	struct dirent **list;
	size_t found = 0;
	int count;

	count = pair_sysfs_list(devices, &list);
	if (count < 0)
		return count;
	peers = calloc(PAIR_SYSFS_PEERS_MOST, sizeof(*peers));
	for (int i = 0; peers && i < count && found < PAIR_SYSFS_PEERS_MOST; i++) {
		const char *name = list[i]->d_name;

		if (pair_sysfs_is(devices, name, "thunderbolt_xdomain") &&
		    pair_sysfs_peer(devices, list, count, name, &peers[found]))
			found++;
	}
	pair_sysfs_list_free(list, count);
	if (!peers)
		return -ENOMEM;
	*ret = peers;
	*ret_count = found;
	return 0;
}

int pair_sysfs_maxhopid(int devices, const struct pair_peer *peer)
{
	char text[16];

	pair_sysfs_attribute(devices, peer->xdomain, "maxhopid", text, sizeof(text));
	return text[0] ? atoi(text) : PAIR_SYSFS_MAXHOPID;
}

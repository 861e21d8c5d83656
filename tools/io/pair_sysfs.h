/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel shows of hosts and peers. Source of the files:
 * Documentation/ABI/testing/sysfs-bus-thunderbolt. A peer is an XDomain, "0-1" for route 1 of
 * domain 0; its services are "0-1.0" and so on, each with its key; our own router of that domain is
 * "0-0".
 */
#ifndef IO_PAIR_SYSFS_H
#define IO_PAIR_SYSFS_H

#include "io/pair.h"

/*
 * Reads the file PATH under DIRECTORY, a descriptor, as one line without its newline. Returns its
 * length; -EFBIG when it does not fit into LEN bytes; or another -errno.
 */
int pair_sysfs_read(int directory, const char *path, char *ret, size_t len);

/* The devices of the thunderbolt bus: a directory's descriptor, or -errno (-ENOENT: no such bus).
 */
int pair_sysfs_open(void);
/* Whether DEVICES has the router of a host controller. */
bool pair_sysfs_controller(int devices);
/* Returns 0, an array (free) of the peers in the order of their names, and its length; or -errno.
 */
int pair_sysfs_peers(int devices, struct pair_peer **ret, size_t *ret_count);
/* The highest HopID that PEER takes in; 15 where the kernel does not say. */
int pair_sysfs_maxhopid(int devices, const struct pair_peer *peer);

#endif

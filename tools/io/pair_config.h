/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stream's directory in configfs, thunderbolt/stream/SERVICE/NAME, driven through the descriptor
 * of thunderbolt/stream (ROOT, below). Source of the files:
 * Documentation/ABI/testing/configfs-thunderbolt_stream.
 */
#ifndef IO_PAIR_CONFIG_H
#define IO_PAIR_CONFIG_H

#include <stdbool.h>

#include "io/pair.h"

#define PAIR_HOPID_LEAST 8  /* TB_PATH_MIN_HOPID: USB4 reserves the lower ones */
#define PAIR_HOPID_MOST	 15 /* what every host interface has */

/* The directory thunderbolt/stream, a descriptor, or -errno (-ENOENT: not mounted, or no driver).
 */
int pair_config_open(void);

/* Makes the directory, and its parent where needed. Returns 0, -EEXIST or another -errno. */
int pair_config_add(int root, const char *service, const char *name);
/*
 * Removes it, and its parent when that is empty then. The HopIDs are given back first: the driver
 * goes on announcing the name of a directory that is removed with them. -EBUSY while the device is
 * open.
 */
int pair_config_remove(int root, const char *service, const char *name);
/*
 * Makes the directory anew, with its ring size and throttling kept: only so does the driver look
 * again whether the peer announces the name. -EBUSY while the device is open.
 */
int pair_config_again(int root, const char *service, const char *name);
/* Gives the HopIDs back and leaves the directory. -EBUSY while the device is open. */
int pair_config_withdraw(int root, const char *service, const char *name);
/* Fills in the fields of the directory but user. Returns 0 or -errno. */
int pair_config_read(int root, const char *service, const char *name, struct pair_local *ret);
/* Whether somebody has the device open: 1 or 0, or -errno. */
int pair_config_busy(int root, const char *service, const char *name);
/* Makes poll(2) of the device work, where somebody had chosen to poll it busily. */
int pair_config_interrupts(int root, const char *service, const char *name);

/*
 * The HopID to try as number N, from 0 on, with a peer that takes in MAXHOPID; 0 when there are no
 * more. The host that leads begins at the top, the other one in the middle: so two names that each
 * side chose HopIDs for do not meet. A name that is looked up while its HopIDs are in use takes
 * them all the same, and the driver then gives them back twice, with a warning of the kernel's.
 */
int pair_hopid_choice(int maxhopid, bool leads, int n);
/*
 * Takes the first HopID of that order that is free in both directions and has no bit in AVOID, the
 * same for both, and so announces the name. Returns 0, or -ENOSPC when all are in use, or another
 * -errno.
 */
int pair_config_allocate(int root, const char *service, const char *name, int maxhopid, bool leads,
			 uint32_t avoid);

#endif

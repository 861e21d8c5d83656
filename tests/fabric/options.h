/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options: the command line of the fabric. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "fabric.h"

struct options_host {
	char name[HOST_NAME_SIZE];
	const char *path;   /* of the vfio-user socket */
	uint64_t unique_id; /* the first half of the router's UUID, its first byte lowest */
	unsigned int lanes;
	unsigned int ports; /* as many as cables end there, at least one */
};

struct options_cable {
	unsigned int host[2];
	unsigned int port[2];
	bool plugged;
};

struct options {
	uint64_t seed;
	const char *control;
	bool help;
	struct options_host hosts[FABRIC_HOSTS_MAX];
	unsigned int host_count;
	struct options_cable cables[FABRIC_CABLES_MAX];
	unsigned int cable_count;
};

#define OPTIONS_ERROR_MAX 256u

/*
 * Reads argv, whose strings are cut up and referred to afterwards. -EINVAL with a sentence in
 * error.
 */
int options_parse(struct options *options, int argc, char **argv, char error[OPTIONS_ERROR_MAX]);

const char *options_help(void);

#endif

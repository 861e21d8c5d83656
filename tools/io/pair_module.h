/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must be there before a stream can be configured: the drivers and configfs. */
#ifndef IO_PAIR_MODULE_H
#define IO_PAIR_MODULE_H

#include <stddef.h>

/*
 * Loads thunderbolt, and thunderbolt_stream or else tbstream, and mounts configfs, each where it is
 * missing and we are root. What cannot be had is no error: whoever needs it sees that it is
 * missing.
 */
void pair_module_load(void);
/* The stream driver that is there: "thunderbolt_stream", "tbstream" or "". */
const char *pair_module_driver(void);

#endif

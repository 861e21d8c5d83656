/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What kind of machine this is. */
#ifndef IO_MACHINE_H
#define IO_MACHINE_H

#include <stdint.h>

#define MACHINE_SMALL (256ull << 20) /* bytes of memory; below, one thread does the work */

/* Its memory, bytes; UINT64_MAX where the kernel does not tell. */
uint64_t machine_memory(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What kind of machine this is. */
#ifndef IO_MACHINE_H
#define IO_MACHINE_H

#include <stdint.h>

#define MACHINE_SMALL	     (256ull << 20) /* bytes of memory; below, one thread does the work */
#define MACHINE_THREADS_MOST 64
#define MACHINE_THREADS_AUTO 8 /* at most, where nobody says how many: each takes some 10 MB */

/* Its memory, bytes; UINT64_MAX where the kernel does not tell. */
uint64_t machine_memory(void);
/* How many threads do the work: WANTED, or without (0) what suits the machine. */
unsigned int machine_threads(unsigned int wanted);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/machine.h"

#include <sched.h>
#include <sys/sysinfo.h>

uint64_t machine_memory(void)
{
	struct sysinfo info;

	return sysinfo(&info) ? UINT64_MAX : (uint64_t)info.totalram * info.mem_unit;
}

unsigned int machine_threads(unsigned int wanted)
{
	cpu_set_t set;

	if (wanted)
		return wanted;
	if (machine_memory() < MACHINE_SMALL || sched_getaffinity(0, sizeof(set), &set))
		return 1;
	return CPU_COUNT(&set) < MACHINE_THREADS_AUTO ? CPU_COUNT(&set) : MACHINE_THREADS_AUTO;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "path.h"

#define PATH_CS_0_VALID	  (UINT32_C(1) << 31)
#define PATH_CS_0_CREDITS 17
#define PATH_CS_1_PENDING (UINT32_C(1) << 28)

void path_init(struct path_table *table, unsigned int hops, unsigned int control_credits)
{
	*table = (struct path_table){.hops = hops};
	table->words[0] = control_credits << PATH_CS_0_CREDITS;
}

bool path_read(const struct path_table *table, unsigned int word, uint32_t *ret_value)
{
	if (word >= 2 * table->hops)
		return false;
	*ret_value = table->words[word];
	return true;
}

bool path_write(struct path_table *table, unsigned int word, uint32_t value)
{
	if (word >= 2 * table->hops)
		return false;
	table->words[word] = word % 2 ? value & ~PATH_CS_1_PENDING : value;
	return true;
}

bool path_lookup(const struct path_table *table, unsigned int hop, struct path_hop *ret_hop)
{
	uint32_t word;

	if (hop >= table->hops)
		return false;
	word = table->words[2 * hop];
	if (!(word & PATH_CS_0_VALID))
		return false;
	ret_hop->next_hop = word & 0x7ff;
	ret_hop->out_adapter = word >> 11 & 0x3f;
	return true;
}

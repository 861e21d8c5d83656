/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of announcing that touch nothing but their arguments, for their tests. */
#ifndef TBSTREAM_ANNOUNCE_H
#define TBSTREAM_ANNOUNCE_H

#include <linux/thunderbolt.h>

/* A peer takes 500 words of properties: those of the core, and 16 for each name. */
#define ANNOUNCE_NAMES 16

/* announce_root() - the directory "stream" with the service's version, or NULL */
struct tb_property_dir *announce_root(void);

/* announce_name() - a directory with a stream's HopIDs and a UUID of its own, or NULL */
struct tb_property_dir *announce_name(int in, int out);

#ifdef COMPAT_HAS_SERVICE_PROPERTIES

/* announce_dir_set() - say, change or (@in 0) withdraw a name in @dir; 0 or -ENOMEM */
int announce_dir_set(struct tb_property_dir *dir, const char *name, int in, int out);

#else

/* A name: its directory stays linked, with zeros while nobody uses it. */
struct announce_entry {
	struct tb_property *property;
	unsigned int users;
	int in;
	int out;
};

/* One for all peers. Readers walk @root without a lock of ours. */
struct announce_table {
	struct tb_property_dir *root;
	struct announce_entry entries[ANNOUNCE_NAMES];
	unsigned int count;
};

/*
 * announce_table_name() - an entry for a name
 *
 * Returns 0, or 1 where one that nobody used has got the name: it shall have no numbers before all
 * readers who may have seen half of it are done; -ENOSPC, -ENOMEM.
 */
int announce_table_name(struct announce_table *table, const char *name);

/* announce_table_set() - compat_announce() on a table with the name; *@changed: there is news */
int announce_table_set(struct announce_table *table, const char *name, bool known, int in, int out,
		       bool *changed);

#endif
#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Announcements where all peers are told the same. The directory "stream" is registered once and
 * stays so: whoever read the properties while it is away would drop the service with all its
 * streams. The core copies it under a lock that is not ours, so what is linked is complete when it
 * is linked, stays until the end, and only its numbers change, and the names beside zeros. So the
 * block seldom changes its length, which readers who come back for the rest of it do not expect.
 */
#include "compat.h"

#include <linux/rculist.h>
#include <linux/slab.h>

#include "announce.h"

static struct announce_table table; /* under tbs_mutex */

int compat_announce_init(void)
{
	int ret;

	table.count = 0;
	table.root = announce_root();
	if (!table.root)
		return -ENOMEM;
	ret = tb_register_property_dir("stream", table.root);
	if (ret)
		tb_property_free_dir(table.root);
	return ret;
}

void compat_announce_exit(void)
{
	tb_unregister_property_dir("stream", table.root);
	/* With all that was ever linked. */
	tb_property_free_dir(table.root);
}

static struct announce_entry *announce_table_find(struct announce_table *table, const char *name)
{
	for (unsigned int i = 0; i < table->count; i++) {
		if (!strcmp(table->entries[i].property->key, name))
			return &table->entries[i];
	}
	return NULL;
}

/* As tb_property_add_dir() does it, but a reader who sees the property sees all of it. */
static int announce_table_add(struct announce_table *table, const char *name)
{
	struct announce_entry *entry = &table->entries[table->count];
	struct tb_property *p;

	if (table->count == ANNOUNCE_NAMES)
		return -ENOSPC;
	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	p->value.dir = announce_name(0, 0);
	if (!p->value.dir) {
		kfree(p);
		return -ENOMEM;
	}
	strscpy(p->key, name, sizeof(p->key));
	p->type = TB_PROPERTY_TYPE_DIRECTORY;
	list_add_tail_rcu(&p->list, &table->root->properties);
	memset(entry, 0, sizeof(*entry));
	entry->property = p;
	table->count++;
	return 0;
}

int announce_table_name(struct announce_table *table, const char *name)
{
	if (announce_table_find(table, name))
		return 0;
	for (unsigned int i = 0; i < table->count; i++) {
		if (table->entries[i].users)
			continue;
		strscpy(table->entries[i].property->key, name,
			sizeof(table->entries[i].property->key));
		return 1;
	}
	return announce_table_add(table, name);
}

static void announce_entry_write(struct announce_entry *entry, int in, int out)
{
	struct tb_property_dir *dir = entry->property->value.dir;
	struct tb_property *p;

	entry->in = in;
	entry->out = out;
	p = tb_property_find(dir, "inhopid", TB_PROPERTY_TYPE_VALUE);
	WRITE_ONCE(p->value.immediate, in);
	p = tb_property_find(dir, "outhopid", TB_PROPERTY_TYPE_VALUE);
	WRITE_ONCE(p->value.immediate, out);
}

int announce_table_set(struct announce_table *table, const char *name, bool known, int in, int out,
		       bool *changed)
{
	struct announce_entry *entry = announce_table_find(table, name);

	*changed = false;
	if (!in && !known)
		return 0;
	if (!entry)
		return -ENOENT;
	if (known)
		entry->users--;
	if (in && entry->users && (entry->in != in || entry->out != out))
		return -EEXIST;
	if (in)
		entry->users++;
	else if (entry->users)
		return 0;
	*changed = entry->in != in || entry->out != out;
	announce_entry_write(entry, in, out);
	return 0;
}

/* Peers are told to read again when a directory comes or goes: any will do. */
static void announce_bump(void)
{
	struct tb_property_dir *dir = announce_name(0, 0);

	if (!dir)
		return;
	if (!tb_register_property_dir("tbstream", dir))
		tb_unregister_property_dir("tbstream", dir);
	tb_property_free_dir(dir);
}

int compat_announce(struct tb_service *svc, const char *name, bool known, int in, int out)
{
	bool changed;
	int ret = in ? announce_table_name(&table, name) : 0;

	if (ret < 0)
		return ret;
	/* The core copies under a lock that this takes: who has seen half a name has seen zeros. */
	if (ret)
		announce_bump();
	ret = announce_table_set(&table, name, known, in, out, &changed);
	if (changed)
		announce_bump();
	return ret;
}

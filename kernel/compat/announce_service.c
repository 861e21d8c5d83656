// SPDX-License-Identifier: GPL-2.0-only
/* Announcements where every service has properties of its own. */
#include "compat.h"

#include "announce.h"

static struct tb_property_dir *announce_dir;

int compat_announce_init(void)
{
	int ret;

	announce_dir = announce_root();
	if (!announce_dir)
		return -ENOMEM;
	ret = tb_register_property_dir("stream", announce_dir);
	if (ret)
		tb_property_free_dir(announce_dir);
	return ret;
}

void compat_announce_exit(void)
{
	tb_unregister_property_dir("stream", announce_dir);
	tb_property_free_dir(announce_dir);
}

int announce_dir_set(struct tb_property_dir *dir, const char *name, int in, int out)
{
	struct tb_property *p = tb_property_find(dir, name, TB_PROPERTY_TYPE_DIRECTORY);
	struct tb_property_dir *fresh = NULL, *old;
	int ret;

	if (in) {
		fresh = announce_name(in, out);
		if (!fresh)
			return -ENOMEM;
	}
	if (p && fresh) {
		old = p->value.dir;
		p->value.dir = fresh;
		tb_property_free_dir(old);
	} else if (p) {
		tb_property_free_dir(p->value.dir);
		tb_property_remove(p);
	} else if (fresh) {
		ret = tb_property_add_dir(dir, name, fresh);
		if (ret)
			tb_property_free_dir(fresh);
		return ret;
	}
	return 0;
}

/* The core merges what stands here into the directory that all services share. */
int compat_announce(struct tb_service *svc, const char *name, bool known, int in, int out)
{
	struct tb_property *p;
	int ret = 0;

	mutex_lock(&svc->lock);
	if (!svc->local_properties)
		svc->local_properties = announce_root();
	if (svc->local_properties)
		ret = announce_dir_set(svc->local_properties, name, in, out);
	else if (in)
		ret = -ENOMEM;
	/* The core does not free it with the service. */
	tb_property_for_each(svc->local_properties, p) {
		if (p->type == TB_PROPERTY_TYPE_DIRECTORY)
			break;
	}
	if (!p) {
		tb_property_free_dir(svc->local_properties);
		svc->local_properties = NULL;
	}
	mutex_unlock(&svc->lock);
	tb_service_properties_changed(svc);
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-only
/* What a peer announces. */
#include "compat.h"

#define LOOKUP_HOPID_MIN 8
#define LOOKUP_HOPID_MAX 2047

static int lookup_hopid(struct tb_property_dir *dir, const char *key)
{
	struct tb_property *p = tb_property_find(dir, key, TB_PROPERTY_TYPE_VALUE);

	if (!p || p->value.immediate < LOOKUP_HOPID_MIN || p->value.immediate > LOOKUP_HOPID_MAX)
		return 0;
	return p->value.immediate;
}

bool compat_lookup_in(struct tb_property_dir *dir, const char *name, int *in, int *out)
{
	struct tb_property *p;

	if (!dir)
		return false;
	p = tb_property_find(dir, name, TB_PROPERTY_TYPE_DIRECTORY);
	if (!p)
		return false;
	*in = lookup_hopid(p->value.dir, "inhopid");
	*out = lookup_hopid(p->value.dir, "outhopid");
	return *in && *out;
}

#ifdef COMPAT_HAS_SERVICE_PROPERTIES

bool compat_lookup(struct tb_service *svc, const char *name, int *in, int *out)
{
	bool found;

	mutex_lock(&svc->lock);
	found = compat_lookup_in(svc->remote_properties, name, in, out);
	mutex_unlock(&svc->lock);
	return found;
}

#else

bool compat_lookup(struct tb_service *svc, const char *name, int *in, int *out)
{
	struct tb_xdomain *xd = tb_service_parent(svc);
	struct tb_property *p = NULL;
	bool found = false;

	mutex_lock(&xd->lock);
	if (xd->remote_properties)
		p = tb_property_find(xd->remote_properties, svc->key, TB_PROPERTY_TYPE_DIRECTORY);
	if (p)
		found = compat_lookup_in(p->value.dir, name, in, out);
	mutex_unlock(&xd->lock);
	return found;
}

#endif

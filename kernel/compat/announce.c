// SPDX-License-Identifier: GPL-2.0-only
/* The directories of which announcements are made. */
#include "announce.h"

#include <linux/uuid.h>

/* The service's own, the same on every host: 3a1cb984-c4d9-4469-a277-ce2fdfd11f0d */
static const uuid_t announce_uuid =
	UUID_INIT(0x3a1cb984, 0xc4d9, 0x4469, 0xa2, 0x77, 0xce, 0x2f, 0xdf, 0xd1, 0x1f, 0x0d);

struct tb_property_dir *announce_root(void)
{
	struct tb_property_dir *dir = tb_property_create_dir(&announce_uuid);

	if (!dir)
		return NULL;
	if (tb_property_add_immediate(dir, "prtcid", 1) ||
	    tb_property_add_immediate(dir, "prtcvers", 1) ||
	    tb_property_add_immediate(dir, "prtcrevs", 0) ||
	    tb_property_add_immediate(dir, "prtcstns", 0)) {
		tb_property_free_dir(dir);
		return NULL;
	}
	return dir;
}

struct tb_property_dir *announce_name(int in, int out)
{
	struct tb_property_dir *dir;
	uuid_t uuid;

	uuid_gen(&uuid);
	dir = tb_property_create_dir(&uuid);
	if (!dir)
		return NULL;
	if (tb_property_add_immediate(dir, "inhopid", in) ||
	    tb_property_add_immediate(dir, "outhopid", out)) {
		tb_property_free_dir(dir);
		return NULL;
	}
	return dir;
}

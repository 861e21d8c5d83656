// SPDX-License-Identifier: GPL-2.0-only
/* configfs' "thunderbolt", where the core has none. */
#include "compat.h"

#include <linux/module.h>

static const struct config_item_type configfs_root_type = {
	.ct_owner = THIS_MODULE,
};

static struct configfs_subsystem configfs_root;

int compat_configfs_register(struct config_group *group)
{
	int ret;

	config_group_init_type_name(&configfs_root.su_group, "thunderbolt", &configfs_root_type);
	mutex_init(&configfs_root.su_mutex);
	ret = configfs_register_subsystem(&configfs_root);
	if (ret)
		return ret;
	ret = configfs_register_group(&configfs_root.su_group, group);
	if (ret)
		configfs_unregister_subsystem(&configfs_root);
	return ret;
}

void compat_configfs_unregister(struct config_group *group)
{
	configfs_unregister_group(group);
	configfs_unregister_subsystem(&configfs_root);
}

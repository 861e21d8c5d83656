// SPDX-License-Identifier: GPL-2.0-only
/* tbstream: the module's beginning and end. */
#include "tbstream.h"

#include <linux/module.h>

#include "compat/compat.h"

DEFINE_MUTEX(tbs_mutex); /* see tbstream.h */
struct workqueue_struct *tbs_wq;

static int __init tbs_init(void)
{
	int ret;

	/* Ordered: a path is never enabled while another one's late end is being undone. */
	tbs_wq = alloc_ordered_workqueue("tbstream", WQ_FREEZABLE);
	if (!tbs_wq)
		return -ENOMEM;
	ret = compat_announce_init();
	if (ret == -EEXIST)
		pr_err("tbstream: this kernel's own driver is loaded; to use this one, unload thunderbolt_stream first\n");
	if (ret)
		goto err_wq;
	ret = config_register();
	if (ret)
		goto err_announce;
	ret = peer_register();
	if (ret)
		goto err_config;
	return 0;

err_config:
	config_unregister();
err_announce:
	compat_announce_exit();
err_wq:
	destroy_workqueue(tbs_wq);
	return ret;
}
module_init(tbs_init);

static void __exit tbs_exit(void)
{
	peer_unregister();
	config_unregister();
	compat_announce_exit();
	destroy_workqueue(tbs_wq);
}
module_exit(tbs_exit);

MODULE_DESCRIPTION("USB4STREAM: streams of bytes over a Thunderbolt/USB4 cable");
MODULE_AUTHOR("The tbstream authors");
MODULE_VERSION(TBSTREAM_VERSION);
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0-only
/* The service driver: other hosts come and go. */
#include "tbstream.h"

#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/slab.h>

#include "compat/compat.h"

static LIST_HEAD(peers); /* under tbs_mutex */

struct tbs_peer *peer_find(const char *name)
{
	struct tbs_peer *peer;

	lockdep_assert_held(&tbs_mutex);
	list_for_each_entry(peer, &peers, list) {
		if (!strcmp(name, dev_name(&peer->svc->dev)))
			return peer;
	}
	return NULL;
}

static int peer_probe(COMPAT_PROBE_ARGS)
{
	struct tbs_peer *peer = kzalloc(sizeof(*peer), GFP_KERNEL);

	if (!peer)
		return -ENOMEM;
	peer->svc = tb_service_get(svc);
	peer->xd = tb_service_parent(svc);
	tb_service_set_drvdata(svc, peer);
	mutex_lock(&tbs_mutex);
	list_add_tail(&peer->list, &peers);
	config_attach(peer);
	mutex_unlock(&tbs_mutex);
	return 0;
}

/*
 * May run with the domain's lock held, which disabling paths takes: what needs it is left to the
 * streams' work. Rings cannot wait, for the host controller may be about to go.
 */
static void peer_remove(struct tb_service *svc)
{
	struct tbs_peer *peer = tb_service_get_drvdata(svc);

	mutex_lock(&tbs_mutex);
	config_detach(peer);
	list_del(&peer->list);
	mutex_unlock(&tbs_mutex);
	tb_service_put(svc);
	kfree(peer);
}

/*
 * Nobody can say which frames passed while rings stopped for sleep: streams end, as they do when
 * the cable is pulled, and who opens them again begins anew.
 */
static int peer_suspend(struct device *dev)
{
	mutex_lock(&tbs_mutex);
	config_break(tb_service_get_drvdata(tb_to_service(dev)));
	mutex_unlock(&tbs_mutex);
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(peer_pm_ops, peer_suspend, NULL);

static const struct tb_service_id peer_ids[] = {{TB_SERVICE("stream", 1)}, {}};
COMPAT_DEVICE_TABLE(tbsvc, peer_ids);

static struct tb_service_driver peer_driver = {
	.driver.owner = THIS_MODULE,
	.driver.name = "tbstream",
	.driver.pm = pm_sleep_ptr(&peer_pm_ops),
	.probe = peer_probe,
	.remove = peer_remove,
	.id_table = peer_ids,
};

/*
 * Where a host controller is unbound, Linux 7.3 forgets its XDomains: .remove does not come, and it
 * complains of rings that are still there. Their router's end is what tells. The domain's lock is
 * held.
 */
static int peer_router_event(struct notifier_block *block, unsigned long event, void *data)
{
	struct tbs_peer *peer;

	if (event != BUS_NOTIFY_DEL_DEVICE)
		return NOTIFY_DONE;
	mutex_lock(&tbs_mutex);
	list_for_each_entry(peer, &peers, list) {
		if (peer->xd->dev.parent == data)
			config_break(peer);
	}
	mutex_unlock(&tbs_mutex);
	return NOTIFY_DONE;
}

static struct notifier_block peer_router_block = {
	.notifier_call = peer_router_event,
};

int peer_register(void)
{
	int ret = tb_register_service_driver(&peer_driver);

	if (ret)
		return ret;
	ret = bus_register_notifier(peer_driver.driver.bus, &peer_router_block);
	if (ret)
		tb_unregister_service_driver(&peer_driver);
	return ret;
}

void peer_unregister(void)
{
	bus_unregister_notifier(peer_driver.driver.bus, &peer_router_block);
	tb_unregister_service_driver(&peer_driver);
}

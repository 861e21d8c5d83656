// SPDX-License-Identifier: GPL-2.0-only
/*
 * configfs: thunderbolt/stream/<domain>-<route>.<service>/<name>/, as the kernel's
 * Documentation/ABI/testing/configfs-thunderbolt_stream describes it.
 */
#include "tbstream.h"

#include <linux/module.h>
#include <linux/slab.h>

#include "compat/compat.h"

static LIST_HEAD(groups); /* under tbs_mutex */
static DEFINE_IDA(indices);

static struct tbs_stream *to_stream(struct config_item *item)
{
	return container_of(to_config_group(item), struct tbs_stream, group);
}

static struct tbs_group *to_group(struct config_item *item)
{
	return container_of(to_config_group(item), struct tbs_group, group);
}

static void config_free(struct kref *ref)
{
	struct tbs_stream *stream = container_of(ref, struct tbs_stream, ref);

	ida_free(&indices, stream->index);
	kfree(stream);
}

void config_put(struct tbs_stream *stream)
{
	kref_put(&stream->ref, config_free);
}

static ssize_t config_index_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", to_stream(item)->index);
}
CONFIGFS_ATTR_RO(config_, index);

/*
 * What a store changes, it changes only while nobody has the device open and the last stream has
 * come to its end.
 */
static ssize_t config_store(struct config_item *item, const char *page, size_t count,
			    int (*set)(struct tbs_stream *stream, int value))
{
	struct tbs_stream *stream = to_stream(item);
	int value, ret;

	ret = kstrtoint(page, 0, &value);
	if (!ret)
		ret = engine_quiesce(stream);
	if (ret)
		return ret;
	mutex_lock(&tbs_mutex);
	ret = engine_busy(stream) ? -EBUSY : set(stream, value);
	mutex_unlock(&tbs_mutex);
	return ret ?: count;
}

static int config_set_ring_size(struct tbs_stream *stream, int value)
{
	if (value < TBS_RING_SIZE_MIN || value > TBS_RING_SIZE_MAX)
		return -EINVAL;
	stream->ring_size = value;
	return 0;
}

static int config_set_throttling(struct tbs_stream *stream, int value)
{
	if (value < 0 || value > TBS_THROTTLING_MAX)
		return -EINVAL;
	stream->throttling = value;
	return 0;
}

static int config_set_busy_poll(struct tbs_stream *stream, int value)
{
	if (value < 0 || value > 1)
		return -EINVAL;
	stream->busy_poll = value;
	return 0;
}

#define CONFIG_NUMBER(name, shown, set) \
	static ssize_t config_##name##_show(struct config_item *item, char *page) \
	{ \
		struct tbs_stream *stream = to_stream(item); \
		int value; \
\
		mutex_lock(&tbs_mutex); \
		value = shown; \
		mutex_unlock(&tbs_mutex); \
		return sysfs_emit(page, "%d\n", value); \
	} \
	static ssize_t config_##name##_store(struct config_item *item, const char *page, \
					     size_t count) \
	{ \
		return config_store(item, page, count, set); \
	} \
	CONFIGFS_ATTR(config_, name)

CONFIG_NUMBER(in_hopid, hopid_shown(stream, &stream->in), hopid_set_in);
CONFIG_NUMBER(out_hopid, hopid_shown(stream, &stream->out), hopid_set_out);
CONFIG_NUMBER(ring_size, stream->ring_size, config_set_ring_size);
CONFIG_NUMBER(throttling, stream->throttling, config_set_throttling);
CONFIG_NUMBER(busy_poll, stream->busy_poll, config_set_busy_poll);

static struct configfs_attribute *config_attrs[] = {
	&config_attr_index,
	&config_attr_in_hopid,
	&config_attr_out_hopid,
	&config_attr_ring_size,
	&config_attr_throttling,
	COMPAT_RING_FLAG_NO_INTERRUPT ? &config_attr_busy_poll : NULL,
	NULL};

static void config_stream_release(struct config_item *item)
{
	config_put(to_stream(item));
}

static struct configfs_item_operations config_stream_item_ops = {
	.release = config_stream_release,
};

static const struct config_item_type config_stream_type = {
	.ct_owner = THIS_MODULE,
	.ct_item_ops = &config_stream_item_ops,
	.ct_attrs = config_attrs,
};

static struct tbs_stream *config_stream_alloc(const char *name)
{
	struct tbs_stream *stream;
	int index;

	if (strlen(name) >= sizeof(stream->name))
		return ERR_PTR(-ENAMETOOLONG);
	index = ida_alloc(&indices, GFP_KERNEL);
	if (index < 0)
		return ERR_PTR(index);
	stream = kzalloc(sizeof(*stream), GFP_KERNEL);
	if (!stream) {
		ida_free(&indices, index);
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&stream->ref);
	strscpy(stream->name, name, sizeof(stream->name));
	stream->index = index;
	stream->ring_size = TBS_RING_SIZE;
	stream->throttling = TBS_THROTTLING;
	stream->tx_after = jiffies;
	spin_lock_init(&stream->lock);
	INIT_LIST_HEAD(&stream->sessions);
	init_waitqueue_head(&stream->idle);
	INIT_DELAYED_WORK(&stream->work, engine_work);
	return stream;
}

static void config_stream_attach(struct tbs_stream *stream, struct tbs_peer *peer)
{
	WRITE_ONCE(stream->peer, peer);
	hopid_attach(stream);
	session_kick(stream);
}

static void config_stream_detach(struct tbs_stream *stream)
{
	engine_detach(stream);
	hopid_detach(stream);
	WRITE_ONCE(stream->peer, NULL);
}

static struct config_group *config_make_stream(struct config_group *parent, const char *name)
{
	struct tbs_group *group = container_of(parent, struct tbs_group, group);
	struct tbs_stream *stream = config_stream_alloc(name);
	int ret;

	if (IS_ERR(stream))
		return ERR_CAST(stream);
	ret = dev_register(stream);
	if (ret) {
		config_put(stream);
		return ERR_PTR(ret);
	}
	config_group_init_type_name(&stream->group, name, &config_stream_type);
	mutex_lock(&tbs_mutex);
	list_add_tail(&stream->list, &group->streams);
	if (group->peer)
		config_stream_attach(stream, group->peer);
	mutex_unlock(&tbs_mutex);
	return &stream->group;
}

static void config_drop_stream(struct config_group *parent, struct config_item *item)
{
	struct tbs_stream *stream = to_stream(item);

	dev_unregister(stream);
	engine_end_all(stream);
	mutex_lock(&tbs_mutex);
	if (stream->peer)
		config_stream_detach(stream);
	list_del(&stream->list);
	mutex_unlock(&tbs_mutex);
	config_item_put(item);
}

static struct configfs_group_operations config_group_ops = {
	.make_group = config_make_stream,
	.drop_item = config_drop_stream,
};

static void config_group_release(struct config_item *item)
{
	kfree(to_group(item));
}

static struct configfs_item_operations config_group_item_ops = {
	.release = config_group_release,
};

static const struct config_item_type config_group_type = {
	.ct_owner = THIS_MODULE,
	.ct_group_ops = &config_group_ops,
	.ct_item_ops = &config_group_item_ops,
};

/* <domain>-<route>.<service>, as the bus names it; the route is hexadecimal. */
static bool config_name_valid(const char *name)
{
	unsigned int domain, service;
	unsigned long long route;
	int end = 0;

	return sscanf(name, "%u-%llx.%u%n", &domain, &route, &service, &end) == 3 && !name[end];
}

static struct config_group *config_make_group(struct config_group *parent, const char *name)
{
	struct tbs_group *group;

	if (!config_name_valid(name))
		return ERR_PTR(-EINVAL);
	group = kzalloc(sizeof(*group), GFP_KERNEL);
	if (!group)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&group->streams);
	config_group_init_type_name(&group->group, name, &config_group_type);
	mutex_lock(&tbs_mutex);
	group->peer = peer_find(name);
	list_add_tail(&group->list, &groups);
	mutex_unlock(&tbs_mutex);
	return &group->group;
}

static void config_drop_group(struct config_group *parent, struct config_item *item)
{
	mutex_lock(&tbs_mutex);
	list_del(&to_group(item)->list);
	mutex_unlock(&tbs_mutex);
	config_item_put(item);
}

static struct configfs_group_operations config_root_ops = {
	.make_group = config_make_group,
	.drop_item = config_drop_group,
};

static const struct config_item_type config_root_type = {
	.ct_owner = THIS_MODULE,
	.ct_group_ops = &config_root_ops,
};

static struct config_group config_root;

/* A peer is there: the group of its name, if there is one, and its streams are for it. */
void config_attach(struct tbs_peer *peer)
{
	struct tbs_group *group;
	struct tbs_stream *stream;

	lockdep_assert_held(&tbs_mutex);
	list_for_each_entry(group, &groups, list) {
		if (strcmp(config_item_name(&group->group.cg_item), dev_name(&peer->svc->dev)))
			continue;
		group->peer = peer;
		list_for_each_entry(stream, &group->streams, list)
			config_stream_attach(stream, peer);
	}
}

void config_detach(struct tbs_peer *peer)
{
	struct tbs_group *group;
	struct tbs_stream *stream;

	lockdep_assert_held(&tbs_mutex);
	list_for_each_entry(group, &groups, list) {
		if (group->peer != peer)
			continue;
		list_for_each_entry_reverse(stream, &group->streams, list)
			config_stream_detach(stream);
		group->peer = NULL;
	}
}

/* The streams that run end; their peer stays. */
void config_break(struct tbs_peer *peer)
{
	struct tbs_group *group;
	struct tbs_stream *stream;

	lockdep_assert_held(&tbs_mutex);
	list_for_each_entry(group, &groups, list) {
		if (group->peer != peer)
			continue;
		list_for_each_entry(stream, &group->streams, list)
			engine_detach(stream);
	}
}

int config_register(void)
{
	config_group_init_type_name(&config_root, "stream", &config_root_type);
	return compat_configfs_register(&config_root);
}

void config_unregister(void)
{
	compat_configfs_unregister(&config_root);
	ida_destroy(&indices);
}

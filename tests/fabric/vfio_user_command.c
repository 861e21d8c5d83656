// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/vfio.h>
#include <string.h>

#include "vfio_user_command.h"

#define VERSION_MAJOR 0
#define VERSION_MINOR 0

enum command {
	COMMAND_VERSION = 1,
	COMMAND_DMA_MAP = 2,
	COMMAND_DMA_UNMAP = 3,
	COMMAND_DEVICE_INFO = 4,
	COMMAND_REGION_INFO = 5,
	COMMAND_IRQ_INFO = 7,
	COMMAND_SET_IRQS = 8,
	COMMAND_REGION_READ = 9,
	COMMAND_REGION_WRITE = 10,
	COMMAND_RESET = 13,
	COMMAND_WRITE_MULTIPLE = 15,
	COMMANDS,
};

static const char capabilities[] = "{\"capabilities\":{\"max_msg_fds\":16,"
				   "\"max_data_xfer_size\":4096,\"write_multiple\":true}}";

static void reply_put(struct vfio_user_reply *reply, const void *data, size_t len)
{
	memcpy(reply->body + reply->len, data, len);
	reply->len += len;
}

static int handle_version(struct vfio_user *vu, struct vfio_user_request *request,
			  struct vfio_user_reply *reply)
{
	struct vfio_user_version version;

	(void)vu;
	memcpy(&version, request->body, sizeof(version));
	if (version.major != VERSION_MAJOR)
		return -EINVAL;
	version.minor = VERSION_MINOR;
	reply_put(reply, &version, sizeof(version));
	reply_put(reply, capabilities, sizeof(capabilities));
	return 0;
}

_Static_assert(VFIO_DMA_MAP_FLAG_READ == 1 && VFIO_DMA_MAP_FLAG_WRITE == 2,
	       "the device takes these flags as enum dma_prot");

static int handle_dma_map(struct vfio_user *vu, struct vfio_user_request *request,
			  struct vfio_user_reply *reply)
{
	struct vfio_user_dma_map map;

	(void)reply;
	memcpy(&map, request->body, sizeof(map));
	if (request->fd_count > 1)
		return -EINVAL;
	return vu->device->dma_map(vu->device_ctx, map.iova, map.size,
				   request->fd_count ? request->fds[0] : -1, map.offset, map.flags);
}

static int handle_dma_unmap(struct vfio_user *vu, struct vfio_user_request *request,
			    struct vfio_user_reply *reply)
{
	struct vfio_user_dma_unmap unmap;
	int ret = 0;

	memcpy(&unmap, request->body, sizeof(unmap));
	if (unmap.flags & ~VFIO_DMA_UNMAP_FLAG_ALL)
		return -EINVAL;
	if (unmap.flags & VFIO_DMA_UNMAP_FLAG_ALL)
		vu->device->dma_unmap_all(vu->device_ctx);
	else
		ret = vu->device->dma_unmap(vu->device_ctx, unmap.iova, unmap.size);
	reply_put(reply, &unmap, sizeof(unmap));
	return ret;
}

static int handle_device_info(struct vfio_user *vu, struct vfio_user_request *request,
			      struct vfio_user_reply *reply)
{
	const struct vfio_user_device_info info = {
		.argsz = sizeof(info),
		.flags = VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI,
		.regions = VFIO_USER_REGIONS,
		.irqs = VFIO_USER_IRQS,
	};

	(void)vu;
	(void)request;
	reply_put(reply, &info, sizeof(info));
	return 0;
}

static int handle_region_info(struct vfio_user *vu, struct vfio_user_request *request,
			      struct vfio_user_reply *reply)
{
	struct vfio_user_region_info info;

	memcpy(&info, request->body, sizeof(info));
	if (info.index >= VFIO_USER_REGIONS)
		return -EINVAL;
	info.argsz = sizeof(info);
	info.cap_offset = 0;
	info.size = vu->device->region_size[info.index];
	info.offset = 0;
	info.flags = info.size ? VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE : 0;
	reply_put(reply, &info, sizeof(info));
	return 0;
}

static int handle_irq_info(struct vfio_user *vu, struct vfio_user_request *request,
			   struct vfio_user_reply *reply)
{
	struct vfio_user_irq_info info;
	bool msix;

	memcpy(&info, request->body, sizeof(info));
	if (info.index >= VFIO_USER_IRQS)
		return -EINVAL;
	msix = info.index == VFIO_PCI_MSIX_IRQ_INDEX;
	info.argsz = sizeof(info);
	info.count = msix ? vu->device->vectors : 0;
	info.flags = msix ? VFIO_IRQ_INFO_EVENTFD : 0;
	reply_put(reply, &info, sizeof(info));
	return 0;
}

static bool irq_set_valid(const struct vfio_user *vu, const struct vfio_user_irq_set *set)
{
	const uint32_t count = set->index == VFIO_PCI_MSIX_IRQ_INDEX ? vu->device->vectors : 0;

	return set->index < VFIO_USER_IRQS && set->start <= count &&
	       set->count <= count - set->start;
}

/*
 * An eventfd for each vector from start on, or none at all, which takes them away; count 0 without
 * data disables all. QEMU masks and triggers vectors itself.
 */
static int handle_set_irqs(struct vfio_user *vu, struct vfio_user_request *request,
			   struct vfio_user_reply *reply)
{
	struct vfio_user_irq_set set;

	(void)reply;
	memcpy(&set, request->body, sizeof(set));
	if (!irq_set_valid(vu, &set))
		return -EINVAL;
	if (set.flags == (VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER) && !set.count) {
		if (set.index != VFIO_PCI_MSIX_IRQ_INDEX)
			return 0;
		for (uint32_t i = 0; i < vu->device->vectors; i++)
			vu->device->set_vector(vu->device_ctx, i, -1);
		return 0;
	}
	if (set.flags != (VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER) ||
	    (request->fd_count && request->fd_count != set.count))
		return -EINVAL;
	for (uint32_t i = 0; i < set.count; i++) {
		int fd = -1;

		if (request->fd_count) {
			fd = request->fds[i];
			request->fds[i] = -1;
		}
		vu->device->set_vector(vu->device_ctx, set.start + i, fd);
	}
	return 0;
}

static bool access_valid(const struct vfio_user *vu, const struct vfio_user_region_access *access)
{
	uint64_t end;

	return access->region < VFIO_USER_REGIONS && access->count <= VFIO_USER_DATA_MAX &&
	       !__builtin_add_overflow(access->offset, access->count, &end) &&
	       end <= vu->device->region_size[access->region];
}

static int handle_region_read(struct vfio_user *vu, struct vfio_user_request *request,
			      struct vfio_user_reply *reply)
{
	struct vfio_user_region_access access;
	int ret;

	memcpy(&access, request->body, sizeof(access));
	if (!access_valid(vu, &access))
		return -EINVAL;
	reply_put(reply, &access, sizeof(access));
	ret = vu->device->region_read(vu->device_ctx, access.region, access.offset,
				      reply->body + reply->len, access.count);
	reply->len += access.count;
	return ret;
}

static int handle_region_write(struct vfio_user *vu, struct vfio_user_request *request,
			       struct vfio_user_reply *reply)
{
	struct vfio_user_region_access access;

	memcpy(&access, request->body, sizeof(access));
	if (!access_valid(vu, &access) || request->len != sizeof(access) + access.count)
		return -EINVAL;
	reply_put(reply, &access, sizeof(access));
	return vu->device->region_write(vu->device_ctx, access.region, access.offset,
					request->body + sizeof(access), access.count);
}

static int handle_write_multiple(struct vfio_user *vu, struct vfio_user_request *request,
				 struct vfio_user_reply *reply)
{
	struct vfio_user_posted_write write;
	const uint8_t *at = request->body + sizeof(uint64_t);
	uint64_t count;

	(void)reply;
	memcpy(&count, request->body, sizeof(count));
	if (count != (request->len - sizeof(count)) / sizeof(write))
		return -EINVAL;
	for (; count; count--, at += sizeof(write)) {
		int ret;

		memcpy(&write, at, sizeof(write));
		if (write.access.count > sizeof(write.data) || !access_valid(vu, &write.access))
			return -EINVAL;
		ret = vu->device->region_write(vu->device_ctx, write.access.region,
					       write.access.offset, write.data, write.access.count);
		if (ret)
			return ret;
	}
	return 0;
}

static int handle_reset(struct vfio_user *vu, struct vfio_user_request *request,
			struct vfio_user_reply *reply)
{
	(void)request;
	(void)reply;
	vu->device->reset(vu->device_ctx);
	return 0;
}

static const struct command_entry {
	size_t body_min;
	int (*handle)(struct vfio_user *vu, struct vfio_user_request *request,
		      struct vfio_user_reply *reply);
} commands[COMMANDS] = {
	[COMMAND_VERSION] = {sizeof(struct vfio_user_version), handle_version},
	[COMMAND_DMA_MAP] = {sizeof(struct vfio_user_dma_map), handle_dma_map},
	[COMMAND_DMA_UNMAP] = {sizeof(struct vfio_user_dma_unmap), handle_dma_unmap},
	[COMMAND_DEVICE_INFO] = {sizeof(struct vfio_user_device_info), handle_device_info},
	[COMMAND_REGION_INFO] = {sizeof(struct vfio_user_region_info), handle_region_info},
	[COMMAND_IRQ_INFO] = {sizeof(struct vfio_user_irq_info), handle_irq_info},
	[COMMAND_SET_IRQS] = {sizeof(struct vfio_user_irq_set), handle_set_irqs},
	[COMMAND_REGION_READ] = {sizeof(struct vfio_user_region_access), handle_region_read},
	[COMMAND_REGION_WRITE] = {sizeof(struct vfio_user_region_access), handle_region_write},
	[COMMAND_RESET] = {0, handle_reset},
	[COMMAND_WRITE_MULTIPLE] = {sizeof(uint64_t), handle_write_multiple},
};

int vfio_user_command(struct vfio_user *vu, unsigned int command, struct vfio_user_request *request,
		      struct vfio_user_reply *reply)
{
	const struct command_entry *entry;

	if (command >= COMMANDS || !commands[command].handle)
		return -EOPNOTSUPP;
	entry = &commands[command];
	return request->len < entry->body_min ? -EINVAL : entry->handle(vu, request, reply);
}

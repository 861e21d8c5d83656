/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as the disk in an image, with the file system on all of it opened. */
#ifndef FILES_IMAGE_H
#define FILES_IMAGE_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "codec/pack.h"
#include "files/files.h"
#include "io/store.h"

#define FILES_IMAGE_CHUNK 65536u

struct files_image {
	int fd;
	struct view *view;
	struct view_device *device;
	struct files *files;
};

static inline int files_image_chunk(struct store *store, struct pack *pack, const uint8_t *content,
				    uint32_t len)
{
	static uint8_t frame[PACK_FRAME_MOST];
	struct image_entry entry = {0};
	size_t stored;

	if (pack_chunk(pack, content, len, frame, sizeof(frame), &stored) < 0)
		abort();
	digest_chunk(content, len, &entry.digest);
	entry.stored_size = stored;
	entry.stored_hash = digest_stored(frame, stored);
	if (len && chunk_is_zero(content, len))
		entry.flags = IMAGE_ENTRY_ZERO;
	return store_chunk(store, &entry, frame);
}

static inline void files_image_write(int fd, const uint8_t *disk, size_t size)
{
	const struct image_head head = {
		.transfer_id = {1},
		.map = {.size = size, .chunk_size = FILES_IMAGE_CHUNK},
		.created = 1,
		.identity = "{}",
		.identity_len = 2,
	};
	json_t *manifest = json_object();
	struct digest root;
	struct store *store;
	struct pack *pack;

	if (store_new(fd, &head, &store) < 0 || pack_new(1, &pack) < 0)
		abort();
	for (uint64_t i = 0; i < chunk_count(&head.map); i++)
		if (files_image_chunk(store, pack, disk + chunk_offset(&head.map, i),
				      chunk_length(&head.map, i)) < 0)
			abort();
	if (store_finish(store, manifest, &root) < 0)
		abort();
	json_decref(manifest);
	store_free(store);
	pack_free(pack);
}

/* Returns what files_open does. */
static inline int files_image_open(struct files_image *image, const uint8_t *disk, size_t size)
{
	*image = (struct files_image){.fd = memfd_create("image", MFD_CLOEXEC)};
	if (image->fd < 0)
		abort();
	files_image_write(image->fd, disk, size);
	if (view_open(image->fd, &image->view) < 0 ||
	    view_device_open(image->view, 0, size, &image->device) < 0)
		abort();
	return files_open(image->device, &image->files);
}

static inline void files_image_close(struct files_image *image)
{
	files_close(image->files);
	view_device_close(image->device);
	view_close(image->view);
	close(image->fd);
}

#endif

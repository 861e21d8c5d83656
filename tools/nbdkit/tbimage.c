// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nbdkit-tbimage-plugin: serves the device that a complete image holds, read-only. An image does
 * not change, so all connections share one view of it and one cache.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>
#include <zstd.h>

#include "codec/manifest_table.h"
#include "codec/text.h"
#include "io/view.h"
#include "nbdkit/cache.h"
#include "nbdkit/extents.h"

#define THREAD_MODEL NBDKIT_THREAD_MODEL_PARALLEL

/*
 * With this cache, half as many scratches (a compressed chunk each) and what nbdkit takes for the
 * requests of four connections a server stays below 64 MB.
 */
#define TBIMAGE_CACHE	     (24ll << 20)
#define TBIMAGE_LOADERS_MOST 16
/* Of a request: nbdkit has a buffer as long as that for every thread of a connection, of 16. */
#define TBIMAGE_REQUEST_MOST (1u << 20)

static struct {
	char *path; /* absolute: nbdkit changes its folder */
	int64_t cache_size;
	int fd;
	struct view *view;
	const struct chunk_map *map;
	struct extents *extents;
	struct cache *cache;
	unsigned int slots, loaders;
	struct view_scratch *scratches[TBIMAGE_LOADERS_MOST];
} tbimage = {.cache_size = TBIMAGE_CACHE, .fd = -1};

/* What is said may come from the image: no control character gets through. */
__attribute__((format(printf, 1, 2))) static void tbimage_error(const char *format, ...)
{
	char text[1024], clean[sizeof(text) + 1];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	clean[text_put(text, strlen(text), clean)] = '\0';
	nbdkit_error("%s", clean);
}

static void tbimage_load(void)
{
	/* Else glibc would keep the buffers of connections that have ended. */
	mallopt(M_MMAP_THRESHOLD, 128 << 10);
	/* The codec uses calls that an older library need not have in the same form. */
	if (ZSTD_versionNumber() >= ZSTD_VERSION_NUMBER)
		return;
	nbdkit_error("libzstd %s is older than the %s that this plugin was built with: update the "
		     "package libzstd1, or build the plugin again",
		     ZSTD_versionString(), ZSTD_VERSION_STRING);
	exit(EXIT_FAILURE);
}

static void tbimage_unload(void)
{
	cache_free(tbimage.cache);
	extents_free(tbimage.extents);
	for (unsigned int i = 0; i < tbimage.loaders; i++)
		view_scratch_free(tbimage.scratches[i]);
	view_close(tbimage.view);
	if (tbimage.fd >= 0)
		close(tbimage.fd);
	free(tbimage.path);
}

static int tbimage_config(const char *key, const char *value)
{
	if (!strcmp(key, "file")) {
		free(tbimage.path);
		tbimage.path = nbdkit_absolute_path(value);
		return tbimage.path ? 0 : -1;
	}
	if (!strcmp(key, "cache")) {
		tbimage.cache_size = nbdkit_parse_size(value);
		return tbimage.cache_size < 0 ? -1 : 0;
	}
	nbdkit_error("'%s' is no parameter of the tbimage plugin: it has file= and cache=", key);
	return -1;
}

static int tbimage_config_complete(void)
{
	if (tbimage.path)
		return 0;
	nbdkit_error("which image? Say `nbdkit tbimage laptop.zst`");
	return -1;
}

#define tbimage_config_help                                                           \
	"file=<IMAGE>   (required) The image, a complete one, as tbrecv writes it.\n" \
	"cache=<SIZE>   Memory for decompressed chunks (default: 24M)."

/* Loads for the cache. The threads that wait for the same chunk say nothing of their own. */
static int tbimage_load_chunk(void *arg, unsigned int loader, uint64_t index, void *content)
{
	uint64_t from = chunk_offset(tbimage.map, index);
	uint32_t len = chunk_length(tbimage.map, index);
	int r = view_chunk(tbimage.view, index, tbimage.scratches[loader], content);
	char where[256];

	(void)arg;
	if (r == 0)
		return 0;
	manifest_where(view_manifest(tbimage.view), from, len, where, sizeof(where));
	tbimage_error("%s: chunk %" PRIu64 " (device bytes %" PRIu64 " to %" PRIu64
		      "%s%s) cannot be read: %s; `tbstream verify %s` tells more",
		      tbimage.path, index, from, from + len - 1, *where ? ", " : "", where,
		      r == -EBADMSG ? "it is damaged" : strerror(-r), tbimage.path);
	return r;
}

static int tbimage_refuse(int r)
{
	const char *path = tbimage.path, *why = tbimage.view ? view_why(tbimage.view) : NULL;

	if (r == -ENODATA)
		tbimage_error(
			"%s is not served: it is not complete; `tbstream verify %s` tells how "
			"far it is right",
			path, path);
	else if (r == -EBADMSG)
		tbimage_error(
			"%s is not served: %s; `tbstream verify %s` tells what of it is right",
			path, why, path);
	else if (r == -ESPIPE)
		tbimage_error("%s is not served: it is no regular file, of which any part can be "
			      "read; copy it to one",
			      path);
	else
		tbimage_error("%s is not served: %s", path, why ? why : strerror(-r));
	return -1;
}

/* How much may be in memory at once follows from cache=. */
static int tbimage_make_cache(void)
{
	int64_t slots = tbimage.cache_size / tbimage.map->chunk_size;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int r = 0;

	tbimage.slots = slots < 1 ? 1 : slots > CACHE_SLOTS_MOST ? CACHE_SLOTS_MOST : slots;
	unsigned int most =
		tbimage.slots / 2 < TBIMAGE_LOADERS_MOST ? tbimage.slots / 2 : TBIMAGE_LOADERS_MOST;
	if (processors > 0 && most > processors)
		most = processors;
	for (unsigned int i = 0; r == 0 && i < (most ? most : 1); i++) {
		r = view_scratch_new(tbimage.view, &tbimage.scratches[i]);
		tbimage.loaders += r == 0;
	}
	struct cache_options options = {
		.chunk_size = chunk_length(tbimage.map, 0),
		.slots = tbimage.slots,
		.loaders = tbimage.loaders,
		.load = tbimage_load_chunk,
	};
	return r < 0 ? r : cache_new(&options, &tbimage.cache);
}

/* The last moment at which a refusal is seen where nbdkit was called. */
static int tbimage_get_ready(void)
{
	tbimage.fd = open(tbimage.path, O_RDONLY | O_CLOEXEC);
	if (tbimage.fd < 0) {
		tbimage_error("%s cannot be opened for reading: %s", tbimage.path, strerror(errno));
		return -1;
	}
	int r = view_open(tbimage.fd, &tbimage.view);

	if (r < 0)
		return tbimage_refuse(r);
	tbimage.map = &view_head(tbimage.view)->map;
	r = extents_new(tbimage.view, &tbimage.extents);
	/* They can be the most of it, and stand in extents now. */
	json_object_del(view_manifest(tbimage.view), "unallocated");
	if (r == 0)
		r = tbimage_make_cache();
	if (r == 0)
		return 0;
	tbimage_error("%s is not served: %s", tbimage.path,
		      r == -ENOMEM ? "memory ran out; a smaller cache= takes less" : strerror(-r));
	return -1;
}

static void *tbimage_open(int readonly)
{
	(void)readonly;
	return NBDKIT_HANDLE_NOT_NEEDED;
}

static int64_t tbimage_get_size(void *handle)
{
	(void)handle;
	return tbimage.map->size;
}

static int tbimage_can_multi_conn(void *handle)
{
	(void)handle;
	return 1;
}

static int tbimage_block_size(void *handle, uint32_t *minimum, uint32_t *preferred,
			      uint32_t *maximum)
{
	(void)handle;
	*minimum = 1;
	*preferred = 4096;
	*maximum = TBIMAGE_REQUEST_MOST;
	return 0;
}

static int tbimage_can_cache(void *handle)
{
	(void)handle;
	return NBDKIT_CACHE_NATIVE;
}

/* TABLE, or the file below it, is not what it was. Damage of a chunk was told when it was loaded.
 */
static int tbimage_table_failed(int r)
{
	tbimage_error("%s: its table cannot be read: %s", tbimage.path,
		      r == -EBADMSG ? "the file has changed since it was opened" : strerror(-r));
	nbdkit_set_error(EIO);
	return -1;
}

static int tbimage_pread(void *handle, void *buf, uint32_t count, uint64_t offset, uint32_t flags)
{
	uint8_t *to = buf;

	(void)handle;
	(void)flags;
	while (count) {
		uint64_t index = offset / tbimage.map->chunk_size;
		uint32_t from = offset % tbimage.map->chunk_size;
		uint32_t left = chunk_length(tbimage.map, index) - from;
		uint32_t len = count < left ? count : left;
		int r = extents_chunk_zero(tbimage.extents, index);

		if (r < 0)
			return tbimage_table_failed(r);
		/* Zeros need no frame, and no place in the cache. */
		if (r)
			memset(to, 0, len);
		else
			r = cache_read(tbimage.cache, index, from, len, to);
		if (r < 0) {
			nbdkit_set_error(r == -ENOMEM ? ENOMEM : EIO);
			return -1;
		}
		to += len;
		offset += len;
		count -= len;
	}
	return 0;
}

/* Loads what will be read soon, but no more than half of what there is room for. */
static int tbimage_cache(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	uint64_t index = offset / tbimage.map->chunk_size;
	uint64_t last = (offset + count - 1) / tbimage.map->chunk_size;

	(void)handle;
	(void)flags;
	for (unsigned int i = 0; count && index <= last && i <= tbimage.slots / 2; i++, index++) {
		int r = extents_chunk_zero(tbimage.extents, index);

		if (r == 0)
			r = cache_read(tbimage.cache, index, 0, 0, NULL);
		if (r < 0) {
			nbdkit_set_error(EIO);
			return -1;
		}
	}
	return 0;
}

/* The list, and whether only its first entry was asked for. */
struct tbimage_list {
	struct nbdkit_extents *extents;
	bool one;
};

static int tbimage_add_extent(void *arg, uint64_t offset, uint64_t length, enum extents_kind kind)
{
	struct tbimage_list *list = arg;
	uint32_t type = kind == EXTENTS_HOLE   ? NBDKIT_EXTENT_HOLE | NBDKIT_EXTENT_ZERO
			: kind == EXTENTS_ZERO ? NBDKIT_EXTENT_ZERO
					       : 0;

	if (nbdkit_add_extent(list->extents, offset, length, type) < 0)
		return -errno;
	return list->one;
}

static int tbimage_extents(void *handle, uint32_t count, uint64_t offset, uint32_t flags,
			   struct nbdkit_extents *extents)
{
	struct tbimage_list list = {extents, flags & NBDKIT_FLAG_REQ_ONE};
	int r = extents_list(tbimage.extents, offset, count, tbimage_add_extent, &list);

	(void)handle;
	return r < 0 ? tbimage_table_failed(r) : 0;
}

static struct nbdkit_plugin plugin = {
	.name = "tbimage",
	.version = TBSTREAM_VERSION,
	.longname = "images of tbstream",
	.description = "serves the disk that an image of tbstream holds, read-only",
	.magic_config_key = "file",
	.load = tbimage_load,
	.unload = tbimage_unload,
	.config = tbimage_config,
	.config_complete = tbimage_config_complete,
	.config_help = tbimage_config_help,
	.get_ready = tbimage_get_ready,
	.open = tbimage_open,
	.get_size = tbimage_get_size,
	.can_multi_conn = tbimage_can_multi_conn,
	.block_size = tbimage_block_size,
	.can_cache = tbimage_can_cache,
	.pread = tbimage_pread,
	.cache = tbimage_cache,
	.extents = tbimage_extents,
};

/* nbdkit's macro leaves the prototype out. */
NBDKIT_DLL_PUBLIC struct nbdkit_plugin *plugin_init(void);
NBDKIT_REGISTER_PLUGIN(plugin)

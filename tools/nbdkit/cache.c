// SPDX-License-Identifier: GPL-2.0-or-later
#include "nbdkit/cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum slot_state { SLOT_EMPTY, SLOT_LOADING, SLOT_READY, SLOT_FAILED };

struct cache_slot {
	enum slot_state state;
	int error; /* of SLOT_FAILED */
	uint64_t index;
	uint64_t used;	    /* the clock when it was */
	unsigned int users; /* threads that wait for it or copy out of it: it stays as it is */
	uint8_t *content;   /* made when it is first needed; free of the lock for who uses it */
};

struct cache {
	struct cache_options options;
	pthread_mutex_t lock; /* for all below */
	pthread_cond_t changed;
	uint64_t clock;
	unsigned int *idle; /* loaders */
	unsigned int idle_count;
	struct cache_slot *slots;
};

int cache_new(const struct cache_options *options, struct cache **ret)
{
	if (!options->slots || options->slots > CACHE_SLOTS_MOST || !options->loaders ||
	    options->loaders > options->slots)
		return -EINVAL;
	struct cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	cache->options = *options;
	pthread_mutex_init(&cache->lock, NULL);
	pthread_cond_init(&cache->changed, NULL);
	cache->slots = calloc(options->slots, sizeof(*cache->slots));
	cache->idle = calloc(options->loaders, sizeof(*cache->idle));
	if (!cache->slots || !cache->idle) {
		cache_free(cache);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < options->loaders; i++)
		cache->idle[cache->idle_count++] = i;
	*ret = cache;
	return 0;
}

void cache_free(struct cache *cache)
{
	if (!cache)
		return;
	for (unsigned int i = 0; cache->slots && i < cache->options.slots; i++)
		free(cache->slots[i].content);
	free(cache->slots);
	free(cache->idle);
	pthread_cond_destroy(&cache->changed);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* The slot of chunk INDEX. One that failed is only there for those who wait for it already. */
static struct cache_slot *cache_find(struct cache *cache, uint64_t index)
{
	for (unsigned int i = 0; i < cache->options.slots; i++) {
		struct cache_slot *slot = &cache->slots[i];

		if ((slot->state == SLOT_LOADING || slot->state == SLOT_READY) &&
		    slot->index == index)
			return slot;
	}
	return NULL;
}

/* An empty slot, else the one whose last use is the longest ago. NULL: all are in use. */
static struct cache_slot *cache_victim(struct cache *cache)
{
	struct cache_slot *oldest = NULL;

	for (unsigned int i = 0; i < cache->options.slots; i++) {
		struct cache_slot *slot = &cache->slots[i];

		if (slot->state == SLOT_EMPTY)
			return slot;
		if (slot->state == SLOT_READY && !slot->users &&
		    (!oldest || slot->used < oldest->used))
			oldest = slot;
	}
	return oldest;
}

/* Loads chunk INDEX into SLOT, which is nobody's. The lock is let go of meanwhile. */
static void cache_load(struct cache *cache, struct cache_slot *slot, uint64_t index)
{
	unsigned int loader = cache->idle[--cache->idle_count];
	int r = -ENOMEM;

	slot->state = SLOT_LOADING;
	slot->index = index;
	slot->users = 1;
	pthread_mutex_unlock(&cache->lock);
	if (!slot->content)
		slot->content = malloc(cache->options.chunk_size);
	if (slot->content)
		r = cache->options.load(cache->options.arg, loader, index, slot->content);
	pthread_mutex_lock(&cache->lock);
	slot->state = r < 0 ? SLOT_FAILED : SLOT_READY;
	slot->error = r;
	cache->idle[cache->idle_count++] = loader;
	pthread_cond_broadcast(&cache->changed);
}

/* The slot of chunk INDEX, ready or failed, of which the caller is a user now. */
static struct cache_slot *cache_get(struct cache *cache, uint64_t index)
{
	struct cache_slot *slot;

	for (;;) {
		slot = cache_find(cache, index);
		if (slot) {
			slot->users++;
			break;
		}
		slot = cache->idle_count ? cache_victim(cache) : NULL;
		if (slot) {
			cache_load(cache, slot, index);
			break;
		}
		/* Whoever has the loaders and the slots needs nothing else to end. */
		pthread_cond_wait(&cache->changed, &cache->lock);
	}
	while (slot->state == SLOT_LOADING)
		pthread_cond_wait(&cache->changed, &cache->lock);
	slot->used = ++cache->clock;
	return slot;
}

static void cache_put(struct cache *cache, struct cache_slot *slot)
{
	if (--slot->users)
		return;
	if (slot->state == SLOT_FAILED)
		slot->state = SLOT_EMPTY;
	pthread_cond_broadcast(&cache->changed);
}

int cache_read(struct cache *cache, uint64_t index, size_t from, size_t len, void *buf)
{
	pthread_mutex_lock(&cache->lock);
	struct cache_slot *slot = cache_get(cache, index);
	int r = slot->state == SLOT_FAILED ? slot->error : 0;

	if (r == 0 && len) {
		pthread_mutex_unlock(&cache->lock);
		memcpy(buf, slot->content + from, len);
		pthread_mutex_lock(&cache->lock);
	}
	cache_put(cache, slot);
	pthread_mutex_unlock(&cache->lock);
	return r;
}

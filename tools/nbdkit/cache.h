/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The chunks of an image that were read last, decompressed, for any number of threads. Two of them
 * that want the same chunk load it once. What it takes is bounded: SLOTS chunks, of which LOADERS
 * are being loaded at a time, each with a loader's own scratch.
 */
#ifndef NBDKIT_CACHE_H
#define NBDKIT_CACHE_H

#include <stddef.h>
#include <stdint.h>

/* More of them would be searched for longer than they save. */
#define CACHE_SLOTS_MOST 1024u

struct cache_options {
	size_t chunk_size; /* of the longest chunk, bytes */
	unsigned int slots;
	unsigned int loaders; /* at most as many as slots */
	/*
	 * Writes chunk INDEX to CONTENT; no other call with this LOADER, 0 to loaders - 1, runs at
	 * the time. Returns 0 or -errno, which every thread that waits for the chunk gets; it is
	 * not kept.
	 */
	int (*load)(void *arg, unsigned int loader, uint64_t index, void *content);
	void *arg;
};

struct cache;

/* Returns 0, -EINVAL (no slots or loaders, or too many) or -ENOMEM. */
int cache_new(const struct cache_options *options, struct cache **ret);
/* No thread is in it any more. NULL is fine. */
void cache_free(struct cache *cache);

/*
 * Copies LEN bytes from byte FROM of chunk INDEX on to BUF (with LEN 0 it only loads it). They have
 * to be in the chunk. Returns 0, what load returned, or -ENOMEM.
 */
int cache_read(struct cache *cache, uint64_t index, size_t from, size_t len, void *buf);

#endif

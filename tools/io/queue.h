/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bounded queue of owned pointers: the first that went in comes out first. It knows no lock and
 * waits for nothing: whoever shares one guards it with the lock and the condition of what it
 * belongs to.
 */
#ifndef IO_QUEUE_H
#define IO_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#define QUEUE_MOST 16

struct queue {
	void *items[QUEUE_MOST];
	size_t limit; /* how many it takes, 1 to QUEUE_MOST */
	size_t first, count;
};

/* An empty queue of at most LIMIT items. */
void queue_setup(struct queue *queue, size_t limit);
bool queue_empty(const struct queue *queue);
bool queue_full(const struct queue *queue);
/* Puts ITEM, which is the queue's from then on; the queue must not be full. */
void queue_put(struct queue *queue, void *item);
/* Takes the oldest item, which is the caller's from then on; NULL when there is none. */
void *queue_get(struct queue *queue);
/* Frees every item with free(). */
void queue_clear(struct queue *queue);

#endif

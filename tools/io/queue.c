// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/queue.h"

#include <assert.h>
#include <stdlib.h>

void queue_setup(struct queue *queue, size_t limit)
{
	assert(limit >= 1 && limit <= QUEUE_MOST);
	*queue = (struct queue){.limit = limit};
}

bool queue_empty(const struct queue *queue)
{
	return queue->count == 0;
}

bool queue_full(const struct queue *queue)
{
	return queue->count == queue->limit;
}

void queue_put(struct queue *queue, void *item)
{
	assert(!queue_full(queue));
	queue->items[(queue->first + queue->count) % queue->limit] = item;
	queue->count++;
}

void *queue_get(struct queue *queue)
{
	void *item;

	if (queue_empty(queue))
		return NULL;
	item = queue->items[queue->first];
	queue->first = (queue->first + 1) % queue->limit;
	queue->count--;
	return item;
}

void queue_clear(struct queue *queue)
{
	while (!queue_empty(queue))
		free(queue_get(queue));
}

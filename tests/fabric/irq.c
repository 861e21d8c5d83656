// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <unistd.h>

#include "irq.h"

void irq_init(struct irq *irq)
{
	*irq = (struct irq){0};
	for (unsigned int i = 0; i < IRQ_VECTORS; i++)
		irq->fd[i] = -1;
}

void irq_reset(struct irq *irq)
{
	irq->status = 0;
	irq->again = 0;
	irq->mask = 0;
	irq->lost = 0;
	for (unsigned int i = 0; i < IRQ_VECTOR_WORDS; i++)
		irq->alloc[i] = 0;
}

void irq_release(struct irq *irq)
{
	for (unsigned int i = 0; i < IRQ_VECTORS; i++)
		irq_set_fd(irq, i, -1);
	irq_reset(irq);
}

static void vector_fire(struct irq *irq, unsigned int vector)
{
	const uint64_t one = 1;

	/* An eventfd that is full has an interrupt on the way already. */
	if (irq->fd[vector] < 0 || write(irq->fd[vector], &one, sizeof(one)) < 0)
		irq->lost |= irq->fd[vector] < 0 ? 1u << vector : 0;
}

void irq_set_fd(struct irq *irq, unsigned int vector, int fd)
{
	if (irq->fd[vector] >= 0)
		close(irq->fd[vector]);
	irq->fd[vector] = fd;
	if (fd >= 0) /* a full one must not stop the whole fabric */
		fcntl(fd, F_SETFL, O_NONBLOCK);
	if (fd >= 0 && irq->lost & 1u << vector) {
		irq->lost &= ~(1u << vector);
		vector_fire(irq, vector);
	}
}

static void source_fire(struct irq *irq, unsigned int source)
{
	vector_fire(irq, irq->alloc[source / 8] >> source % 8 * 4 & 0xf);
}

void irq_raise(struct irq *irq, unsigned int source)
{
	const uint64_t bit = UINT64_C(1) << source;

	if (irq->status & bit) {
		irq->again |= bit;
		return;
	}
	irq->status |= bit;
	if (source < IRQ_MASKABLE && irq->mask & bit)
		source_fire(irq, source);
}

uint32_t irq_status(const struct irq *irq, unsigned int word)
{
	return (uint32_t)(irq->status >> 32 * word);
}

void irq_clear(struct irq *irq, unsigned int word, uint32_t bits)
{
	const uint64_t cleared = irq->status & (uint64_t)bits << 32 * word;
	uint64_t again = irq->again & cleared;

	irq->status &= ~cleared;
	irq->again &= ~cleared;
	for (; again; again &= again - 1)
		irq_raise(irq, (unsigned int)__builtin_ctzll(again));
}

void irq_set_mask(struct irq *irq, uint32_t mask)
{
	uint32_t risen = mask & ~irq->mask & (uint32_t)irq->status;

	irq->mask = mask;
	for (; risen; risen &= risen - 1)
		source_fire(irq, (unsigned int)__builtin_ctz(risen));
}

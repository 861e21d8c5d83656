// SPDX-License-Identifier: GPL-2.0-only
/*
 * A ring and its frames. RX frames are read in the order in which they were posted, whatever the
 * order in which their completions are processed: the interrupt's work and a poll may overlap.
 */
#include "tbstream.h"

#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include "compat/compat.h"

static enum dma_data_direction ring_direction(const struct tbs_ring *ring)
{
	return ring->is_tx ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
}

static void ring_tx_done(struct tb_ring *hw, struct ring_frame *rf, bool canceled)
{
	struct tbs_frame *frame = container_of(rf, struct tbs_frame, frame);
	struct tbs_ring *ring = frame->ring;
	bool sleeper;

	if (canceled)
		return;
	if (frame == &ring->close)
		WRITE_ONCE(ring->shut_done, true);
	else
		atomic_long_inc(&ring->done);
	/* A full barrier, too: who begins to close looks at the frames after that, see session.c.
	 */
	sleeper = wq_has_sleeper(&ring->wait);
	session_tx_taken(ring->session);
	if (sleeper)
		wake_up_poll(&ring->wait, EPOLLOUT | EPOLLWRNORM);
}

static void ring_rx_done(struct tb_ring *hw, struct ring_frame *rf, bool canceled)
{
	struct tbs_frame *frame = container_of(rf, struct tbs_frame, frame);
	struct tbs_ring *ring = frame->ring;
	bool sleeper;

	if (canceled)
		return;
	frame->size = rf->size ?: TBS_FRAME_SIZE;
	dma_sync_single_for_cpu(tb_ring_dma_device(hw), rf->buffer_phy, frame->size,
				DMA_FROM_DEVICE);
	/* Whoever sees the frame done sees all of it. */
	smp_store_release(&frame->done, true);
	/* A full barrier, as in ring_tx_done(). */
	sleeper = wq_has_sleeper(&ring->wait);
	session_rx_arrived(ring->session, frame);
	if (sleeper)
		wake_up_poll(&ring->wait, EPOLLIN | EPOLLRDNORM);
}

void ring_init(struct tbs_ring *ring, struct tbs_session *session, bool is_tx)
{
	ring->session = session;
	ring->is_tx = is_tx;
	spin_lock_init(&ring->lock);
	mutex_init(&ring->mutex);
	init_waitqueue_head(&ring->wait);
}

static int ring_frame_alloc(struct tbs_ring *ring, struct tbs_frame *frame)
{
	struct device *dma = tb_ring_dma_device(ring->hw);

	frame->page = alloc_page(GFP_KERNEL);
	if (!frame->page)
		return -ENOMEM;
	frame->ring = ring;
	frame->frame.callback = ring->is_tx ? ring_tx_done : ring_rx_done;
	frame->frame.sof = TBS_PDF_START;
	frame->frame.buffer_phy =
		dma_map_page(dma, frame->page, 0, TBS_FRAME_SIZE, ring_direction(ring));
	if (dma_mapping_error(dma, frame->frame.buffer_phy)) {
		frame->frame.buffer_phy = 0;
		return -ENOMEM;
	}
	return 0;
}

static void ring_frame_unmap(struct tbs_ring *ring, struct tbs_frame *frame)
{
	if (frame->frame.buffer_phy)
		dma_unmap_page(tb_ring_dma_device(ring->hw), frame->frame.buffer_phy,
			       TBS_FRAME_SIZE, ring_direction(ring));
	frame->frame.buffer_phy = 0;
}

/*
 * The hardware leaves one descriptor of a ring unused. A TX ring keeps another one for CLOSE, which
 * so goes out however full the ring is.
 */
int ring_alloc(struct tbs_ring *ring, struct tb_nhi *nhi, unsigned int size, int e2e_tx_hop)
{
	unsigned int flags = RING_FLAG_FRAME | RING_FLAG_E2E;
	struct tbs_frame *frames;
	int ret = 0;

	if (ring->session->busy_poll)
		flags |= COMPAT_RING_FLAG_NO_INTERRUPT;
	if (ring->is_tx)
		ring->hw = tb_ring_alloc_tx(nhi, -1, size, flags);
	else
		ring->hw = tb_ring_alloc_rx(nhi, -1, size, flags, e2e_tx_hop, BIT(TBS_PDF_START),
					    BIT(TBS_PDF_DATA) | BIT(TBS_PDF_CLOSE), NULL, NULL);
	if (!ring->hw)
		return -ENOMEM;
	ring->count = ring->is_tx ? size - 2 : size - 1;
	frames = kvcalloc(ring->count, sizeof(*frames), GFP_KERNEL);
	if (!frames)
		return -ENOMEM;
	/* Readers look for frames at any time. */
	smp_store_release(&ring->frames, frames);
	for (unsigned int i = 0; i < ring->count && !ret; i++)
		ret = ring_frame_alloc(ring, &ring->frames[i]);
	if (ring->is_tx && !ret)
		ret = ring_frame_alloc(ring, &ring->close);
	return ret;
}

int ring_start(struct tbs_ring *ring, unsigned int throttling)
{
	int ret = 0;

	compat_ring_start(ring->hw, throttling);
	for (unsigned int i = 0; i < ring->count && !ring->is_tx && !ret; i++)
		ret = tb_ring_rx(ring->hw, &ring->frames[i].frame);
	spin_lock(&ring->lock);
	ring->running = true;
	spin_unlock(&ring->lock);
	return ret;
}

/* Processes what is complete. Beside interrupts that does no harm, without them it is the way. */
void ring_poll(struct tbs_ring *ring)
{
	struct ring_frame *frame;

	while ((frame = tb_ring_poll(ring->hw)))
		frame->callback(ring->hw, frame, false);
}

/* Stops DMA. What was complete counts, also where its interrupt's work had not come to it. */
void ring_stop(struct tbs_ring *ring)
{
	bool running;

	spin_lock(&ring->lock);
	running = ring->running;
	ring->running = false;
	spin_unlock(&ring->lock);
	if (!running)
		return;
	ring_poll(ring);
	compat_ring_stop(ring->hw);
	for (unsigned int i = 0; i < ring->count; i++)
		ring_frame_unmap(ring, &ring->frames[i]);
	ring_frame_unmap(ring, &ring->close);
}

/* Gives the hardware's ring back; the frames stay. Also after a ring_alloc() that failed. */
void ring_release(struct tbs_ring *ring)
{
	if (!ring->hw)
		return;
	for (unsigned int i = 0; i < ring->count && ring->frames; i++)
		ring_frame_unmap(ring, &ring->frames[i]);
	ring_frame_unmap(ring, &ring->close);
	tb_ring_free(ring->hw);
	ring->hw = NULL;
}

static void ring_frame_free(struct tbs_frame *frame)
{
	if (frame->page)
		__free_page(frame->page);
}

void ring_free(struct tbs_ring *ring)
{
	for (unsigned int i = 0; i < ring->count && ring->frames; i++)
		ring_frame_free(&ring->frames[i]);
	kvfree(ring->frames);
	ring_frame_free(&ring->close);
}

bool ring_tx_room(struct tbs_ring *ring)
{
	return READ_ONCE(ring->posted) - atomic_long_read(&ring->done) < ring->count;
}

/* Whether the peer's ring has taken all DATA. */
bool ring_tx_idle(struct tbs_ring *ring)
{
	return READ_ONCE(ring->posted) == atomic_long_read(&ring->done);
}

/* With ring->lock held: a stopped ring has no mapped frames any more. */
static int ring_tx_post(struct tbs_ring *ring, struct tbs_frame *frame, size_t size, u32 pdf)
{
	frame->frame.size = size < TBS_FRAME_SIZE ? size : 0;
	frame->frame.eof = pdf;
	dma_sync_single_for_device(tb_ring_dma_device(ring->hw), frame->frame.buffer_phy, size,
				   DMA_TO_DEVICE);
	return tb_ring_tx(ring->hw, &frame->frame);
}

/*
 * Sends up to a frame of FROM; the caller has seen that there is room, and holds ring->mutex.
 * Returns the bytes taken, or -EPIPE where the ring takes no more.
 */
int ring_tx_data(struct tbs_ring *ring, struct iov_iter *from)
{
	struct tbs_frame *frame = &ring->frames[ring->next];
	size_t size;
	int ret = -EPIPE;

	size = min_t(size_t, iov_iter_count(from), TBS_FRAME_SIZE);
	size = copy_page_from_iter(frame->page, 0, size, from);
	if (!size)
		return -EFAULT;
	spin_lock(&ring->lock);
	if (ring->running && !ring->shut)
		ret = ring_tx_post(ring, frame, size, TBS_PDF_DATA);
	if (!ret) {
		ring->posted++;
		ring->bytes += size;
	}
	spin_unlock(&ring->lock);
	if (ret) {
		iov_iter_revert(from, size);
		return -EPIPE;
	}
	ring->next = ring->next + 1 < ring->count ? ring->next + 1 : 0;
	return size;
}

/* No DATA goes out after it. */
int ring_tx_close(struct tbs_ring *ring, u32 flags)
{
	struct tbs_close *close = page_address(ring->close.page);
	int ret = -EPIPE;

	spin_lock(&ring->lock);
	if (ring->running && !ring->shut) {
		ring->shut = true;
		memset(close, 0, TBS_CLOSE_SIZE);
		close->magic = cpu_to_le32(TBS_CLOSE_MAGIC);
		close->flags = cpu_to_le32(flags);
		close->bytes = cpu_to_le64(ring->bytes);
		ret = ring_tx_post(ring, &ring->close, TBS_CLOSE_SIZE, TBS_PDF_CLOSE);
	}
	spin_unlock(&ring->lock);
	return ret;
}

/* Drops the DATA that the peer has not taken, to make way for a CLOSE that says so. */
void ring_tx_cancel(struct tbs_ring *ring, unsigned int throttling)
{
	spin_lock(&ring->lock);
	ring->running = false;
	spin_unlock(&ring->lock);
	ring_poll(ring);
	compat_ring_stop(ring->hw);
	WRITE_ONCE(ring->posted, atomic_long_read(&ring->done));
	ring_start(ring, throttling);
}

/* The next frame in order, or NULL where it has not come yet; with ring->mutex held. */
struct tbs_frame *ring_rx_frame(struct tbs_ring *ring)
{
	/* Pairs with ring_alloc(). */
	struct tbs_frame *frame = smp_load_acquire(&ring->frames);

	if (!frame)
		return NULL;
	frame += READ_ONCE(ring->next);
	/* Pairs with ring_rx_done(). */
	return smp_load_acquire(&frame->done) ? frame : NULL;
}

/* The frame is read: it goes back to the hardware, unless that is gone. */
void ring_rx_consume(struct tbs_ring *ring)
{
	struct tbs_frame *frame = &ring->frames[ring->next];

	frame->done = false;
	frame->offset = 0;
	WRITE_ONCE(ring->next, ring->next + 1 < ring->count ? ring->next + 1 : 0);
	spin_lock(&ring->lock);
	if (ring->running) {
		dma_sync_single_for_device(tb_ring_dma_device(ring->hw), frame->frame.buffer_phy,
					   TBS_FRAME_SIZE, DMA_FROM_DEVICE);
		tb_ring_rx(ring->hw, &frame->frame);
	}
	spin_unlock(&ring->lock);
}

/* What a frame is to the stream: 0 for DATA, -EPIPE for CLOSE, -EIO for one that cannot be used. */
int ring_rx_verdict(const struct tbs_frame *frame)
{
	if (frame->frame.flags & (RING_DESC_CRC_ERROR | RING_DESC_BUFFER_OVERRUN))
		return -EIO;
	switch (frame->frame.eof) {
	case TBS_PDF_DATA: return 0;
	case TBS_PDF_CLOSE: return -EPIPE;
	default: return -EIO;
	}
}

static const struct tbs_close *ring_rx_close(const struct tbs_frame *frame)
{
	const struct tbs_close *close = page_address(frame->page);

	if (frame->size < sizeof(*close) || le32_to_cpu(close->magic) != TBS_CLOSE_MAGIC)
		return NULL;
	return close;
}

/* The flags of a CLOSE; those of other drivers have none. */
u32 ring_rx_close_flags(const struct tbs_frame *frame)
{
	const struct tbs_close *close = ring_rx_close(frame);

	return close ? le32_to_cpu(close->flags) : 0;
}

/*
 * What reading says at a CLOSE: 0, an end of file, only where nothing is missing. A reply is the
 * peer's answer to our CLOSE, and its writer has not come to an end: who can still read here has
 * lost the peer, or the stream.
 */
int ring_rx_end(const struct tbs_ring *ring, const struct tbs_frame *frame)
{
	const struct tbs_close *close = ring_rx_close(frame);

	if (!close)
		return 0;
	if (le32_to_cpu(close->flags) & TBS_CLOSE_REPLY)
		return -ENXIO;
	if (le32_to_cpu(close->flags) & TBS_CLOSE_ABORT || le64_to_cpu(close->bytes) != ring->bytes)
		return -EIO;
	return 0;
}

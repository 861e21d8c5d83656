// SPDX-License-Identifier: GPL-2.0-only
/*
 * A peer that keeps to no rule of USB4STREAM, in the driver's place:
 *
 *   insmod hostile.ko
 *   echo WORD > /sys/module/tbstream/parameters/do
 *
 * WORD: start, stop, offer, withdraw, or the name of a frame to be sent. "do" is not to be written
 * while the other host comes or goes: here nothing is guarded against that.
 */
#include "hostile.h"

#include <linux/completion.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/thunderbolt.h>

#define RING_SIZE 32
#define FRAMES	  16 /* for what the other host sends */
#define PATIENCE  (3 * HZ)

/* What begins a CLOSE of tbstream. */
struct close {
	__le32 magic;
	__le32 flags;
	__le64 bytes;
};

static const struct kind {
	const char *name;
	unsigned int sof;
	unsigned int eof;
	unsigned int size; /* 0: 4096 */
	struct close close;
} kinds[] = {
	{"data", 1, 2, 0},
	{"data-byte", 1, 2, 1},
	{"wrong-start", 2, 2, 64},
	{"wrong-end", 1, 9, 64},
	{"no-end", 1, 0, 64},
	{"close", 1, 3, 256},
	{"close-full", 1, 3, 0},
	{"close-byte", 1, 3, 1},
	{"close-short", 1, 3, 8, {cpu_to_le32(0x54425354), cpu_to_le32(2)}},
	{"close-reply", 1, 3, 256, {cpu_to_le32(0x54425354), cpu_to_le32(2)}},
	{"close-lies", 1, 3, 0, {cpu_to_le32(0x54425354), cpu_to_le32(~2), ~0}},
};

static struct tb_xdomain *peer;
static struct tb_ring *tx, *rx;
static struct ring_frame tx_frame, rx_frames[FRAMES];
static void *buffer; /* the first page is sent, the second takes what comes */
static bool posted;  /* tx_frame is the ring's */
static DECLARE_COMPLETION(sent);

static void hostile_sent(struct tb_ring *ring, struct ring_frame *frame, bool canceled)
{
	WRITE_ONCE(posted, false);
	complete(&sent);
}

static void hostile_got(struct tb_ring *ring, struct ring_frame *frame, bool canceled)
{
	if (!canceled)
		tb_ring_rx(ring, frame);
}

static void hostile_free(void)
{
	struct device *dma = tb_ring_dma_device(tx ?: rx);

	if (tx_frame.buffer_phy)
		dma_unmap_single(dma, tx_frame.buffer_phy, 2 * PAGE_SIZE, DMA_BIDIRECTIONAL);
	tx_frame.buffer_phy = 0;
	if (tx)
		tb_ring_free(tx);
	if (rx)
		tb_ring_free(rx);
	tx = NULL;
	rx = NULL;
}

static int hostile_rings(void)
{
	struct tb_nhi *nhi = peer->tb->nhi;
	unsigned int flags = RING_FLAG_FRAME | RING_FLAG_E2E;

	tx = tb_ring_alloc_tx(nhi, -1, RING_SIZE, flags);
	if (!tx)
		return -ENOMEM;
	rx = tb_ring_alloc_rx(nhi, -1, RING_SIZE, flags, tx->hop, 0xffff, 0xffff, NULL, NULL);
	if (!rx)
		return -ENOMEM;
	tx_frame.callback = hostile_sent;
	tx_frame.buffer_phy =
		dma_map_single(tb_ring_dma_device(tx), buffer, 2 * PAGE_SIZE, DMA_BIDIRECTIONAL);
	if (dma_mapping_error(tb_ring_dma_device(tx), tx_frame.buffer_phy)) {
		tx_frame.buffer_phy = 0;
		return -ENOMEM;
	}
	return 0;
}

static void hostile_stop(void)
{
	tb_ring_stop(tx);
	tb_ring_stop(rx);
}

static int hostile_open(void)
{
	int ret;

	if (tx || !peer)
		return -EBUSY;
	ret = hostile_rings();
	if (ret)
		goto err_free;
	tb_ring_start(rx);
	for (int i = 0; i < FRAMES; i++) {
		rx_frames[i].callback = hostile_got;
		rx_frames[i].buffer_phy = tx_frame.buffer_phy + PAGE_SIZE;
		tb_ring_rx(rx, &rx_frames[i]);
	}
	tb_ring_start(tx);
	ret = tb_xdomain_enable_paths(peer, HOSTILE_OUT, tx->hop, HOSTILE_IN, rx->hop);
	if (!ret)
		return 0;
	hostile_stop();
err_free:
	if (tx)
		hostile_free();
	return ret;
}

static int hostile_close(void)
{
	if (!tx)
		return -ENOTCONN;
	hostile_stop();
	if (peer)
		tb_xdomain_disable_paths(peer, HOSTILE_OUT, tx->hop, HOSTILE_IN, rx->hop);
	hostile_free();
	return 0;
}

static int hostile_send(const struct kind *kind)
{
	int ret;

	if (!tx)
		return -ENOTCONN;
	if (READ_ONCE(posted))
		return -EBUSY;
	memset(buffer, 'x', PAGE_SIZE);
	if (kind->close.magic)
		memcpy(buffer, &kind->close, sizeof(kind->close));
	dma_sync_single_for_device(tb_ring_dma_device(tx), tx_frame.buffer_phy, PAGE_SIZE,
				   DMA_BIDIRECTIONAL);
	tx_frame.sof = kind->sof;
	tx_frame.eof = kind->eof;
	tx_frame.size = kind->size;
	tx_frame.flags = 0;
	reinit_completion(&sent);
	posted = true;
	ret = tb_ring_tx(tx, &tx_frame);
	if (ret) {
		posted = false;
		return ret;
	}
	return wait_for_completion_timeout(&sent, PATIENCE) ? 0 : -ETIMEDOUT;
}

static int hostile_do(const char *text, const struct kernel_param *param)
{
	if (sysfs_streq(text, "start"))
		return hostile_open();
	if (sysfs_streq(text, "stop"))
		return hostile_close();
	if (sysfs_streq(text, "offer"))
		return properties_offer();
	if (sysfs_streq(text, "withdraw")) {
		properties_withdraw();
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (sysfs_streq(text, kinds[i].name))
			return hostile_send(&kinds[i]);
	}
	return -EINVAL;
}

static const struct kernel_param_ops do_ops = {.set = hostile_do};
module_param_cb(do, &do_ops, NULL, 0200);

#ifdef HAS_PROBE_ID
static int hostile_probe(struct tb_service *svc, const struct tb_service_id *id)
#else
static int hostile_probe(struct tb_service *svc)
#endif
{
	peer = tb_xdomain_get(tb_service_parent(svc));
	return 0;
}

static void hostile_remove(struct tb_service *svc)
{
	tb_xdomain_put(peer);
	peer = NULL;
}

static const struct tb_service_id hostile_ids[] = {{TB_SERVICE("stream", 1)}, {}};

static struct tb_service_driver hostile_driver = {
	.driver.owner = THIS_MODULE,
	.driver.name = "tbstream",
	.probe = hostile_probe,
	.remove = hostile_remove,
	.id_table = hostile_ids,
};

static int __init hostile_init(void)
{
	int ret;

	buffer = (void *)__get_free_pages(GFP_KERNEL, 1);
	if (!buffer)
		return -ENOMEM;
	ret = properties_offer();
	if (ret)
		goto err_buffer;
	ret = tb_register_service_driver(&hostile_driver);
	if (ret)
		goto err_properties;
	return 0;

err_properties:
	properties_withdraw();
err_buffer:
	free_pages((unsigned long)buffer, 1);
	return ret;
}
module_init(hostile_init);

static void __exit hostile_exit(void)
{
	hostile_close();
	tb_unregister_service_driver(&hostile_driver);
	properties_withdraw();
	free_pages((unsigned long)buffer, 1);
}
module_exit(hostile_exit);

MODULE_DESCRIPTION("A peer that keeps to no rule");
MODULE_LICENSE("GPL");

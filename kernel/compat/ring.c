// SPDX-License-Identifier: GPL-2.0-only
/* Starting and stopping rings with their own interrupt throttling. */
#include "compat.h"

#include <linux/io.h>

#define RING_INTERVAL_NS  256
#define RING_INTERVAL_MAX 0xffff

u32 compat_ring_interval(unsigned int throttling)
{
	throttling = min_t(u32, throttling, RING_INTERVAL_MAX * RING_INTERVAL_NS);
	return DIV_ROUND_UP(throttling, RING_INTERVAL_NS);
}

#ifdef COMPAT_HAS_RING_THROTTLING

void compat_ring_start(struct tb_ring *hw, unsigned int throttling)
{
	tb_ring_throttling(hw, throttling);
	tb_ring_start(hw);
}

void compat_ring_stop(struct tb_ring *hw)
{
	tb_ring_stop(hw);
}

#else

/* USB4 specification, Interrupt Throttling Rate; drivers/thunderbolt/nhi_regs.h */
#define RING_THROTTLING_BASE 0x38c00
/* What the core sets for all vectors when it comes up: nhi_enable_int_throttling(). */
#define RING_THROTTLING_CORE (128 * NSEC_PER_USEC)

static void ring_throttle(struct tb_ring *hw, unsigned int throttling)
{
	/* Without MSI-X all rings share one interrupt, which is not ours alone to slow. */
	if (hw->irq > 0 && !hw->nhi->going_away)
		iowrite32(compat_ring_interval(throttling),
			  hw->nhi->iobase + RING_THROTTLING_BASE + 4 * hw->vector);
}

void compat_ring_start(struct tb_ring *hw, unsigned int throttling)
{
	ring_throttle(hw, throttling);
	tb_ring_start(hw);
}

void compat_ring_stop(struct tb_ring *hw)
{
	tb_ring_stop(hw);
	ring_throttle(hw, RING_THROTTLING_CORE);
}

#endif

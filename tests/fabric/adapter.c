// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapter.h"
#include "router.h"

/* Basic configuration, words 0-7. */
#define ADP_CS_1       1u
#define ADP_CS_2       2u
#define ADP_CS_3       3u
#define ADP_CS_4       4u
#define ADP_CS_4_NFC   0x3ffu
#define ADP_CS_4_TOTAL 20
#define ADP_CS_4_LCK   (UINT32_C(1) << 31)
#define ADP_CS_5       5u
#define ADP_CS_5_OUT   11
#define ADP_CS_5_DHP   (UINT32_C(1) << 31)

#define TYPE_LANE UINT32_C(0x000001)
#define TYPE_HOST UINT32_C(0x000002)

/* Shared by all paths of a lane, and by all rings of the host interface. */
#define LANE_BUFFERS 120u
#define HOST_BUFFERS 60u

/* Lane adapter capability. */
#define LANE_CAP	0x08u
#define LANE_CAP_ID	0x01u
#define LANE_CS_1	(LANE_CAP + 1)
#define LANE_SPEEDS	(UINT32_C(0xc) << 16) /* Gen 2 and Gen 3 */
#define LANE_WIDTHS	20
#define LANE_TARGET	(UINT32_C(0xc) | WIDTH_SINGLE << 4)
#define LANE_TARGET_W	(UINT32_C(3) << 4)
#define LANE_DISABLE	(UINT32_C(1) << 14)
#define LANE_BONDING	(UINT32_C(1) << 15)
#define LANE_SPEED_GEN3 (UINT32_C(4) << 16)
#define LANE_WIDTH	20
#define LANE_WIDTH_MASK (UINT32_C(0x3f) << LANE_WIDTH)
#define LANE_STATE	26
#define LANE_STATE_MASK (UINT32_C(0xf) << LANE_STATE)
#define WIDTH_SINGLE	UINT32_C(1)
#define WIDTH_DUAL	UINT32_C(3)

/* TMU adapter capability. */
#define TMU_CAP	   0x10u
#define TMU_CAP_ID 0x03u
#define TMU_CS_3   (TMU_CAP + 3)
#define TMU_CS_6   (TMU_CAP + 6)

/* USB4 port capability. */
#define PORT_CAP	    0x20u
#define PORT_CAP_ID	    0x06u
#define PORT_CS_1	    (PORT_CAP + 1)
#define PORT_CS_1_WRITABLE  UINT32_C(0x01f7ffff)
#define PORT_CS_1_NO_REPLY  (UINT32_C(1) << 25)
#define PORT_CS_1_PENDING   (UINT32_C(1) << 31)
#define PORT_CS_2	    (PORT_CAP + 2)
#define PORT_DATA_WORDS	    16u
#define PORT_CS_18	    (PORT_CAP + 18)
#define PORT_CS_18_BONDING  (UINT32_C(1) << 8)
#define PORT_CS_19	    (PORT_CAP + 19)
#define PORT_CS_19_RESET    (UINT32_C(1) << 0)
#define PORT_CS_19_WRITABLE (PORT_CS_19_RESET | UINT32_C(0x00070018)) /* PC, PID, wakes */

static void init_basic(struct adapter *adapter, unsigned int number)
{
	const bool host = adapter->kind == ADAPTER_HOST;
	const unsigned int hops = host ? PATH_HOST_HOPS : PATH_LANE_HOPS;
	uint32_t *words = adapter->words;

	words[0] = ROUTER_VENDOR | ROUTER_DEVICE << 16;
	words[ADP_CS_1] = host ? 0 : LANE_CAP;
	words[ADP_CS_2] = host ? TYPE_HOST : TYPE_LANE;
	words[ADP_CS_3] = number << 20;
	words[ADP_CS_4] = (host ? HOST_BUFFERS : LANE_BUFFERS) << ADP_CS_4_TOTAL;
	words[ADP_CS_5] = (hops - 1) | (hops - 1) << ADP_CS_5_OUT | (host ? 0 : ADP_CS_5_DHP);
	adapter->writable[ADP_CS_4] = host ? 0 : ADP_CS_4_NFC | ADP_CS_4_LCK;
	adapter->writable[ADP_CS_5] = host ? 0 : ADP_CS_5_DHP;
	path_init(&adapter->paths, hops, host ? 0 : PATH_CONTROL_CREDITS);
}

static void init_lane(struct adapter *adapter, bool dual)
{
	uint32_t *words = adapter->words;

	words[LANE_CAP] = TMU_CAP | LANE_CAP_ID << 8 | LANE_SPEEDS |
			  (dual ? UINT32_C(3) : UINT32_C(1)) << LANE_WIDTHS;
	words[LANE_CS_1] = LANE_TARGET;
	adapter->writable[LANE_CS_1] = 0xf | LANE_TARGET_W | LANE_DISABLE | LANE_BONDING;
	adapter_set_link(adapter, ADAPTER_UNPLUGGED, 1);

	words[TMU_CAP] = (adapter->kind == ADAPTER_LANE0 ? PORT_CAP : 0) | TMU_CAP_ID << 8;
	adapter->writable[TMU_CS_3] = UINT32_C(1) << 29;
	adapter->writable[TMU_CS_6] = UINT32_C(1) << 1;
}

static void init_port(struct adapter *adapter, bool dual)
{
	adapter->words[PORT_CAP] = PORT_CAP_ID << 8;
	adapter->writable[PORT_CS_1] = PORT_CS_1_WRITABLE;
	for (unsigned int i = 0; i < PORT_DATA_WORDS; i++)
		adapter->writable[PORT_CS_2 + i] = UINT32_MAX;
	adapter->words[PORT_CS_18] = dual ? PORT_CS_18_BONDING : 0;
	adapter->writable[PORT_CS_19] = PORT_CS_19_WRITABLE;
}

void adapter_init(struct adapter *adapter, enum adapter_kind kind, unsigned int number, bool dual)
{
	*adapter = (struct adapter){.kind = kind};
	if (kind == ADAPTER_ABSENT)
		return;
	init_basic(adapter, number);
	if (kind == ADAPTER_HOST)
		return;
	init_lane(adapter, dual);
	if (kind == ADAPTER_LANE0)
		init_port(adapter, dual);
}

bool adapter_read(const struct adapter *adapter, unsigned int word, uint32_t *ret_value)
{
	if (adapter->kind == ADAPTER_ABSENT || word >= ADAPTER_WORDS)
		return false;
	*ret_value = adapter->words[word];
	return true;
}

bool adapter_write(struct adapter *adapter, unsigned int word, uint32_t value)
{
	uint32_t *at;

	if (adapter->kind == ADAPTER_ABSENT || word >= ADAPTER_WORDS)
		return false;
	at = &adapter->words[word];
	*at = (*at & ~adapter->writable[word]) | (value & adapter->writable[word]);

	/* The cable has no retimers: every sideband access ends at once, unanswered. */
	if (adapter->kind == ADAPTER_LANE0 && word == PORT_CS_1 && value & PORT_CS_1_PENDING)
		*at |= PORT_CS_1_NO_REPLY;
	return true;
}

bool adapter_hotplug_enabled(const struct adapter *lane)
{
	return !(lane->words[ADP_CS_5] & ADP_CS_5_DHP);
}

bool adapter_port_reset(const struct adapter *lane0)
{
	return lane0->words[PORT_CS_19] & PORT_CS_19_RESET;
}

bool adapter_lane_disabled(const struct adapter *lane)
{
	return lane->words[LANE_CS_1] & LANE_DISABLE;
}

bool adapter_wants_dual(const struct adapter *lane)
{
	return (lane->words[LANE_CS_1] & LANE_TARGET_W) >> 4 == WIDTH_DUAL;
}

bool adapter_bonding(const struct adapter *lane0)
{
	return lane0->words[LANE_CS_1] & LANE_BONDING;
}

void adapter_set_link(struct adapter *lane, enum adapter_state state, unsigned int width)
{
	uint32_t *word = &lane->words[LANE_CS_1];

	*word &= ~(LANE_STATE_MASK | LANE_WIDTH_MASK);
	*word |= LANE_SPEED_GEN3 | width << LANE_WIDTH | (uint32_t)state << LANE_STATE;
}

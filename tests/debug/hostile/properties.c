// SPDX-License-Identifier: GPL-2.0-only
/*
 * The service "stream" with one name that is as it should be, "good", and many that are not. All of
 * a host's properties must not have one or two words more than a multiple of 45: the core refuses
 * the last packet of such a block, and the peer is not found (tb_xdp_properties_request()).
 */
#include "hostile.h"

#include <linux/kernel.h>
#include <linux/thunderbolt.h>
#include <linux/uuid.h>

static const uuid_t uuid =
	UUID_INIT(0x3a1cb984, 0xc4d9, 0x4469, 0xa2, 0x77, 0xce, 0x2f, 0xdf, 0xd1, 0x1f, 0x0d);

static const struct {
	const char *name;
	u32 in;
	u32 out;
} numbers[] = {
	{"good", HOSTILE_IN, HOSTILE_OUT},
	{"zero", 0, 0},
	{"low", 7, 7},
	{"high", 2048, 2048},
	{"huge", U32_MAX, U32_MAX},
	{"sign", 0x80000008, 0x80000009},
	{"good", 14, 15},
	{"..", HOSTILE_IN, HOSTILE_OUT},
	{"a/b", HOSTILE_IN, HOSTILE_OUT},
	{"%s%n%x", HOSTILE_IN, HOSTILE_OUT},
	{"", HOSTILE_IN, HOSTILE_OUT},
};

static struct tb_property_dir *root;

static struct tb_property_dir *properties_name(const char *name)
{
	struct tb_property_dir *dir = tb_property_create_dir(&uuid);

	if (dir && tb_property_add_dir(root, name, dir)) {
		tb_property_free_dir(dir);
		return NULL;
	}
	return dir;
}

static int properties_numbers(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct tb_property_dir *dir = properties_name(numbers[i].name);

		if (!dir || tb_property_add_immediate(dir, "inhopid", numbers[i].in) ||
		    tb_property_add_immediate(dir, "outhopid", numbers[i].out))
			return -ENOMEM;
	}
	return 0;
}

/* Of another type than they should be, or not there at all. */
static int properties_types(void)
{
	static const u8 bytes[] = {12, 0, 0, 0};
	struct tb_property_dir *text = properties_name("text"), *data = properties_name("data");
	struct tb_property_dir *half = properties_name("half"), *deep = properties_name("deep");
	struct tb_property_dir *inner = tb_property_create_dir(&uuid);

	if (!text || !data || !half || !deep || !inner || !properties_name("empty") ||
	    tb_property_add_dir(deep, "inhopid", inner))
		return -ENOMEM;
	return tb_property_add_immediate(deep, "outhopid", 13) ?:
	       tb_property_add_text(text, "inhopid", "12") ?:
	       tb_property_add_text(text, "outhopid", "13") ?:
	       tb_property_add_data(data, "inhopid", bytes, sizeof(bytes)) ?:
	       tb_property_add_data(data, "outhopid", bytes, sizeof(bytes)) ?:
	       tb_property_add_immediate(half, "inhopid", 12) ?:
	       tb_property_add_immediate(root, "number", 12);
}

static int properties_make(void)
{
	return tb_property_add_immediate(root, "prtcid", 1) ?:
	       tb_property_add_immediate(root, "prtcvers", U32_MAX) ?:
	       properties_numbers() ?: properties_types();
}

int properties_offer(void)
{
	int ret = -ENOMEM;

	root = tb_property_create_dir(&uuid);
	if (root)
		ret = properties_make() ?: tb_register_property_dir("stream", root);
	if (ret) {
		tb_property_free_dir(root);
		root = NULL;
	}
	return ret;
}

void properties_withdraw(void)
{
	if (!root)
		return;
	tb_unregister_property_dir("stream", root);
	tb_property_free_dir(root);
	root = NULL;
}

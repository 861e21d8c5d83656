// SPDX-License-Identifier: GPL-2.0-or-later
/* What this machine calls itself: DMI, or the device tree where there is none. */
#include "io/probe.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "codec/text.h"
#include "io/disk_sysfs.h"

#define DMI  "/sys/class/dmi/id/"
#define TREE "/sys/firmware/devicetree/base/"

/* What firmware writes where nobody filled it in. */
static const char *const fillers[] = {
	"To Be Filled By O.E.M.",
	"Default string",
	"System manufacturer",
	"System Product Name",
	"System Serial Number",
	"Not Specified",
	"Not Applicable",
	"Not Available",
	"None",
	"Chassis Serial Number",
	"INVALID",
	"Unknown",
};

static bool text_is_filler(const char *text)
{
	if (text[strspn(text, "0- ")] == '\0')
		return true;
	for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++) {
		if (strcasecmp(text, fillers[i]) == 0)
			return true;
	}
	return false;
}

static bool firmware_read(const char *path, char *ret, size_t len)
{
	char text[256];

	ret[0] = '\0';
	if (!disk_sysfs_text(AT_FDCWD, path, text, sizeof(text)) || text_is_filler(text))
		return false;
	ret[text_put(text, len - 1, ret)] = '\0';
	return true;
}

void probe_machine(char *ret_model, size_t model_len, char *ret_serial, size_t serial_len)
{
	char vendor[96], product[96];

	firmware_read(DMI "sys_vendor", vendor, sizeof(vendor));
	firmware_read(DMI "product_name", product, sizeof(product));
	snprintf(ret_model, model_len, "%s%s%s", vendor, vendor[0] && product[0] ? " " : "",
		 product);
	if (ret_model[0] == '\0')
		firmware_read(TREE "model", ret_model, model_len);
	if (!firmware_read(DMI "product_serial", ret_serial, serial_len))
		firmware_read(TREE "serial-number", ret_serial, serial_len);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/uevent.h"

/* The fields of a message, each with its NUL. */
#define CHANGE                                                                           \
	"change@/devices/pci0000:00/0000:00:04.0/domain0/0-0/0-1/0-1.2\0ACTION=change\0" \
	"DEVPATH=/devices/pci0000:00/0000:00:04.0/domain0/0-0/0-1/0-1.2\0"               \
	"SUBSYSTEM=thunderbolt\0DEVTYPE=thunderbolt_service\0"                           \
	"MODALIAS=tbsvc:kstreamp00000001v00000001r00000000\0SEQNUM=1412\0"

static void test_service(void **state)
{
	static const char text[] = CHANGE;
	struct uevent event;

	(void)state;
	assert_int_equal(uevent_parse(text, sizeof(text) - 1, &event), 0);
	assert_string_equal(event.action, "change");
	assert_string_equal(event.subsystem, "thunderbolt");
	assert_string_equal(event.devtype, "thunderbolt_service");
	assert_string_equal(event.name, "0-1.2");
}

/* Cut anywhere it is an error until everything that counts was there. */
static void test_cut(void **state)
{
	static const char text[] = CHANGE;

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		char *copy = malloc(len ? len : 1);
		struct uevent event = {0};

		memcpy(copy, text, len);
		if (uevent_parse(copy, len, &event) == 0)
			assert_string_equal(event.action, "change");
		else
			assert_string_equal(event.action, "");
		free(copy);
	}
}

static void test_bad(void **state)
{
	/* udev's own messages on the same bus, no path, no subsystem, and a name that is too long.
	 */
	static const char udev[] = "libudev\0\xfe\xed\xca\xfe";
	static const char nothing[] = "add@/a\0ACTION=add\0SUBSYSTEM=x\0";
	static const char plain[] = "add@/a\0ACTION=add\0DEVPATH=/a\0";
	static const char longer[] = "add@/a\0ACTION=add\0SUBSYSTEM=x\0DEVPATH=/"
				     "0123456789012345678901234567890123456789\0";
	struct uevent event = {.name = "kept"};

	(void)state;
	assert_int_equal(uevent_parse(udev, sizeof(udev) - 1, &event), -EBADMSG);
	assert_int_equal(uevent_parse(nothing, sizeof(nothing) - 1, &event), -EBADMSG);
	assert_int_equal(uevent_parse(plain, sizeof(plain) - 1, &event), -EBADMSG);
	assert_int_equal(uevent_parse(longer, sizeof(longer) - 1, &event), -EBADMSG);
	assert_int_equal(uevent_parse("", 0, &event), -EBADMSG);
	assert_string_equal(event.name, "kept");
}

static void test_socket(void **state)
{
	struct uevent event;
	int fd = uevent_open();

	(void)state;
	if (fd < 0)
		skip(); /* no netlink in this sandbox */
	while (uevent_read(fd, &event) == 0)
		;
	assert_int_equal(uevent_read(fd, &event), -EAGAIN);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_service),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_socket),
	};

	return cmocka_run_group_tests_name("uevent", tests, NULL, NULL);
}

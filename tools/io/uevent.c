// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/uevent.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define UEVENT_GROUP_KERNEL 1	 /* group 2 is what udev sends on */
#define UEVENT_MOST	    8192 /* UEVENT_BUFFER_SIZE is 2048, and the header before it */

/* Copies VALUE of LEN bytes; too long is an error, since half a name would be another one's. */
static int uevent_copy(char *ret, size_t size, const char *value, size_t len)
{
	if (len >= size)
		return -EBADMSG;
	memcpy(ret, value, len);
	ret[len] = '\0';
	return 0;
}

static int uevent_parse_field(struct uevent *event, const char *field, size_t len)
{
	static const struct {
		const char *key;
		size_t offset, size;
	} fields[] = {
		{"ACTION=", offsetof(struct uevent, action), sizeof(event->action)},
		{"SUBSYSTEM=", offsetof(struct uevent, subsystem), sizeof(event->subsystem)},
		{"DEVTYPE=", offsetof(struct uevent, devtype), sizeof(event->devtype)},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		size_t key = strlen(fields[i].key);

		if (len >= key && memcmp(field, fields[i].key, key) == 0)
			return uevent_copy((char *)event + fields[i].offset, fields[i].size,
					   field + key, len - key);
	}
	if (len > 8 && memcmp(field, "DEVPATH=", 8) == 0) {
		const char *slash = memrchr(field, '/', len);

		if (!slash)
			return -EBADMSG;
		return uevent_copy(event->name, sizeof(event->name), slash + 1,
				   len - (slash + 1 - field));
	}
	return 0;
}

int uevent_parse(const char *text, size_t len, struct uevent *ret)
{
	struct uevent event = {0};
	const char *end = text + len;
	bool first = true;

	/* The first string repeats action and path; the fields that follow say more exactly. */
	while (text < end) {
		size_t field = strnlen(text, end - text);

		if (first && !memchr(text, '@', field))
			return -EBADMSG;
		if (!first && uevent_parse_field(&event, text, field))
			return -EBADMSG;
		first = false;
		text += field + 1;
	}
	if (!event.action[0] || !event.subsystem[0] || !event.name[0])
		return -EBADMSG;
	*ret = event;
	return 0;
}

int uevent_open(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = UEVENT_GROUP_KERNEL};
	int fd, err;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int uevent_read(int socket, struct uevent *ret)
{
	for (;;) {
		struct sockaddr_nl from = {0};
		socklen_t from_len = sizeof(from);
		char text[UEVENT_MOST];
		ssize_t len;

		len = recvfrom(socket, text, sizeof(text), 0, (struct sockaddr *)&from, &from_len);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		/* Any local program may send to the group: only the kernel's own port is 0. */
		if (from.nl_pid != 0 || uevent_parse(text, len, ret))
			continue;
		return 0;
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio_user_command: what each command of the vfio-user protocol does, apart from framing. */
#ifndef VFIO_USER_COMMAND_H
#define VFIO_USER_COMMAND_H

#include "vfio_user.h"

struct vfio_user_request {
	const uint8_t *body;
	size_t len;
	int *fds; /* a handler that keeps one puts -1 in its place */
	size_t fd_count;
};

struct vfio_user_reply {
	uint8_t body[sizeof(struct vfio_user_region_access) + VFIO_USER_DATA_MAX];
	size_t len;
};

/*
 * Runs a command. 0 with the reply's body in reply (len is 0 before), or -errno, which is the
 * reply; -EOPNOTSUPP: there is no such command.
 */
int vfio_user_command(struct vfio_user *vu, unsigned int command, struct vfio_user_request *request,
		      struct vfio_user_reply *reply);

#endif

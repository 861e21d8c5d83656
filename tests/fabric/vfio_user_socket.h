/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio_user_socket: vfio-user messages over a UNIX stream socket, descriptors by SCM_RIGHTS. */
#ifndef VFIO_USER_SOCKET_H
#define VFIO_USER_SOCKET_H

#include "vfio_user.h"

/* Its context is a pointer to the socket's descriptor (non-blocking), which stays the caller's. */
extern const struct vfio_user_transport vfio_user_socket;

#endif

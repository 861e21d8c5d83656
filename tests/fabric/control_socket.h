/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control_socket: commands by lines over a UNIX stream socket, several clients at once. */
#ifndef CONTROL_SOCKET_H
#define CONTROL_SOCKET_H

#include <poll.h>
#include <stddef.h>

#include "control.h"

#define CONTROL_CLIENTS_MAX 8u

struct control_client {
	int fd; /* -1: free */
	char line[CONTROL_LINE_MAX];
	size_t len;
};

struct control_socket {
	const char *path;
	int listen_fd;
	struct control control;
	struct control_client clients[CONTROL_CLIENTS_MAX];
};

#define CONTROL_SOCKET_POLLFDS (1 + CONTROL_CLIENTS_MAX)

/* Listens at path, which stays the caller's. -errno. */
int control_socket_open(struct control_socket *server, const char *path, struct control control);
void control_socket_close(struct control_socket *server);

/* Fills in what to poll, and handles what poll found. */
void control_socket_prepare(const struct control_socket *server,
			    struct pollfd fds[CONTROL_SOCKET_POLLFDS]);
void control_socket_serve(struct control_socket *server,
			  const struct pollfd fds[CONTROL_SOCKET_POLLFDS]);

#endif

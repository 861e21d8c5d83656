/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server: a host's vfio-user socket. A machine that connects powers the host on, its end powers it
 * off, and another may connect then. One machine at a time: a second one waits in the backlog.
 */
#ifndef SERVER_H
#define SERVER_H

#include "host.h"
#include "vfio_user.h"

struct server {
	const char *path;
	int listen_fd;
	int fd;
	struct vfio_user vu;
	struct host *host;
};

/* A listening UNIX stream socket at path, in place of one that was left there. -errno. */
int server_listen(const char *path);

/* Listens at path (the caller's) for host. -errno. */
int server_open(struct server *server, const char *path, struct host *host);

/* Powers the host off and removes the socket. */
void server_close(struct server *server);

/* The descriptor to poll for input, and what to do when there is some. */
int server_fd(const struct server *server);
void server_serve(struct server *server);

#endif

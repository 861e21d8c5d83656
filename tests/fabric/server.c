// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "server.h"
#include "vfio_user_socket.h"

int server_listen(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, ret;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path));

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 8)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

int server_open(struct server *server, const char *path, struct host *host)
{
	int fd = server_listen(path);

	*server = (struct server){.path = path, .listen_fd = fd, .fd = -1, .host = host};
	return fd < 0 ? fd : 0;
}

static void disconnect(struct server *server, int error)
{
	if (server->fd < 0)
		return;
	vfio_user_release(&server->vu);
	close(server->fd);
	server->fd = -1;
	host_power(server->host, false);
	log_event("host %s: disconnected%s%s", server->host->name, error ? ": " : "",
		  error ? strerror(-error) : "");
}

void server_close(struct server *server)
{
	disconnect(server, 0);
	if (server->listen_fd < 0)
		return;
	close(server->listen_fd);
	unlink(server->path);
	server->listen_fd = -1;
}

int server_fd(const struct server *server)
{
	return server->fd >= 0 ? server->fd : server->listen_fd;
}

static void connect_machine(struct server *server)
{
	int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	server->fd = fd;
	if (vfio_user_init(&server->vu, &vfio_user_socket, &server->fd, &host_device,
			   server->host)) {
		close(fd);
		server->fd = -1;
		return;
	}
	host_power(server->host, true);
	log_event("host %s: connected", server->host->name);
}

void server_serve(struct server *server)
{
	int ret;

	if (server->fd < 0) {
		connect_machine(server);
		return;
	}
	ret = vfio_user_serve(&server->vu);
	if (ret)
		disconnect(server, ret == -ENOTCONN || ret == -ECONNRESET ? 0 : ret);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control_socket.h"
#include "server.h"

int control_socket_open(struct control_socket *server, const char *path, struct control control)
{
	*server = (struct control_socket){
		.path = path,
		.listen_fd = server_listen(path),
		.control = control,
	};
	for (unsigned int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		server->clients[i].fd = -1;
	return server->listen_fd < 0 ? server->listen_fd : 0;
}

static void client_close(struct control_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	client->len = 0;
}

void control_socket_close(struct control_socket *server)
{
	if (server->listen_fd < 0)
		return;
	for (unsigned int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		client_close(&server->clients[i]);
	close(server->listen_fd);
	unlink(server->path);
	server->listen_fd = -1;
}

static struct control_client *find_free(struct control_socket *server)
{
	for (unsigned int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (server->clients[i].fd < 0)
			return &server->clients[i];
	}
	return NULL;
}

static void accept_client(struct control_socket *server)
{
	struct control_client *client = find_free(server);
	int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0 && client)
		client->fd = fd;
	else if (fd >= 0)
		close(fd);
}

/* False if the client does not take its reply. */
static bool answer_line(struct control_socket *server, struct control_client *client, char *line)
{
	static char reply[COMMAND_ANSWER_MAX + 1];
	size_t len;

	control_execute(&server->control, line, reply);
	len = strlen(reply);
	reply[len++] = '\n';
	return send(client->fd, reply, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void serve_client(struct control_socket *server, struct control_client *client)
{
	ssize_t got =
		read(client->fd, client->line + client->len, sizeof(client->line) - client->len);
	char *end;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		client_close(client);
		return;
	}
	client->len += (size_t)got;
	while ((end = memchr(client->line, '\n', client->len))) {
		size_t used = (size_t)(end - client->line) + 1;

		*end = '\0';
		if (!answer_line(server, client, client->line)) {
			client_close(client);
			return;
		}
		client->len -= used;
		memmove(client->line, client->line + used, client->len);
	}
	if (client->len == sizeof(client->line))
		client_close(client);
}

void control_socket_prepare(const struct control_socket *server,
			    struct pollfd fds[CONTROL_SOCKET_POLLFDS])
{
	fds[0] = (struct pollfd){.fd = server->listen_fd, .events = POLLIN};
	for (unsigned int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		fds[1 + i] = (struct pollfd){.fd = server->clients[i].fd, .events = POLLIN};
}

void control_socket_serve(struct control_socket *server,
			  const struct pollfd fds[CONTROL_SOCKET_POLLFDS])
{
	for (unsigned int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (fds[1 + i].revents && server->clients[i].fd == fds[1 + i].fd)
			serve_client(server, &server->clients[i]);
	}
	if (fds[0].revents)
		accept_client(server);
}

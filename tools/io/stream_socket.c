// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/stream_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Between two tries to connect: nothing tells when somebody begins to listen. */
#define STREAM_SOCKET_RETRY (STOP_SECOND / 5)
/* Bytes on their way to the other end of a UNIX socket: each end goes on while the other works. */
#define STREAM_SOCKET_ROOM (1 << 20)

/* The address as it was given: "unix:/run/backup". */
static const char *stream_socket_text(const struct stream_address *address, char ret[320])
{
	bool brackets = strchr(address->host, ':') != NULL;

	if (address->kind == STREAM_UNIX)
		snprintf(ret, 320, "unix:%s", address->path);
	else
		snprintf(ret, 320, "tcp:%s%s%s:%s", brackets ? "[" : "", address->host,
			 brackets ? "]" : "", address->port);
	return ret;
}

/* VERB: "connect to" or "listen on". */
static int stream_socket_explain(const struct stream_address *address, const char *verb, int err,
				 char *ret_why, size_t len)
{
	char text[320];

	stream_socket_text(address, text);
	if (err == -EINTR)
		snprintf(ret_why, len, "stopped by a signal while waiting for the other side on %s",
			 text);
	else if (err == -ETIMEDOUT)
		snprintf(ret_why, len, "timed out waiting for the other side on %s", text);
	else if (err == -EADDRINUSE)
		snprintf(ret_why, len, "cannot listen on %s: somebody else does", text);
	else if (err == -EEXIST)
		snprintf(ret_why, len, "cannot listen on %s: that is a file, not a socket", text);
	else
		snprintf(ret_why, len, "cannot %s %s: %s", verb, text, strerror(-err));
	return err;
}

static void stream_socket_tell(const struct stream_address *address,
			       const struct stream_options *options)
{
	const char *there = options->there ? options->there : options->listen ? "tbsend" : "tbrecv";
	char text[320], sentence[400];

	if (!options->waiting.tell)
		return;
	snprintf(sentence, sizeof(sentence), "waiting for %s to %s %s", there,
		 options->listen ? "connect to" : "listen on", stream_socket_text(address, text));
	options->waiting.tell(options->waiting.arg, sentence);
}

static bool stream_socket_parse4(const char *host, in_port_t port,
				 struct stream_socket_address *ret)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = port};

	if (inet_pton(AF_INET, host, &in.sin_addr) != 1)
		return false;
	ret->length = sizeof(in);
	ret->wildcard = in.sin_addr.s_addr == htonl(INADDR_ANY);
	memcpy(&ret->storage, &in, sizeof(in));
	return true;
}

/* SCOPE is what follows % in HOST: an interface's name or number, NULL where there is none. */
static bool stream_socket_parse6(const char *host, const char *scope, in_port_t port,
				 struct stream_socket_address *ret)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = port};
	static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff};

	if (inet_pton(AF_INET6, host, &in6.sin6_addr) != 1)
		return false;
	if (scope) {
		in6.sin6_scope_id = if_nametoindex(scope);
		if (!in6.sin6_scope_id)
			in6.sin6_scope_id = strtoul(scope, NULL, 10);
		if (!in6.sin6_scope_id)
			return false;
	}
	ret->length = sizeof(in6);
	ret->wildcard = IN6_IS_ADDR_UNSPECIFIED(&in6.sin6_addr) ||
			memcmp(&in6.sin6_addr, mapped, sizeof(mapped)) == 0;
	memcpy(&ret->storage, &in6, sizeof(in6));
	return true;
}

static int stream_socket_resolve_tcp(const struct stream_address *address,
				     struct stream_socket_address *ret, char *ret_why, size_t len)
{
	in_port_t port = htons(strtoul(address->port, NULL, 10));
	char host[sizeof(address->host)];
	char *scope;

	strcpy(host, strcmp(address->host, "localhost") ? address->host : "127.0.0.1");
	if (stream_socket_parse4(host, port, ret))
		return 0;
	scope = strchr(host, '%');
	if (scope)
		*scope++ = '\0';
	if (stream_socket_parse6(host, scope, port, ret))
		return 0;
	snprintf(ret_why, len,
		 "'%s' is no address here: give it in numbers, like 192.0.2.7 or "
		 "[fe80::1%%thunderbolt0]; names are not looked up",
		 address->host);
	return -EINVAL;
}

int stream_socket_resolve(const struct stream_address *address, struct stream_socket_address *ret,
			  char *ret_why, size_t len)
{
	struct stream_socket_address found = {0};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int err = 0;

	if (address->kind == STREAM_UNIX) {
		strcpy(un.sun_path, address->path);
		memcpy(&found.storage, &un, sizeof(un));
		found.length = sizeof(un);
	} else {
		err = stream_socket_resolve_tcp(address, &found, ret_why, len);
	}
	if (!err)
		*ret = found;
	return err;
}

static void stream_socket_tune(int fd, int family)
{
	int on = 1, room = STREAM_SOCKET_ROOM;

	/* Small records (ACK, RESULT) must not wait for more. */
	if (family != AF_UNIX) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		return;
	}
	/* Without the right to it so much as anybody may have. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
}

static int stream_socket_new(const struct stream_socket_address *to)
{
	int fd = socket(to->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	stream_socket_tune(fd, to->storage.ss_family);
	return fd;
}

/* One try. Returns a connected descriptor, or -errno. */
static int stream_socket_connect(const struct stream_socket_address *to, int64_t deadline)
{
	int fd = stream_socket_new(to), err = 0;
	socklen_t len = sizeof(err);

	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)&to->storage, to->length) == 0)
		return fd;
	err = -errno;
	if (err == -EINPROGRESS) {
		err = stop_poll(fd, POLLOUT, deadline);
		if (err > 0) {
			err = 0;
			if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
				err = errno;
			err = -err;
		}
	}
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* Whether a connection that failed with ERR may come about later. */
static bool stream_socket_later(int err)
{
	switch (-err) {
	case ENOENT:
	case ECONNREFUSED:
	case ECONNRESET:
	case EAGAIN:
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
	case EADDRNOTAVAIL:
	case ENODEV:
	case ETIMEDOUT: return true;
	default: return false;
	}
}

static int stream_socket_dial(const struct stream_address *address,
			      const struct stream_socket_address *to,
			      const struct stream_options *options, int64_t deadline, char *ret_why,
			      size_t len)
{
	bool told = false;
	int fd;

	for (;;) {
		int64_t next = stop_deadline(STREAM_SOCKET_RETRY);

		fd = stream_socket_connect(to, deadline);
		if (fd >= 0)
			return fd;
		if (!stream_socket_later(fd))
			break;
		if (!told)
			stream_socket_tell(address, options);
		told = true;
		if (stop_now() >= deadline) {
			fd = -ETIMEDOUT;
			break;
		}
		if (stop_poll(-1, 0, next < deadline ? next : deadline) == -EINTR) {
			fd = -EINTR;
			break;
		}
	}
	return stream_socket_explain(address, "connect to", fd, ret_why, len);
}

/*
 * Removes a socket's file that nobody listens on any more. Returns 0 or why the path stays taken. A
 * datagram socket does not fit a stream's, so that who listens there does not take us for a sender.
 */
static int stream_socket_clear(const struct stream_address *address,
			       const struct stream_socket_address *to)
{
	struct stat st;
	int fd, err;

	if (lstat(address->path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	err = connect(fd, (const struct sockaddr *)&to->storage, to->length) ? errno : EPROTOTYPE;
	close(fd);
	if (err != ECONNREFUSED)
		return err == EPROTOTYPE ? -EADDRINUSE : -err;
	return unlink(address->path) && errno != ENOENT ? -errno : 0;
}

static int stream_socket_bind(const struct stream_address *address,
			      const struct stream_socket_address *at)
{
	int fd, err = 0, on = 1;

	if (address->kind == STREAM_UNIX)
		err = stream_socket_clear(address, at);
	if (err)
		return err;
	fd = stream_socket_new(at);
	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&at->storage, at->length) || listen(fd, 1)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static int stream_socket_accept(const struct stream_address *address,
				const struct stream_socket_address *at,
				const struct stream_options *options, int64_t deadline,
				char *ret_why, size_t len)
{
	int listener, fd;

	listener = stream_socket_bind(address, at);
	if (listener < 0)
		return stream_socket_explain(address, "listen on", listener, ret_why, len);
	stream_socket_tell(address, options);
	do {
		fd = stop_poll(listener, POLLIN, deadline);
		if (fd < 0)
			break;
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			fd = -errno;
	} while (fd == -EAGAIN || fd == -ECONNABORTED || fd == -EINTR);
	/* A second sender shall find nobody listening, not a connection that stays silent. */
	close(listener);
	if (address->kind == STREAM_UNIX)
		unlink(address->path);
	if (fd < 0)
		return stream_socket_explain(address, "accept on", fd, ret_why, len);
	stream_socket_tune(fd, at->storage.ss_family);
	return fd;
}

int stream_socket_open(const struct stream_address *address, const struct stream_options *options,
		       int64_t deadline, char *ret_why, size_t len)
{
	struct stream_socket_address to;
	int err = stream_socket_resolve(address, &to, ret_why, len);

	if (err)
		return err;
	if (!options->listen)
		return stream_socket_dial(address, &to, options, deadline, ret_why, len);
	if (to.wildcard && !options->insecure) {
		char text[320];

		snprintf(ret_why, len,
			 "%s would take data from any network: name the address of one "
			 "interface, or say --insecure",
			 stream_socket_text(address, text));
		return -EINVAL;
	}
	return stream_socket_accept(address, &to, options, deadline, ret_why, len);
}

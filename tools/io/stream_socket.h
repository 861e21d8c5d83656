/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Streams over sockets: one side listens, the other connects, and either may start first. */
#ifndef IO_STREAM_SOCKET_H
#define IO_STREAM_SOCKET_H

#include <sys/socket.h>

#include "io/stream.h"

struct stream_socket_address {
	struct sockaddr_storage storage;
	socklen_t length;
	bool wildcard; /* it would listen on every interface */
};

/*
 * Turns ADDRESS (STREAM_UNIX or STREAM_TCP) into a socket's. Hosts are numbers ("192.0.2.7",
 * "fe80::1%thunderbolt0") or localhost: a static program has no resolver. Returns 0 or -EINVAL with
 * a sentence.
 */
int stream_socket_resolve(const struct stream_address *address, struct stream_socket_address *ret,
			  char *ret_why, size_t len);

/*
 * Listens for one connection, or connects, until DEADLINE; see stream_open. Returns a non-blocking
 * descriptor or -errno with a sentence. Whoever listens removes its socket's file once somebody
 * came.
 */
int stream_socket_open(const struct stream_address *address, const struct stream_options *options,
		       int64_t deadline, char *ret_why, size_t len);

#endif

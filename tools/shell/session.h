/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What both ends of a shell have in common: records out of a link and into it, and bytes. */
#ifndef SHELL_SESSION_H
#define SHELL_SESSION_H

#include <poll.h>

#include "io/link.h"
#include "shell/flow.h"

struct session {
	struct link *link;
	int watch; /* readable when the link has something for us */
	struct flow flow;
	bool heard; /* a TAKEN came */
	char *why;  /* a sentence where a call fails */
	size_t why_len;
};

int session_open(struct session *session, struct link *link, char *why, size_t len);
/*
 * Takes a record that came: 1 and one that is for the caller (free), 0 when there is none now;
 * BYTES and TAKEN are looked at already, the bytes put into the flow. Or -errno: the link's fate,
 * or -EPROTO, which the peer was told.
 */
int session_take(struct session *session, struct link_record **ret);
/* A record that has no place, or is malformed: says so to both sides. Returns -EPROTO. */
int session_refuse(struct session *session, uint8_t type);
/* Puts TAKEN. */
void session_tell(struct session *session);
/* Whether a record can be put now. Puts TAKEN first, where that is due. */
bool session_room(struct session *session);
/* Puts a record of TYPE with LEN bytes of PAYLOAD. Where that fails session_take tells. */
void session_put(struct session *session, uint8_t type, const void *payload, size_t len);
/* How many bytes session_send may be given. 0 while the link or the peer has no room. */
size_t session_wants(struct session *session);
void session_send(struct session *session, const void *data, size_t len);
/*
 * Writes what came to FD, no more than MOST bytes, or drops it all where that is closed (-1).
 * Returns 0, also where it takes nothing now, or -errno.
 */
int session_write(struct session *session, int fd, size_t most);
/* Whether something waits to be written. */
bool session_holds(const struct session *session);
/* Waits until one of the COUNT FDS, of which the first is filled in here for the link, is ready. */
int session_wait(struct session *session, struct pollfd *fds, nfds_t count, int64_t deadline);

#endif

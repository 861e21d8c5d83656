// SPDX-License-Identifier: GPL-2.0-or-later
#include "shell/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "codec/wire_shell.h"

int session_open(struct session *session, struct link *link, char *why, size_t len)
{
	memset(session, 0, sizeof(*session));
	session->link = link;
	session->why = why;
	session->why_len = len;
	session->watch = link_watch(link);
	if (session->watch < 0)
		snprintf(why, len, "cannot watch the stream: %s", strerror(-session->watch));
	return session->watch < 0 ? session->watch : 0;
}

int session_refuse(struct session *session, uint8_t type)
{
	snprintf(session->why, session->why_len,
		 "the other side of the shell sent what has no place there: %s",
		 wire_type_name(type));
	link_abort(session->link, session->why);
	return -EPROTO;
}

static bool session_look(struct session *session, const struct link_record *record)
{
	uint64_t taken;

	if (record->type == WIRE_TYPE_TAKEN) {
		session->heard = true;
		return wire_taken_get(record->payload, record->length, &taken) == 0 &&
		       flow_acked(&session->flow, taken) == 0;
	}
	return wire_bytes_valid(record->length) &&
	       flow_put(&session->flow, record->payload, record->length) == 0;
}

int session_take(struct session *session, struct link_record **ret)
{
	struct link_record *record;
	int err;

	while (link_ready(session->link)) {
		uint8_t type;
		bool good;

		err = link_get(session->link, STOP_NEVER, &record);
		if (err) {
			link_why(session->link, session->why, session->why_len);
			return err;
		}
		type = record->type;
		if (type != WIRE_TYPE_TAKEN && (type != WIRE_TYPE_BYTES || !record->length)) {
			*ret = record;
			return 1;
		}
		good = session_look(session, record);
		free(record);
		if (!good)
			return session_refuse(session, type);
	}
	return 0;
}

void session_put(struct session *session, uint8_t type, const void *payload, size_t len)
{
	struct link_record *record = link_record_new(type, len);

	if (!record) {
		link_abort(session->link, "no memory is left for the shell");
		return;
	}
	if (len)
		memcpy(record->payload, payload, len);
	link_put(session->link, record);
}

void session_tell(struct session *session)
{
	uint8_t payload[8];
	int len = wire_taken_put(session->flow.taken, payload, sizeof(payload));

	session_put(session, WIRE_TYPE_TAKEN, payload, len);
	flow_told(&session->flow);
}

bool session_room(struct session *session)
{
	if (flow_due(&session->flow) && link_room(session->link))
		session_tell(session);
	return link_room(session->link);
}

size_t session_wants(struct session *session)
{
	return session_room(session) ? flow_room(&session->flow) : 0;
}

void session_send(struct session *session, const void *data, size_t len)
{
	flow_sent(&session->flow, len);
	session_put(session, WIRE_TYPE_BYTES, data, len);
}

bool session_holds(const struct session *session)
{
	size_t len;

	flow_get(&session->flow, &len);
	return len > 0;
}

int session_write(struct session *session, int fd, size_t most)
{
	size_t len;
	const uint8_t *data = flow_get(&session->flow, &len);
	ssize_t n;

	if (fd < 0) {
		flow_take(&session->flow, len);
		return 0;
	}
	n = write(fd, data, len < most ? len : most);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	flow_take(&session->flow, n);
	return 0;
}

int session_wait(struct session *session, struct pollfd *fds, nfds_t count, int64_t deadline)
{
	struct timespec timeout = {0};
	int64_t left = deadline == STOP_NEVER ? 0 : deadline - stop_now();

	if (left > 0) {
		timeout.tv_sec = left / STOP_SECOND;
		timeout.tv_nsec = left % STOP_SECOND;
	}
	fds[0] = (struct pollfd){.fd = session->watch, .events = POLLIN};
	if (ppoll(fds, count, deadline == STOP_NEVER ? NULL : &timeout, NULL) < 0 &&
	    errno != EINTR) {
		int err = -errno;

		snprintf(session->why, session->why_len, "cannot wait: %s", strerror(-err));
		return err;
	}
	/* Before anything is looked at, lest a change behind the look be lost. */
	if (fds[0].revents)
		link_watched(session->link);
	return 0;
}

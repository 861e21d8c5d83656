/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The byte stream between two machines, wherever it leads: a USB4STREAM paired by name, a character
 * device, a socket, stdin and stdout. Knows no disk and no records.
 */
#ifndef IO_STREAM_H
#define IO_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "io/stop.h"

enum stream_kind { STREAM_PAIRED, STREAM_DEVICE, STREAM_UNIX, STREAM_TCP, STREAM_STDIO };

struct stream_address {
	enum stream_kind kind;
	char name[9];		  /* STREAM_PAIRED: 1 to 8 of [A-Za-z0-9._-] */
	char path[108];		  /* STREAM_DEVICE, STREAM_UNIX */
	char host[256], port[32]; /* STREAM_TCP */
};

/*
 * Reads `NAME`, `/dev/...`, `unix:PATH`, `tcp:HOST:PORT` ([v6]:PORT too) or `-`. Returns 0 or
 * -EINVAL with a sentence that says what is wrong in RET_WHY (LEN bytes).
 */
int stream_parse(const char *text, struct stream_address *ret, char *ret_why, size_t len);

struct stream_options {
	bool listen;	      /* sockets: tbrecv listens, tbsend connects */
	bool one_way;	      /* who listens only reads, who does not only writes */
	bool insecure;	      /* tcp: may listen on a wildcard address */
	char peer[37];	      /* paired: the peer's router UUID, "" for the only one */
	int64_t deadline;     /* see stop.h */
	unsigned int records; /* a link: so many wait each way; 0: LINK_QUEUE */
	const char *there;    /* what to start at the other side; NULL: tbsend or tbrecv */
	struct stop_waiting waiting;
};

/* An open stream; its descriptors are non-blocking. */
struct stream;

/*
 * Opens the stream, waiting for the other side as long as the deadline allows. Returns 0 and a
 * stream (stream_close); -EINTR, -ETIMEDOUT or another -errno, with a helpful sentence (the thing,
 * the reason, the way out) in RET_WHY of LEN bytes.
 */
int stream_open(const struct stream_address *address, const struct stream_options *options,
		struct stream **ret, char *ret_why, size_t len);
/* Closes it and takes back what was configured for it. NULL is fine. */
void stream_close(struct stream *stream);

/* The descriptors to poll; they may be the same. */
int stream_in(const struct stream *stream);
int stream_out(const struct stream *stream);
/* Read and write: bytes moved, 0 at the end of the stream (read), -EAGAIN, -EPIPE (ended), or
 * -errno. */
ssize_t stream_read(struct stream *stream, void *buf, size_t len);
ssize_t stream_write(struct stream *stream, const void *buf, size_t len);
/* Whether it can lose bytes in the middle: a USB4STREAM does, where a socket would end. */
bool stream_lossy(const struct stream *stream);
/* A name for messages: "backup (peer debian, UUID, route 0-1)" (see pair_describe), "unix:/run/x".
 */
const char *stream_name(const struct stream *stream);
/*
 * Nothing came over it yet: a paired stream is paired again where that may help (see pair_renew),
 * and has new descriptors when 0 is returned. -EALREADY when it stays as it is, as any other kind
 * does. Cheap: ask often.
 */
int stream_renew(struct stream *stream, int64_t deadline, char *ret_why, size_t len);
/* Who answers looks for another: as stream_reopen, but a paired stream may change (see
 * pair_refuse). */
int stream_refuse(struct stream *stream, int64_t deadline, char *ret_why, size_t len);
/* Whether stream_reopen can open it again once it ended: all but STREAM_STDIO. */
bool stream_reopens(const struct stream *stream);
/* It ended, so that nothing but stream_reopen and stream_close is left: closes what is open. */
void stream_hang_up(struct stream *stream);
/*
 * It ended or is stuck: closes it at once and opens it again (pairs, connects, listens), waiting
 * until DEADLINE. Returns as stream_open does; after an error only stream_close is left.
 */
int stream_reopen(struct stream *stream, int64_t deadline, char *ret_why, size_t len);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/pair.h"
#include "io/pair_holder.h"
#include "io/stream_socket.h"
#include "io/uevent.h"

#define STREAM_TICK STOP_SECOND /* between two tries to open a device, should an event get lost */

struct stream {
	struct stream_address address;
	struct stream_options options;
	int in, out;  /* the same but for STREAM_STDIO */
	int flags[2]; /* of stdin and stdout, as they were */
	struct pair *pair;
	char name[320];
};

static int stream_open_pair(struct stream *stream, char *ret_why, size_t len)
{
	struct pair_options options = {
		.deadline = stream->options.deadline,
		.there = stream->options.there,
		.waiting = stream->options.waiting,
	};
	int err;

	memcpy(options.peer, stream->options.peer, sizeof(options.peer));
	err = pair_open(stream->address.name, &options, &stream->pair, ret_why, len);
	if (!err)
		stream->in = stream->out = pair_fd(stream->pair);
	return err;
}

static int stream_explain_device(const struct stream *stream, int err, const char *holder,
				 char *ret_why, size_t len)
{
	const char *path = stream->address.path;

	if (err == -EBUSY)
		snprintf(ret_why, len, "%s is in use by %s: end it first", path, holder);
	else if (err == -ENOTTY)
		snprintf(ret_why, len, "%s is no character device", path);
	else if (err == -EINVAL)
		snprintf(ret_why, len,
			 "%s has no HopIDs: write them in configfs, or give the "
			 "stream's name instead of its device",
			 path);
	else if (err == -EINTR)
		snprintf(ret_why, len, "stopped by a signal while waiting for the cable of %s",
			 path);
	else if (err == -ETIMEDOUT)
		snprintf(ret_why, len, "timed out waiting for the cable of %s", path);
	else
		snprintf(ret_why, len, "cannot open %s: %s", path, strerror(-err));
	return err;
}

/* The driver says ENXIO until the other machine is there. */
static int stream_open_device(struct stream *stream, int64_t deadline, char *ret_why, size_t len)
{
	char holder[64] = "", sentence[160];
	struct uevent event;
	bool told = false;
	int events, fd;

	events = uevent_open();
	for (;;) {
		int64_t next = stop_deadline(STREAM_TICK);
		int err;

		fd = pair_holder_open(stream->address.path, holder, sizeof(holder));
		if (fd != -ENXIO)
			break;
		snprintf(sentence, sizeof(sentence), "waiting for the cable of %s",
			 stream->address.path);
		if (!told && stream->options.waiting.tell)
			stream->options.waiting.tell(stream->options.waiting.arg, sentence);
		told = true;
		err = stop_poll(events < 0 ? -1 : events, POLLIN,
				next < deadline ? next : deadline);
		if (err == -EINTR || stop_now() >= deadline) {
			fd = err == -EINTR ? -EINTR : -ETIMEDOUT;
			break;
		}
		while (events >= 0 &&
		       (err = uevent_read(events, &event), err == 0 || err == -ENOBUFS))
			;
	}
	if (events >= 0)
		close(events);
	if (fd < 0)
		return stream_explain_device(stream, fd, holder, ret_why, len);
	stream->in = stream->out = fd;
	return 0;
}

/* The flags belong to the open file, which the shell that started us may share: they are put back.
 */
static int stream_open_stdio(struct stream *stream, char *ret_why, size_t len)
{
	const bool one_way = stream->options.one_way, in = stream->options.listen;
	const int first = one_way && !in ? STDOUT_FILENO : STDIN_FILENO;
	const int last = one_way && in ? STDIN_FILENO : STDOUT_FILENO;

	for (int fd = first; fd <= last; fd++) {
		if (isatty(fd)) {
			snprintf(ret_why, len,
				 "--stream - needs pipes, and standard %s is a terminal",
				 fd ? "output" : "input");
			return -EINVAL;
		}
	}
	for (int fd = first; fd <= last; fd++) {
		stream->flags[fd] = fcntl(fd, F_GETFL);
		if (stream->flags[fd] < 0 || fcntl(fd, F_SETFL, stream->flags[fd] | O_NONBLOCK)) {
			int err = -errno;

			snprintf(ret_why, len, "cannot use standard %s as the stream: %s",
				 fd ? "output" : "input", strerror(-err));
			return err;
		}
	}
	stream->in = STDIN_FILENO;
	stream->out = STDOUT_FILENO;
	return 0;
}

static void stream_describe(struct stream *stream)
{
	const struct stream_address *address = &stream->address;

	switch (address->kind) {
	case STREAM_PAIRED:
		pair_describe(address->name, pair_peer(stream->pair), stream->name,
			      sizeof(stream->name));
		break;
	case STREAM_DEVICE:
		snprintf(stream->name, sizeof(stream->name), "%s", address->path);
		break;
	case STREAM_UNIX:
		snprintf(stream->name, sizeof(stream->name), "unix:%s", address->path);
		break;
	case STREAM_TCP:
		snprintf(stream->name, sizeof(stream->name), "tcp:%s:%s", address->host,
			 address->port);
		break;
	case STREAM_STDIO:
		snprintf(stream->name, sizeof(stream->name), "standard input and output");
		break;
	}
}

static int stream_connect(struct stream *stream, int64_t deadline, char *ret_why, size_t len)
{
	int fd;

	switch (stream->address.kind) {
	case STREAM_PAIRED: return stream_open_pair(stream, ret_why, len);
	case STREAM_DEVICE: return stream_open_device(stream, deadline, ret_why, len);
	case STREAM_STDIO: return stream_open_stdio(stream, ret_why, len);
	default: break;
	}
	fd = stream_socket_open(&stream->address, &stream->options, deadline, ret_why, len);
	if (fd < 0)
		return fd;
	stream->in = stream->out = fd;
	return 0;
}

int stream_open(const struct stream_address *address, const struct stream_options *options,
		struct stream **ret, char *ret_why, size_t len)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	int err;

	if (!stream) {
		snprintf(ret_why, len, "cannot open the stream: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	stream->address = *address;
	stream->options = *options;
	stream->in = stream->out = stream->flags[0] = stream->flags[1] = -1;
	err = stream_connect(stream, options->deadline, ret_why, len);
	if (err) {
		stream_close(stream);
		return err;
	}
	stream_describe(stream);
	*ret = stream;
	return 0;
}

/* Closes what is open; a pair's device is the pair's. */
static void stream_disconnect(struct stream *stream)
{
	/* Backwards: where both are one socket, the second flags had ours in them already. */
	for (int fd = 1; fd >= 0; fd--) {
		if (stream->flags[fd] >= 0)
			fcntl(fd, F_SETFL, stream->flags[fd]);
	}
	if (stream->in >= 0 && !stream->pair && stream->address.kind != STREAM_STDIO)
		close(stream->in);
	stream->in = stream->out = -1;
}

void stream_hang_up(struct stream *stream)
{
	stream_disconnect(stream);
	if (stream->pair)
		pair_hang_up(stream->pair);
}

void stream_close(struct stream *stream)
{
	if (!stream)
		return;
	stream_disconnect(stream);
	pair_close(stream->pair);
	free(stream);
}

int stream_in(const struct stream *stream)
{
	return stream->in;
}

int stream_out(const struct stream *stream)
{
	return stream->out;
}

bool stream_lossy(const struct stream *stream)
{
	return stream->address.kind == STREAM_PAIRED || stream->address.kind == STREAM_DEVICE;
}

/* A device says ENXIO when the cable is gone, and to a writer also once CLOSE was read. */
static ssize_t stream_error(int number)
{
	return number == ECONNRESET || number == ENXIO ? -EPIPE : -number;
}

ssize_t stream_read(struct stream *stream, void *buf, size_t len)
{
	ssize_t n;

	do {
		n = read(stream->in, buf, len);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? stream_error(errno) : n;
}

ssize_t stream_write(struct stream *stream, const void *buf, size_t len)
{
	ssize_t n;

	do {
		n = write(stream->out, buf, len);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? stream_error(errno) : n;
}

const char *stream_name(const struct stream *stream)
{
	return stream->name;
}

/* The pair has a new device, or failed with ERR. */
static int stream_paired(struct stream *stream, int err)
{
	stream->in = stream->out = err ? -1 : pair_fd(stream->pair);
	stream_describe(stream);
	return err;
}

int stream_renew(struct stream *stream, int64_t deadline, char *ret_why, size_t len)
{
	int err;

	if (!stream->pair)
		return -EALREADY;
	err = pair_renew(stream->pair, deadline, ret_why, len);
	return err == -EALREADY ? err : stream_paired(stream, err);
}

int stream_refuse(struct stream *stream, int64_t deadline, char *ret_why, size_t len)
{
	if (!stream->pair)
		return stream_reopen(stream, deadline, ret_why, len);
	return stream_paired(stream, pair_refuse(stream->pair, deadline, ret_why, len));
}

bool stream_reopens(const struct stream *stream)
{
	return stream->address.kind != STREAM_STDIO;
}

int stream_reopen(struct stream *stream, int64_t deadline, char *ret_why, size_t len)
{
	if (!stream_reopens(stream)) {
		snprintf(ret_why, len, "standard input ended before the other side said anything");
		return -EPIPE;
	}
	if (stream->pair)
		return stream_paired(stream, pair_reopen(stream->pair, deadline, ret_why, len));
	stream_disconnect(stream);
	return stream_connect(stream, deadline, ret_why, len);
}

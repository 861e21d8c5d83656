// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vfio_user_command.h"

#define FLAG_TYPE     0x0fu
#define FLAG_REPLY    0x01u
#define FLAG_NO_REPLY 0x10u
#define FLAG_ERROR    0x20u

int vfio_user_init(struct vfio_user *vu, const struct vfio_user_transport *transport,
		   void *transport_ctx, const struct vfio_user_device *device, void *device_ctx)
{
	uint8_t *buffer = malloc(VFIO_USER_BUFFER_SIZE);

	if (!buffer)
		return -ENOMEM;
	*vu = (struct vfio_user){
		.transport = transport,
		.transport_ctx = transport_ctx,
		.device = device,
		.device_ctx = device_ctx,
		.buffer = buffer,
	};
	return 0;
}

static void drop_fds(struct vfio_user *vu)
{
	for (size_t i = 0; i < vu->fd_count; i++) {
		if (vu->fds[i] >= 0)
			close(vu->fds[i]);
	}
	vu->fd_count = 0;
}

void vfio_user_release(struct vfio_user *vu)
{
	drop_fds(vu);
	free(vu->buffer);
	*vu = (struct vfio_user){0};
}

static int send_reply(struct vfio_user *vu, const struct vfio_user_header *request, int error,
		      struct vfio_user_reply *reply)
{
	struct vfio_user_header header = {
		.id = request->id,
		.command = request->command,
		.flags = FLAG_REPLY | (error ? FLAG_ERROR : 0),
		.error = (uint32_t)-error,
	};
	const struct iovec iov[] = {
		{&header, sizeof(header)},
		{reply->body, error ? 0 : reply->len},
	};

	header.size = (uint32_t)(iov[0].iov_len + iov[1].iov_len);
	return vu->transport->send(vu->transport_ctx, iov, 2);
}

static int handle_message(struct vfio_user *vu, const struct vfio_user_header *header,
			  struct vfio_user_request *request)
{
	struct vfio_user_reply reply;
	int ret;

	reply.len = 0;
	ret = vfio_user_command(vu, header->command, request, &reply);
	return header->flags & FLAG_NO_REPLY ? 0 : send_reply(vu, header, ret, &reply);
}

static bool header_valid(const struct vfio_user_header *header)
{
	return header->size >= sizeof(*header) && header->size <= VFIO_USER_MESSAGE_MAX &&
	       !(header->flags & FLAG_TYPE);
}

/* Handles the message at start if it is complete, and returns its size, else 0. */
static ssize_t serve_one(struct vfio_user *vu, size_t start)
{
	struct vfio_user_header header;
	struct vfio_user_request request = {0};
	bool owns_fds;
	size_t end;
	int ret;

	if (vu->len - start < sizeof(header))
		return 0;
	memcpy(&header, vu->buffer + start, sizeof(header));
	if (!header_valid(&header))
		return -EPROTO;
	if (vu->len - start < header.size)
		return 0;

	end = start + header.size;
	request.body = vu->buffer + start + sizeof(header);
	request.len = header.size - sizeof(header);
	owns_fds = vu->fd_count && vu->fd_end <= end;
	if (owns_fds) {
		request.fds = vu->fds;
		request.fd_count = vu->fd_count;
	}
	ret = handle_message(vu, &header, &request);
	if (owns_fds)
		drop_fds(vu);
	return ret ? ret : (ssize_t)header.size;
}

static int receive(struct vfio_user *vu)
{
	int fds[VFIO_USER_FDS_MAX];
	size_t fd_count = 0;
	ssize_t got;

	got = vu->transport->recv(vu->transport_ctx, vu->buffer + vu->len,
				  VFIO_USER_BUFFER_SIZE - vu->len, fds, &fd_count);
	if (got <= 0)
		return got ? (int)got : -ENOTCONN;
	vu->len += (size_t)got;
	if (fd_count && vu->fd_count) { /* a second set before the first message is complete */
		for (size_t i = 0; i < fd_count; i++)
			close(fds[i]);
		return -EPROTO;
	}
	if (fd_count) {
		memcpy(vu->fds, fds, fd_count * sizeof(*fds));
		vu->fd_count = fd_count;
		vu->fd_end = vu->len;
	}
	return 0;
}

int vfio_user_serve(struct vfio_user *vu)
{
	size_t start = 0;
	int ret = receive(vu);

	if (ret)
		return ret == -EAGAIN ? 0 : ret;
	for (;;) {
		ssize_t used = serve_one(vu, start);

		if (used < 0)
			return (int)used;
		if (!used)
			break;
		start += (size_t)used;
	}
	vu->len -= start;
	vu->fd_end -= vu->fd_count ? start : 0;
	memmove(vu->buffer, vu->buffer + start, vu->len);
	return 0;
}

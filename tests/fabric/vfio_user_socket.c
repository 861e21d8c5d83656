// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vfio_user_socket.h"

/* A machine that does not take its replies for this long has stopped; the others must go on. */
#define SEND_PATIENCE_MS 500

static size_t take_fds(struct msghdr *message, int *fds)
{
	size_t count = 0;

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(message); cmsg;
	     cmsg = CMSG_NXTHDR(message, cmsg)) {
		size_t len = cmsg->cmsg_len - CMSG_LEN(0);

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(fds + count, CMSG_DATA(cmsg), len);
		count += len / sizeof(*fds);
	}
	return count;
}

static ssize_t socket_recv(void *ctx, void *buf, size_t len, int *fds, size_t *ret_fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(VFIO_USER_FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = {buf, len};
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	const int *fd = ctx;
	ssize_t got;

	do
		got = recvmsg(*fd, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	*ret_fds = take_fds(&message, fds);
	return got;
}

static int socket_send(void *ctx, const struct iovec *iov, int count)
{
	uint8_t bytes[VFIO_USER_MESSAGE_MAX];
	const int *fd = ctx;
	size_t len = 0, done = 0;

	for (int i = 0; i < count; i++) {
		memcpy(bytes + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	while (done < len) {
		struct pollfd room = {.fd = *fd, .events = POLLOUT};
		ssize_t sent = send(*fd, bytes + done, len - done, MSG_NOSIGNAL);

		if (sent > 0)
			done += (size_t)sent;
		else if (errno != EAGAIN && errno != EINTR)
			return -errno;
		else if (errno == EAGAIN && poll(&room, 1, SEND_PATIENCE_MS) == 0)
			return -ETIMEDOUT;
	}
	return 0;
}

const struct vfio_user_transport vfio_user_socket = {
	.recv = socket_recv,
	.send = socket_send,
};

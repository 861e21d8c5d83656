/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine that the tests of vfio_user put before the server; each test program has its own. */
#ifndef VFIO_MACHINE_H
#define VFIO_MACHINE_H

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "vfio_user.h"

/*
 * A machine that says what a test puts into `out`, as one or more reads, and hears into `in`; and a
 * device that writes down what it is asked for.
 */
static struct vfio_user vu;
static uint8_t out[2 * VFIO_USER_MESSAGE_MAX], in[65536];
static size_t out_len, out_pos, out_chunk, in_len;
static int out_fds[VFIO_USER_FDS_MAX];
static size_t out_fd_count;
static bool send_fails;

static char asked[256];
static uint8_t registers[64];
static int vector_fd[4];

#define NOTE(...) snprintf(asked + strlen(asked), sizeof(asked) - strlen(asked), __VA_ARGS__)

static ssize_t machine_recv(void *ctx, void *buf, size_t len, int *fds, size_t *ret_fds)
{
	size_t part = out_len - out_pos;

	(void)ctx;
	if (!part)
		return -EAGAIN;
	part = part < len ? part : len;
	part = part < out_chunk ? part : out_chunk;
	memcpy(buf, out + out_pos, part);
	out_pos += part;
	*ret_fds = 0;
	if (out_pos == out_len) {
		memcpy(fds, out_fds, sizeof(*fds) * out_fd_count);
		*ret_fds = out_fd_count;
		out_fd_count = 0;
	}
	return (ssize_t)part;
}

static int machine_send(void *ctx, const struct iovec *iov, int count)
{
	(void)ctx;
	if (send_fails)
		return -EPIPE;
	for (int i = 0; i < count; i++) {
		memcpy(in + in_len, iov[i].iov_base, iov[i].iov_len);
		in_len += iov[i].iov_len;
	}
	return 0;
}

static const struct vfio_user_transport machine = {machine_recv, machine_send};

static int region_read(void *ctx, unsigned int region, uint64_t offset, void *buf, uint32_t count)
{
	(void)ctx;
	NOTE("read %u %llu %u;", region, (unsigned long long)offset, count);
	memcpy(buf, registers + offset, count);
	return 0;
}

static int region_write(void *ctx, unsigned int region, uint64_t offset, const void *buf,
			uint32_t count)
{
	(void)ctx;
	NOTE("write %u %llu %u;", region, (unsigned long long)offset, count);
	memcpy(registers + offset, buf, count);
	return 0;
}

static int dma_map(void *ctx, uint64_t iova, uint64_t size, int fd, uint64_t offset,
		   unsigned int prot)
{
	(void)ctx;
	NOTE("map %llx %llx %s %llx %u;", (unsigned long long)iova, (unsigned long long)size,
	     fd < 0		      ? "none"
	     : fcntl(fd, F_GETFD) < 0 ? "closed"
				      : "fd",
	     (unsigned long long)offset, prot);
	return iova == 0xbad000 ? -EEXIST : 0;
}

static int dma_unmap(void *ctx, uint64_t iova, uint64_t size)
{
	(void)ctx;
	NOTE("unmap %llx %llx;", (unsigned long long)iova, (unsigned long long)size);
	return 0;
}

static void dma_unmap_all(void *ctx)
{
	(void)ctx;
	NOTE("unmap all;");
}

static void set_vector(void *ctx, unsigned int vector, int fd)
{
	(void)ctx;
	NOTE("vector %u %s;", vector, fd < 0 ? "none" : "fd");
	if (vector_fd[vector] >= 0)
		close(vector_fd[vector]);
	vector_fd[vector] = fd;
}

static void reset(void *ctx)
{
	(void)ctx;
	NOTE("reset;");
}

static const struct vfio_user_device device = {
	.region_size = {[0] = sizeof(registers), [7] = 16},
	.vectors = 4,
	.region_read = region_read,
	.region_write = region_write,
	.dma_map = dma_map,
	.dma_unmap = dma_unmap,
	.dma_unmap_all = dma_unmap_all,
	.set_vector = set_vector,
	.reset = reset,
};

static int setup(void **state)
{
	(void)state;
	out_len = out_pos = in_len = out_fd_count = 0;
	out_chunk = sizeof(out);
	send_fails = false;
	asked[0] = '\0';
	memset(vector_fd, -1, sizeof(vector_fd));
	return vfio_user_init(&vu, &machine, NULL, &device, NULL);
}

static int teardown(void **state)
{
	(void)state;
	vfio_user_release(&vu);
	for (size_t i = 0; i < 4; i++) {
		if (vector_fd[i] >= 0)
			close(vector_fd[i]);
	}
	return 0;
}

static void say(uint16_t command, uint32_t flags, const void *body, size_t len)
{
	const struct vfio_user_header header = {
		.id = (uint16_t)(out_len + 1),
		.command = command,
		.size = (uint32_t)(sizeof(header) + len),
		.flags = flags,
	};

	memcpy(out + out_len, &header, sizeof(header));
	memcpy(out + out_len + sizeof(header), body, len);
	out_len += sizeof(header) + len;
}

/* The only reply: its error, and its body. */
static uint32_t heard(const void **ret_body, size_t *ret_len)
{
	struct vfio_user_header header;

	assert_true(in_len >= sizeof(header));
	memcpy(&header, in, sizeof(header));
	assert_int_equal(header.size, in_len);
	assert_int_equal(header.id, 1);
	assert_int_equal(header.flags, header.error ? 0x21 : 1);
	*ret_body = in + sizeof(header);
	*ret_len = in_len - sizeof(header);
	return header.error;
}

static uint32_t ask(uint16_t command, const void *body, size_t len, const void **ret_body,
		    size_t *ret_len)
{
	say(command, 0, body, len);
	assert_int_equal(vfio_user_serve(&vu), 0);
	return heard(ret_body, ret_len);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif

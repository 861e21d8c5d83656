// SPDX-License-Identifier: GPL-2.0-or-later
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

static void test_version(void **state)
{
	const uint8_t version[] = {0, 0, 1, 0, '{', '}', 0};
	const void *body;
	size_t len;

	(void)state;
	assert_int_equal(ask(1, version, sizeof(version), &body, &len), 0);
	assert_memory_equal(body, "\0\0\0\0{\"capabilities\":{", 21);
	assert_int_equal(((const char *)body)[len - 1], '\0');
}

static void test_version_refused(void **state)
{
	const uint8_t version[] = {1, 0, 0, 0};
	const void *body;
	size_t len;

	(void)state;
	assert_int_equal(ask(1, version, sizeof(version), &body, &len), EINVAL);
	assert_int_equal(len, 0);
}

static void test_infos(void **state)
{
	struct vfio_user_region_info region = {.argsz = sizeof(region), .index = 7};
	const void *body;
	size_t len;

	(void)state;
	assert_int_equal(ask(5, &region, sizeof(region), &body, &len), 0);
	memcpy(&region, body, sizeof(region));
	assert_int_equal(region.size, 16);
	assert_int_equal(region.flags, 3);
}

static void test_index_outside(void **state)
{
	const struct vfio_user_region_info region = {.index = VFIO_USER_REGIONS};
	const void *body;
	size_t len;

	(void)state;
	assert_int_equal(ask(5, &region, sizeof(region), &body, &len), EINVAL);
}

static void test_region_access(void **state)
{
	const struct {
		struct vfio_user_region_access access;
		uint32_t value;
	} write = {{.offset = 60, .region = 0, .count = 4}, 0x12345678};
	const void *body;
	uint32_t value;
	size_t len;

	(void)state;
	say(10, 0x10, &write, 20); /* posted: no reply */
	assert_int_equal(vfio_user_serve(&vu), 0);
	assert_int_equal(in_len, 0);
	out_len = out_pos = 0;
	assert_int_equal(ask(9, &write, 16, &body, &len), 0);
	assert_int_equal(len, 20);
	memcpy(&value, (const uint8_t *)body + 16, 4);
	assert_int_equal(value, 0x12345678);
	assert_string_equal(asked, "write 0 60 4;read 0 60 4;");
}

static void test_region_access_refused(void **state)
{
	static const struct vfio_user_region_access wrong[] = {
		{.offset = 61, .region = 0, .count = 4},
		{.offset = UINT64_MAX - 1, .region = 0, .count = 4},
		{.offset = 0, .region = 1, .count = 1},
		{.offset = 0, .region = 9, .count = 0},
		{.offset = 0, .region = 0, .count = UINT32_MAX},
		{.offset = 0, .region = 7, .count = 17},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		const void *body;
		size_t len;

		out_len = out_pos = in_len = 0;
		assert_int_equal(ask(9, &wrong[i], 16, &body, &len), EINVAL);
		out_len = out_pos = in_len = 0;
		assert_int_equal(ask(10, &wrong[i], 16, &body, &len), EINVAL);
	}
	assert_string_equal(asked, "");
}

static void test_write_multiple(void **state)
{
	struct {
		uint64_t count;
		struct vfio_user_posted_write writes[2];
	} body = {2, {{{.offset = 0, .count = 4}, {1}}, {{.offset = 8, .count = 8}, {2}}}};

	(void)state;
	say(15, 0x10, &body, sizeof(body));
	assert_int_equal(vfio_user_serve(&vu), 0);
	assert_string_equal(asked, "write 0 0 4;write 0 8 8;");
	body.count = UINT64_MAX;
	say(15, 0x10, &body, sizeof(body));
	body.count = 2;
	body.writes[0].access.count = 9;
	say(15, 0x10, &body, sizeof(body));
	assert_int_equal(vfio_user_serve(&vu), 0);
	assert_string_equal(asked, "write 0 0 4;write 0 8 8;");
}

static void test_dma_map_takes_its_fd(void **state)
{
	const struct vfio_user_dma_map map = {
		.flags = 3, .offset = 0x1000, .iova = 0x2000, .size = 0x3000};
	int fd = memfd_create("ram", 0);

	(void)state;
	/* Only the last of three messages in one read brought the descriptor. */
	say(2, 0x10, &map, sizeof(map));
	say(2, 0x10, &map, sizeof(map));
	say(2, 0x10, &map, sizeof(map));
	out_fds[0] = fd;
	out_fd_count = 1;
	assert_int_equal(vfio_user_serve(&vu), 0);
	assert_string_equal(asked, "map 2000 3000 none 1000 3;map 2000 3000 none 1000 3;"
				   "map 2000 3000 fd 1000 3;");
	assert_int_equal(fcntl(fd, F_GETFD), -1); /* the server closed it */
}

static void test_fds_of_a_cut_message(void **state)
{
	const struct vfio_user_dma_map map = {.flags = 1, .iova = 0x2000, .size = 0x1000};
	const int fd = memfd_create("ram", 0);
	size_t whole;

	(void)state;
	say(2, 0x10, &map, sizeof(map));
	whole = out_len;
	out_len = 20;
	out_fds[0] = fd;
	out_fd_count = 1;
	assert_int_equal(vfio_user_serve(&vu), 0);
	assert_string_equal(asked, "");
	out_len = whole;
	assert_int_equal(vfio_user_serve(&vu), 0);
	assert_string_equal(asked, "map 2000 1000 fd 0 1;");
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void test_unwanted_fds_are_closed(void **state)
{
	const struct vfio_user_dma_map map = {.flags = 3, .iova = 0x2000, .size = 0x1000};
	const int first = memfd_create("ram", 0), second = memfd_create("ram", 0);

	(void)state;
	say(2, 0x10, &map, sizeof(map));
	out_fds[0] = first;
	out_fds[1] = second;
	out_fd_count = 2;
	assert_int_equal(vfio_user_serve(&vu), 0);
	assert_string_equal(asked, "");
	assert_int_equal(fcntl(first, F_GETFD), -1);
	assert_int_equal(fcntl(second, F_GETFD), -1);
}

static void test_dma_error_is_the_reply(void **state)
{
	const struct vfio_user_dma_map map = {.flags = 3, .iova = 0xbad000, .size = 0x1000};
	const void *body;
	size_t len;

	(void)state;
	assert_int_equal(ask(2, &map, sizeof(map), &body, &len), EEXIST);
}

static void test_dma_unmap(void **state)
{
	struct vfio_user_dma_unmap unmap = {.argsz = 24, .iova = 0x2000, .size = 0x1000};
	const void *body;
	size_t len;

	(void)state;
	assert_int_equal(ask(3, &unmap, sizeof(unmap), &body, &len), 0);
	assert_int_equal(len, sizeof(unmap));
	assert_memory_equal(body, &unmap, sizeof(unmap));
	unmap.flags = 2;
	say(3, 0x10, &unmap, sizeof(unmap));
	unmap.flags = 1;
	say(3, 0x10, &unmap, sizeof(unmap));
	assert_int_equal(vfio_user_serve(&vu), 0);
	assert_string_equal(asked, "unmap 2000 1000;unmap all;");
}

static void test_set_irqs(void **state)
{
	struct vfio_user_irq_set set = {
		.argsz = 20, .flags = 0x24, .index = 2, .start = 1, .count = 2};

	(void)state;
	say(8, 0x10, &set, sizeof(set));
	out_fds[0] = memfd_create("irq", 0);
	out_fds[1] = memfd_create("irq", 0);
	out_fd_count = 2;
	assert_int_equal(vfio_user_serve(&vu), 0);
	assert_string_equal(asked, "vector 1 fd;vector 2 fd;");
	asked[0] = '\0';
	set.count = 1;
	say(8, 0x10, &set, sizeof(set)); /* without a descriptor: taken away */
	assert_int_equal(vfio_user_serve(&vu), 0);
	assert_string_equal(asked, "vector 1 none;");
	asked[0] = '\0';
	set = (struct vfio_user_irq_set){.flags = 0x21, .index = 2};
	say(8, 0x10, &set, sizeof(set));
	assert_int_equal(vfio_user_serve(&vu), 0);
	assert_string_equal(asked, "vector 0 none;vector 1 none;vector 2 none;vector 3 none;");
}

static void test_set_irqs_refused(void **state)
{
	static const struct vfio_user_irq_set wrong[] = {
		{.flags = 0x24, .index = 2, .start = 4, .count = 1},
		{.flags = 0x24, .index = 2, .start = 1, .count = UINT32_MAX},
		{.flags = 0x24, .index = 2, .start = UINT32_MAX, .count = 2},
		{.flags = 0x24, .index = 1, .start = 0, .count = 1},
		{.flags = 0x24, .index = 5, .start = 0, .count = 0},
		{.flags = 0x04, .index = 2, .start = 0, .count = 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		const void *body;
		size_t len;

		out_len = out_pos = in_len = 0;
		assert_int_equal(ask(8, &wrong[i], sizeof(wrong[i]), &body, &len), EINVAL);
	}
	assert_string_equal(asked, "");
}

static void test_unknown_and_cut_commands(void **state)
{
	static const struct {
		uint16_t command;
		size_t len;
		uint32_t error;
	} wrong[] = {{0, 0, EOPNOTSUPP},   {6, 64, EOPNOTSUPP}, {16, 64, EOPNOTSUPP},
		     {999, 0, EOPNOTSUPP}, {1, 3, EINVAL},	{2, 31, EINVAL},
		     {3, 23, EINVAL},	   {5, 31, EINVAL},	{8, 19, EINVAL},
		     {9, 15, EINVAL},	   {15, 7, EINVAL}};
	const uint8_t zeros[64] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		const void *body;
		size_t len;

		out_len = out_pos = in_len = 0;
		assert_int_equal(ask(wrong[i].command, zeros, wrong[i].len, &body, &len),
				 wrong[i].error);
	}
}

/* Messages that come byte by byte are the same messages. */
static void test_bytewise(void **state)
{
	const struct vfio_user_region_access read = {.offset = 0, .region = 0, .count = 8};

	(void)state;
	say(9, 0, &read, sizeof(read));
	say(13, 0x10, "", 0);
	out_chunk = 1;
	for (size_t i = 0; i < out_len; i++)
		assert_int_equal(vfio_user_serve(&vu), 0);
	assert_string_equal(asked, "read 0 0 8;reset;");
	assert_int_equal(in_len, 16 + 16 + 8);
}

static void test_broken_headers(void **state)
{
	static const struct vfio_user_header wrong[] = {
		{.command = 13, .size = 15},
		{.command = 13, .size = VFIO_USER_MESSAGE_MAX + 1},
		{.command = 13, .size = 16, .flags = 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		memcpy(out, &wrong[i], sizeof(wrong[i]));
		out_len = sizeof(wrong[i]);
		out_pos = vu.len = 0;
		assert_int_equal(vfio_user_serve(&vu), -EPROTO);
	}
}

static void test_gone_machine(void **state)
{
	(void)state;
	send_fails = true;
	say(13, 0, "", 0);
	assert_int_equal(vfio_user_serve(&vu), -EPIPE);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_version),
		test(test_version_refused),
		test(test_infos),
		test(test_index_outside),
		test(test_region_access),
		test(test_region_access_refused),
		test(test_write_multiple),
		test(test_dma_map_takes_its_fd),
		test(test_fds_of_a_cut_message),
		test(test_unwanted_fds_are_closed),
		test(test_dma_error_is_the_reply),
		test(test_dma_unmap),
		test(test_set_irqs),
		test(test_set_irqs_refused),
		test(test_unknown_and_cut_commands),
		test(test_bytewise),
		test(test_broken_headers),
		test(test_gone_machine),
	};

	return cmocka_run_group_tests_name("vfio_user", tests, NULL, NULL);
}

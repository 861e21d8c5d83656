// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages that bring descriptors: memory and interrupts. */
#include "vfio_machine.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_dma_map_takes_its_fd),
		test(test_fds_of_a_cut_message),
		test(test_unwanted_fds_are_closed),
		test(test_dma_error_is_the_reply),
		test(test_dma_unmap),
		test(test_set_irqs),
		test(test_set_irqs_refused),
	};

	return cmocka_run_group_tests_name("vfio_user_fd", tests, NULL, NULL);
}

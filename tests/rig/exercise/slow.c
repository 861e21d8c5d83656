// SPDX-License-Identifier: GPL-2.0-or-later
#include "slow.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
	int fd;
	long ms;
	uint8_t content[SLOW_SIZE];
	pthread_t thread;
} slow;

/* Waits for the first touch, and then for slow.ms. */
static void *serve(void *page)
{
	struct uffdio_copy copy = {
		.dst = (uintptr_t)page,
		.src = (uintptr_t)slow.content,
		.len = SLOW_SIZE,
	};
	struct pollfd touched = {.fd = slow.fd, .events = POLLIN};

	if (poll(&touched, 1, -1) == 1)
		usleep((useconds_t)slow.ms * 1000);
	ioctl(slow.fd, UFFDIO_COPY, &copy);
	return NULL;
}

static bool slow_register(uint8_t *page)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register area = {
		.range = {.start = (uintptr_t)page, .len = SLOW_SIZE},
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	slow.fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	return slow.fd >= 0 && !ioctl(slow.fd, UFFDIO_API, &api) &&
	       !ioctl(slow.fd, UFFDIO_REGISTER, &area) &&
	       !pthread_create(&slow.thread, NULL, serve, page);
}

uint8_t *slow_page(const uint8_t content[SLOW_SIZE], long ms)
{
	uint8_t *page =
		mmap(NULL, SLOW_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(slow.content, content, SLOW_SIZE);
	slow.ms = ms;
	return page != MAP_FAILED && slow_register(page) ? page : NULL;
}

void slow_free(uint8_t *page)
{
	/* If nobody has touched it yet, this does. */
	*(volatile uint8_t *)page;
	pthread_join(slow.thread, NULL);
	munmap(page, SLOW_SIZE);
	close(slow.fd);
}

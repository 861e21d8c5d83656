// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two hostile machines on a cable. INPUT is a script: a byte that says who does what, a length, and
 * that many bytes. Machines send bytes of the vfio-user protocol, with descriptors, write into
 * their own memory behind the fabric's back, go away and come back; the cable and its faults are
 * commanded by text. Memory safety is the sanitizers' and guard pages' to judge; beyond that, no
 * byte may change in memory that was shared read-only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "control.h"

#define MEMORY 0x40000u
#define TURNS  32u
#define STEPS  512u
#define CANARY 0xa5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct machine {
	struct host *host;
	struct vfio_user vu;
	int memory_fd;
	int constant_fd; /* cannot be mapped for writing */
	uint8_t *memory;
	const uint8_t *send; /* what the next read gets */
	size_t send_len;
	unsigned int send_fds; /* kinds, 2 bits each, from the lowest; 0 ends */
};

static struct host hosts[2];
static struct machine machines[2];
static struct cable cable;
static struct fabric fabric;
static struct fault fault;
static uint64_t now; /* ms */
static struct control control = {.fabric = &fabric, .fault = &fault};

static int machine_fd(const struct machine *machine, unsigned int kind)
{
	switch (kind) {
	case 1: return dup(machine->memory_fd);
	case 2: return eventfd(0, EFD_NONBLOCK);
	default: return dup(machine->constant_fd);
	}
}

static ssize_t machine_recv(void *ctx, void *buf, size_t len, int *fds, size_t *ret_fds)
{
	struct machine *machine = ctx;
	size_t part = machine->send_len < len ? machine->send_len : len;

	*ret_fds = 0;
	if (!part)
		return -EAGAIN;
	memcpy(buf, machine->send, part);
	machine->send += part;
	machine->send_len -= part;
	if (machine->send_len)
		return (ssize_t)part;
	for (; machine->send_fds & 3 && *ret_fds < VFIO_USER_FDS_MAX; machine->send_fds >>= 2)
		fds[(*ret_fds)++] = machine_fd(machine, machine->send_fds & 3);
	return (ssize_t)part;
}

static int machine_send(void *ctx, const struct iovec *iov, int count)
{
	size_t len = 0;

	(void)ctx;
	for (int i = 0; i < count; i++)
		len += iov[i].iov_len;
	if (len > VFIO_USER_MESSAGE_MAX)
		abort();
	return 0;
}

static const struct vfio_user_transport transport = {machine_recv, machine_send};

static void fault_plug(void *ctx, unsigned int index, bool plugged)
{
	fabric_plug(ctx, index, plugged);
}

static void fault_wake(void *ctx)
{
	fabric_wake(ctx);
}

static int open_memory(void)
{
	int fd = memfd_create("machine", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, MEMORY))
		abort();
	return fd;
}

/* Memory that can be mapped for reading only, full of a byte that must stay. */
static int open_constant(void)
{
	uint8_t page[DMA_PAGE];
	char path[32];
	int fd = open_memory(), constant;

	memset(page, CANARY, sizeof(page));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	constant = open(path, O_RDONLY | O_CLOEXEC);
	if (constant < 0 || pwrite(fd, page, sizeof(page), 0) != sizeof(page))
		abort();
	close(fd);
	return constant;
}

static void machine_connect(struct machine *machine)
{
	if (vfio_user_init(&machine->vu, &transport, machine, &host_device, machine->host))
		abort();
	host_power(machine->host, true);
}

static void machine_disconnect(struct machine *machine)
{
	vfio_user_release(&machine->vu);
	host_power(machine->host, false);
}

static void start(void)
{
	cable = (struct cable){.end = {{&hosts[0], 0}, {&hosts[1], 0}}, .plugged = true};
	for (unsigned int i = 0; i < 2; i++) {
		struct machine *machine = &machines[i];

		host_init(&hosts[i], i ? "b" : "a", 1, 2, i, &fabric_host_ops, &fabric);
		machine->host = &hosts[i];
		if (!machine->memory) {
			machine->memory_fd = open_memory();
			machine->constant_fd = open_constant();
			machine->memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED,
					       machine->memory_fd, 0);
		}
		memset(machine->memory, 0, MEMORY);
	}
	now = 1000;
	clock_hold(now);
	fabric_init(&fabric, hosts, 2, &cable, 1);
	fault_init(&fault, fabric_carrier(&fabric), 1, fault_plug, fault_wake, &fabric);
	fabric.carrier = fault_carrier(&fault);
	machine_connect(&machines[0]);
	machine_connect(&machines[1]);
}

static void stop(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		uint8_t page[DMA_PAGE];

		machine_disconnect(&machines[i]);
		if (pread(machines[i].constant_fd, page, sizeof(page), 0) != sizeof(page))
			abort();
		for (size_t at = 0; at < sizeof(page); at++) {
			if (page[at] != CANARY)
				abort();
		}
	}
}

static void run_fabric(void)
{
	now += 60; /* long enough for training, and for an event to be repeated now and then */
	clock_hold(now);
	fault_tick(&fault, now);
	for (unsigned int i = 0; i < TURNS && !fabric_turn(&fabric); i++)
		;
}

/* The machine's bytes, handled until it has no more to say. */
static void serve(struct machine *machine, const uint8_t *data, size_t len, unsigned int fds)
{
	machine->send = data;
	machine->send_len = len;
	machine->send_fds = fds;
	if (vfio_user_serve(&machine->vu)) {
		machine_disconnect(machine);
		machine_connect(machine);
	}
}

static void poke(struct machine *machine, const uint8_t *data, size_t len)
{
	uint32_t offset;

	if (len < sizeof(offset))
		return;
	memcpy(&offset, data, sizeof(offset));
	offset %= MEMORY;
	len -= sizeof(offset);
	memcpy(machine->memory + offset, data + sizeof(offset),
	       len < MEMORY - offset ? len : MEMORY - offset);
}

static void command(const uint8_t *data, size_t len)
{
	static char reply[COMMAND_ANSWER_MAX];
	char line[CONTROL_LINE_MAX];

	if (len >= sizeof(line))
		return;
	memcpy(line, data, len);
	line[len] = '\0';
	line[strcspn(line, "\n")] = '\0';
	control_execute(&control, line, reply);
	if (strnlen(reply, sizeof(reply)) == sizeof(reply) || strchr(reply, '\n'))
		abort();
}

/*
 * One step of the script: byte 0 is what (bits 0-2) and who (bit 3), bytes 1-2 are the length,
 * byte 3 tells the descriptors of a message, or lets the fabric run (bit 7) afterwards.
 */
static void step(const uint8_t *head, const uint8_t *data, size_t len)
{
	struct machine *machine = &machines[head[0] >> 3 & 1];

	switch (head[0] & 7) {
	case 0:
	case 1:
	case 2: serve(machine, data, len, head[3] & 0x7f); break;
	case 3:
	case 4: poke(machine, data, len); break;
	case 5: command(data, len); break;
	case 6:
		machine_disconnect(machine);
		machine_connect(machine);
		break;
	default: run_fabric(); break;
	}
	if (head[3] & 0x80)
		run_fabric();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	start();
	for (unsigned int i = 0; i < STEPS && size >= 4; i++) {
		size_t len = (size_t)data[1] | (size_t)data[2] << 8;

		len = len < size - 4 ? len : size - 4;
		step(data, data + 4, len);
		data += 4 + len;
		size -= 4 + len;
	}
	run_fabric();
	stop();
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "control_socket.h"
#include "fabric.h"
#include "fault.h"
#include "log.h"
#include "options.h"
#include "server.h"

#define EXIT_USAGE 2

/*
 * A rest between turns while frames flow: more doorbells come with one read, and more frames with
 * one interrupt. It saves the emulated machines a third of their time.
 */
#define REST_US 200

static struct host hosts[FABRIC_HOSTS_MAX];
static struct server servers[FABRIC_HOSTS_MAX];
static struct cable cables[FABRIC_CABLES_MAX];
static struct fabric fabric;
static struct fault fault;
static struct control_socket control;

static void fault_plug(void *ctx, unsigned int cable, bool plugged)
{
	fabric_plug(ctx, cable, plugged);
}

static void fault_wake(void *ctx)
{
	fabric_wake(ctx);
}

static void assemble(const struct options *options)
{
	for (unsigned int i = 0; i < options->host_count; i++) {
		const struct options_host *host = &options->hosts[i];

		host_init(&hosts[i], host->name, host->ports, host->lanes, host->unique_id,
			  &fabric_host_ops, &fabric);
		servers[i] = (struct server){.listen_fd = -1, .fd = -1};
	}
	for (unsigned int i = 0; i < options->cable_count; i++) {
		const struct options_cable *cable = &options->cables[i];

		cables[i] = (struct cable){
			.end = {{&hosts[cable->host[0]], cable->port[0]},
				{&hosts[cable->host[1]], cable->port[1]}},
			.plugged = cable->plugged,
		};
	}
	fabric_init(&fabric, hosts, options->host_count, cables, options->cable_count);
	fault_init(&fault, fabric_carrier(&fabric), options->seed, fault_plug, fault_wake, &fabric);
	fabric.carrier = fault_carrier(&fault);
}

static int cannot_listen(const char *path, int error)
{
	fprintf(stderr, "fabric: cannot listen at %s: %s.\n", path, strerror(-error));
	return error;
}

static int open_sockets(const struct options *options)
{
	const struct control commands = {.fabric = &fabric, .fault = &fault};
	int ret = control_socket_open(&control, options->control, commands);

	if (ret)
		return cannot_listen(options->control, ret);
	for (unsigned int i = 0; i < options->host_count; i++) {
		ret = server_open(&servers[i], options->hosts[i].path, &hosts[i]);
		if (ret)
			return cannot_listen(options->hosts[i].path, ret);
	}
	return 0;
}

static void close_sockets(const struct options *options)
{
	for (unsigned int i = 0; i < options->host_count; i++)
		server_close(&servers[i]);
	control_socket_close(&control);
}

static int block_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* How long nothing has to be done, in the form that poll() takes. */
static int next_turn(void)
{
	uint64_t now = clock_now(), due = fault_tick(&fault, now);
	int timeout = fabric_turn(&fabric);

	if (due == CLOCK_NEVER || (timeout >= 0 && (uint64_t)timeout <= due - now))
		return timeout;
	return due - now > INT_MAX ? INT_MAX : (int)(due - now);
}

enum {
	POLL_SIGNAL,
	POLL_CONTROL,
	POLL_HOSTS = POLL_CONTROL + CONTROL_SOCKET_POLLFDS,
	POLL_COUNT = POLL_HOSTS + FABRIC_HOSTS_MAX,
};

static void run(const struct options *options, int signal_fd)
{
	struct pollfd fds[POLL_COUNT];
	struct pollfd *host_fds = &fds[POLL_HOSTS];

	for (;;) {
		int timeout = next_turn();

		fds[POLL_SIGNAL] = (struct pollfd){.fd = signal_fd, .events = POLLIN};
		control_socket_prepare(&control, &fds[POLL_CONTROL]);
		for (unsigned int i = 0; i < options->host_count; i++)
			host_fds[i] =
				(struct pollfd){.fd = server_fd(&servers[i]), .events = POLLIN};
		if (poll(fds, POLL_HOSTS + options->host_count, timeout) < 0) {
			if (errno == EINTR)
				continue;
			return;
		}
		if (fds[POLL_SIGNAL].revents)
			return;
		if (fabric.moved && timeout)
			usleep(REST_US);
		control_socket_serve(&control, &fds[POLL_CONTROL]);
		for (unsigned int i = 0; i < options->host_count; i++) {
			if (host_fds[i].revents)
				server_serve(&servers[i]);
		}
	}
}

int main(int argc, char **argv)
{
	static struct options options;
	char error[OPTIONS_ERROR_MAX];
	int signal_fd, ret;

	if (options_parse(&options, argc, argv, error)) {
		fprintf(stderr, "fabric: %s\n", error);
		return EXIT_USAGE;
	}
	if (options.help) {
		fputs(options_help(), stdout);
		return 0;
	}
	log_to(stderr);
	signal_fd = block_signals();
	assemble(&options);
	ret = open_sockets(&options);
	if (!ret) {
		puts("ready");
		fflush(stdout);
		run(&options, signal_fd);
	}
	close_sockets(&options);
	return ret ? EXIT_FAILURE : 0;
}

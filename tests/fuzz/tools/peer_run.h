/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run of the fuzzers of transfers: the peer's thread, and what the side under test needs. */
#ifndef PEER_RUN_H
#define PEER_RUN_H

#include "peer_fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "mend.h"
#include "ui/msg.h"

#define PEER_STREAMS   6u	   /* that a script has; then the peer gives up in words */
#define PEER_FILE_MOST (32u << 20) /* bytes that the side under test may write into a file */

/* Short: the fuzzer shall not wait for what a real stream takes its time for. */
static const struct link_limits peer_limits = {
	.keepalive = 3 * MS,
	.record = 20 * MS,
	.silence = 120 * STOP_SECOND,
	.renew = 20 * MS,
	.words = 100 * MS,
};

/* The script over one stream. */
static inline void peer_play(struct peer *peer)
{
	uint8_t steps = PEER_STEPS + peer->side->steps;

	if (!peer->left || peer->script[0] % steps != PEER_MUTE)
		peer_hello(peer);
	while (peer->left && peer_step(peer, peer_u8(peer) % steps))
		;
	/* What was sent is to be understood before the stream ends. */
	if (!peer->cut && !peer_patient)
		peer_await(peer, 0);
}

/* Gets a stream. Returns false when the other side wants none any more. */
static inline bool peer_open(struct peer *peer)
{
	struct pollfd fds[2] = {
		{.fd = peer->over, .events = POLLIN},
		{.fd = peer->listener, .events = POLLIN},
	};

	if (!peer->side->dials) {
		while (poll(fds, 2, -1) < 0)
			;
		if (!fds[0].revents)
			peer->fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
		return !fds[0].revents;
	}
	peer->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	while (connect(peer->fd, (const struct sockaddr *)&peer->address, sizeof(peer->address)))
		if (poll(fds, 1, 1) > 0)
			return false;
	return true;
}

static inline void *peer_run(void *arg)
{
	struct peer *peer = arg;

	for (unsigned int stream = 0; peer_open(peer); stream++) {
		peer->sequence = peer->cut = peer->damage = peer->held = 0;
		peer->ended = false;
		if (peer->left && stream < PEER_STREAMS) {
			peer_play(peer);
		} else {
			uint8_t payload[64];

			peer_hello(peer);
			peer_put_made(peer, WIRE_TYPE_ABORT, payload,
				      wire_abort_put("enough", payload, sizeof(payload)));
		}
		shutdown(peer->fd, SHUT_WR);
		while (!peer->ended)
			peer_poll(peer, 0, -1);
		close(peer->fd);
		peer->fd = -1;
	}
	if (peer->fd >= 0)
		close(peer->fd);
	return NULL;
}

/* The folder of the run's files, in memory where that can be; nothing is left of it. */
static char peer_folder[64];

static inline void peer_clean(void)
{
	DIR *folder = opendir(peer_folder);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		closedir(folder);
}

static inline void peer_clean_up(void)
{
	peer_clean();
	rmdir(peer_folder);
}

static inline const char *peer_path(const char *name, char ret[96])
{
	snprintf(ret, 96, "%s/%s", peer_folder, name);
	return ret;
}

static inline void peer_setup(void)
{
	const struct rlimit most = {PEER_FILE_MOST, PEER_FILE_MOST};

	snprintf(peer_folder, sizeof(peer_folder), "%s/tbstream-fuzz-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	fuzz_require(mkdtemp(peer_folder) != NULL);
	atexit(peer_clean_up);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	fuzz_require(setrlimit(RLIMIT_FSIZE, &most) == 0);
	msg_setup("fuzz", MSG_QUIET, false);
}

static inline void peer_start(struct peer *peer, const struct peer_side *side, const uint8_t *data,
			      size_t size)
{
	char path[96];

	*peer = (struct peer){.side = side, .script = data, .left = size, .listener = -1, .fd = -1};
	peer->address.sun_family = AF_UNIX;
	strcpy(peer->address.sun_path, peer_path("socket", path));
	peer->over = eventfd(0, EFD_CLOEXEC);
	fuzz_require(peer->over >= 0);
	if (!side->dials) {
		unlink(path);
		peer->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		fuzz_require(!bind(peer->listener, (const struct sockaddr *)&peer->address,
				   sizeof(peer->address)) &&
			     !listen(peer->listener, 4));
	}
	fuzz_require(pthread_create(&peer->thread, NULL, peer_run, peer) == 0);
}

static inline void peer_stop(struct peer *peer)
{
	eventfd_write(peer->over, 1);
	pthread_join(peer->thread, NULL);
	close(peer->over);
	if (peer->listener >= 0)
		close(peer->listener);
}

/* The options and the stream of the side under test. */
static inline void peer_options(const struct peer *peer, struct options *ret)
{
	*ret = (struct options){
		.stream.kind = STREAM_UNIX,
		.timeout = 120 * STOP_SECOND,
		.progress = PROGRESS_NONE,
	};
	strcpy(ret->stream.path, peer->address.sun_path);
}

static inline int peer_link(const struct options *options, uint8_t role, struct link **ret)
{
	struct stream_options stream = {
		.listen = role == WIRE_RECEIVER,
		.deadline = stop_deadline(options->timeout),
	};
	struct wire_hello hello = {
		.role = role,
		.version_least = WIRE_VERSION,
		.version_most = WIRE_VERSION,
		.capabilities = WIRE_CAPABILITY_SET,
		.host = "here",
		.program = "fuzz",
	};
	struct wire_hello told;
	struct link_limits limits = peer_limits;
	char why[768];

	/* So often they would keep valgrind from all else. */
	if (peer_patient)
		limits.keepalive = 50 * MS;
	return link_open_limits(&options->stream, &stream, &hello, &limits, ret, &told, why,
				sizeof(why));
}

#endif

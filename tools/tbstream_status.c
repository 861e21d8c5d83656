// SPDX-License-Identifier: GPL-2.0-or-later
/* tbstream status: what is there, and which part is missing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/pair.h"
#include "programs.h"
#include "ui/msg.h"

struct status {
	struct options options;
	const char *name; /* a stream to look for, or NULL */
	struct pair_state state;
	struct pair_local *locals;
	size_t locals_count;
};

/* The first part that is missing, and the way out; NULL when a peer is there. */
static const char *status_missing(const struct status *status)
{
	const struct pair_state *state = &status->state;

	if (!state->controller)
		return "This machine has no Thunderbolt/USB4 host controller, or its driver is not "
		       "loaded (modprobe thunderbolt), or the firmware has switched it off.";
	if (!state->driver[0] || !state->configfs)
		return "The kernel has no USB4STREAM driver: thunderbolt_stream came with Linux "
		       "7.2; a kernel without it needs the tbstream module.";
	if (!state->peers_count)
		return "No other machine is at the end of a cable: is a Thunderbolt/USB4 cable "
		       "plugged in at both ends, and the other machine running with its driver "
		       "loaded?";
	for (size_t i = 0; i < state->peers_count; i++)
		if (state->peers[i].service[0])
			return NULL;
	return "The other machine offers no streams: load thunderbolt_stream (or tbstream) there, "
	       "or run tbsend or tbrecv.";
}

static bool status_wanted(const struct status *status, const struct pair_peer *peer)
{
	return !status->options.peer[0] || !strcmp(status->options.peer, peer->uuid);
}

static int status_announced(const struct status *status, const struct pair_peer *peer)
{
	return peer->service[0] ? pair_announced(peer, status->name) : 0;
}

static void status_print_peer(const struct status *status, const struct pair_peer *peer)
{
	char lanes[32] = "";

	if (peer->lanes)
		snprintf(lanes, sizeof(lanes), ", %d lane%s", peer->lanes,
			 peer->lanes == 1 ? "" : "s");
	printf("Peer:    %s (%s) at %s, router %s\n", peer->name[0] ? peer->name : "unnamed",
	       peer->vendor[0] ? peer->vendor : "unknown vendor", peer->xdomain, peer->uuid);
	printf("  link     %s%s\n", peer->speed[0] ? peer->speed : "up", lanes);
	printf("  streams  %s\n", peer->service[0] ? peer->service : "not offered");
	if (!status->name)
		return;
	int r = status_announced(status, peer);
	if (r < 0)
		printf("  %-8s cannot be looked up: %s\n", status->name, strerror(-r));
	else
		printf("  %-8s %s\n", status->name, r ? "announced" : "not announced");
}

static void status_print(const struct status *status)
{
	const struct pair_state *state = &status->state;

	printf("Driver:  %s\n", state->driver[0] ? state->driver : "none");
	if (state->peers_count)
		printf("Host:    router %s\n", state->peers[0].host);
	for (size_t i = 0; i < state->peers_count; i++)
		if (status_wanted(status, &state->peers[i]))
			status_print_peer(status, &state->peers[i]);
	for (size_t i = 0; i < status->locals_count; i++) {
		const struct pair_local *local = &status->locals[i];

		printf("Stream:  %s at %s, /dev/tbstream%d, HopIDs in %d out %d%s%s\n", local->name,
		       local->service, local->index, local->in_hopid, local->out_hopid,
		       local->user[0] ? ", used by " : "", local->user);
	}
}

static json_t *status_json_peer(const struct status *status, const struct pair_peer *peer)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "uuid", peer->uuid,
				   "host", peer->host, "xdomain", peer->xdomain, "service",
				   peer->service, "name", peer->name, "vendor", peer->vendor,
				   "speed", peer->speed, "lanes", peer->lanes);

	if (object && status->name)
		json_object_set_new(object, "announced",
				    json_boolean(status_announced(status, peer) == 1));
	return object;
}

static void status_print_json(const struct status *status)
{
	const char *missing = status_missing(status);
	json_t *peers = json_array(), *streams = json_array();

	for (size_t i = 0; i < status->state.peers_count; i++)
		if (status_wanted(status, &status->state.peers[i]))
			json_array_append_new(peers,
					      status_json_peer(status, &status->state.peers[i]));
	for (size_t i = 0; i < status->locals_count; i++) {
		const struct pair_local *local = &status->locals[i];

		json_array_append_new(streams, json_pack("{s:s, s:s, s:i, s:i, s:i, s:s}", "name",
							 local->name, "service", local->service,
							 "index", local->index, "in_hopid",
							 local->in_hopid, "out_hopid",
							 local->out_hopid, "user", local->user));
	}
	json_t *root = json_pack("{s:b, s:s, s:o, s:o, s:s}", "controller",
				 status->state.controller, "driver", status->state.driver, "peers",
				 peers, "streams", streams, "missing", missing ? missing : "");
	if (root)
		json_dumpf(root, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(root);
}

/* The name to look for: an argument, or --stream. */
static int status_name(struct status *status)
{
	struct options *options = &status->options;
	char why[256];

	if (options->count > 1) {
		msg_error("one name at a time");
		return EXIT_USAGE;
	}
	if (options->count == 1) {
		if (stream_parse(options->arguments[0], &options->stream, why, sizeof(why)) < 0) {
			msg_error("%s", why);
			return EXIT_USAGE;
		}
		options->stream_given = true;
	}
	if (!options->stream_given)
		return -1;
	if (options->stream.kind != STREAM_PAIRED) {
		msg_error("only a stream's name can be looked for: 1 to 8 of [A-Za-z0-9._-]");
		return EXIT_USAGE;
	}
	status->name = options->stream.name;
	return -1;
}

/* Without a name: fine when a peer offers streams; with one: when it is announced. */
static int status_code(const struct status *status)
{
	if (status_missing(status))
		return EXIT_FAILED;
	if (!status->name)
		return EXIT_VERIFIED;
	for (size_t i = 0; i < status->state.peers_count; i++)
		if (status_wanted(status, &status->state.peers[i]) &&
		    status_announced(status, &status->state.peers[i]) == 1)
			return EXIT_VERIFIED;
	return EXIT_FAILED;
}

int tbstream_status(int argc, char **argv)
{
	struct status status = {0};
	int code = program_start(OPTIONS_STATUS, argc, argv, &status.options);

	if (code < 0)
		code = status_name(&status);
	if (code >= 0)
		return code;
	int r = pair_look(&status.state);
	if (r < 0) {
		msg_error("the Thunderbolt/USB4 devices cannot be looked at: %s", strerror(-r));
		return EXIT_FAILED;
	}
	if (status.state.configfs)
		pair_list(&status.locals, &status.locals_count);
	const char *missing = status_missing(&status);

	if (status.options.json)
		status_print_json(&status);
	else
		status_print(&status);
	if (missing && !status.options.json)
		msg_error("%s", missing);
	code = status_code(&status);
	free(status.locals);
	pair_state_clear(&status.state);
	return code;
}

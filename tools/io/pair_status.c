// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/pair.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/pair_config.h"
#include "io/pair_holder.h"
#include "io/pair_module.h"
#include "io/pair_sysfs.h"

#define PAIR_LOCALS_MOST 64

int pair_look(struct pair_state *ret)
{
	struct pair_state state = {0};
	int devices, config, err = 0;

	pair_module_load();
	snprintf(state.driver, sizeof(state.driver), "%s", pair_module_driver());
	config = pair_config_open();
	state.configfs = config >= 0;
	if (config >= 0)
		close(config);
	devices = pair_sysfs_open();
	if (devices >= 0) {
		state.controller = pair_sysfs_controller(devices);
		err = pair_sysfs_peers(devices, &state.peers, &state.peers_count);
		close(devices);
	}
	if (err)
		return err;
	*ret = state;
	return 0;
}

void pair_state_clear(struct pair_state *state)
{
	free(state->peers);
	*state = (struct pair_state){0};
}

/* The sub-directories of PATH under ROOT, sorted. Returns their number or -errno. */
static int pair_directories(int root, const char *path, struct dirent ***ret)
{
	int all = scandirat(root, path, ret, NULL, alphasort), kept = 0;

	if (all < 0)
		return -errno;
	for (int i = 0; i < all; i++) {
		struct dirent *entry = (*ret)[i];

		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			(*ret)[kept++] = entry;
		else
			free(entry);
	}
	return kept;
}

static void pair_local_user(struct pair_local *local)
{
	char device[32];
	struct stat st;

	snprintf(device, sizeof(device), "/dev/tbstream%d", local->index);
	if (stat(device, &st) == 0 && S_ISCHR(st.st_mode))
		pair_holder_find(st.st_rdev, local->user, sizeof(local->user));
}

/* Adds the streams of SERVICE to LOCALS. Returns how many there are then. */
static size_t pair_list_service(int root, const char *service, struct pair_local *locals,
				size_t count)
{
	struct dirent **names;
	int n = pair_directories(root, service, &names);

	for (int i = 0; i < n; i++) {
		/* One that is removed meanwhile is left out. */
		if (count < PAIR_LOCALS_MOST &&
		    pair_config_read(root, service, names[i]->d_name, &locals[count]) == 0)
			pair_local_user(&locals[count++]);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return count;
}

int pair_list(struct pair_local **ret, size_t *ret_count)
{
	struct pair_local *locals;
	struct dirent **services;
	size_t count = 0;
	int root, n;

	root = pair_config_open();
	if (root < 0)
		return root;
	n = pair_directories(root, ".", &services);
	if (n < 0) {
		close(root);
		return n;
	}
	locals = calloc(PAIR_LOCALS_MOST, sizeof(*locals));
	for (int i = 0; i < n; i++) {
		if (locals)
			count = pair_list_service(root, services[i]->d_name, locals, count);
		free(services[i]);
	}
	free(services);
	close(root);
	if (!locals)
		return -ENOMEM;
	*ret = locals;
	*ret_count = count;
	return 0;
}

int pair_announced(const struct pair_peer *peer, const char *name)
{
	struct pair_local local;
	int root, err;

	if (!peer->service[0])
		return 0;
	root = pair_config_open();
	if (root < 0)
		return root;
	err = pair_config_add(root, peer->service, name);
	if (!err) {
		err = pair_config_read(root, peer->service, name, &local);
		/* A program that wants the name may have it open by now: then it stays. */
		pair_config_remove(root, peer->service, name);
		if (!err)
			err = local.in_hopid >= PAIR_HOPID_LEAST &&
			      local.out_hopid >= PAIR_HOPID_LEAST;
	}
	close(root);
	return err;
}

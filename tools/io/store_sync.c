// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What was written is synced by a thread of its own: those that pack would soon have nothing to do
 * while their taker waits for the medium.
 */
#include "io/crew.h"
#include "io/out.h"
#include "io/store_internal.h"

static void store_sync_work(void *tool, void *arg)
{
	struct store_sync *sync = arg;

	(void)tool;
	sync->r = out_sync(sync->fd);
}

/* Where there can be no thread it is done here. */
static struct crew *store_sync_crew(struct store *store)
{
	const struct crew_plan plan = {
		.work = store_sync_work,
		.jobs = &store->sync,
		.tools = store,
		.job_size = sizeof(store->sync),
		.count = 1,
		.threads = 1,
	};

	if (!store->crew)
		crew_new(&plan, &store->crew);
	return store->crew;
}

int store_sync_wait(struct store *store)
{
	struct store_sync *sync = store->crew ? crew_wait(store->crew) : NULL;

	if (sync) {
		/* The kernel says it once. */
		if (sync->r < 0 && store->sync_error == 0)
			store->sync_error = sync->r;
		crew_release(store->crew);
	}
	return store->sync_error;
}

int store_sync_begin(struct store *store)
{
	int r = store_sync_wait(store);

	if (r < 0)
		return r;
	store->synced = store->written;
	store->sync.fd = store->fd;
	if (store_sync_crew(store))
		crew_give(store->crew, false);
	else
		r = out_sync(store->fd);
	return r < 0 ? r : 0;
}

int store_sync(struct store *store)
{
	int r = store_sync_wait(store);

	return r < 0 ? r : out_sync(store->fd);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io/machine.h"
#include "io/stop.h"
#include "io/verify_internal.h"

#define VERIFY_TELL (STOP_SECOND / 5)

/* Frames are handed out in order, so that what is wrong with the first bad one is what is told. */
struct verify {
	const struct view *view;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* progress, or a thread has ended */
	/* Under lock. */
	struct verify_walk walk;
	unsigned int running; /* threads */
	bool ended;	      /* nothing is handed out any more */
	uint64_t done;	      /* bytes of the device */
	uint64_t bad;	      /* the first bad frame, where error is set */
	int error;
	char why[768];
};

/* Frame NUMBER is bad, for ERROR. Lock held. */
static void verify_fault(struct verify *verify, uint64_t number, int error, const char *why)
{
	verify->ended = true;
	if (verify->error && verify->bad <= number)
		return;
	verify->bad = number;
	verify->error = error;
	snprintf(verify->why, sizeof(verify->why), "%s", why);
}

/* The next frame: 1, or 0 when there is none any more. Lock held. */
static int verify_take(struct verify *verify, struct verify_item *ret)
{
	struct verify_walk *walk = &verify->walk;
	char why[256] = "";

	if (verify->ended)
		return 0;
	int r = verify_walk_next(verify->view, walk, ret);
	if (r == -EBADMSG)
		snprintf(why, sizeof(why), "frame %" PRIu64 " is wrong: %s", walk->frame,
			 walk->what ? walk->what : "the file has changed while it was read");
	if (r < 0)
		verify_fault(verify, walk->frame, r, why);
	if (r <= 0)
		verify->ended = true;
	return r == 1;
}

static void *verify_thread(void *arg)
{
	struct verify *verify = arg;
	struct verify_worker worker;
	struct verify_item item;
	char why[sizeof(verify->why)];
	int r = verify_worker_setup(&worker, verify->view);

	pthread_mutex_lock(&verify->lock);
	if (r < 0)
		verify_fault(verify, 0, r, "");
	while (r == 0 && verify_take(verify, &item)) {
		pthread_mutex_unlock(&verify->lock);
		why[0] = '\0';
		r = verify_frame(&worker, &item, why, sizeof(why));
		pthread_mutex_lock(&verify->lock);
		if (r < 0)
			verify_fault(verify, item.frame.number, r, why);
		else if (item.kind == VERIFY_CHUNK)
			verify->done += item.length;
	}
	verify->running--;
	pthread_cond_signal(&verify->changed);
	pthread_mutex_unlock(&verify->lock);
	if (worker.scratch)
		verify_worker_clear(&worker);
	return NULL;
}

/* Tells how far they are until the last thread has ended. */
static void verify_wait(struct verify *verify, const struct verify_options *options)
{
	uint64_t total = verify->view->front.head.map.size;

	pthread_mutex_lock(&verify->lock);
	while (verify->running) {
		int64_t when = stop_now() + VERIFY_TELL;
		struct timespec until = {when / STOP_SECOND, when % STOP_SECOND};
		uint64_t done = verify->done;

		if (stop_signal())
			verify_fault(verify, 0, -EINTR, "");
		pthread_mutex_unlock(&verify->lock);
		if (options->tell)
			options->tell(options->arg, done, total);
		pthread_mutex_lock(&verify->lock);
		if (verify->running)
			pthread_cond_clockwait(&verify->changed, &verify->lock, CLOCK_MONOTONIC,
					       &until);
	}
	pthread_mutex_unlock(&verify->lock);
	if (options->tell && !verify->error)
		options->tell(options->arg, total, total);
}

static int verify_run(struct verify *verify, const struct verify_options *options)
{
	pthread_t threads[MACHINE_THREADS_MOST];
	unsigned int wanted = machine_threads(options->threads), started = 0;
	int err = 0;

	pthread_mutex_init(&verify->lock, NULL);
	pthread_cond_init(&verify->changed, NULL);
	verify->running = wanted;
	while (started < wanted && !err) {
		err = pthread_create(&threads[started], NULL, verify_thread, verify);
		started += !err;
	}
	pthread_mutex_lock(&verify->lock);
	verify->running -= wanted - started;
	/* Fewer do it too. */
	if (!started)
		verify_fault(verify, 0, -err, "");
	pthread_mutex_unlock(&verify->lock);
	verify_wait(verify, options);
	for (unsigned int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	pthread_cond_destroy(&verify->changed);
	pthread_mutex_destroy(&verify->lock);
	return verify->error;
}

int verify_view(const struct view *view, const struct verify_options *options,
		struct verify_result *ret)
{
	struct verify *verify = calloc(1, sizeof(*verify));

	*ret = (struct verify_result){
		.size = view->front.head.map.size,
		.chunks = view->trailer.sum.entries,
		.file_size = view->size,
		.root = view->root,
	};
	if (!verify) {
		snprintf(ret->why, sizeof(ret->why), "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	verify->view = view;
	verify_walk_start(view, &verify->walk);
	int r = verify_run(verify, options);
	snprintf(ret->why, sizeof(ret->why), "%s", verify->why);
	if (r < 0 && !ret->why[0])
		snprintf(ret->why, sizeof(ret->why), "reading it failed: %s", strerror(-r));
	free(verify);
	if (r == 0 && options->manifest)
		*options->manifest = json_incref(view_manifest(view));
	return r;
}

int verify_file(int fd, const struct verify_options *options, struct verify_result *ret)
{
	struct view *view = NULL;
	int r = view_open(fd, &view);

	if (r == -ESPIPE) {
		view_close(view);
		return verify_stream(fd, options, ret);
	}
	*ret = (struct verify_result){.file_size = view ? view_size(view) : 0};
	if (r == 0) {
		r = verify_view(view, options, ret);
	} else if (view && view_head(view) && (r == -ENODATA || r == -EBADMSG)) {
		/* From the front it shows what of it is right. */
		int walked = lseek(fd, 0, SEEK_SET) < 0 ? -errno : verify_stream(fd, options, ret);

		r = walked < 0 ? walked : r;
		ret->file_size = view_size(view);
	}
	if (r < 0 && !ret->why[0])
		snprintf(ret->why, sizeof(ret->why), "%s", view ? view_why(view) : strerror(-r));
	view_close(view);
	return r;
}

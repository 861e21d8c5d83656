// SPDX-License-Identifier: GPL-2.0-or-later
/* tbsend: a disk, a file, an image or standard input to the other end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/pack.h"
#include "io/disk.h"
#include "memory.h"
#include "programs.h"
#include "send/send.h"
#include "source/keep.h"
#include "tbsend.h"
#include "ui/msg.h"

struct tbsend {
	struct options options;
	struct source **sources; /* of every argument; none with --raw */
	int disk;		 /* the one that is sent: its argument */
	struct mend mend;
	struct send_result result;
	uint64_t size, stored; /* of all that is confirmed */
	int64_t start, began;  /* of this disk, of all */
	bool missing;	       /* one of those that are confirmed is not complete */
	char why[768];
};

static const char *tbsend_path(const struct tbsend *run)
{
	return run->options.arguments[run->disk];
}

/* Its name in sentences. */
static const char *tbsend_name(const struct tbsend *run)
{
	return tbsend_is_stream(tbsend_path(run)) ? "standard input" : tbsend_path(run);
}

static struct source *tbsend_source(const struct tbsend *run)
{
	return run->options.raw ? NULL : run->sources[run->disk];
}

/* "", or " (disk 1 of 2)". */
static const char *tbsend_which(const struct tbsend *run, char ret[40])
{
	ret[0] = '\0';
	if (run->options.count > 1)
		snprintf(ret, 40, " (disk %d of %d)", run->disk + 1, run->options.count);
	return ret;
}

/* A file system that changes while it is read makes an image that may not mount. */
static void tbsend_warn_used(const char *path)
{
	char user[256];

	if (disk_user(path, user, sizeof(user)) == 1)
		msg_warn("%s is in use (%s): what changes during the copy may be torn in it", path,
			 user);
}

/* The arguments FROM to TO, as "/dev/sda, /dev/sdb". Returns a string (free) or NULL. */
static char *tbsend_list(const struct tbsend *run, int from, int to)
{
	char *text = NULL;
	size_t len;
	FILE *file = open_memstream(&text, &len);

	if (!file)
		return NULL;
	for (int i = from; i < to; i++)
		fprintf(file, "%s%s", i > from ? ", " : "", run->options.arguments[i]);
	fclose(file);
	return text;
}

/* What is not lost. Where the receiver keeps it is the receiver's to say. */
static void tbsend_hint(const struct tbsend *run)
{
	char safe[24];

	if (!run->result.safe || tbsend_is_stream(tbsend_path(run)))
		return;
	msg_size(run->result.safe, safe);
	msg_error("the receiver had %s of %s: where it keeps an image, the same command goes on "
		  "with that, once tbrecv runs there again",
		  safe, tbsend_name(run));
}

static int tbsend_failed(const struct tbsend *run, int r)
{
	if (r == -EINTR)
		msg_error("interrupted before the receiver confirmed %s%s", tbsend_name(run),
			  tbsend_is_stream(tbsend_path(run))
				  ? ", which cannot be gone on with: start both sides again"
				  : "");
	else
		msg_error("%s", run->why[0] ? run->why : strerror(-r));
	tbsend_hint(run);
	if (run->disk) {
		char *safe = tbsend_list(run, 0, run->disk);
		char *rest = tbsend_list(run, run->disk, run->options.count);

		msg_error("safe at the receiver: %s; not safe: %s",
			  safe ? safe : "the disks before", rest ? rest : "the rest");
		free(safe);
		free(rest);
	}
	return EXIT_FAILED;
}

static json_t *tbsend_report_json(const struct tbsend *run, const char *event)
{
	const struct send_result *result = &run->result;
	const struct source *source = tbsend_source(run);
	char root[DIGEST_TEXT];
	int level, highest;

	digest_format(&result->root, root);
	json_t *object = json_pack("{s:s, s:s, s:I, s:I, s:s}", "event", event, "source",
				   tbsend_path(run), "size", (json_int_t)result->size, "stored",
				   (json_int_t)result->stored, "root", root);

	json_object_set_new(object, "time", tbsend_time_json(&result->time));
	if (source && source_levels(source, &level, &highest))
		json_object_set_new(object, "level", json_integer(highest));
	if (run->options.used)
		json_object_set_new(object, "unallocated",
				    json_integer((json_int_t)source_left_out(tbsend_source(run))));
	if (result->missing)
		json_object_set_new(object, "unreadable", json_integer(result->missing));
	if (run->options.count > 1) {
		json_object_set_new(object, "disk", json_integer(run->disk + 1));
		json_object_set_new(object, "disks", json_integer(run->options.count));
	}
	return object;
}

/* "120 GiB (70.3 GiB of it left out)", to RET of LEN bytes. */
static void tbsend_size(const struct tbsend *run, char *ret, size_t len)
{
	const struct source *source = tbsend_source(run);
	uint64_t left_out = source ? source_left_out(source) : 0;
	char size[24], spare[24];

	msg_size(run->result.size, size);
	if (left_out)
		snprintf(ret, len, "%s (%s of it left out)", size, msg_size(left_out, spare));
	else
		snprintf(ret, len, "%s", size);
}

static void tbsend_report(const struct tbsend *run, const char *event)
{
	const char *name = tbsend_name(run);
	char size[64], stored[24], elapsed[24], root[DIGEST_TEXT];
	const struct send_result *result = &run->result;

	digest_format(&result->root, root);
	if (run->options.json) {
		program_json(tbsend_report_json(run, event));
		return;
	}
	tbsend_size(run, size, sizeof(size));
	msg_size(result->stored, stored);
	program_elapsed(run->start, elapsed);
	if (!strcmp(event, "sent"))
		msg_note("%s: %s sent as %s in %s, not confirmed: verify it at the other end", name,
			 size, stored, elapsed);
	else if (result->peer.status == WIRE_STATUS_PARTIAL)
		msg_note("%s: %s sent as %s in %s; the receiver says: %s. Root %s", name, size,
			 stored, elapsed, result->peer.sentence, root);
	else if (result->peer.status == WIRE_STATUS_WRITTEN)
		msg_note("%s: %s sent as %s in %s; the receiver verified it, but wrote into a "
			 "pipe: not synced (pipe). Root %s",
			 name, size, stored, elapsed, root);
	else
		msg_note("%s: %s sent as %s in %s; the receiver has verified and synced it. Root "
			 "%s",
			 name, size, stored, elapsed, root);
}

/* What could not be read, and what else there is to know of it. */
static void tbsend_report_missing(struct tbsend *run)
{
	const struct source *source = tbsend_source(run);

	/* The receiver may know of more, from an earlier run. */
	run->missing |= run->result.missing || run->result.peer.status == WIRE_STATUS_PARTIAL;
	if (!run->result.missing)
		return;
	msg_warn("%s: not complete: it could not read %s%s", tbsend_path(run), run->result.where,
		 source && source_merged(source) ? " (there were so many that neighbours, and what "
						   "is between them, were counted as one)"
						 : "");
}

/* The mapfile is written whatever became of the transfer. */
static void tbsend_save(const struct tbsend *run)
{
	int r = 0;

	for (int i = 0; run->sources && i < run->options.count && r == 0; i++)
		r = run->sources[i] ? source_rescue_save(run->sources[i]) : 0;
	if (r < 0)
		msg_warn("the mapfile %s cannot be written: %s", run->options.mapfile,
			 strerror(-r));
}

/* The last line, where there were several disks. */
static void tbsend_report_all(const struct tbsend *run)
{
	char size[24], stored[24], elapsed[24];
	int count = run->options.count;

	if (count == 1)
		return;
	if (run->options.json) {
		program_json(json_pack("{s:s, s:i, s:I, s:I}", "event", "complete", "disks", count,
				       "size", (json_int_t)run->size, "stored",
				       (json_int_t)run->stored));
		return;
	}
	msg_size(run->size, size);
	msg_size(run->stored, stored);
	program_elapsed(run->began, elapsed);
	msg_note("all %d disks: %s sent as %s in %s; the receiver has verified and synced them",
		 count, size, stored, elapsed);
}

static int tbsend_plain(struct tbsend *run)
{
	struct source *source = tbsend_source(run);
	const char *path = tbsend_path(run);
	struct stream_options stream_options;
	struct stream *stream = NULL;
	struct progress *progress;
	int r;

	program_stream_options(&run->options, false, &stream_options);
	r = stream_open(&run->options.stream, &stream_options, &stream, run->why, sizeof(run->why));
	if (r < 0)
		return tbsend_failed(run, r);
	run->start = stop_now();
	progress = progress_new(run->options.progress, tbsend_name(run),
				source ? chunk_map_known(&source_head(source)->map) : 0);
	if (run->options.verbose)
		progress_details(progress);
	r = run->options.raw ? send_raw(path, stream_out(stream), progress, &run->result, run->why,
					sizeof(run->why))
			     : send_plain(source, stream_out(stream), progress, &run->result,
					  run->why, sizeof(run->why));
	progress_end(progress);
	stream_close(stream);
	if (r < 0)
		return tbsend_failed(run, r);
	tbsend_report(run, "sent");
	tbsend_tell_limit(&run->options, tbsend_name(run), source, &run->result.time);
	tbsend_report_missing(run);
	return run->missing ? EXIT_UNREADABLE : EXIT_VERIFIED;
}

static int tbsend_disk(struct tbsend *run, struct link *link, const char *peer)
{
	struct source *source = tbsend_source(run);
	struct send_options options = {
		.mend = &run->mend, .recheck = run->options.recheck, .keep = run->options.keep};
	char which[40];

	msg_note("sending %s%s to %s over %s", tbsend_name(run), tbsend_which(run, which), peer,
		 link_name(link));
	run->start = stop_now();
	options.progress = progress_new(run->options.progress, tbsend_name(run),
					chunk_map_known(&source_head(source)->map));
	if (run->options.verbose)
		progress_details(options.progress);
	mend_setup(&run->mend, &run->options, WIRE_SENDER);
	int r = send_records(source, link, &options, &run->result, run->why, sizeof(run->why));
	progress_end(options.progress);
	if (r < 0)
		return r;
	tbsend_report(run, "verified");
	tbsend_tell_limit(&run->options, tbsend_name(run), source, &run->result.time);
	tbsend_report_missing(run);
	run->size += run->result.size;
	run->stored += run->result.stored;
	return 0;
}

/* A receiver that knows only one disk must not find out after the first. */
static int tbsend_check_peer(struct tbsend *run, struct link *link, const struct wire_hello *peer)
{
	if (run->options.count == 1 || peer->capabilities & WIRE_CAPABILITY_SET)
		return 0;
	snprintf(run->why, sizeof(run->why),
		 "the receiver (%s) takes one disk at a time: send them one by one", peer->program);
	link_abort(link, run->why);
	return -EOPNOTSUPP;
}

static int tbsend_records(struct tbsend *run)
{
	struct stream_options stream_options;
	struct wire_hello hello, peer;
	struct link *link = NULL;
	int r;

	program_stream_options(&run->options, false, &stream_options);
	program_hello(&run->options, WIRE_SENDER, source_head(run->sources[0])->transfer_id,
		      &hello);
	r = link_open(&run->options.stream, &stream_options, &hello, &link, &peer, run->why,
		      sizeof(run->why));
	if (r < 0)
		return tbsend_failed(run, r);
	run->began = stop_now();
	r = tbsend_check_peer(run, link, &peer);
	while (r == 0 && run->disk < run->options.count) {
		r = tbsend_disk(run, link, peer.host[0] ? peer.host : "the receiver");
		run->disk += r == 0;
	}
	if (r == 0)
		send_bye(link);
	link_close(link);
	if (r < 0)
		return tbsend_failed(run, r);
	tbsend_report_all(run);
	return run->missing ? EXIT_UNREADABLE : EXIT_VERIFIED;
}

static int tbsend_use(struct tbsend *run, struct source *source)
{
	const struct used *used;
	int r = source_use(source, &used, run->why, sizeof(run->why));

	if (r == 0)
		tbsend_tell_used(tbsend_path(run), used, source_head(source)->map.size,
				 run->options.json);
	return r;
}

/* Opens the source at run->disk, which must be another one than those before it. */
static int tbsend_open_one(struct tbsend *run)
{
	struct manifest_set set = {.index = run->disk + 1, .count = run->options.count};
	struct source **source = &run->sources[run->disk];
	const char *path = tbsend_path(run);
	bool paced = run->options.level == PACK_LEVEL_AUTO;
	int level = paced ? PACK_LEVEL_LEAST : run->options.level;
	int r = tbsend_is_stream(path) ? source_open_stream(STDIN_FILENO, level, source, run->why,
							    sizeof(run->why))
				       : source_open(path, level, run->options.partition, source,
						     run->why, sizeof(run->why));

	if (r == 0)
		source_threads(*source, run->options.threads);
	if (r == 0 && run->options.rescue)
		r = source_rescue(*source, run->options.retries < 0 ? 1 : run->options.retries,
				  run->options.mapfile, run->why, sizeof(run->why));
	if (r == 0 && run->options.used)
		r = tbsend_use(run, *source);
	if (r == 0 && paced)
		r = source_pace(*source, run->options.level_most, !run->options.plain);
	if (r < 0)
		return r;
	for (int i = 0; i < run->disk; i++) {
		if (!source_same(run->sources[i], *source))
			continue;
		snprintf(run->why, sizeof(run->why),
			 "%s is given twice, first as %s: name each disk once", path,
			 run->options.arguments[i]);
		return -EINVAL;
	}
	memcpy(set.id.bytes, source_head(run->sources[0])->transfer_id, DIGEST_SIZE);
	return source_set(*source, &set);
}

/* --dry-run: how much each is. What --used leaves out was said when it was opened. */
static int tbsend_tell(const struct tbsend *run)
{
	char size[24];

	for (int i = 0; i < run->options.count; i++) {
		const char *path = run->options.arguments[i];
		uint64_t bytes = chunk_map_known(&source_head(run->sources[i])->map);

		if (run->options.json)
			program_json(json_pack("{s:s, s:s, s:I, s:I}", "event", "dry-run", "source",
					       path, "size", (json_int_t)bytes, "unallocated",
					       (json_int_t)source_left_out(run->sources[i])));
		else if (!run->options.used)
			msg_note("%s: %s would be sent", path, msg_size(bytes, size));
	}
	return EXIT_VERIFIED;
}

/* All of them, so that what is wrong is said before anything is sent. */
static int tbsend_open(struct tbsend *run)
{
	int r = 0;

	run->sources = calloc(run->options.count, sizeof(*run->sources));
	if (!run->sources)
		return -ENOMEM;
	for (run->disk = 0; r == 0 && run->disk < run->options.count; run->disk++)
		r = tbsend_open_one(run);
	run->disk = 0;
	return r;
}

static void tbsend_close(struct tbsend *run)
{
	for (int i = 0; run->sources && i < run->options.count; i++)
		source_close(run->sources[i]);
	free(run->sources);
}

int tbsend_main(int argc, char **argv)
{
	struct tbsend run = {0};
	int code = program_start(OPTIONS_SEND, argc, argv, &run.options);

	if (code < 0)
		code = tbsend_check(&run.options);
	if (code < 0)
		code = memory_plan(&run.options, WIRE_SENDER,
				   tbsend_is_stream(run.options.arguments[0]) ? KEEP_LEAST : 0);
	if (code >= 0)
		return code;
	int r = run.options.raw ? 0 : tbsend_open(&run);

	if (r < 0) {
		code = tbsend_failed(&run, r);
	} else {
		for (int i = 0; i < run.options.count; i++)
			tbsend_warn_used(run.options.arguments[i]);
		if (run.options.dry_run)
			code = tbsend_tell(&run);
		else
			code = run.options.plain ? tbsend_plain(&run) : tbsend_records(&run);
		tbsend_save(&run);
	}
	tbsend_close(&run);
	return code;
}

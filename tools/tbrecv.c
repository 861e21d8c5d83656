// SPDX-License-Identifier: GPL-2.0-or-later
/* tbrecv: what tbsend sends, as an image or restored. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sink/folder.h"
#include "memory.h"
#include "programs.h"
#include "recv/recv.h"
#include "ui/msg.h"

struct tbrecv {
	struct options options;
	struct recv_options recv;
	struct mend mend;
	struct recv_past past;
	struct recv_result result;
	struct sink *sink;
	struct folder *folder; /* takes the images, a sink each; else NULL */
	unsigned int safe;     /* disks that are verified and complete */
	uint64_t size, stored; /* theirs */
	bool missing;	       /* one of them is not complete */
	int64_t start, began;  /* of this disk, of all */
	char why[768];
};

static int tbrecv_usage(const char *sentence)
{
	msg_error("%s", sentence);
	return EXIT_USAGE;
}

static int tbrecv_check(struct tbrecv *run)
{
	struct options *options = &run->options;
	bool to_stdout = !options->output && !options->count;

	if (options->count > 1)
		return tbrecv_usage("one target at a time");
	if (options->output && options->count)
		return tbrecv_usage("either -o IMAGE or a TARGET to restore onto, not both");
	if (options->decompress && !to_stdout)
		return tbrecv_usage("-d writes to standard output: it goes with neither -o nor a "
				    "TARGET");
	if (options->raw && !to_stdout)
		return tbrecv_usage("--raw writes to standard output: say `tbrecv --raw > FILE`");
	if (!options->count &&
	    (options->fit || options->ask_fit || options->verify || options->discard))
		return tbrecv_usage("--fit, --ask-fit, --verify and --discard are for a TARGET "
				    "that is restored");
	if (to_stdout && (options->resume || options->restart || options->recheck))
		return tbrecv_usage("--resume, --restart and --recheck are for an image that -o "
				    "names, or a TARGET");
	if (options->resume && (options->restart || options->force))
		return tbrecv_usage("--resume goes on with an image, --restart and --force begin "
				    "anew");
	if (options->resume &&
	    (options->plain || (options->output && folder_meant(options->output))))
		return tbrecv_usage("--resume goes with neither --plain nor a folder, in which "
				    "images go on by themselves");
	if (options->plain && !options->stream_given)
		options->stream = (struct stream_address){.kind = STREAM_STDIO};
	if (to_stdout && isatty(STDOUT_FILENO))
		return tbrecv_usage("an image is nothing for a terminal: say `tbrecv -o image.zst` "
				    "or `tbrecv > image.zst`");
	if (to_stdout && options->stream.kind == STREAM_STDIO && !options->plain)
		return tbrecv_usage("with --stream=- standard output carries the answers: say -o "
				    "IMAGE or a TARGET");
	return -1;
}

static int tbrecv_ask(const char *question, char *ret, size_t len)
{
	return msg_ask(question, stop_fd(), ret, len);
}

static int tbrecv_open_folder(struct tbrecv *run)
{
	const struct options *options = &run->options;

	if (!options->output || !folder_meant(options->output))
		return 0;
	run->recv.folder = true;
	return folder_open(options->output, options->force, &run->folder, run->why,
			   sizeof(run->why));
}

static int tbrecv_open_sink(struct tbrecv *run)
{
	const struct options *options = &run->options;
	struct sink_options sink = {
		.force = options->force,
		.confirm = options->confirm,
		.ask = tbrecv_ask,
		.from = options->stream.kind == STREAM_STDIO ? STDIN_FILENO : -1,
		.resumes = !options->plain,
		.resume = options->resume,
		.restart = options->restart,
		.recheck = options->recheck,
		.fit = options->fit,
		.ask_fit = options->ask_fit,
		.verify = options->verify,
		.discard = options->discard,
		.progress = options->progress,
	};

	if (options->raw)
		return 0;
	if (options->count)
		return sink_open_disk(options->arguments[0], &sink, &run->sink, run->why,
				      sizeof(run->why));
	if (run->folder)
		return sink_open_folder(run->folder, &sink, &run->sink);
	if (options->output)
		return sink_open_file(options->output, &sink, &run->sink, run->why,
				      sizeof(run->why));
	if (options->decompress)
		return sink_open_raw(STDOUT_FILENO, &sink, &run->sink);
	return sink_open_image(STDOUT_FILENO, &sink, &run->sink);
}

static int tbrecv_failed(const struct tbrecv *run, int r)
{
	if (r == -EINTR)
		msg_error("interrupted: what arrived is not complete");
	else
		msg_error("%s", run->why[0] ? run->why : strerror(-r));
	if (run->sink && sink_note(run->sink)[0])
		msg_error("%s", sink_note(run->sink));
	if (run->safe)
		msg_error("what came before is safe: %u disk%s in %s", run->safe,
			  run->safe == 1 ? "" : "s", run->options.output);
	return EXIT_FAILED;
}

#define TBRECV_LIMITS 3

/* What it took, in which the sender stands for the cable too. */
static void tbrecv_limits(const struct tbrecv *run, struct limit ret[TBRECV_LIMITS])
{
	const struct wire_time *time = &run->result.time;

	ret[0] = (struct limit){run->options.plain ? "input" : "sender", time->waited};
	ret[1] = (struct limit){"CPU", time->worked};
	ret[2] = (struct limit){"target", time->stored};
}

static void tbrecv_report_limit(const struct tbrecv *run)
{
	struct limit limits[TBRECV_LIMITS];

	tbrecv_limits(run, limits);
	if (run->sink && !run->options.json)
		program_limit(sink_name(run->sink), limits, TBRECV_LIMITS, "");
}

static json_t *tbrecv_report_json(const struct tbrecv *run, const char *name, const char *root)
{
	const struct recv_result *result = &run->result;
	struct limit limits[TBRECV_LIMITS];
	json_t *object = json_pack("{s:s, s:s, s:I, s:I, s:b, s:s}", "event",
				   run->sink ? "verified" : "received", "target", name, "size",
				   (json_int_t)result->size, "stored", (json_int_t)result->stored,
				   "synced", result->end == SINK_DURABLE, "root", root);

	tbrecv_limits(run, limits);
	if (run->sink)
		json_object_set_new(object, "time", program_times(limits, TBRECV_LIMITS));
	if (result->missing)
		json_object_set_new(object, "unreadable", json_integer(result->missing));
	if (result->set.count > 1) {
		json_object_set_new(object, "disk", json_integer(result->set.index));
		json_object_set_new(object, "disks", json_integer(result->set.count));
	}
	return object;
}

static void tbrecv_report(const struct tbrecv *run)
{
	const struct recv_result *result = &run->result;
	const char *name = run->sink ? sink_name(run->sink) : "standard output";
	char size[24], stored[24], elapsed[24], which[40] = "", root[DIGEST_TEXT] = "";

	if (run->sink)
		digest_format(&result->root, root);
	if (run->options.json) {
		program_json(tbrecv_report_json(run, name, root));
		return;
	}
	msg_size(result->size, size);
	msg_size(result->stored, stored);
	program_elapsed(run->start, elapsed);
	if (result->set.count > 1)
		snprintf(which, sizeof(which), " (disk %u of %u)", result->set.index,
			 result->set.count);
	if (!run->sink)
		msg_note("%s received in %s, not verified%s", size, elapsed,
			 result->end == SINK_DURABLE ? "" : ", not synced (pipe)");
	else
		msg_note("%s%s: %s received in %s, %s written, verified and %s%s. Root %s", name,
			 which, size, elapsed, stored,
			 result->end == SINK_DURABLE ? "synced" : "not synced (pipe)",
			 run->options.verify ? ", read back and compared" : "", root);
}

/* The last line, where there were several disks. */
static void tbrecv_report_all(const struct tbrecv *run)
{
	char size[24], stored[24], elapsed[24];

	if (run->safe < 2)
		return;
	if (run->options.json) {
		program_json(json_pack("{s:s, s:i, s:s, s:I, s:I}", "event", "complete", "disks",
				       (int)run->safe, "target", run->options.output, "size",
				       (json_int_t)run->size, "stored", (json_int_t)run->stored));
		return;
	}
	msg_size(run->size, size);
	msg_size(run->stored, stored);
	program_elapsed(run->began, elapsed);
	msg_note("%s: all %u disks are here, verified and synced: %s as %s, in %s",
		 run->options.output, run->safe, size, stored, elapsed);
}

/* The disk is there. */
static void tbrecv_done(struct tbrecv *run)
{
	tbrecv_report(run);
	tbrecv_report_limit(run);
	if (run->result.missing)
		msg_warn("%s: not complete: its disk could not read %s", sink_name(run->sink),
			 run->result.where);
	run->missing |= run->result.missing != 0;
	if (run->sink && sink_note(run->sink)[0])
		msg_note("%s", sink_note(run->sink));
	run->safe += run->folder != NULL;
	run->size += run->result.size;
	run->stored += run->result.stored;
}

static int tbrecv_plain(struct tbrecv *run)
{
	struct stream_options stream_options;
	struct stream *stream = NULL;
	int r;

	program_stream_options(&run->options, true, &stream_options);
	r = stream_open(&run->options.stream, &stream_options, &stream, run->why, sizeof(run->why));
	if (r < 0)
		return r;
	run->start = stop_now();
	if (run->options.raw)
		r = recv_raw(stream_in(stream), STDOUT_FILENO, &run->result, run->why,
			     sizeof(run->why));
	else
		r = recv_plain(stream_in(stream), run->sink, &run->recv, &run->result, run->why,
			       sizeof(run->why));
	stream_close(stream);
	if (r == 0)
		tbrecv_done(run);
	return r;
}

/* The disk before was complete: whether there is another one, for which a new sink is opened. */
static int tbrecv_next(struct tbrecv *run, struct link *link)
{
	const struct manifest_set *set = &run->result.set;
	char why[512];

	if (set->index == set->count) {
		if (!run->result.confirmed)
			msg_warn("the sender did not take leave: it may not know that all is well "
				 "here");
		return 0;
	}
	if (!run->result.next) {
		link_why(link, why, sizeof(why));
		snprintf(run->why, sizeof(run->why), "only %u of %u disks came: %s", set->index,
			 set->count, why[0] ? why : "the sender did not go on");
		return -EPIPE;
	}
	sink_close(run->sink);
	run->sink = NULL;
	return tbrecv_open_sink(run) < 0 ? -ENOMEM : 1;
}

static int tbrecv_disks(struct tbrecv *run, struct link *link)
{
	struct recv_result before = {0};
	int r;

	do {
		run->start = stop_now();
		mend_setup(&run->mend, &run->options, WIRE_RECEIVER);
		r = recv_records(link, run->sink, &run->recv, before.next ? &before : NULL,
				 &run->result, run->why, sizeof(run->why));
		free(before.next);
		if (r < 0)
			return r;
		tbrecv_done(run);
		r = tbrecv_next(run, link);
		before = run->result;
	} while (r > 0);
	free(before.next);
	return r;
}

static int tbrecv_records(struct tbrecv *run)
{
	struct stream_options stream_options;
	struct wire_hello hello, peer;
	struct link *link = NULL;
	int r;

	program_stream_options(&run->options, true, &stream_options);
	program_hello(&run->options, WIRE_RECEIVER, NULL, &hello);
	r = link_open(&run->options.stream, &stream_options, &hello, &link, &peer, run->why,
		      sizeof(run->why));
	if (r < 0)
		return r;
	msg_note("receiving from %s over %s", peer.host[0] ? peer.host : "the sender",
		 link_name(link));
	run->began = stop_now();
	run->recv.mend = &run->mend;
	run->recv.past = &run->past;
	r = tbrecv_disks(run, link);
	recv_past_clear(&run->past);
	link_close(link);
	return r;
}

int tbrecv_main(int argc, char **argv)
{
	struct tbrecv run = {0};
	int code = program_start(OPTIONS_RECV, argc, argv, &run.options);

	if (code < 0)
		code = tbrecv_check(&run);
	if (code < 0)
		code = memory_plan(&run.options, WIRE_RECEIVER, 0);
	if (code >= 0)
		return code;
	run.recv.progress = run.options.progress;
	run.recv.threads = run.options.threads;
	int r = tbrecv_open_folder(&run);
	if (r == 0)
		r = tbrecv_open_sink(&run);
	if (r == 0)
		r = run.options.plain ? tbrecv_plain(&run) : tbrecv_records(&run);
	code = run.missing ? EXIT_UNREADABLE : EXIT_VERIFIED;
	if (r == 0)
		tbrecv_report_all(&run);
	else
		code = tbrecv_failed(&run, r);
	sink_close(run.sink);
	folder_close(run.folder);
	return code;
}

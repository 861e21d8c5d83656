// SPDX-License-Identifier: GPL-2.0-or-later
/* tbsend: a disk, a file or an image to the other end. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io/disk.h"
#include "programs.h"
#include "send.h"
#include "ui/msg.h"

struct tbsend {
	struct options options;
	const char *path;
	struct source *source;
	struct send_result result;
	int64_t start;
	char why[768];
};

static int tbsend_check(struct tbsend *run)
{
	struct options *options = &run->options;

	if (options->count == 0) {
		msg_error("which disk? Say `tbsend /dev/nvme0n1`; `tbstream disks` lists them");
		return EXIT_USAGE;
	}
	if (options->count > 1) {
		msg_error("one source at a time: '%s' is one too many", options->arguments[1]);
		return EXIT_USAGE;
	}
	run->path = options->arguments[0];
	if (options->raw && options->partition) {
		msg_error("--raw sends bytes as they are: --partition does not go with it");
		return EXIT_USAGE;
	}
	if (options->plain && !options->stream_given)
		options->stream = (struct stream_address){.kind = STREAM_STDIO};
	if (options->stream.kind == STREAM_STDIO && isatty(STDOUT_FILENO)) {
		msg_error("an image is nothing for a terminal: redirect the output, as in "
			  "`tbsend --plain %s > image.zst`",
			  run->path);
		return EXIT_USAGE;
	}
	return -1;
}

/* A file system that changes while it is read makes an image that may not mount. */
static void tbsend_warn_used(const char *path)
{
	char user[256];

	if (disk_user(path, user, sizeof(user)) == 1)
		msg_warn("%s is in use (%s): what changes during the copy may be torn in it", path,
			 user);
}

static int tbsend_failed(const struct tbsend *run, int r)
{
	if (r == -EINTR)
		msg_error("interrupted before the receiver confirmed %s", run->path);
	else
		msg_error("%s", run->why[0] ? run->why : strerror(-r));
	return EXIT_FAILED;
}

static void tbsend_report(const struct tbsend *run, const char *event)
{
	char size[24], stored[24], elapsed[24], root[DIGEST_TEXT];
	const struct send_result *result = &run->result;

	digest_format(&result->root, root);
	if (run->options.json) {
		program_json(json_pack("{s:s, s:s, s:I, s:I, s:s}", "event", event, "source",
				       run->path, "size", (json_int_t)result->size, "stored",
				       (json_int_t)result->stored, "root", root));
		return;
	}
	msg_size(result->size, size);
	msg_size(result->stored, stored);
	program_elapsed(run->start, elapsed);
	if (!strcmp(event, "sent"))
		msg_note("%s: %s sent as %s in %s, not confirmed: verify it at the other end",
			 run->path, size, stored, elapsed);
	else if (result->peer.status == WIRE_STATUS_WRITTEN)
		msg_note("%s: %s sent as %s in %s; the receiver verified it, but wrote into a "
			 "pipe: not synced (pipe). Root %s",
			 run->path, size, stored, elapsed, root);
	else
		msg_note("%s: %s sent as %s in %s; the receiver has verified and synced it. Root "
			 "%s",
			 run->path, size, stored, elapsed, root);
}

static int tbsend_plain(struct tbsend *run)
{
	struct stream_options stream_options;
	struct stream *stream = NULL;
	struct progress *progress;
	int r;

	program_stream_options(&run->options, false, &stream_options);
	r = stream_open(&run->options.stream, &stream_options, &stream, run->why, sizeof(run->why));
	if (r < 0)
		return tbsend_failed(run, r);
	run->start = stop_now();
	progress = progress_new(run->options.progress, run->path,
				run->source ? source_head(run->source)->map.size : 0);
	r = run->options.raw ? send_raw(run->path, stream_out(stream), progress, &run->result,
					run->why, sizeof(run->why))
			     : send_plain(run->source, stream_out(stream), progress, &run->result,
					  run->why, sizeof(run->why));
	progress_end(progress);
	stream_close(stream);
	if (r < 0)
		return tbsend_failed(run, r);
	tbsend_report(run, "sent");
	return EXIT_VERIFIED;
}

static int tbsend_records(struct tbsend *run)
{
	const struct image_head *head = source_head(run->source);
	struct stream_options stream_options;
	struct wire_hello hello, peer;
	struct progress *progress;
	struct link *link = NULL;
	int r;

	program_stream_options(&run->options, false, &stream_options);
	program_hello(&run->options, WIRE_SENDER, head->transfer_id, &hello);
	r = link_open(&run->options.stream, &stream_options, &hello, &link, &peer, run->why,
		      sizeof(run->why));
	if (r < 0)
		return tbsend_failed(run, r);
	msg_note("sending %s to %s over %s", run->path, peer.host[0] ? peer.host : "the receiver",
		 link_name(link));
	run->start = stop_now();
	progress = progress_new(run->options.progress, run->path, head->map.size);
	r = send_records(run->source, link, progress, &run->result, run->why, sizeof(run->why));
	progress_end(progress);
	link_close(link);
	if (r < 0)
		return tbsend_failed(run, r);
	tbsend_report(run, "verified");
	return EXIT_VERIFIED;
}

int tbsend_main(int argc, char **argv)
{
	struct tbsend run = {0};
	int code = program_start(OPTIONS_SEND, argc, argv, &run.options);

	if (code < 0)
		code = tbsend_check(&run);
	if (code >= 0)
		return code;
	if (!run.options.raw) {
		int r = source_open(run.path, run.options.level, run.options.partition, &run.source,
				    run.why, sizeof(run.why));

		if (r < 0)
			return tbsend_failed(&run, r);
	}
	tbsend_warn_used(run.path);
	code = run.options.plain ? tbsend_plain(&run) : tbsend_records(&run);
	source_close(run.source);
	return code;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* tbstream verify: whether images are whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec/manifest_missing.h"
#include "io/verify.h"
#include "programs.h"
#include "ui/missing.h"
#include "ui/msg.h"

struct verify_run {
	const struct options *options;
	const char *path;
	struct progress *progress;
	json_t *manifest; /* of an image that is right */
	bool begun;	  /* progress was asked for, though it may be NULL */
};

/* Only the image tells how much there is to do. */
static void run_tell(void *arg, uint64_t done, uint64_t total)
{
	struct verify_run *run = arg;

	if (!run->begun)
		run->progress = progress_new(run->options->progress, run->path, total);
	run->begun = true;
	progress_update(run->progress, done, 0);
}

static const char *run_word(int r)
{
	switch (r) {
	case 0: return "verified";
	case -ENOMSG: return "foreign";
	case -ENODATA: return "incomplete";
	case -EBADMSG: return "damaged";
	case -EPROTONOSUPPORT: return "unsupported";
	case -EINTR: return "interrupted";
	default: return "unreadable";
	}
}

static void run_report_json(const struct verify_run *run, int r, const struct verify_result *result)
{
	json_t *object = json_pack("{s:o, s:s}", "image", program_json_text(run->path), "result",
				   run_word(r));
	uint64_t missing = r == 0 ? manifest_missing_bytes(run->manifest, result->size) : 0;
	char root[DIGEST_TEXT];

	if (object && result->size + result->chunks) {
		json_object_set_new(object, "size", json_integer(result->size));
		json_object_set_new(object, "chunks", json_integer(result->chunks));
	}
	if (object && result->file_size)
		json_object_set_new(object, "file_size", json_integer(result->file_size));
	digest_format(&result->root, root);
	if (object && r == 0)
		json_object_set_new(object, "root", json_string(root));
	if (object && missing)
		json_object_set_new(object, "unreadable", json_integer(missing));
	if (object && r < 0)
		json_object_set_new(object, "message", program_json_text(result->why));
	program_json_out(object, 0);
	fflush(stdout);
}

static void run_report(const struct verify_run *run, int r, const struct verify_result *result,
		       int64_t start)
{
	char size[24], elapsed[24], root[DIGEST_TEXT], where[400];

	if (run->options->json) {
		run_report_json(run, r, result);
		return;
	}
	if (r == -EINTR) {
		msg_error("interrupted: %s is not verified", run->path);
		return;
	}
	if (r < 0) {
		msg_error("%s: %s", run->path, result->why);
		return;
	}
	digest_format(&result->root, root);
	msg_note("%s: verified: %llu chunk%s, %s of the device, in %s. Root %s", run->path,
		 (unsigned long long)result->chunks, result->chunks == 1 ? "" : "s",
		 msg_size(result->size, size), program_elapsed(start, elapsed), root);
	if (missing_tell(run->manifest, result->size, where, sizeof(where)))
		msg_warn("%s: it is what was read, but its disk could not read %s, which are zeros "
			 "in it",
			 run->path, where);
}

/* Verifies one image. Returns 0 or -errno, which was told. */
static int run_image(const struct options *options, const char *path)
{
	bool piped = !strcmp(path, "-");
	struct verify_run run = {.options = options, .path = piped ? "standard input" : path};
	struct verify_options how = {.threads = options->threads,
				     .tell = run_tell,
				     .arg = &run,
				     .manifest = &run.manifest};
	struct verify_result result = {0};
	int64_t start = stop_now();
	/* O_NONBLOCK: a FIFO that nobody writes is waited for where a signal ends the wait. */
	int fd = piped ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r = fd < 0 ? -errno : 0;

	if (r < 0)
		snprintf(result.why, sizeof(result.why), "it cannot be opened for reading: %s",
			 strerror(-r));
	else if (piped)
		r = verify_stream(fd, &how, &result);
	else
		r = verify_file(fd, &how, &result);
	progress_end(run.progress);
	run_report(&run, r, &result, start);
	json_decref(run.manifest);
	if (fd >= 0 && !piped)
		close(fd);
	return r;
}

int tbstream_verify(int argc, char **argv)
{
	struct options options;
	int code = program_start(OPTIONS_VERIFY, argc, argv, &options);

	if (code >= 0)
		return code;
	if (!options.count) {
		msg_error("which image? Say `tbstream verify laptop.zst`, or - for a pipe");
		return EXIT_USAGE;
	}
	code = EXIT_VERIFIED;
	for (int i = 0; i < options.count; i++) {
		int r = run_image(&options, options.arguments[i]);

		if (r < 0)
			code = EXIT_FAILED;
		if (r == -EINTR)
			break;
	}
	return code;
}

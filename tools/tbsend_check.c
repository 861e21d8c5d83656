// SPDX-License-Identifier: GPL-2.0-or-later
#include "tbsend.h"

#include <string.h>
#include <unistd.h>

#include "codec/manifest_set.h"
#include "programs.h"
#include "ui/msg.h"

bool tbsend_is_stream(const char *path)
{
	return !strcmp(path, "-");
}

/* What standard input cannot do. */
static int tbsend_check_stream(const struct options *options)
{
	bool stream = false;

	for (int i = 0; i < options->count; i++)
		stream |= tbsend_is_stream(options->arguments[i]);
	if (!stream)
		return -1;
	if (options->count > 1)
		msg_error("- is standard input, which goes alone: send the rest by a transfer of "
			  "its own");
	else if (options->raw)
		msg_error("--raw would send standard input as it is, as `cat` does: leave out "
			  "tbsend, or --raw");
	else if (options->partition)
		msg_error("--partition is for an image in a file: standard input is sent as it "
			  "comes");
	else if (options->stream.kind == STREAM_STDIO && !options->plain)
		msg_error("standard input cannot be both what is sent and the stream: name "
			  "another --stream, or give --plain");
	else if (options->rescue)
		msg_error("--rescue is for a disk: what standard input did not give cannot be read "
			  "again");
	else if (options->dry_run)
		msg_error("--dry-run is for disks: standard input would have to be read");
	else if (options->used)
		msg_error("--used is for a disk: nobody knows what standard input holds");
	else if (isatty(STDIN_FILENO))
		msg_error("standard input is a terminal: pipe into it what is to be sent, as in "
			  "`tar c /home | tbsend -`");
	else
		return -1;
	return EXIT_USAGE;
}

int tbsend_check(struct options *options)
{
	int code = tbsend_check_stream(options);

	if (code >= 0)
		return code;

	if (options->count == 0) {
		msg_error("which disk? Say `tbsend /dev/nvme0n1`; `tbstream disks` lists them");
		return EXIT_USAGE;
	}
	if (options->count > 1 && (options->plain || options->partition)) {
		msg_error("%s takes one source: '%s' is one too many",
			  options->raw	   ? "--raw"
			  : options->plain ? "--plain"
					   : "--partition",
			  options->arguments[1]);
		return EXIT_USAGE;
	}
	if (options->count > MANIFEST_SET_MOST) {
		msg_error("%d disks are too many for one transfer: send at most %d at a time",
			  options->count, MANIFEST_SET_MOST);
		return EXIT_USAGE;
	}
	if (options->raw && options->partition) {
		msg_error("--raw sends bytes as they are: --partition does not go with it");
		return EXIT_USAGE;
	}
	if (options->rescue && (options->raw || options->partition)) {
		msg_error("--rescue does not go with %s, which can list nothing as missing",
			  options->raw ? "--raw" : "--partition");
		return EXIT_USAGE;
	}
	if (options->raw && options->dry_run) {
		msg_error("--raw sends every byte as it is: there is nothing for --dry-run to say");
		return EXIT_USAGE;
	}
	if (options->used && (options->raw || options->partition || options->rescue)) {
		msg_error(
			"--used does not go with %s",
			options->raw ? "--raw, which sends every byte and can tell of none that "
				       "it left out"
			: options->partition
				? "--partition: an image has what was read of its disk"
				: "--rescue: what a dying disk says of what it uses may be wrong");
		return EXIT_USAGE;
	}
	if (!options->rescue && (options->retries >= 0 || options->mapfile)) {
		msg_error("%s goes with --rescue: without it the first read error ends everything",
			  options->mapfile ? "--mapfile" : "--retries");
		return EXIT_USAGE;
	}
	if (options->mapfile && options->count > 1) {
		msg_error("--mapfile is of one disk: '%s' is one too many", options->arguments[1]);
		return EXIT_USAGE;
	}
	if (options->plain && !options->stream_given)
		options->stream = (struct stream_address){.kind = STREAM_STDIO};
	if (options->stream.kind == STREAM_STDIO && !options->dry_run && isatty(STDOUT_FILENO)) {
		msg_error("an image is nothing for a terminal: redirect the output, as in "
			  "`tbsend --plain %s > image.zst`",
			  options->arguments[0]);
		return EXIT_USAGE;
	}
	return -1;
}

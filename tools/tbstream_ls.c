// SPDX-License-Identifier: GPL-2.0-or-later
/* tbstream ls: the partitions of an image, or the files in one of them. */
#include "look/list.h"
#include "programs.h"
#include "ui/msg.h"

int tbstream_ls(int argc, char **argv)
{
	struct place_files files = {.fd = -1};
	struct place place = {0};
	struct options options;
	int code = program_start(OPTIONS_LS, argc, argv, &options);

	if (code >= 0)
		return code;
	if (options.count != 1) {
		msg_error(options.count ? "one place at a time"
					: "which image? Say `tbstream ls laptop.zst`");
		return EXIT_USAGE;
	}
	code = place_open(options.arguments[0], &place, &files);
	if (code < 0 && place.part == PLACE_NONE)
		code = list_partitions(&place, files.view, options.json);
	if (code < 0)
		code = place_open_files(&place, &files);
	if (code < 0)
		code = list_files(&options, &place, files.files);
	place_close(&place, &files);
	return code;
}

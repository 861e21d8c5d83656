// SPDX-License-Identifier: GPL-2.0-or-later
/* tbstream cp: files out of an image. */
#include <errno.h>
#include <string.h>

#include "look/copy.h"
#include "look/place.h"
#include "programs.h"
#include "ui/msg.h"

static const char *cp_plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void cp_report_json(const struct copy_result *result)
{
	program_json_out(
		json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "files", (json_int_t)result->files,
			  "folders", (json_int_t)result->folders, "symlinks",
			  (json_int_t)result->links, "bytes", (json_int_t)result->bytes, "skipped",
			  (json_int_t)result->skipped, "failed", (json_int_t)result->failed,
			  "unreadable", (json_int_t)result->unreadable),
		0);
}

static void cp_report(const struct copy_result *result, const char *dest)
{
	char size[24], rest[128] = "";

	if (result->skipped || result->failed)
		snprintf(rest, sizeof(rest), "; %llu left out, %llu failed",
			 (unsigned long long)result->skipped, (unsigned long long)result->failed);
	msg_note("%llu file%s, %llu folder%s, %llu symlink%s, %s copied to %s%s",
		 (unsigned long long)result->files, cp_plural(result->files),
		 (unsigned long long)result->folders, cp_plural(result->folders),
		 (unsigned long long)result->links, cp_plural(result->links),
		 msg_size(result->bytes, size), dest, rest);
}

static int cp_run(const struct options *options, const struct place *place,
		  struct place_files *files)
{
	const struct copy_options how = {.recursive = options->recursive, .force = options->force};
	const char *dest = options->arguments[1];
	struct copy_result result = {0};
	bool piped = !strcmp(dest, "-");
	uint64_t id;
	/* As cp does: a symlink that is named is followed, unless a tree is asked for. */
	int r = files_find(files->files, place->path, !options->recursive, &id);

	if (r < 0) {
		msg_error("%s cannot be copied: %s", place->path, files_why(files->files));
		return EXIT_FAILED;
	}
	r = piped ? copy_to_stdout(files->files, id, place->path, &result)
		  : copy_to(files->files, id, place->path, dest, &how, &result);
	if (options->json && !piped)
		cp_report_json(&result);
	else if (!options->json && result.files + result.folders + result.links + result.skipped)
		cp_report(&result, piped ? "standard output" : dest);
	msg_debug("%llu chunks were read", (unsigned long long)view_device_loads(files->device));
	if (r < 0 || result.failed)
		return EXIT_FAILED;
	return result.unreadable ? EXIT_UNREADABLE : EXIT_VERIFIED;
}

int tbstream_cp(int argc, char **argv)
{
	struct place_files files = {.fd = -1};
	struct place place = {0};
	struct options options;
	int code = program_start(OPTIONS_CP, argc, argv, &options);

	if (code >= 0)
		return code;
	if (options.count != 2) {
		msg_error("what, and where to? Say `tbstream cp laptop.zst:2:/etc/fstab .`");
		return EXIT_USAGE;
	}
	if (options.recursive && !strcmp(options.arguments[1], "-")) {
		msg_error("-r copies to a folder, not to standard output");
		return EXIT_USAGE;
	}
	code = place_open(options.arguments[0], &place, &files);
	if (code < 0 && place.part == PLACE_NONE) {
		msg_error("which file of %s? Say %s:2:/path; `tbstream ls %s` lists the partitions",
			  place.image, place.image, place.image);
		code = EXIT_USAGE;
	}
	if (code < 0)
		code = place_open_files(&place, &files);
	if (code < 0)
		code = cp_run(&options, &place, &files);
	place_close(&place, &files);
	return code;
}

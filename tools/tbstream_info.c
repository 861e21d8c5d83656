// SPDX-License-Identifier: GPL-2.0-or-later
/* tbstream info: what an image holds, by its end. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/manifest.h"
#include "info.h"
#include "io/view.h"
#include "programs.h"
#include "ui/msg.h"

/* What HEAD knows, as a manifest would have it. */
static json_t *info_head(const struct image_head *head)
{
	json_t *source = NULL, *object;
	char transfer[DIGEST_TEXT];
	struct digest id;

	if (manifest_parse(head->identity, head->identity_len, &source) < 0)
		source = json_object();
	if (head->logical_sector)
		json_object_set_new(source, "logical_sector", json_integer(head->logical_sector));
	if (head->physical_sector)
		json_object_set_new(source, "physical_sector", json_integer(head->physical_sector));
	memcpy(id.bytes, head->transfer_id, DIGEST_SIZE);
	digest_format(&id, transfer);
	object = json_pack("{s:o, s:s, s:i, s:I}", "source", source, "transfer", transfer,
			   "chunk_size", (int)head->map.chunk_size, "created",
			   (json_int_t)head->created);
	if (!chunk_map_open(&head->map)) {
		json_object_set_new(object, "size", json_integer(head->map.size));
		json_object_set_new(object, "chunks", json_integer(chunk_count(&head->map)));
	}
	return object;
}

/* The manifest itself, and what only the file tells. */
static void info_print_json(const struct info *info)
{
	json_t *object = json_copy(info->manifest);

	json_object_set_new(object, "image", program_json_text(info->path));
	json_object_set_new(object, "complete", json_boolean(info->complete));
	json_object_set_new(object, "file_size", json_integer(info->file_size));
	if (info->complete)
		json_object_set_new(object, "ratio",
				    json_real((double)info->size / info->file_size));
	program_json_out(object, 2);
}

static int info_failed(const struct info *info, int r, const char *why)
{
	if (r == -EINTR)
		msg_error("interrupted");
	else if (r == -EISDIR)
		msg_error("%s is a folder: name an image in it", info->path);
	else if (r == -ESPIPE)
		msg_error("%s is no regular file: info reads an image's end, which a pipe or a "
			  "device does not show; copy it to a file",
			  info->path);
	else if (r == -EBADMSG)
		msg_error("%s cannot be shown: %s; `tbstream verify %s` tells what of it is right",
			  info->path, why, info->path);
	else
		msg_error("%s cannot be shown: %s", info->path, why);
	return EXIT_FAILED;
}

static int info_print(struct info *info, const struct view *view, bool json)
{
	info->file_size = view_size(view);
	info->size = chunk_map_known(&view_head(view)->map);
	info->manifest =
		info->complete ? json_incref(view_manifest(view)) : info_head(view_head(view));
	if (!info->manifest) {
		msg_error("out of memory");
		return EXIT_FAILED;
	}
	if (json)
		info_print_json(info);
	else
		info_print_text(info);
	json_decref(info->manifest);
	if (info->complete)
		return EXIT_VERIFIED;
	if (!json)
		msg_error("%s is not complete; `tbstream verify %s` tells how far it is right",
			  info->path, info->path);
	return EXIT_FAILED;
}

int tbstream_info(int argc, char **argv)
{
	struct options options;
	struct view *view = NULL;
	int code = program_start(OPTIONS_INFO, argc, argv, &options);

	if (code >= 0)
		return code;
	if (options.count != 1) {
		msg_error(options.count ? "one image at a time"
					: "which image? Say `tbstream info laptop.zst`");
		return EXIT_USAGE;
	}
	struct info info = {.path = options.arguments[0], .verbose = options.verbose};
	int fd = open(info.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		msg_error("%s cannot be opened for reading: %s", info.path, strerror(errno));
		return EXIT_FAILED;
	}
	int r = view_open(fd, &view);

	info.complete = r == 0;
	/* Of a file that ends before its HEAD does there is nothing to show. */
	if (r == 0 || (r == -ENODATA && view_head(view)))
		code = info_print(&info, view, options.json);
	else
		code = info_failed(&info, r, view ? view_why(view) : strerror(-r));
	view_close(view);
	close(fd);
	return code;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* tbstream disks: what could be sent or overwritten. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/probe.h"
#include "programs.h"
#include "ui/msg.h"

static char *disks_flags(const struct probe_disk *disk, char ret[64])
{
	snprintf(ret, 64, "%s%s%s%s", disk->mounted ? ",mounted" : "", disk->inuse ? ",inuse" : "",
		 disk->readonly ? ",readonly" : "", disk->removable ? ",removable" : "");
	if (*ret)
		memmove(ret, ret + 1, strlen(ret));
	return ret;
}

static const char *disks_field(const char *text)
{
	return *text ? text : "-";
}

static void disks_print_tsv(const struct probe_disk *disk)
{
	char flags[64];

	printf("%s\t%s\t%llu\t%s\t%s\t%s\t%s\n", disk->path, disks_field(disk->model),
	       (unsigned long long)disk->size, disks_field(disk->serial),
	       disks_field(disk->transport), disks_field(disk->contents),
	       disks_field(disks_flags(disk, flags)));
}

static void disks_print(const struct probe_disk *disk)
{
	char flags[64], size[24];

	disks_flags(disk, flags);
	printf("%-14s %9s  %-6s %-26s %-20s %s%s%s%s\n", disk->path, msg_size(disk->size, size),
	       disks_field(disk->transport), disks_field(disk->model), disks_field(disk->serial),
	       *disk->contents ? disk->contents : "empty or unknown", *flags ? " [" : "", flags,
	       *flags ? "]" : "");
}

static json_t *disks_json(const struct probe_disk *disk)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:b, s:b, s:b, s:b}", "path", disk->path,
			 "model", disk->model, "serial", disk->serial, "transport", disk->transport,
			 "contents", disk->contents, "size", (json_int_t)disk->size, "mounted",
			 disk->mounted, "inuse", disk->inuse, "readonly", disk->readonly,
			 "removable", disk->removable);
}

int tbstream_disks(int argc, char **argv)
{
	struct probe_disk *disks;
	struct options options;
	size_t count;
	int code = program_start(OPTIONS_DISKS, argc, argv, &options);

	if (code >= 0)
		return code;
	int r = probe_list(&disks, &count);
	if (r < 0) {
		msg_error("the disks cannot be listed: %s", strerror(-r));
		return EXIT_FAILED;
	}
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		if (options.json)
			json_array_append_new(list, disks_json(&disks[i]));
		else if (options.tsv)
			disks_print_tsv(&disks[i]);
		else
			disks_print(&disks[i]);
	}
	if (options.json) {
		json_dumpf(list, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (!count && !options.tsv) {
		msg_note("no disk is there");
	}
	json_decref(list);
	free(disks);
	return EXIT_VERIFIED;
}

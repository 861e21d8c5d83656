// SPDX-License-Identifier: GPL-2.0-or-later
/* The rescue stick, as the command line that it was booted with names it. */
#include "io/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/disk_sysfs.h"
#include "io/probe_facts.h"

/* How hooks/tbstream-params.sh lets a disk be named, but for all and serial:. */
static const struct {
	const char *prefix, *folder;
} exclude_kinds[] = {
	{"/dev/", "/dev/"},
	{"id:", "/dev/disk/by-id/"},
	{"UUID=", "/dev/disk/by-uuid/"},
	{"PARTUUID=", "/dev/disk/by-partuuid/"},
};

static bool exclude_is(const char *path, dev_t disk)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISBLK(st.st_mode) && disk_sysfs_whole(st.st_rdev) == disk;
}

static bool exclude_means(const char *spec, dev_t disk, const char *serial)
{
	char path[512];

	if (!strcmp(spec, "all"))
		return true;
	if (!strncmp(spec, "serial:", 7))
		return *serial && !strcmp(spec + 7, serial);
	for (size_t i = 0; i < sizeof(exclude_kinds) / sizeof(exclude_kinds[0]); i++) {
		size_t len = strlen(exclude_kinds[i].prefix);

		if (strncmp(spec, exclude_kinds[i].prefix, len) != 0)
			continue;
		snprintf(path, sizeof(path), "%s%s", exclude_kinds[i].folder, spec + len);
		return exclude_is(path, disk);
	}
	return false;
}

bool probe_excluded(const struct disk *disk, const char *list)
{
	struct probe_facts facts = {0};
	bool excluded = false;
	char *line = NULL;
	size_t size = 0;
	struct stat st;
	FILE *file;

	if (!disk->block || fstat(disk->fd, &st) < 0)
		return false;
	file = fopen(list, "re");
	if (!file)
		return false;
	probe_facts_find(st.st_rdev, &facts);
	while (!excluded && getline(&line, &size, file) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		excluded = exclude_means(line, disk_sysfs_whole(st.st_rdev), facts.serial);
	}
	free(line);
	fclose(file);
	return excluded;
}

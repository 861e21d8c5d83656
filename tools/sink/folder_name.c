// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink/folder_name.h"

#include <stdio.h>
#include <string.h>

/* Not isalnum(3): a locale has no say here. */
static const char name_safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

static void name_clean(const char *text, size_t len, const char *otherwise, char *ret)
{
	if (len > FOLDER_NAME_PART)
		len = FOLDER_NAME_PART;
	for (size_t i = 0; i < len; i++)
		ret[i] = strchr(name_safe, text[i]) ? text[i] : '_';
	ret[len] = '\0';
	if (ret[0] == '.' || ret[0] == '-')
		ret[0] = '_';
	if (!len)
		snprintf(ret, FOLDER_NAME_PART + 1, "%s", otherwise);
}

void folder_name_part(const char *text, const char *otherwise, char ret[FOLDER_NAME_PART + 1])
{
	name_clean(text, strlen(text), otherwise, ret);
}

void folder_name_disk(const char *path, char ret[FOLDER_NAME_PART + 1])
{
	size_t end, start;

	if (!strcmp(path, "-"))
		path = "stream";
	end = strlen(path);
	while (end && path[end - 1] == '/')
		end--;
	for (start = end; start && path[start - 1] != '/';)
		start--;
	name_clean(path + start, end - start, "disk", ret);
}

void folder_name_image(const char *host, const char *disk, unsigned int number,
		       char ret[FOLDER_NAME_MOST + 1])
{
	char behind[16] = "";

	if (number > 1)
		snprintf(behind, sizeof(behind), "-%u", number);
	snprintf(ret, FOLDER_NAME_MOST + 1, "%.*s-%.*s%s.zst", FOLDER_NAME_PART, host,
		 FOLDER_NAME_PART, disk, behind);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "info.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "codec/manifest.h"
#include "codec/manifest_set.h"
#include "codec/manifest_table.h"
#include "codec/text.h"
#include "ui/missing.h"
#include "ui/msg.h"
#include "ui/table.h"

/* "Name:         value", cleaned, where there is a value. */
__attribute__((format(printf, 2, 3))) static void text_line(const char *name, const char *format,
							    ...)
{
	char *text, *clean;
	va_list args;

	va_start(args, format);
	int n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		return;
	clean = malloc(n + 1);
	if (clean && n > 0) {
		clean[text_put(text, n, clean)] = '\0';
		printf("%-13s %s\n", name, clean);
	}
	free(clean);
	free(text);
}

/* Appends ", PREFIX TEXT" where there is a TEXT. */
static void text_append(char *line, size_t len, const char *prefix, const char *text)
{
	size_t used = strlen(line);

	if (*text)
		snprintf(line + used, len - used, "%s%s%.128s", used ? ", " : "", prefix, text);
}

/* The strings of MANIFEST at KEYS, which are path and prefix by turns, as one line. */
static void text_facts(const json_t *manifest, const char *name, const char *const keys[][2])
{
	char line[768] = "";

	for (size_t i = 0; keys[i][0]; i++)
		text_append(line, sizeof(line), keys[i][1], manifest_string(manifest, keys[i][0]));
	text_line(name, "%s", line);
}

static const char *text_time(const json_t *value, char ret[40])
{
	time_t seconds = json_integer_value(value);
	struct tm tm;

	*ret = '\0';
	if (json_is_integer(value) && gmtime_r(&seconds, &tm))
		strftime(ret, 40, "%Y-%m-%d %H:%M:%S UTC", &tm);
	return ret;
}

static void text_number_bytes(const char *name, uint64_t bytes, const char *behind)
{
	char size[24];

	msg_size(bytes, size);
	if (bytes < 1024)
		text_line(name, "%s%s", size, behind);
	else
		text_line(name, "%s (%" PRIu64 " bytes)%s", size, bytes, behind);
}

static void text_sizes(const struct info *info)
{
	const json_t *manifest = info->manifest, *source = json_object_get(manifest, "source");
	long long logical = json_integer_value(json_object_get(source, "logical_sector"));
	long long physical = json_integer_value(json_object_get(source, "physical_sector"));
	long long frames = json_integer_value(json_object_get(manifest, "frames"));
	char behind[96] = "", size[24];

	if (logical > 0 && physical > 0)
		snprintf(behind, sizeof(behind), ", sectors of %lld, physically %lld", logical,
			 physical);
	else if (logical > 0)
		snprintf(behind, sizeof(behind), ", sectors of %lld", logical);
	/* Of a stream only the end says it. */
	if (json_object_get(manifest, "size"))
		text_number_bytes("Size:", info->size, behind);
	else
		text_line("Size:", "not known before the end of the stream");
	behind[0] = '\0';
	if (info->complete)
		snprintf(behind, sizeof(behind), ", ratio %.2f",
			 (double)info->size / info->file_size);
	text_number_bytes("File:", info->file_size, behind);
	behind[0] = '\0';
	if (frames > 0)
		snprintf(behind, sizeof(behind), ", in %lld frames", frames);
	msg_size(json_integer_value(json_object_get(manifest, "chunk_size")), size);
	if (json_object_get(manifest, "chunks"))
		text_line("Chunks:", "%lld of %s%s",
			  (long long)json_integer_value(json_object_get(manifest, "chunks")), size,
			  behind);
}

/* "bytes 4096 to 8191, in partition 2, ext4". */
static void text_range(const struct info *info, uint64_t offset, uint64_t length)
{
	char where[384];

	manifest_where(info->manifest, offset, length, where, sizeof(where));
	text_line("", "bytes %" PRIu64 " to %" PRIu64 "%s%s", offset, offset + length - 1,
		  *where ? ", " : "", where);
}

/* With -v each of KEY's ranges. */
static void text_each_range(const struct info *info, const char *key)
{
	size_t count = manifest_range_count(info->manifest, key);
	uint64_t offset, length;

	for (size_t i = 0; info->verbose && i < count; i++)
		if (manifest_range_get(info->manifest, key, i, &offset, &length) && length)
			text_range(info, offset, length);
}

/* How many ranges, and how long in all. */
static void text_unallocated(const struct info *info)
{
	size_t count = manifest_range_count(info->manifest, "unallocated");
	uint64_t offset, length, bytes = 0;
	char size[24];

	if (!count)
		return;
	for (size_t i = 0; i < count; i++)
		if (manifest_range_get(info->manifest, "unallocated", i, &offset, &length))
			bytes += length;
	text_line("Unallocated:", "%zu range%s, %s (%" PRIu64 " bytes)", count,
		  count == 1 ? "" : "s", msg_size(bytes, size), bytes);
	text_each_range(info, "unallocated");
}

static void text_unreadable(const struct info *info)
{
	char where[400];

	if (missing_tell(info->manifest, info->size, where, sizeof(where)))
		text_line("Unreadable:", "%s", where);
	text_each_range(info, "unreadable");
}

static void text_resumes(const json_t *manifest)
{
	const json_t *resumes = json_object_get(manifest, "resumes");
	char when[40];

	for (size_t i = 0; i < json_array_size(resumes); i++)
		text_line(i ? "" : "Resumed:", "%s", text_time(json_array_get(resumes, i), when));
}

/* "61%", rounded up as df does, so that 100% is full and 0% is empty. */
static const char *text_share(uint64_t size, uint64_t used, char ret[24])
{
	double share = 100.0 * (double)used / (double)size;
	unsigned int percent = (unsigned int)share;

	snprintf(ret, 24, "%u%%", percent + (percent < share));
	return ret;
}

/* Of a device without partitions. */
static void text_used(const json_t *manifest)
{
	char share[24], used_text[24], size_text[24];
	uint64_t size, used;

	if (manifest_used_get(json_object_get(manifest, "contents"), &size, &used))
		text_line("Used:", "%s, %s of %s", text_share(size, used, share),
			  msg_size(used, used_text), msg_size(size, size_text));
}

static void text_set(const json_t *manifest)
{
	struct manifest_set set;
	struct digest id;

	if (digest_parse(manifest_string(manifest, "transfer"), &id) == 0 &&
	    manifest_set_get(manifest, id.bytes, &set) == 0 && set.count > 1)
		text_line("Disk:", "%u of %u of one transfer", set.index, set.count);
}

static void text_partition(struct table *table, const struct manifest_partition *partition)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, partition->number);
	table_add(table, text);
	snprintf(text, sizeof(text), "%" PRIu64, partition->start);
	table_add(table, text);
	table_add(table, msg_size(partition->size, text));
	table_add(table, partition->fs_size
				 ? text_share(partition->fs_size, partition->fs_used, text)
				 : "");
	table_add(table, partition->fs);
	table_add(table, partition->label);
	table_add(table, partition->name);
	table_add(table, partition->fs_uuid);
	table_add(table, partition->type);
}

static void text_partitions(const json_t *manifest)
{
	static const char *const headings[] = {"Nr",	"Start", "Size", "Used", "Holds",
					       "Label", "Name",	 "UUID", "Type"};
	size_t columns = sizeof(headings) / sizeof(headings[0]);
	size_t count = manifest_partition_count(manifest);
	struct manifest_partition partition;
	struct table *table;

	text_facts(manifest, "Partitions:",
		   (const char *const[][2]){{"table.type", ""}, {"table.uuid", ""}, {NULL, NULL}});
	if (!count)
		return;
	table = table_new(columns, 4);
	for (size_t i = 0; i < columns; i++)
		table_add(table, headings[i]);
	for (size_t i = 0; i < count; i++)
		if (manifest_partition_get(manifest, i, &partition))
			text_partition(table, &partition);
	table_print(table, stdout, 2);
}

void info_print_text(const struct info *info)
{
	static const char *const source[][2] = {
		{"source.path", ""}, {"source.model", ""}, {"source.serial", "serial number "},
		{"source.wwn", ""},  {"source.kind", ""},  {"source.transport", ""},
		{NULL, NULL}};
	static const char *const host[][2] = {{"host.name", ""},
					      {"host.machine", ""},
					      {"host.serial", "serial number "},
					      {"host.kernel", "Linux "},
					      {NULL, NULL}};
	static const char *const contents[][2] = {
		{"contents.type", ""}, {"contents.label", ""}, {"contents.uuid", ""}, {NULL, NULL}};
	const json_t *manifest = info->manifest;
	char when[40];

	text_line("Image:", "%s, %s", info->path, info->complete ? "complete" : "NOT COMPLETE");
	if (strcmp(manifest_string(manifest, "source.kind"), "stream"))
		text_facts(manifest, "Source:", source);
	else
		text_line("Source:", "a stream");
	text_facts(manifest, "Host:", host);
	text_line("Created:", "%s", text_time(json_object_get(manifest, "created"), when));
	text_set(manifest);
	text_resumes(manifest);
	text_line("Finished:", "%s", text_time(json_object_get(manifest, "finished"), when));
	text_line("Tool:", "%s", manifest_string(manifest, "tool"));
	text_sizes(info);
	text_line("Root:", "%s", manifest_string(manifest, "root"));
	text_line("SHA-256:", "%s", manifest_string(manifest, "sha256"));
	text_unallocated(info);
	text_unreadable(info);
	text_facts(manifest, "Holds:", contents);
	text_used(manifest);
	text_partitions(manifest);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What is on a disk, in a line for people. */
#include "io/probe.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "io/probe_table.h"

/* A text of at most SIZE - 1 bytes; what does not fit shows as "..." at the end. */
struct summary {
	char *text;
	size_t size, len;
	bool full;
};

static void __attribute__((format(printf, 2, 3)))
summary_add(struct summary *summary, const char *format, ...)
{
	char piece[512];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(piece, sizeof(piece), format, args);
	va_end(args);
	if (summary->full || n < 0)
		return;
	/* The mark fits behind every piece, so that no character is ever cut. */
	if (summary->len + strlen(piece) + sizeof("...") > summary->size) {
		summary->full = true;
		summary->len +=
			snprintf(summary->text + summary->len, summary->size - summary->len, "...");
		return;
	}
	memcpy(summary->text + summary->len, piece, strlen(piece) + 1);
	summary->len += strlen(piece);
}

static const char *table_name(const char *type)
{
	if (strcmp(type, "gpt") == 0)
		return "GPT";
	return strcmp(type, "dos") == 0 ? "MBR" : type;
}

static const char *fs_name(const struct probe_fs *fs)
{
	return fs->ambiguous ? "several signatures" : fs->type;
}

static void summary_add_part(struct summary *summary, const struct probe_part *part)
{
	const char *label = part->fs.label[0] ? part->fs.label : part->name;
	const char *type = fs_name(&part->fs);

	if (label[0] == '\0' && type[0] == '\0')
		summary_add(summary, "unknown");
	else
		summary_add(summary, "%s%s%s", label, label[0] && type[0] ? " " : "", type);
}

int probe_contents(const struct disk *disk, char *ret, size_t len)
{
	struct summary summary = {.text = ret, .size = len};
	struct probe_table table;
	const char *type;
	int err;

	err = probe_table_read(disk, &table);
	if (err)
		return err;
	ret[0] = '\0';
	type = fs_name(&table.fs);
	if (table.type[0] != '\0')
		summary_add(&summary, "%s: ", table_name(table.type));
	if (table.type[0] != '\0' && table.count == 0 && type[0] == '\0')
		summary_add(&summary, "no partitions");
	for (size_t i = 0; i < table.count; i++) {
		summary_add(&summary, "%s", i > 0 ? ", " : "");
		summary_add_part(&summary, &table.parts[i]);
	}
	if (type[0] != '\0')
		summary_add(&summary, "%s%s%s", type, table.fs.label[0] ? " " : "", table.fs.label);
	probe_table_clear(&table);
	return ret[0] != '\0';
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/probe.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "codec/text.h"
#include "io/probe_facts.h"
#include "io/probe_table.h"
#include "io/probe_used.h"

#define TOOL "tbstream " TBSTREAM_VERSION

/*
 * Puts VALUE, which is the object's from then on, under KEY. Returns whether the object is still
 * whole; a VALUE of NULL ran out of memory.
 */
static bool object_set(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) == 0;
}

/* Leaves out what is not known. */
static bool object_set_text(json_t *object, const char *key, const char *text)
{
	return text[0] == '\0' || object_set(object, key, json_string(text));
}

static bool object_set_number(json_t *object, const char *key, uint64_t number)
{
	return object_set(object, key, json_integer((json_int_t)number));
}

/* A path may hold any bytes. */
static bool object_set_path(json_t *object, const char *key, const char *path)
{
	char text[1024];

	text[text_put(path, sizeof(text) - 1, text)] = '\0';
	return object_set_text(object, key, text);
}

static bool identity_put(json_t *object, const struct disk *disk)
{
	struct probe_facts facts = {0};
	const char *kind = "file";
	struct stat st;

	if (disk->block) {
		if (fstat(disk->fd, &st) == 0)
			probe_facts_find(st.st_rdev, &facts);
		kind = facts.partition ? "partition" : "disk";
	}
	return object_set_path(object, "path", disk->path) &&
	       object_set_text(object, "kind", kind) &&
	       object_set_text(object, "model", facts.model) &&
	       object_set_text(object, "serial", facts.serial) &&
	       object_set_text(object, "wwn", facts.wwn) &&
	       object_set_text(object, "transport", facts.transport);
}

/* Hands OBJECT over where it is WHOLE, drops it where not. */
static int object_give(json_t *object, bool whole, json_t **ret)
{
	if (!whole) {
		json_decref(object);
		return -ENOMEM;
	}
	*ret = object;
	return 0;
}

int probe_identity(const struct disk *disk, json_t **ret)
{
	json_t *object = json_object();

	return object_give(object, object && identity_put(object, disk), ret);
}

static json_t *source_object(const struct disk *disk)
{
	json_t *object = json_object();

	if (object && identity_put(object, disk) && object_set_number(object, "size", disk->size) &&
	    object_set_number(object, "logical_sector", disk->logical_sector) &&
	    object_set_number(object, "physical_sector", disk->physical_sector))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *host_object(void)
{
	json_t *object = json_object();
	char machine[128], serial[96];
	struct utsname host;

	probe_machine(machine, sizeof(machine), serial, sizeof(serial));
	if (uname(&host) < 0)
		memset(&host, 0, sizeof(host));
	if (strcmp(host.nodename, "(none)") == 0) /* the kernel's, until somebody gives it one */
		host.nodename[0] = '\0';
	if (object && object_set_path(object, "name", host.nodename) &&
	    object_set_text(object, "machine", machine) &&
	    object_set_text(object, "serial", serial) &&
	    object_set_path(object, "kernel", host.release))
		return object;
	json_decref(object);
	return NULL;
}

/* FS, which libblkid has found in SIZE bytes at START of DISK. */
static json_t *fs_object(const struct probe_fs *fs, const struct disk *disk, uint64_t start,
			 uint64_t size)
{
	json_t *object = json_object();
	struct probe_used used;

	if (object && object_set_text(object, "type", fs->type) &&
	    object_set_text(object, "label", fs->label) &&
	    object_set_text(object, "uuid", fs->uuid) &&
	    object_set_text(object, "version", fs->version) &&
	    (!probe_used_read(disk, start, size, fs->type, &used) ||
	     (object_set_number(object, "size", used.size) &&
	      object_set_number(object, "used", used.used))))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *part_object(const struct probe_part *part, const struct disk *disk)
{
	json_t *object = json_object();

	if (object && object_set_number(object, "number", part->number) &&
	    object_set_number(object, "start", part->start) &&
	    object_set_number(object, "size", part->size) &&
	    object_set_text(object, "type", part->type) &&
	    object_set_text(object, "uuid", part->uuid) &&
	    object_set_text(object, "name", part->name) &&
	    (part->fs.type[0] == '\0' ||
	     object_set(object, "fs", fs_object(&part->fs, disk, part->start, part->size))))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *table_object(const struct probe_table *table, const struct disk *disk)
{
	json_t *object = json_object();
	json_t *parts = json_array();
	bool whole = object && parts;

	for (size_t i = 0; whole && i < table->count; i++)
		whole = json_array_append_new(parts, part_object(&table->parts[i], disk)) == 0;
	whole = whole && object_set_text(object, "type", table->type) &&
		object_set_text(object, "uuid", table->uuid) &&
		json_object_set(object, "partitions", parts) == 0;
	json_decref(parts);
	if (whole)
		return object;
	json_decref(object);
	return NULL;
}

/* Adds what is on DISK; a disk that cannot be read there has nothing to tell. */
static bool contents_put(json_t *object, const struct disk *disk)
{
	struct probe_table table;
	bool whole = true;
	int err;

	err = probe_table_read(disk, &table);
	if (err)
		return err != -ENOMEM;
	if (table.type[0] != '\0')
		whole = object_set(object, "table", table_object(&table, disk));
	if (table.fs.type[0] != '\0')
		whole = whole &&
			object_set(object, "contents", fs_object(&table.fs, disk, 0, disk->size));
	probe_table_clear(&table);
	return whole;
}

/* A manifest of SOURCE, which becomes its, as far as every source has one; or NULL. */
static json_t *manifest_object(json_t *source)
{
	json_t *object = json_object();

	if (object && object_set(object, "source", source) &&
	    object_set(object, "host", host_object()) && object_set_text(object, "tool", TOOL))
		return object;
	json_decref(object);
	return NULL;
}

int probe_manifest(const struct disk *disk, json_t **ret)
{
	json_t *object = manifest_object(source_object(disk));

	return object_give(object, object && contents_put(object, disk), ret);
}

int probe_stream(const char *path, json_t **ret)
{
	json_t *object = manifest_object(json_pack("{s:s, s:s}", "path", path, "kind", "stream"));

	return object_give(object, object != NULL, ret);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File systems made by hand, a number at a time, for the tests of how full they are. */
#ifndef PROBE_USED_TEST_H
#define PROBE_USED_TEST_H

#include "disk_test.h"

#include "codec/bytes.h"
#include "io/probe_used.h"

#define START 4096u /* of the file system: whatever stands before it does not count */

/* A number of WIDTH bytes at AT. */
struct field {
	uint64_t at;
	unsigned int width;
	uint64_t value;
};

struct wrong {
	const char *name;
	struct field field;
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline void field_poke(const char *path, const struct field *field)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	uint8_t bytes[8];

	assert_true(fd >= 0);
	bytes_put(bytes, field->value, field->width);
	assert_int_equal(pwrite(fd, bytes, field->width, (off_t)(START + field->at)), field->width);
	close(fd);
}

/* A file system of FIELDS, which goes on for SIZE bytes. */
static inline const char *fs_make(uint64_t size, const struct field *fields, size_t count)
{
	const char *path = test_file("fs", START + size + START, -1);

	for (size_t i = 0; i < count; i++)
		field_poke(path, &fields[i]);
	return path;
}

static inline bool used_read(const char *path, uint64_t size, const char *type,
			     struct probe_used *ret)
{
	struct disk *disk;
	bool known;

	assert_int_equal(disk_open_source(path, &disk), 0);
	known = probe_used_read(disk, START, size, type, ret);
	disk_close(disk);
	return known;
}

static inline void assert_used(const char *path, uint64_t within, const char *type, uint64_t size,
			       uint64_t used)
{
	struct probe_used got;

	assert_true(used_read(path, within, type, &got));
	assert_int_equal(got.size, size);
	assert_int_equal(got.used, used);
}

/* Not known, and nothing said. */
static inline void assert_unknown(const char *path, uint64_t within, const char *type,
				  const char *why)
{
	struct probe_used got = {.size = 1, .used = 2};

	if (used_read(path, within, type, &got))
		fail_msg("%s: known in spite of %s", type, why);
	assert_int_equal(got.size, 1);
	assert_int_equal(got.used, 2);
}

/* Each of WRONG alone makes the file system of FIELDS one of which nothing is known. */
static inline void assert_wrong(const char *type, uint64_t size, const struct field *fields,
				size_t count, const struct wrong *wrong, size_t wrongs)
{
	for (size_t i = 0; i < wrongs; i++) {
		const char *path = fs_make(size, fields, count);

		field_poke(path, &wrong[i].field);
		assert_unknown(path, size, type, wrong[i].name);
	}
	assert_unknown(fs_make(size, fields, count), size - 1, type, "a partition that is smaller");
	assert_unknown(fs_make(size, fields, count), 100, type, "a partition of 100 bytes");
	assert_unknown(fs_make(size, fields, count), 0, type, "a partition of no bytes");
	assert_unknown(fs_make(size, NULL, 0), size, type, "zeros");
}

#define ASSERT_WRONG(type, size, fields, wrong) \
	assert_wrong(type, size, fields, COUNT(fields), wrong, COUNT(wrong))

#endif

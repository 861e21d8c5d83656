/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the fuzzers of transfers share: scripts that must reach the end. */
#ifndef SEEDS_TEST_H
#define SEEDS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Plays the scripts right-* in FOLDER: each of RUN must bring a disk, right-disks three. */
static void seeds_play(const char *folder, unsigned int (*run)(const uint8_t *data, size_t size))
{
	DIR *seeds = opendir(folder);
	struct dirent *entry;
	unsigned int played = 0;

	assert_non_null(seeds);
	peer_patient = true;
	while ((entry = readdir(seeds))) {
		uint8_t data[4096];

		if (strncmp(entry->d_name, "right-", strlen("right-")) != 0)
			continue;
		int fd = openat(dirfd(seeds), entry->d_name, O_RDONLY | O_CLOEXEC);
		ssize_t size = read(fd, data, sizeof(data));

		close(fd);
		assert_in_range(size, 2, sizeof(data) - 1);
		print_message("%s\n", entry->d_name);
		assert_int_equal(run(data, size), strstr(entry->d_name, "disks") ? 3 : 1);
		played++;
	}
	closedir(seeds);
	assert_true(played >= 8);
}

#endif

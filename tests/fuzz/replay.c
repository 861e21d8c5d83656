// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs a fuzz target over files and folders of files: replay PATH... Every input gets memory of
 * just its length, so that a sanitizer or valgrind sees a byte read behind it. Links with any
 * *_fuzz.c.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t replay_count;

static int replay_fail(const char *path, int err)
{
	fprintf(stderr, "replay: %s: %s\n", path, strerror(err));
	return -1;
}

static int replay_read(int fd, uint8_t *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t got = read(fd, data + done, size - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		if (got == 0)
			return EIO;
		done += (size_t)got;
	}
	return 0;
}

static int replay_file(const char *path, int fd, size_t size)
{
	uint8_t *data = malloc(size ? size : 1);
	int err;

	if (!data)
		return replay_fail(path, ENOMEM);
	err = replay_read(fd, data, size);
	if (err == 0) {
		printf("# %s\n", path);
		LLVMFuzzerTestOneInput(data, size);
		printf("ok %zu - %s\n", ++replay_count, path);
	}
	free(data);
	return err ? replay_fail(path, err) : 0;
}

static int replay_path(const char *path);

static int replay_folder(const char *path)
{
	struct dirent **entries;
	char child[4096];
	int status = 0;
	int count = scandir(path, &entries, NULL, alphasort);

	if (count < 0)
		return replay_fail(path, errno);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;

		if (name[0] != '.') {
			int len = snprintf(child, sizeof(child), "%s/%s", path, name);

			if ((size_t)len >= sizeof(child))
				status = replay_fail(path, ENAMETOOLONG);
			else if (replay_path(child) != 0)
				status = -1;
		}
		free(entries[i]);
	}
	free(entries);
	return status;
}

static int replay_path(const char *path)
{
	struct stat st;
	int status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return replay_fail(path, errno);
	if (fstat(fd, &st) < 0)
		status = replay_fail(path, errno);
	else if (S_ISDIR(st.st_mode))
		status = replay_folder(path);
	else
		status = replay_file(path, fd, (size_t)st.st_size);
	close(fd);
	return status;
}

int main(int argc, char **argv)
{
	int status = 0;

	setlinebuf(stdout);
	for (int i = 1; i < argc; i++) {
		if (replay_path(argv[i]) != 0)
			status = -1;
	}
	if (replay_count == 0) {
		fprintf(stderr, "replay: no input was run; give files or folders of them\n");
		status = -1;
	}
	printf("1..%zu\n", replay_count);
	return status ? 1 : 0;
}

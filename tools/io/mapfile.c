// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/mapfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/out.h"

/* All of a regular file; *ret stays NULL where there is none, or nothing in it. */
static int mapfile_load(const char *path, char **ret, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int r = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st))
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = -ENOTSUP;
	else if (st.st_size > RESCUE_TEXT_MOST)
		r = -EFBIG;
	char *text = r == 0 && st.st_size ? malloc(st.st_size) : NULL;
	if (text) {
		ssize_t n = out_read_at(fd, text, st.st_size, 0);

		if (n < 0)
			r = n;
		*ret_len = r == 0 ? n : 0;
	} else if (r == 0 && st.st_size) {
		r = -ENOMEM;
	}
	close(fd);
	if (r < 0)
		free(text);
	else
		*ret = text;
	return r;
}

static void mapfile_tell(const char *path, int r, unsigned int line, char *ret_why, size_t len)
{
	if (r == -EBADMSG)
		snprintf(ret_why, len,
			 "%s is no mapfile of GNU ddrescue: line %u is none of its lines; name "
			 "another file",
			 path, line);
	else if (r == -ERANGE)
		snprintf(ret_why, len,
			 "%s is the mapfile of a larger disk: its line %u is behind this one's "
			 "end; name another file",
			 path, line);
	else if (r == -EFBIG)
		snprintf(ret_why, len,
			 "%s has more blocks than %u: let ddrescue go on with it, or name another "
			 "file",
			 path, RESCUE_BLOCKS_MOST);
	else if (r == -ENOTSUP)
		snprintf(ret_why, len, "%s is no regular file: a mapfile is one", path);
	else
		snprintf(ret_why, len, "the mapfile %s cannot be read: %s", path, strerror(-r));
}

int mapfile_read(const char *path, uint64_t size, uint32_t sector, struct rescue_map **ret,
		 char *ret_why, size_t len)
{
	struct rescue_map *map = NULL;
	unsigned int line = 0;
	char *text = NULL;
	size_t text_len = 0;
	int r = mapfile_load(path, &text, &text_len);

	if (r == 0)
		r = rescue_map_new(size, &map);
	if (r == 0 && text_len)
		r = rescue_map_parse(map, text, text_len, sector, &line);
	free(text);
	if (r < 0) {
		mapfile_tell(path, r, line, ret_why, len);
		rescue_map_free(map);
		return r;
	}
	*ret = map;
	return 0;
}

static int mapfile_print(FILE *file, const struct rescue_map *map, const struct rescue_state *state)
{
	uint64_t size = rescue_map_size(map), start, stop;

	fprintf(file,
		"# Mapfile. Created by tbstream %s\n# current_pos  current_status  "
		"current_pass\n0x%08" PRIX64 "     %c               %u\n#      pos        "
		"size  status\n",
		TBSTREAM_VERSION, state->position, state->status, state->pass);
	for (uint64_t at = 0; at < size; at = stop) {
		enum rescue_status status = rescue_map_get(map, at, &start, &stop);

		fprintf(file, "0x%08" PRIX64 "  0x%08" PRIX64 "  %c\n", start, stop - start,
			status == RESCUE_LOST ? RESCUE_BAD : status);
	}
	return fflush(file) || ferror(file) ? -EIO : 0;
}

int mapfile_write(const char *path, const struct rescue_map *map, const struct rescue_state *state)
{
	char *new = NULL;
	int r = 0;

	if (asprintf(&new, "%s.new", path) < 0)
		return -ENOMEM;
	int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0666);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (!file) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		free(new);
		return r;
	}
	errno = 0;
	r = mapfile_print(file, map, state);
	if (r < 0 && errno)
		r = -errno;
	if (r == 0) {
		r = out_sync(fd);
		r = r < 0 ? r : 0;
	}
	if (fclose(file) && r == 0)
		r = -errno;
	if (r == 0 && rename(new, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(new);
	free(new);
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/out.h"

#define SPOOL_PENDING 512 /* entries written at once */

struct spool {
	int fd;
	uint64_t count, written;
	uint8_t pending[SPOOL_PENDING * IMAGE_ENTRY];
};

/* A nameless file in the folder that holds OUT_FD: there is room where an image is being written.
 */
static int spool_open_beside(int out_fd)
{
	char link[32], path[4096];
	struct stat st;

	if (fstat(out_fd, &st) || !S_ISREG(st.st_mode))
		return -1;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", out_fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return -1;
	path[n] = '\0';
	char *slash = strrchr(path, '/');
	if (!slash)
		return -1;
	slash[1] = '\0';
	return open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

int spool_new(int out_fd, struct spool **ret)
{
	struct spool *spool = calloc(1, sizeof(*spool));

	if (!spool)
		return -ENOMEM;
	spool->fd = spool_open_beside(out_fd);
	if (spool->fd < 0)
		spool->fd = memfd_create("tbstream-spool", MFD_CLOEXEC);
	if (spool->fd < 0) {
		int r = -errno;

		free(spool);
		return r;
	}
	*ret = spool;
	return 0;
}

void spool_free(struct spool *spool)
{
	if (!spool)
		return;
	close(spool->fd);
	free(spool);
}

uint64_t spool_count(const struct spool *spool)
{
	return spool->count;
}

static int spool_flush(struct spool *spool)
{
	size_t len = (spool->count - spool->written) * IMAGE_ENTRY;
	int r = out_write_at(spool->fd, spool->pending, len, spool->written * IMAGE_ENTRY);

	if (r == 0)
		spool->written = spool->count;
	return r;
}

int spool_add(struct spool *spool, const struct image_entry *entry)
{
	if (spool->count - spool->written == SPOOL_PENDING) {
		int r = spool_flush(spool);

		if (r < 0)
			return r;
	}
	image_entry_put(entry, spool->pending + (spool->count - spool->written) * IMAGE_ENTRY);
	spool->count++;
	return 0;
}

int spool_read(struct spool *spool, uint64_t first, uint32_t count, uint8_t *buf)
{
	size_t len = (size_t)count * IMAGE_ENTRY, done = 0;
	int r = spool_flush(spool);

	if (r < 0)
		return r;
	while (done < len) {
		ssize_t n = pread(spool->fd, buf + done, len - done, first * IMAGE_ENTRY + done);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -EIO;
		if (n > 0)
			done += n;
	}
	return 0;
}

int spool_put(struct spool *spool, uint64_t index, const struct image_entry *entry)
{
	uint8_t raw[IMAGE_ENTRY];
	int r = spool_flush(spool);

	if (r < 0)
		return r;
	image_entry_put(entry, raw);
	return out_write_at(spool->fd, raw, sizeof(raw), index * IMAGE_ENTRY);
}

int spool_digests(struct spool *spool, struct digest_state *state)
{
	uint8_t raw[SPOOL_PENDING * IMAGE_ENTRY];
	int r = 0;

	for (uint64_t i = 0; r == 0 && i < spool->count; i += SPOOL_PENDING) {
		uint32_t n = spool->count - i < SPOOL_PENDING ? spool->count - i : SPOOL_PENDING;

		r = spool_read(spool, i, n, raw);
		/* An entry begins with its digest. */
		for (uint32_t at = 0; r == 0 && at < n; at++)
			digest_update(state, raw + (size_t)at * IMAGE_ENTRY, DIGEST_SIZE);
	}
	return r;
}

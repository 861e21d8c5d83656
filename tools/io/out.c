// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/stop.h"

/*
 * Bounds a single call, so that a stop signal is seen between two of them on a slow medium; and
 * what is copied to the page cache in such pieces takes less of the processor than in larger ones.
 */
#define OUT_MOST ((size_t)1 << 17)

/*
 * Whether a write may block until somebody reads: standard output as a pipe. It must not be made
 * non-blocking, for other processes share it; but what poll finds room for does not block, up to
 * PIPE_BUF bytes.
 */
static bool out_blocks(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode) &&
	       !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

int out_write(int fd, const void *buf, size_t len)
{
	bool blocks = out_blocks(fd);
	size_t most = blocks ? PIPE_BUF : OUT_MOST;
	const char *at = buf;

	while (len) {
		int ready = blocks ? stop_poll(fd, POLLOUT, STOP_NEVER) : 0;

		if (ready < 0)
			return ready;
		if (stop_signal())
			return -EINTR;
		ssize_t n = write(fd, at, len < most ? len : most);

		if (n > 0) {
			at += n;
			len -= n;
		} else if (n < 0 && errno == EAGAIN) {
			int r = stop_poll(fd, POLLOUT, STOP_NEVER);

			if (r < 0)
				return r;
		} else if (n < 0 && errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

ssize_t out_read(int fd, void *buf, size_t len)
{
	for (;;) {
		/* Also for a blocking descriptor: a read of a silent pipe would not see the signal.
		 */
		int r = stop_poll(fd, POLLIN, STOP_NEVER);

		if (r < 0)
			return r;
		ssize_t n = read(fd, buf, len < OUT_MOST ? len : OUT_MOST);

		if (n >= 0)
			return n;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
}

ssize_t out_read_at(int fd, void *buf, size_t len, uint64_t offset)
{
	size_t done = 0;

	while (done < len) {
		size_t most = len - done < OUT_MOST ? len - done : OUT_MOST;

		if (stop_signal())
			return -EINTR;
		ssize_t n = pread(fd, (char *)buf + done, most, offset + done);

		if (n == 0)
			break;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += n;
	}
	return done;
}

int out_write_at(int fd, const void *buf, size_t len, uint64_t offset)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pwrite(fd, (const char *)buf + done, len - done, offset + done);

		if (n == 0)
			return -EIO;
		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? n : 0;
	}
	return 0;
}

int out_sync(int fd)
{
	int r;

	do {
		r = fdatasync(fd);
	} while (r && errno == EINTR);
	if (!r)
		return 1;
	if (errno == EINVAL || errno == EROFS || errno == ENOTSUP)
		return 0;
	return -errno;
}

int out_sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : -EINTR;

	while (r == -EINTR)
		r = fsync(fd) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return r;
}

int out_rename(const char *from, const char *to, bool over)
{
	if (!renameat2(AT_FDCWD, from, AT_FDCWD, to, over ? 0 : RENAME_NOREPLACE))
		return 0;
	return errno != EINVAL || rename(from, to) ? -errno : 0;
}

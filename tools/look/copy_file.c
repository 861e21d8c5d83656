// SPDX-License-Identifier: GPL-2.0-or-later
/* One file or symlink: under a temporary name until it is whole. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/chunk.h"
#include "look/copy_internal.h"
#include "io/out.h"
#include "io/stop.h"
#include "ui/msg.h"

void copy_temp_name(char ret[COPY_TEMP])
{
	uint64_t number;

	/* Whatever stands there if it fails: names are made with O_EXCL. */
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = (uint64_t)getpid() << 32 ^ (uint64_t)stop_now();
	snprintf(ret, COPY_TEMP, ".tbstream-%016" PRIx64 ".part", number);
}

/* File systems that cannot rename so (some of the network's) let a gap of a moment. */
int copy_rename(const struct copy *copy, int folder, const char *temp, const char *name)
{
	struct stat st;

	if (copy->options.force)
		return renameat(folder, temp, folder, name) < 0 ? -errno : 0;
	if (renameat2(folder, temp, folder, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(folder, temp, folder, name) < 0 ? -errno : 0;
}

/* Who may not give files away keeps them, without the bits that lend their owner's rights. */
int copy_attributes(const struct copy *copy, int fd, const struct files_stat *stat)
{
	struct timespec times[] = {stat->atime, stat->mtime};
	mode_t mode = stat->owned ? stat->mode & 07777 : stat->mode & 0777 & ~copy->umask;

	if (stat->owned && (geteuid() != 0 || fchown(fd, stat->uid, stat->gid) < 0))
		mode &= 0777;
	/* FAT's root has none. */
	if (!stat->owned && stat->mtime.tv_sec == 0)
		times[0].tv_nsec = times[1].tv_nsec = UTIME_OMIT;
	return fchmod(fd, mode) < 0 || futimens(fd, times) < 0 ? -errno : 0;
}

/* Writes LEN bytes at OFFSET; whole blocks of zeros are left to be holes. */
static int file_write(int fd, const uint8_t *buf, size_t len, uint64_t offset)
{
	size_t at = 0;

	while (at < len) {
		size_t end = at;

		while (end < len) {
			size_t block = len - end < COPY_BLOCK ? len - end : COPY_BLOCK;

			if (chunk_is_zero(buf + end, block))
				break;
			end += block;
		}
		while (at < end) {
			ssize_t n = pwrite(fd, buf + at, end - at, offset + at);

			if (n < 0 && errno != EINTR)
				return -errno;
			at += n > 0 ? n : 0;
		}
		at += COPY_BLOCK;
	}
	return 0;
}

/* LEN zeros to a stream. */
static int stream_zeros(struct copy *copy, int fd, uint64_t len)
{
	memset(copy->buf, 0, COPY_BUFFER);
	while (len) {
		size_t piece = len < COPY_BUFFER ? len : COPY_BUFFER;
		int r = stop_signal() ? -EINTR : out_write(fd, copy->buf, piece);

		if (r < 0)
			return r;
		len -= piece;
	}
	return 0;
}

/*
 * The file's bytes to FD, by place or as a STREAM. Returns 0 or -errno, and whether it was the
 * target that failed.
 */
static int file_bytes(struct copy *copy, uint64_t id, uint64_t size, int fd, bool stream,
		      bool *ret_target)
{
	bool unreadable = false;

	*ret_target = false;
	for (uint64_t at = 0; at < size;) {
		uint64_t hole;
		int n = stop_signal() ? -EINTR : files_hole(copy->files, id, at, &hole), r = 0;

		if (n < 0)
			return n;
		if (hole) {
			r = stream ? stream_zeros(copy, fd, hole) : 0;
			at += hole;
		} else {
			n = files_read(copy->files, id, copy->buf, COPY_BUFFER, at);
			if (n <= 0)
				return n ? n : -EBADMSG;
			unreadable |= files_unreadable(copy->files);
			r = stream ? out_write(fd, copy->buf, n) : file_write(fd, copy->buf, n, at);
			at += n;
		}
		if (r < 0) {
			*ret_target = r != -EINTR;
			return r;
		}
	}
	if (unreadable) {
		copy->result.unreadable++;
		msg_warn("%s: the disk could not read all of it: zeros stand there", copy->path);
	}
	return 0;
}

static int file_counted(struct copy *copy, const struct files_stat *stat)
{
	copy->result.files++;
	copy->result.bytes += stat->size;
	return 0;
}

int copy_stream(struct copy *copy, uint64_t id, const struct files_stat *stat, int fd)
{
	bool target;
	int r = file_bytes(copy, id, stat->size, fd, true, &target);

	if (r < 0)
		return target ? copy_target_failed(copy, "standard output", r)
			      : copy_source_failed(copy, r);
	return file_counted(copy, stat);
}

int copy_file(struct copy *copy, int folder, const char *name, uint64_t id,
	      const struct files_stat *stat)
{
	char temp[COPY_TEMP];
	bool target;
	int fd, r;

	copy_temp_name(temp);
	fd = openat(folder, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return copy_target_failed(copy, name, -errno);
	r = file_bytes(copy, id, stat->size, fd, false, &target);
	if (r == 0) {
		target = true;
		r = ftruncate(fd, stat->size) < 0 ? -errno : copy_attributes(copy, fd, stat);
		if (close(fd) < 0 && r == 0)
			r = -errno;
		if (r == 0)
			r = copy_rename(copy, folder, temp, name);
	} else {
		close(fd);
	}
	if (r == 0)
		return file_counted(copy, stat);
	unlinkat(folder, temp, 0);
	return target ? copy_target_failed(copy, name, r) : copy_source_failed(copy, r);
}

int copy_link(struct copy *copy, int folder, const char *name, uint64_t id,
	      const struct files_stat *stat)
{
	const struct timespec times[] = {stat->atime, stat->mtime};
	char temp[COPY_TEMP], target[FILES_LINK_MOST];
	int r = files_readlink(copy->files, id, target);

	if (r < 0)
		return copy_source_failed(copy, r);
	copy_temp_name(temp);
	if (symlinkat(target, folder, temp) < 0)
		return copy_target_failed(copy, name, -errno);
	if (stat->owned && geteuid() == 0 &&
	    fchownat(folder, temp, stat->uid, stat->gid, AT_SYMLINK_NOFOLLOW) < 0)
		msg_debug("%s: the owner cannot be kept: %s", copy->path, strerror(errno));
	if (utimensat(folder, temp, times, AT_SYMLINK_NOFOLLOW) < 0)
		msg_debug("%s: the time cannot be kept: %s", copy->path, strerror(errno));
	r = copy_rename(copy, folder, temp, name);
	if (r < 0) {
		unlinkat(folder, temp, 0);
		return copy_target_failed(copy, name, r);
	}
	copy->result.links++;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plain bytes out of and into a descriptor: file, pipe, socket or stream, blocking or not. */
#ifndef IO_OUT_H
#define IO_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Writes all of LEN bytes, waiting where the descriptor does not block. Returns 0, -EINTR when a
 * stop signal came, or -errno.
 */
int out_write(int fd, const void *buf, size_t len);

/* Reads up to LEN bytes, waiting for the first. Returns bytes, 0 at the end, -EINTR or -errno. */
ssize_t out_read(int fd, void *buf, size_t len);

/*
 * Reads LEN bytes at OFFSET of a file, whose own offset stays where it is. Returns bytes, fewer
 * than LEN only at the end, -EINTR or -errno.
 */
ssize_t out_read_at(int fd, void *buf, size_t len, uint64_t offset);

/*
 * Writes all of LEN bytes at OFFSET of a file, whose own offset stays where it is; no signal ends
 * that. Returns 0 or -errno.
 */
int out_write_at(int fd, const void *buf, size_t len, uint64_t offset);

/* Puts what was written on the medium. Returns 1, or 0 where there is none (a pipe), or -errno. */
int out_sync(int fd);
/* As out_sync, for the names in the folder PATH. Returns 0 or -errno. */
int out_sync_folder(const char *path);
/* Renames FROM to TO; without OVER not onto what exists, where the file system can tell. */
int out_rename(const char *from, const char *to, bool over);

#endif

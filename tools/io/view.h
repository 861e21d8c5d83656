/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A complete image in a file, reached from its end: any chunk is read without those before it. The
 * trailer is checked as a whole when the image is opened, but never held: its seek table and TABLE
 * stay in the file, and an index over them takes 16 bytes for 4096 frames.
 */
#ifndef IO_VIEW_H
#define IO_VIEW_H

#include <stdint.h>

#include <jansson.h>

#include "codec/image.h"

struct view;

/*
 * Opens the image in the regular file FD (which stays the caller's, is kept until view_close, and
 * whose offset is not moved): its trailer, HEAD and manifest are right then, and agree. No data
 * frame was looked at. Returns 0;
 *   -ENOMSG when this is no image of ours, and view_why tells what it is;
 *   -ENODATA when it has a HEAD of ours, which view_head gives, but no trailer, or ends before its
 *     HEAD does: it is not complete;
 *   -EBADMSG when something is wrong, with the place in view_why;
 *   -EPROTONOSUPPORT when another version wrote it; -ESPIPE for what is no regular file, -EISDIR
 *   for a folder; -EINTR or another -errno.
 * *ret is set whatever is returned, for view_why, but for -ENOMEM.
 */
int view_open(int fd, struct view **ret);
void view_close(struct view *view); /* NULL is fine */
/* Why view_open failed. */
const char *view_why(const struct view *view);

/*
 * HEAD; its map is closed, whatever the file's is. After a view_open that failed: NULL when there
 * was none that is right, and its map may be open.
 */
const struct image_head *view_head(const struct view *view);
/* The manifest. Borrowed; json_incref is not for several threads. */
json_t *view_manifest(const struct view *view);
uint64_t view_size(const struct view *view);	  /* of the file, bytes */
uint64_t view_data_size(const struct view *view); /* of the file before its trailer, bytes */
uint32_t view_frames(const struct view *view);	  /* in the seek table */
void view_root(const struct view *view, struct digest *ret);

/* What one thread needs to read chunks: a decompressor, buffers, a sentence. */
struct view_scratch;

/* Makes one for VIEW. Returns 0 or -ENOMEM. */
int view_scratch_new(const struct view *view, struct view_scratch **ret);
void view_scratch_free(struct view_scratch *scratch); /* NULL is fine */
/* Why the last view_chunk failed; "" where only the errno tells. */
const char *view_scratch_why(const struct view_scratch *scratch);

/*
 * TABLE's entry of chunk INDEX, which must exist. Any thread. Returns 0, -EBADMSG when the file has
 * changed since it was opened, or -errno.
 */
int view_entry(const struct view *view, uint64_t index, struct image_entry *ret);

/*
 * Where the data frame of chunk INDEX, which must exist, stands in the file: its offset and its
 * length in bytes. Any thread with a SCRATCH of its own. Returns as view_entry.
 */
int view_place(const struct view *view, uint64_t index, struct view_scratch *scratch,
	       uint64_t *ret_offset, uint32_t *ret_stored);

/*
 * Reads chunk INDEX, which must exist, to CONTENT (chunk_length bytes) and checks frame and content
 * against TABLE. Any thread with a SCRATCH of its own. Returns 0; -EBADMSG, with a sentence in
 * view_scratch_why; or another -errno.
 */
int view_chunk(const struct view *view, uint64_t index, struct view_scratch *scratch,
	       void *content);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the parts of a disk as a sink: sink_disk*.c. All return 0 or -errno with sink_why. */
#ifndef SINK_DISK_H
#define SINK_DISK_H

#include "sink/sink_kinds.h"

/* Asks whether the disk may be overwritten with what MANIFEST tells of, where that is a question.
 */
int sink_disk_permission(struct sink *sink, const json_t *manifest);

/*
 * Whether an image of this size goes onto the disk, which the user may be asked: sets size and gpt.
 * Writes nothing.
 */
int sink_disk_fits(struct sink *sink, const json_t *manifest);
/*
 * The LEN bytes CONTENT at OFFSET came: on a smaller disk, what has no place there must be nothing
 * that anybody needs.
 */
int sink_disk_drop(struct sink *sink, uint64_t offset, const uint8_t *content, uint32_t len);
/* The disk is complete but for its size: moves the GPT's backup, or notes where it is. */
int sink_disk_fit(struct sink *sink);

/*
 * Opens the journal of the disk where there can be one. Where the same restore was begun by another
 * process, the sink's chunks are those that are there; any difference is refused, without --force.
 */
int sink_disk_resume_open(struct sink *sink);
/* The target's ends were not what was left there: refused, or begun anew. */
int sink_disk_resume_changed(struct sink *sink);
/* Reads some of the chunks that are there, or all with options.recheck, and compares them. */
int sink_disk_resume_check(struct sink *sink);
/* Chunk INDEX, with ENTRY's digest and flags, is written; those that are, are durable. */
void sink_disk_resume_put(struct sink *sink, uint64_t index, const struct image_entry *entry);
void sink_disk_resume_mark(struct sink *sink);
/* As sink_entry. */
int sink_disk_resume_entries(struct sink *sink, uint64_t first, uint32_t count,
			     struct image_entry *ret);

/* Starts to keep digests; then a chunk of which KEPT bytes are on the disk, or COUNT of zeros. */
int sink_disk_digest_start(struct sink *sink);
int sink_disk_digest(struct sink *sink, uint64_t index, const struct sink_chunk *chunk,
		     uint32_t kept);
int sink_disk_digest_zeros(struct sink *sink, uint64_t count);
/* Reads the disk back, from the medium, and compares it with them. */
int sink_disk_verify(struct sink *sink);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is on a disk that is being restored, in a file of its own, so that another process can go on
 * with it: HEAD of the image, the entries of the chunks that are durable, and the ends that are
 * kept back (io/target.h). It is called after the disk, and lies in $XDG_STATE_HOME/tbstream or,
 * where that is not set, in /run/tbstream, which a restart of the machine empties.
 */
#ifndef IO_JOURNAL_H
#define IO_JOURNAL_H

#include "codec/image.h"
#include "io/disk.h"

struct journal;

/*
 * Opens the journal of DISK, or makes one that is empty, and holds it against other programs; with
 * ANEW what an earlier run left is dropped. Returns 0; -EWOULDBLOCK while another program has it;
 * or another -errno where there can be none.
 */
int journal_open(const struct disk *disk, bool anew, struct journal **ret);
/* Closes it; the file stays where something is in it. NULL is fine. */
void journal_close(struct journal *journal);
/* The disk is whole: the file is removed, though its room stays until it is closed. NULL is fine.
 */
void journal_drop(struct journal *journal);
/* Whether a restart of the machine empties it. */
bool journal_volatile(const struct journal *journal);

/*
 * What an earlier run left: its HEAD (borrowed, valid until journal_start) and how many chunks are
 * durable, not above those of HEAD. Returns 0, -ENODATA when there is nothing, or -EBADMSG.
 */
int journal_read(struct journal *journal, struct image_head *ret_head, uint64_t *ret_count);
/* Begins with an image of HEAD, no chunk of which is there. Returns 0 or -errno. */
int journal_start(struct journal *journal, const struct image_head *head);

/* Room for both ends, 2 * TARGET_KEPT bytes: what is written to it is there after a kill. */
uint8_t *journal_ends(struct journal *journal);
/* Chunk INDEX: its digest (with ZERO none is needed) and flags. Returns 0 or -errno. */
int journal_put(struct journal *journal, uint64_t index, const struct image_entry *entry);
/* Returns 0, -EBADMSG where it is not what was put, or another -errno. */
int journal_get(struct journal *journal, uint64_t index, struct image_entry *ret);
/* The chunks below COUNT are durable on the disk. Returns 0 or -errno. */
int journal_mark(struct journal *journal, uint64_t count);

#endif

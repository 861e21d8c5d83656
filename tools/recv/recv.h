/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk of the receiver: link -> records -> sink, or descriptor -> image -> sink. */
#ifndef RECV_H
#define RECV_H

#include "codec/manifest_set.h"
#include "io/link.h"
#include "io/spool.h"
#include "mend.h"
#include "sink/sink.h"
#include "ui/progress.h"

/* A disk that is complete here, as a sender is told of it that comes again. */
struct recv_disk {
	struct image_head head;
	char *identity;
	struct manifest_set set;
	struct wire_result result;
	struct spool *spool; /* its digests */
};

/* All of them, of one transfer. */
struct recv_past {
	struct recv_disk *disks;
	size_t count;
};

/* Notes one; the spool is taken over. Returns 0 or -ENOMEM. */
int recv_past_add(struct recv_past *past, const struct image_head *head,
		  const struct manifest_set *set, const struct wire_result *result,
		  struct spool **spool);
/* The disk that HEAD and SET tell of, or NULL. PAST may be NULL. */
const struct recv_disk *recv_past_find(const struct recv_past *past, const struct image_head *head,
				       const struct manifest_set *set);
void recv_past_clear(struct recv_past *past);

struct recv_options {
	enum progress_mode progress;
	unsigned int threads; /* that unpack; 0: one */
	bool folder;	      /* records: the target takes several disks, a sink each */
	struct mend *mend; /* records: what to do when the stream breaks; NULL: that is the end */
	struct recv_past *past; /* records: with mend, what is complete before and behind */
};

struct recv_result {
	struct digest root;
	uint64_t size;	       /* of the device, bytes */
	uint64_t stored;       /* written, bytes */
	uint64_t missing;      /* bytes that the source could not read, and what missing_tell */
	char where[400];       /* says of them */
	struct wire_time time; /* since it was accepted; plain: waited is for what is read */
	enum sink_end end;
	bool confirmed;		  /* records: the sender got our RESULT */
	struct manifest_set set;  /* records: which disk it was of how many, once it was offered */
	struct link_record *next; /* records: the OFFER of the next disk, or NULL */
};

/*
 * Receives what the peer of LINK sends into SINK, over another stream when this one breaks,
 * acknowledges what is durable, checks the root, completes the sink and says so in RESULT. BEFORE
 * is NULL, or the result of the disk before this one in the same transfer, whose OFFER it takes.
 * Returns 0 when everything is verified and complete, or -errno with a sentence in RET_WHY (LEN
 * bytes), which the peer was told too where it was our own.
 */
int recv_records(struct link *link, struct sink *sink, const struct recv_options *options,
		 struct recv_result *before, struct recv_result *ret, char *ret_why, size_t len);

/* Receives an image (no records) from FD into SINK, checking everything. Returns as above. */
int recv_plain(int fd, struct sink *sink, const struct recv_options *options,
	       struct recv_result *ret, char *ret_why, size_t len);

/* Copies FD to OUT_FD until it ends, unchecked. Returns as above. */
int recv_raw(int fd, int out_fd, struct recv_result *ret, char *ret_why, size_t len);

#endif

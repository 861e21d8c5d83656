/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk of the receiver: link -> records -> sink, or descriptor -> image -> sink. */
#ifndef RECV_H
#define RECV_H

#include "codec/manifest_set.h"
#include "io/link.h"
#include "sink/sink.h"
#include "ui/progress.h"

struct recv_options {
	enum progress_mode progress;
	bool folder; /* records: the target takes several disks, a sink each */
};

struct recv_result {
	struct digest root;
	uint64_t size;	 /* of the device, bytes */
	uint64_t stored; /* written, bytes */
	enum sink_end end;
	bool confirmed;		  /* records: the sender got our RESULT */
	struct manifest_set set;  /* records: which disk it was of how many, once it was offered */
	struct link_record *next; /* records: the OFFER of the next disk, or NULL */
};

/*
 * Receives what the peer of LINK sends into SINK, acknowledges what is durable, checks the root,
 * completes the sink and says so in RESULT. BEFORE is NULL, or the result of the disk before this
 * one in the same transfer, whose OFFER it takes. Returns 0 when everything is verified and
 * complete, or -errno with a sentence in RET_WHY (LEN bytes), which the peer was told too where it
 * was our own.
 */
int recv_records(struct link *link, struct sink *sink, const struct recv_options *options,
		 struct recv_result *before, struct recv_result *ret, char *ret_why, size_t len);

/* Receives an image (no records) from FD into SINK, checking everything. Returns as above. */
int recv_plain(int fd, struct sink *sink, const struct recv_options *options,
	       struct recv_result *ret, char *ret_why, size_t len);

/* Copies FD to OUT_FD until it ends, unchecked. Returns as above. */
int recv_raw(int fd, int out_fd, struct recv_result *ret, char *ret_why, size_t len);

#endif

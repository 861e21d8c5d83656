/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk of the sender: source -> records -> link, or source -> image -> descriptor. */
#ifndef SEND_H
#define SEND_H

#include "io/link.h"
#include "mend.h"
#include "source/source.h"
#include "ui/progress.h"

/* What this run's time went into, as the sender sees it, nanoseconds. */
struct send_time {
	int64_t disk;	/* reading the source */
	int64_t cpu;	/* waiting for those that pack, or check an image */
	int64_t cable;	/* waiting, while the receiver did too */
	int64_t target; /* waiting for the receiver, or for the file that is written */
	int64_t output; /* waiting for one of these two: nobody told which */
};

struct send_result {
	struct wire_result
		peer; /* what the receiver said; status WIRE_STATUS_FAILED until it did */
	struct digest root;
	uint64_t size;	 /* of the device, bytes */
	uint64_t stored; /* of the image: frames only with records, all of it with plain */
	struct send_time time;
	uint64_t safe;	  /* of a transfer that failed: bytes of the device that were confirmed */
	uint64_t missing; /* bytes of the source that could not be read, and what missing_tell */
	char where[400];  /* says of them */
};

struct send_options {
	struct progress *progress;
	struct mend *mend; /* what to do when the stream breaks; NULL: that is the end */
	bool recheck;	   /* read everything again that the receiver has, not only samples */
	size_t keep;	   /* bytes of a stream that may wait for the receiver; 0: what suits */
};

/*
 * Sends SOURCE over LINK, from the chunk on that the receiver wants, and waits for its RESULT; over
 * another stream when this one breaks. Returns 0 when the receiver has
 * verified it and the root is ours, or -errno with a sentence in RET_WHY (LEN bytes), which the
 * peer was told too where it was our own. After a success the link waits for the next disk of the
 * same transfer, or for send_bye.
 */
int send_records(struct source *source, struct link *link, const struct send_options *options,
		 struct send_result *ret, char *ret_why, size_t len);

/* Takes leave of the receiver, so that it need not wait for more. */
void send_bye(struct link *link);

/* Sends SOURCE as the image that it becomes to FD, with nobody to confirm it. Returns as above. */
int send_plain(struct source *source, int fd, struct progress *progress, struct send_result *ret,
	       char *ret_why, size_t len);

/* Sends the bytes of the file or disk PATH as they are to FD. Returns as above. */
int send_raw(const char *path, int fd, struct progress *progress, struct send_result *ret,
	     char *ret_why, size_t len);

#endif

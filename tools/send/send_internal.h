/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between send.c, which walks the chunks, and send_resume.c, which goes on with them. */
#ifndef SEND_INTERNAL_H
#define SEND_INTERNAL_H

#include "io/root.h"
#include "send/send.h"
#include "source/landmarks.h"

/* Chunks of zeros that wait for others to go with: 4 GiB at most, so that progress goes on. */
#define SEND_ZEROS_MOST 1024

/* The times of the streams over which it went, and when the last one began. */
struct send_clock {
	int64_t began, all;
	struct source_time before, source;
};

/* One transfer's state on the way from the source to the link. */
struct send {
	struct source *source;
	struct link *link;
	const struct send_options *options;
	const struct chunk_map *map;
	struct root root;
	struct root before;	/* of the last stream on which chunks could come again */
	struct wire_zero zeros; /* a run that is not sent yet */
	uint64_t next;		/* chunk that the source gives */
	uint64_t first;		/* chunks that the receiver had when it accepted */
	uint64_t from, to;	/* chunks that this run has read itself, but for the last one */
	uint64_t stored;
	bool accepted; /* before that, the link's count is that of another disk */
	bool lost;     /* the link ended, by itself */
	bool begun;    /* a receiver has accepted it */
	bool retried;  /* chunks could come again on this stream */
	struct send_clock clock;
	uint64_t safe; /* chunks that were acknowledged before the stream broke */
	char *why;
	size_t why_len;
};

__attribute__((format(printf, 3, 4))) int send_fail(struct send *send, int error,
						    const char *format, ...);
/* The link has ended: its own sentence says why. Returns ERROR. */
int send_lost(struct send *send, int error);
int send_root_failed(struct send *send, int error);
/* DATA; of a chunk that came before it takes its place. Returns 0 or -errno. */
int send_data(struct send *send, const struct source_chunk *chunk);
int send_data_again(struct send *send, const struct source_chunk *chunk);
/* What was counted as zeros so far. Returns 0 or -errno. */
int send_zeros(struct send *send);
/* Waits for a record of TYPE, showing progress; the receiver may be asking its user. */
int send_await(struct send *send, uint8_t type, struct link_record **ret);
/* Frees RECORD, which came where one of the type DUE was. Returns 0 when it may, or -errno. */
int send_skip(struct send *send, struct link_record *record, uint8_t due);
/*
 * The source keeps as much as it may: waits a while for the receiver to confirm some of it. Returns
 * 0, whether it did or not, or -errno.
 */
int send_wait_confirmed(struct send *send);

/*
 * Takes ACCEPT with all of its parts: the receiver's refusal, or the chunk to go on from, whose
 * predecessors it has. Some of them are read again, or all with options->recheck, and must be what
 * they were. The root is over them then, and the source at that chunk. Returns 0 or -errno.
 */
int send_accepted(struct send *send);
/*
 * Behind the last chunk: what the receiver had when it accepted, and lacks something. A chunk that
 * came again and was lost with the stream comes once more; one that an earlier run has sent comes
 * when all of it can be read now. Returns 0 or -errno.
 */
int send_lost_chunks(struct send *send);
/* Around all that is sent of SOURCE. */
void send_time_begin(struct send_clock *clock, const struct source *source);
void send_time_end(struct send_clock *clock, const struct source *source);
/* What CLOCK says, of LINK, or of the image that went to FD. */
void send_time_records(const struct send_clock *clock, struct link *link, struct send_time *ret);
void send_time_plain(const struct send_clock *clock, int fd, struct send_time *ret);
/* PROGRESS shows the level at which SOURCE packs. */
void send_progress_level(struct progress *progress, const struct source *source);

/* The link ended with ERROR: opens another stream where that mends it. Returns 0 or -errno. */
int send_mend(struct send *send, int error);

#endif

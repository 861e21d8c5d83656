/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between recv.c, which takes the chunks, recv_again.c, which takes those that come again,
 * recv_offer.c, which agrees on what comes, and recv_result.c, which says what became of it.
 * Functions return 0 or -errno, with a sentence in why.
 */
#ifndef RECV_INTERNAL_H
#define RECV_INTERNAL_H

#include "codec/pack.h"
#include "io/root.h"
#include "recv/recv.h"

/* DATA, and what it was found to hold. */
struct recv_job {
	struct link_record *record;
	const struct chunk_map *map;
	uint8_t *content; /* room for a chunk */
	struct wire_data data;
	uint32_t length;
	bool read; /* data was */
	int r;	   /* of the content: 0 or -errno */
};

struct recv_ahead;

/* Of one stream, nanoseconds. */
struct recv_clock {
	int64_t began, waited; /* for records */
	int64_t stored;	       /* sink_time when it began */
};

/* One transfer's state on the way from the link to the sink. */
struct recv {
	struct link *link;
	struct sink *sink;
	const struct recv_options *options;
	struct recv_result *ret;
	struct progress *progress;
	struct pack *pack;
	uint8_t *content;     /* of job; and for lists, between two chunks */
	struct recv_job job;  /* where one thread unpacks */
	unsigned int threads; /* that may */
	struct recv_ahead *ahead;
	struct image_head head;
	char *identity;
	json_t *manifest;
	struct manifest_set *before; /* of the disk before this one; NULL: there is none */
	struct root root;	     /* keeps the digests and flags of all chunks that came */
	struct digest zero;	     /* of a whole chunk of zeros */
	uint64_t next;		     /* chunk */
	uint64_t came;		     /* bytes of the device in the chunks before it */
	uint64_t synced_chunks, synced_bytes;
	int64_t synced_at;
	struct recv_clock clock;
	int64_t patience; /* for the record that follows what is complete here; a duration */
	bool begun;	  /* the sink has */
	bool unreadable;  /* a chunk came with that flag */
	bool told;	  /* the peer knows why we failed */
	bool lost;	  /* the link ended, by itself */
	char *why;
	size_t why_len;
};

/* Notes the sentence, and returns ERROR. */
__attribute__((format(printf, 3, 4))) int recv_fail(struct recv *recv, int error,
						    const char *format, ...);
/* The link ended with ERROR, and has a sentence. Returns ERROR. */
int recv_lost(struct recv *recv, int error);
int recv_sink_failed(struct recv *recv, int error);
/*
 * Unpacks and checks the chunk in the record of JOB, by PACK. Touches nothing else, and so can be
 * any thread's; what is wrong is said when its turn has come.
 */
void recv_unpack(struct pack *pack, struct recv_job *job);
/*
 * The next record: DATA, unpacked, in *ret_job, which stays as it is until the next call; another
 * one in *ret (free). Returns 0 or -errno.
 */
int recv_ahead_next(struct recv *recv, struct link_record **ret, struct recv_job **ret_job);
void recv_ahead_free(struct recv *recv);
/* As recv_next; what came is acknowledged meanwhile, for its sender may wait for that. */
int recv_next_chunk(struct recv *recv, struct link_record **ret);
/* The next record that has a meaning here, until DEADLINE. */
int recv_next(struct recv *recv, int64_t deadline, struct link_record **ret);
/* Sends RECORD (freed), whose payload was written with LENGTH bytes, or -errno. */
int recv_put(struct recv *recv, struct link_record *record, int length);
int recv_unexpected(struct recv *recv, uint8_t type, const char *due);
/* What has arrived is made durable and acknowledged, NOW or when it is time. */
int recv_sync(struct recv *recv, bool now);
/* The next chunk, of LEN bytes and with ENTRY's digest and flags, is in the sink. */
int recv_note(struct recv *recv, const struct image_entry *entry, uint32_t len);
/* The digest of LEN zeros. */
void recv_zero_digest(struct recv *recv, uint32_t len, struct digest *ret);
/* The link ended with ERROR: waits up to TIMEOUT for another stream, where that mends it. */
int recv_mend(struct recv *recv, int error, int64_t timeout);

/*
 * Waits for an OFFER of what is not complete here, or for another record. To a sender that does not
 * know what is complete, it says so.
 */
int recv_next_offer(struct recv *recv, struct link_record **ret);
/* OFFER is in RECORD: refuses it, or accepts it from the chunk on that the sink lacks. */
int recv_offer(struct recv *recv, const struct link_record *record);
/* The same when the stream broke in between: it must be of the same disk. */
int recv_go_on(struct recv *recv, const struct link_record *record);
/*
 * ACCEPT, from chunk FIRST on, whose predecessors are in SPOOL; with FILLS chunks may come again.
 */
int recv_accept(struct recv *recv, struct spool *spool, uint64_t first, bool fills);

/* Whether chunks that came with SLOT may come again. */
bool recv_again_fills(const struct recv *recv);
/* Whether DATA is the next chunk (0), or one that comes again (1), and may. */
int recv_again_due(struct recv *recv, const struct wire_data *data);
/* Has chunk INDEX, which comes again, be CHUNK. */
int recv_again_take(struct recv *recv, uint64_t index, const struct sink_chunk *chunk);
/* UNREADABLE, in RECORD: the manifest lists that and nothing else. */
int recv_again_missing(struct recv *recv, const struct link_record *record);
/* Before the end: the manifest lists something of every chunk that came with UNREADABLE. */
int recv_again_end(struct recv *recv);

/* Around all that comes over one stream, behind ACCEPT: ret's time is of all of them. */
void recv_time_begin(struct recv *recv);
void recv_time_end(struct recv *recv);
/* TIME. */
int recv_time_tell(struct recv *recv);

/* END and RESULT again, for DISK, which a sender offered that does not know that it is here. */
int recv_repeat(struct recv *recv, const struct recv_disk *disk);
/*
 * Everything is verified: says RESULT and waits for the sender to have it, for closing before it
 * was read could lose it. Whether it was heard changes nothing about what we have verified.
 */
void recv_say_result(struct recv *recv);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of a link: link.c (the calls), link_open.c, link_greet.c (HELLO), link_renew.c (another
 * stream), link_pump.c (the thread), link_reader.c and link_writer.c (records from and to bytes).
 */
#ifndef IO_LINK_INTERNAL_H
#define IO_LINK_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>

#include "io/link.h"
#include "io/queue.h"

/* Times in nanoseconds; the tests shorten them. */
struct link_limits {
	int64_t keepalive; /* between two records that we send, at most, while there is nothing to
			      say */
	int64_t record;	   /* from a record's header to its end, where bytes can be lost */
	int64_t silence;   /* without a record, while we read */
	int64_t renew;	   /* between two questions whether to pair again, before the first HELLO */
	int64_t again;	   /* without HELLO, until a stream that loses bytes is opened again */
	int64_t words;	   /* for the last ABORT to go out */
	int64_t pause;	   /* from one opening of the stream to the next, at least */
};
extern const struct link_limits link_limits_default;

/* Takes records out of a stream. The thread's alone. */
struct link_reader {
	uint8_t buffer[8192];
	size_t start, end;	    /* what of buffer was not taken yet */
	bool more;		    /* it may hold a record, which poll(2) cannot know */
	bool hunting;		    /* skips what is no record, up to the first HELLO */
	uint64_t skipped;	    /* bytes, while hunting */
	uint64_t bytes;		    /* that ever came */
	struct wire_header header;  /* of record */
	struct link_record *record; /* the one that is coming, else NULL */
	uint32_t filled;
	struct wire_hash hash; /* of what is filled */
	uint64_t sequence;     /* of the next record */
	int64_t began;	       /* when its header came, or reading began again */
};

void link_reader_setup(struct link_reader *reader);
void link_reader_clear(struct link_reader *reader);
/* Whether what came, while hunting, is nothing or may be the beginning of a record. */
bool link_reader_begins(const struct link_reader *reader);
/*
 * Reads on. Returns 1 and a whole record, 0 when there is nothing to read now, or -EPIPE at the
 * stream's end, -ESTALE when the peer began anew, -EBADMSG with what is wrong in RET_WHY, or
 * another -errno.
 */
int link_reader_step(struct link_reader *reader, struct stream *stream, struct link_record **ret,
		     const char **ret_why);

/* Puts one record after the other into a stream. The thread's alone. */
struct link_writer {
	struct link_record *record; /* on its way, else NULL */
	size_t done;
	uint64_t sequence;
};

void link_writer_clear(struct link_writer *writer);
/* Starts with RECORD, whose hash is set; there must be none on its way. */
void link_writer_put(struct link_writer *writer, struct link_record *record);
/* Writes on. Returns 1 when the record is out, 0 when the stream takes no more now, or -errno. */
int link_writer_step(struct link_writer *writer, struct stream *stream);
/* A record whose payload PUT wrote, or NULL. */
struct link_record *link_record_acks(uint8_t type, uint64_t chunks);
struct link_record *link_record_abort(const char *sentence);
struct link_record *link_record_hello(const struct wire_hello *hello);

struct link {
	/* Fixed once the thread runs. */
	struct link_limits limits;
	struct wire_hello hello, peer;
	char name[320];
	bool lossy;
	bool reopens;	/* see stream_reopens */
	bool greeted;	/* a HELLO was exchanged, over this stream or one before */
	int64_t opened; /* the stream */
	int wake;	/* eventfd: there is something to do */
	int watch;	/* eventfd: something changed; -1 while nobody watches */
	pthread_t thread;
	bool running;

	/* The thread's alone. */
	struct stream *stream;
	struct link_reader reader;
	struct link_writer writer;
	int64_t sent, heard; /* when we last wrote and read something */
	bool paused;	     /* not reading, since nobody takes what came */
	bool stopped;	     /* the stop signal was seen */

	/* Under lock; changed is signalled with every change. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct queue in, out;
	bool busy;     /* the writer has a record */
	bool in_ended; /* nothing more comes in */
	bool dead;     /* the stream cannot be written to any more */
	bool quit;
	bool ack_due;
	uint64_t acked_here, acked_there; /* chunks */
	struct wire_time time_there;	  /* once it came, for this disk: */
	bool time_came;
	struct link_record *words; /* the ABORT to send, once what is on its way is out */
	bool told;		   /* there was one */
	int fate;
	char why[WIRE_SENTENCE_MOST + 128];
};

/* As link_open, with other times. */
int link_open_limits(const struct stream_address *address, const struct stream_options *options,
		     const struct wire_hello *hello, const struct link_limits *limits,
		     struct link **ret, struct wire_hello *ret_peer, char *ret_why, size_t len);

/* Whether a link that ended so is mended by another stream, if it can have one. */
bool link_fate_mends(int fate);
/* Opens the stream again, by AGAIN, a while after the last time at the earliest. */
int link_reopen(struct link *link, const struct stream_options *options,
		int (*again)(struct stream *, int64_t, char *, size_t), char *ret_why, size_t len);
/* Greets over the stream, which is open, until the peer has. Returns as link_open. */
int link_greet(struct link *link, const struct stream_options *options, char *ret_why, size_t len);
/* The same, and starts the thread. */
int link_begin(struct link *link, const struct stream_options *options, char *ret_why, size_t len);
/* Ends the thread, once the last words are out. */
void link_stop(struct link *link);
/* Something changed for the callers. Lock held. */
void link_change(struct link *link);
/* Has the thread look again. */
void link_wake(struct link *link);
/* Waits for a change until DEADLINE. Returns 0 or -ETIMEDOUT. Lock held. */
int link_wait(struct link *link, int64_t deadline);

/* What may be polled for, and what of it came. */
struct link_events {
	bool in, out, stop, wake;
};
/* Waits for what EVENTS asks, UNTIL at the latest, and sets EVENTS to what there is. 0 or -errno.
 */
int link_poll(struct link *link, struct link_events *events, int64_t until);

/* The thread. */
void *link_pump(void *link);
/* Ends the link with FATE and a sentence; the first one stays. Lock held. */
void link_end(struct link *link, int fate, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Lets the peer know SENTENCE before anything else that is queued. Lock held. */
void link_say(struct link *link, const char *sentence);

#endif

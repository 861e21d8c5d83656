/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tbstream: USB4STREAM for kernels that have none.
 *
 * What travels between two hosts, on a pair of rings with end-to-end flow control (USB4STREAM, as
 * the thunderbolt_stream driver of Linux 7.2 defines it):
 *
 *   SOF PDF 1   start of every frame
 *   EOF PDF 2   DATA, 1 to 4096 bytes of the stream
 *   EOF PDF 3   CLOSE, 256 bytes; it ends both directions
 *
 * The protocol leaves the bytes of CLOSE open: thunderbolt_stream sends zeros and ignores what it
 * gets. Two of ours put struct tbs_close there.
 */
#ifndef TBSTREAM_H
#define TBSTREAM_H

#include <linux/configfs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/spinlock.h>
#include <linux/thunderbolt.h>
#include <linux/uio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#define TBS_PDF_START  1
#define TBS_PDF_DATA   2
#define TBS_PDF_CLOSE  3
#define TBS_FRAME_SIZE 4096
#define TBS_CLOSE_SIZE 256

#define TBS_HOPID_MIN	   8 /* below are the control paths (USB4 specification, 5.2) */
#define TBS_RING_SIZE_MIN  32
#define TBS_RING_SIZE_MAX  4096
#define TBS_RING_SIZE	   256
#define TBS_THROTTLING	   8192	    /* ns */
#define TBS_THROTTLING_MAX 16776960 /* 16 bits of 256 ns */

#define TBS_CLOSE_MAGIC 0x54425354 /* "TBST" */
#define TBS_CLOSE_ABORT BIT(0)	   /* bytes were given up: the end is no end of file */
#define TBS_CLOSE_REPLY BIT(1)	   /* yours has come, and I take no more frames */
#define TBS_CLOSE_GONE	BIT(2)	   /* I take no more frames, not even a reply */

/* The beginning of a CLOSE of ours; the rest is zeros. */
struct tbs_close {
	__le32 magic;
	__le32 flags;
	__le64 bytes; /* DATA sent since the stream was opened */
};

struct tbs_session;
struct tbs_stream;

/* A stream service of another host, as long as it is bound. */
struct tbs_peer {
	struct list_head list;
	struct tb_service *svc;
	struct tb_xdomain *xd;
};

/* configfs: thunderbolt/stream/<domain>-<route>.<service>, also before there is such a peer */
struct tbs_group {
	struct config_group group;
	struct list_head list;
	struct list_head streams;
	struct tbs_peer *peer;
};

/* What the user wants and what is allocated: -1 any, 0 none. */
struct tbs_hopid {
	int wanted;
	int got;
};

/*
 * configfs: .../<name>, and /dev/tbstreamX. Who has it open shares a session; there is more than
 * one session only while old ones come to their end, and only the first in the list has rings.
 */
struct tbs_stream {
	struct config_group group;
	struct list_head list;
	struct miscdevice misc;
	struct kref ref;
	char name[TB_PROPERTY_KEY_SIZE + 1];
	char node[16];
	int index;

	/* under tbs_mutex */
	struct tbs_peer *peer;
	struct tbs_hopid in;
	struct tbs_hopid out;
	bool announced;
	bool barred; /* nobody may open it; read without the mutex, as a peer comes and goes */
	unsigned int ring_size;
	unsigned int throttling;
	bool busy_poll;

	spinlock_t lock; /* sessions and what of them is said to be under it */
	struct list_head sessions;
	bool hurry;		  /* somebody waits for the last session's end */
	unsigned long tx_after;	  /* jiffies; see closing.c */
	wait_queue_head_t idle;	  /* woken when a session has ended */
	struct delayed_work work; /* the only one who moves sessions on */
};

struct tbs_frame {
	struct ring_frame frame;
	struct tbs_ring *ring;
	struct page *page;   /* what copies by page is spared the checks of usercopy */
	unsigned int size;   /* bytes received */
	unsigned int offset; /* of them read */
	bool done;
};

/* One direction. The frames outlive the hardware's ring, so that what has arrived can be read. */
struct tbs_ring {
	struct tbs_session *session;
	struct tb_ring *hw; /* under tbs_mutex, and posting under lock */
	struct tbs_frame *frames;
	struct tbs_frame close; /* TX: a frame of its own, with a descriptor kept for it */
	unsigned int count;
	unsigned int next;    /* index of the frame to fill or to read, under mutex */
	unsigned long posted; /* TX: DATA frames handed over, under lock while it runs */
	atomic_long_t done;   /* TX: DATA frames that the peer has taken; two may count at once */
	u64 bytes;	      /* of DATA, sent or read */
	bool is_tx;
	bool running;	/* under lock */
	bool shut;	/* TX: CLOSE is posted, under lock */
	bool shut_done; /* TX: ... and taken */
	spinlock_t lock;
	struct mutex mutex; /* one reader, one writer; no other lock is taken by both */
	wait_queue_head_t wait;
};

enum tbs_state {
	TBS_IDLE,     /* no rings yet */
	TBS_STARTING, /* rings run, paths are being enabled */
	TBS_UP,
	TBS_CLOSING, /* CLOSE goes out, the peer's is awaited */
	TBS_DOWN,    /* no rings any more */
};

/* From the first open to the last close, or to a lost peer: one stream of bytes each way. */
struct tbs_session {
	struct list_head list;
	struct tbs_stream *stream;
	struct kref ref;
	unsigned int users; /* open files, under stream->lock */

	spinlock_t lock;      /* what follows, up to the work's own */
	enum tbs_state state; /* changed by the stream's work and by session_detach() only */
	bool closing;	      /* the last user goes */
	bool gave_up;	      /* ... and waits no longer for what is outstanding */
	bool peer_closed;
	bool replied; /* ... and told that it had our CLOSE */
	bool gone;    /* ... and takes nothing any more */
	bool heard;   /* a frame came, so the peer's last session is over */
	bool touched; /* a frame went or came */
	bool tx_open; /* writers may go ahead */
	int tx_error; /* what write() says, 0 as long as it works; the first cause stays */
	int rx_error; /* what read() says after the last frame */
	bool tx_lost; /* accepted bytes were dropped */

	/* the stream's work's own, and session_detach()'s, under tbs_mutex */
	struct tb_xdomain *xd;
	struct tb *tb; /* held while path calls can be made */
	bool paths;
	bool detached;
	bool reply_awaited;
	int in_hopid;
	int out_hopid;
	int tx_hop;
	int rx_hop;
	unsigned long since; /* jiffies; when the present phase of closing began */

	bool busy_poll;
	struct tbs_ring tx;
	struct tbs_ring rx;
};

/*
 * Peers, groups, HopIDs, announcements, and who has rings. It nests inside the domain's lock
 * (.remove runs under it on cores before 7.3), so it is never held across the calls that enable or
 * disable paths, which take that lock.
 */
extern struct mutex tbs_mutex;
extern struct workqueue_struct *tbs_wq;

/* peer.c */
struct tbs_peer *peer_find(const char *name);
int peer_register(void);
void peer_unregister(void);

/* config.c */
int config_register(void);
void config_unregister(void);
void config_attach(struct tbs_peer *peer);
void config_detach(struct tbs_peer *peer);
void config_break(struct tbs_peer *peer);
void config_put(struct tbs_stream *stream);

/* hopid.c: all with tbs_mutex held */
int hopid_set_in(struct tbs_stream *stream, int wanted);
int hopid_set_out(struct tbs_stream *stream, int wanted);
void hopid_attach(struct tbs_stream *stream);
void hopid_detach(struct tbs_stream *stream);
void hopid_default(struct tbs_stream *stream);
int hopid_shown(const struct tbs_stream *stream, const struct tbs_hopid *hopid);

/* dev.c */
int dev_register(struct tbs_stream *stream);
void dev_unregister(struct tbs_stream *stream);

/* session.c: for those who have the device open */
struct tbs_session *session_open(struct tbs_stream *stream);
void session_release(struct tbs_session *session);
void session_put(struct tbs_session *session);
int session_flush(struct tbs_session *session, bool last);
long session_patience(void);
void session_kick(struct tbs_stream *stream);
void session_wake(struct tbs_session *session);
void session_state(struct tbs_session *session, enum tbs_state state);
void session_break_tx(struct tbs_session *session, int error);
void session_break(struct tbs_session *session, int error);
void session_tx_taken(struct tbs_session *session);
void session_rx_arrived(struct tbs_session *session, struct tbs_frame *frame);

/* engine.c: what moves sessions on */
void engine_work(struct work_struct *work);
void engine_detach(struct tbs_stream *stream);
int engine_quiesce(struct tbs_stream *stream);
void engine_end_all(struct tbs_stream *stream);
bool engine_busy(struct tbs_stream *stream);

/* closing.c: with engine.c, the end of a session */
long closing_hold(const struct tbs_session *session);
long closing_step(struct tbs_session *session);
void closing_done(struct tbs_session *session);

/* ring.c */
void ring_init(struct tbs_ring *ring, struct tbs_session *session, bool is_tx);
int ring_alloc(struct tbs_ring *ring, struct tb_nhi *nhi, unsigned int size, int e2e_tx_hop);
int ring_start(struct tbs_ring *ring, unsigned int throttling);
void ring_stop(struct tbs_ring *ring);
void ring_release(struct tbs_ring *ring);
void ring_free(struct tbs_ring *ring);
void ring_poll(struct tbs_ring *ring);
bool ring_tx_room(struct tbs_ring *ring);
bool ring_tx_idle(struct tbs_ring *ring);
int ring_tx_data(struct tbs_ring *ring, struct iov_iter *from);
int ring_tx_close(struct tbs_ring *ring, u32 flags);
void ring_tx_cancel(struct tbs_ring *ring, unsigned int throttling);
struct tbs_frame *ring_rx_frame(struct tbs_ring *ring);
void ring_rx_consume(struct tbs_ring *ring);
int ring_rx_verdict(const struct tbs_frame *frame);
u32 ring_rx_close_flags(const struct tbs_frame *frame);
int ring_rx_end(const struct tbs_ring *ring, const struct tbs_frame *frame);

#endif

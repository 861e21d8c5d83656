// SPDX-License-Identifier: GPL-2.0-only
/*
 * A session is one stream of bytes each way, from the first open to the last close. This is its
 * side of those who have the device open and of the frames that come and go; engine.c moves it on.
 */
#include "tbstream.h"

#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

static int linger = -1;
module_param(linger, int, 0644);
MODULE_PARM_DESC(linger, "Seconds that close() waits for the peer to take all; -1: for ever");

/* Has the stream's work look at its sessions now. Each piece of queued work holds the stream. */
void session_kick(struct tbs_stream *stream)
{
	kref_get(&stream->ref);
	if (mod_delayed_work(tbs_wq, &stream->work, 0))
		config_put(stream);
}

void session_wake(struct tbs_session *session)
{
	wake_up_all(&session->tx.wait);
	wake_up_all(&session->rx.wait);
}

/* Down is for ever: engine_detach() says it in the midst of what the work does. */
void session_state(struct tbs_session *session, enum tbs_state state)
{
	spin_lock(&session->lock);
	if (session->state != TBS_DOWN)
		session->state = state;
	session->since = jiffies;
	spin_unlock(&session->lock);
	/* Pairs with wq_has_sleeper() in ring.c: a frame seen here, or the new state seen there. */
	smp_mb();
	session_wake(session);
}

static struct tbs_session *session_alloc(struct tbs_stream *stream)
{
	struct tbs_session *session = kzalloc(sizeof(*session), GFP_KERNEL);

	if (!session)
		return NULL;
	kref_get(&stream->ref);
	session->stream = stream;
	kref_init(&session->ref);
	spin_lock_init(&session->lock);
	session->state = TBS_IDLE;
	ring_init(&session->tx, session, true);
	ring_init(&session->rx, session, false);
	return session;
}

static void session_free(struct kref *ref)
{
	struct tbs_session *session = container_of(ref, struct tbs_session, ref);

	ring_free(&session->tx);
	ring_free(&session->rx);
	config_put(session->stream);
	kfree(session);
}

void session_put(struct tbs_session *session)
{
	kref_put(&session->ref, session_free);
}

/* Whether who opens the device now may still share this session. */
static bool session_joinable(struct tbs_session *session)
{
	bool joinable;

	spin_lock(&session->lock);
	joinable = session->state < TBS_CLOSING && !session->closing && !session->tx_error &&
		   !session->rx_error;
	spin_unlock(&session->lock);
	return joinable;
}

/* Takes no lock that anybody holds for long: the caller has the mutex of all misc devices. */
struct tbs_session *session_open(struct tbs_stream *stream)
{
	struct tbs_session *fresh = session_alloc(stream), *session = NULL;

	if (!fresh)
		return ERR_PTR(-ENOMEM);
	spin_lock(&stream->lock);
	if (!list_empty(&stream->sessions))
		session = list_last_entry(&stream->sessions, struct tbs_session, list);
	if (!session || !session_joinable(session)) {
		session = fresh;
		fresh = NULL;
		list_add_tail(&session->list, &stream->sessions);
	}
	/* The first reference is the list's, this one the file's. */
	kref_get(&session->ref);
	session->users++;
	spin_unlock(&stream->lock);
	if (fresh)
		session_put(fresh);
	session_kick(stream);
	return session;
}

void session_release(struct tbs_session *session)
{
	struct tbs_stream *stream = session->stream;

	spin_lock(&stream->lock);
	if (!--session->users) {
		spin_lock(&session->lock);
		session->closing = true;
		spin_unlock(&session->lock);
	}
	spin_unlock(&stream->lock);
	session_kick(stream);
	session_put(session);
}

/* No more is written, for ERROR; what came first stays. */
void session_break_tx(struct tbs_session *session, int error)
{
	spin_lock(&session->lock);
	session->tx_error = session->tx_error ?: error;
	spin_unlock(&session->lock);
}

/* The end of both directions, once all that has come can be read. */
void session_break(struct tbs_session *session, int error)
{
	session_break_tx(session, error);
	spin_lock(&session->lock);
	session->rx_error = session->rx_error ?: error;
	spin_unlock(&session->lock);
	session_wake(session);
}

/* Written once: two CPUs would pass the line to and fro with every frame. */
static void session_touch(struct tbs_session *session)
{
	if (!READ_ONCE(session->touched))
		WRITE_ONCE(session->touched, true);
}

/* The peer has taken a frame. */
void session_tx_taken(struct tbs_session *session)
{
	session_touch(session);
	if (READ_ONCE(session->state) == TBS_CLOSING)
		session_kick(session->stream);
}

/*
 * A frame has come. What it is to the reader is found when the reader comes to it; what it is to
 * the writer, who may never read, is found here.
 */
void session_rx_arrived(struct tbs_session *session, struct tbs_frame *frame)
{
	int error = ring_rx_verdict(frame);
	u32 flags;

	session_touch(session);
	if (!READ_ONCE(session->heard)) {
		WRITE_ONCE(session->heard, true);
		session_kick(session->stream);
	}
	if (!error) {
		/* Whoever closes waits for CLOSE, and for what stands before it. */
		if (READ_ONCE(session->state) == TBS_CLOSING)
			session_kick(session->stream);
		return;
	}
	flags = error == -EPIPE ? ring_rx_close_flags(frame) : 0;
	spin_lock(&session->lock);
	/* Nothing comes after it, even if it came damaged. */
	session->peer_closed |= frame->frame.eof == TBS_PDF_CLOSE;
	/* The peer gave up, and perhaps with it what it has taken. */
	if (flags & TBS_CLOSE_ABORT && session->tx.bytes)
		WRITE_ONCE(session->tx_lost, true);
	if (error == -EPIPE) {
		session->replied = flags & TBS_CLOSE_REPLY;
		session->gone = flags & TBS_CLOSE_GONE;
	}
	session->tx_error = session->tx_error ?: error;
	spin_unlock(&session->lock);
	session_wake(session);
	session_kick(session->stream);
}

long session_patience(void)
{
	int seconds = READ_ONCE(linger);

	return seconds < 0 ? MAX_SCHEDULE_TIMEOUT : min_t(long, seconds, LONG_MAX / HZ / 2) * HZ;
}

static bool session_flushed(struct tbs_session *session, bool last)
{
	if (READ_ONCE(session->tx_error) || READ_ONCE(session->state) == TBS_DOWN)
		return READ_ONCE(session->tx_lost) || ring_tx_idle(&session->tx) ||
		       READ_ONCE(session->state) == TBS_DOWN;
	/* Who sent nothing has nothing to wait for: the peer need not even be there. */
	return ring_tx_idle(&session->tx) &&
	       (!last || !READ_ONCE(session->tx.bytes) || READ_ONCE(session->tx.shut_done));
}

/* Whether the process ends by a signal: then nobody waits for what it wrote. */
static bool session_killed(void)
{
	return current->flags & PF_EXITING && current->exit_code & 0x7f;
}

/*
 * Waits until the peer has taken what was written; for the last user of the stream, also CLOSE.
 * An exiting process cannot be killed any more, so it does not wait: the stream's work goes on
 * without it. Returns 0 only where nothing is lost and nothing is outstanding.
 */
int session_flush(struct tbs_session *session, bool last)
{
	long left = 0;

	if (last) {
		spin_lock(&session->lock);
		session->closing = true;
		spin_unlock(&session->lock);
		session_kick(session->stream);
	}
	if (!(current->flags & PF_EXITING))
		left = wait_event_killable_timeout(session->tx.wait, session_flushed(session, last),
						   session_patience());
	else if (!session_killed())
		return 0;
	if (left <= 0 && last) {
		WRITE_ONCE(session->gave_up, true);
		session_kick(session->stream);
	}
	if (left <= 0)
		return left ? -EINTR : -ETIMEDOUT;
	if (READ_ONCE(session->tx_lost))
		return READ_ONCE(session->tx_error) ?: -EIO;
	return 0;
}

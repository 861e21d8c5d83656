// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a session, between two of ours:
 *
 *   the side that closes                 the other
 *   DATA ...                             taken as its reader makes room
 *   CLOSE                      ------>   writers get EPIPE, readers what came and then 0;
 *                                        stops its RX ring, so that whatever comes after
 *                                        this waits for its next session
 *   drops what still comes     <------   CLOSE with TBS_CLOSE_REPLY
 *   rings and paths go                   rings and paths go
 *
 * Who got the reply may send at once: the peer's old ring takes nothing any more. All others hold
 * their first frame back until the peer is heard in the new session, or for CLOSING_HOLD, by when
 * the peer's work has seen the CLOSE that lies in its ring already. thunderbolt_stream replies only
 * when its user closes.
 *
 * Who cannot wait for the reply says TBS_CLOSE_GONE: what the other still sent would wait in its
 * ring for the next session's, and end that.
 */
#include "tbstream.h"

#define CLOSING_BOUND HZ /* for a peer that may not be there, or need not answer */
#define CLOSING_REPLY (5 * HZ)
#define CLOSING_HOLD  (HZ / 4)

/* Jiffies that are left of BOUND in the present phase. */
static long closing_left(const struct tbs_session *session, long bound)
{
	long gone = jiffies - session->since;

	if (bound == MAX_SCHEDULE_TIMEOUT)
		return bound;
	return gone < bound ? bound - gone : 0;
}

/* How long our first frame has to wait, lest it meets the end of the peer's last session. */
long closing_hold(const struct tbs_session *session)
{
	long left = session->stream->tx_after - jiffies;

	return READ_ONCE(session->heard) || left < 0 ? 0 : left;
}

/* How long the peer may take to make room for what was written. */
static long closing_patience(const struct tbs_session *session)
{
	if (session->gave_up)
		return 0;
	return session->tx_error ? CLOSING_BOUND : session_patience();
}

/* All DATA is with the peer, or is given up: say so. */
static bool closing_shut(struct tbs_session *session)
{
	struct tbs_ring *tx = &session->tx;
	bool idle, sent = false;
	u32 flags = 0;

	mutex_lock(&tbs_mutex);
	if (session->detached)
		goto out;
	if (session->peer_closed) {
		ring_stop(&session->rx);
		flags |= TBS_CLOSE_REPLY;
	}
	if (READ_ONCE(session->stream->hurry))
		flags |= TBS_CLOSE_GONE;
	idle = ring_tx_idle(tx);
	if (!idle || (session->tx_error && session->tx_error != -EPIPE))
		flags |= TBS_CLOSE_ABORT;
	if (!idle) {
		WRITE_ONCE(session->tx_lost, true);
		/* A peer that has seen nothing of all this does not need to hear of its end. */
		if (!session->touched)
			goto out;
		ring_tx_cancel(tx, session->stream->throttling);
	}
	sent = !ring_tx_close(tx, flags);
out:
	mutex_unlock(&tbs_mutex);
	return sent;
}

/* Nobody reads any more: room for the peer's CLOSE behind what it still sends. */
static void closing_discard(struct tbs_session *session)
{
	struct tbs_frame *frame;

	while ((frame = ring_rx_frame(&session->rx)) && ring_rx_verdict(frame) != -EPIPE)
		ring_rx_consume(&session->rx);
}

/* The phases of closing in their order; returns how long to wait, 0 once the rings may go. */
long closing_step(struct tbs_session *session)
{
	struct tbs_ring *tx = &session->tx;
	long left;

	if (session->gone)
		return 0;
	if (!READ_ONCE(session->users))
		closing_discard(session);
	if (!tx->shut) {
		left = closing_hold(session);
		if (left)
			return left;
		left = closing_left(session, closing_patience(session));
		if (!ring_tx_idle(tx) && left)
			return left;
		if (!closing_shut(session))
			return 0;
		session_state(session, TBS_CLOSING);
	}
	if (!tx->shut_done)
		return closing_left(session, session->tx_error || !session->touched || !tx->bytes
						     ? CLOSING_BOUND
						     : session_patience());
	if (!session->reply_awaited) {
		session->reply_awaited = true;
		session_state(session, TBS_CLOSING);
	}
	if (session->peer_closed || READ_ONCE(session->stream->hurry))
		return 0;
	/* After damage the peer's CLOSE may be what was damaged. */
	return closing_left(session, session->tx_error ? CLOSING_BOUND : CLOSING_REPLY);
}

/* The rings and the paths are gone. */
void closing_done(struct tbs_session *session)
{
	if (session->touched && !session->replied)
		session->stream->tx_after = jiffies + CLOSING_HOLD;
	session_break(session, session->tx_error ?: -EPIPE);
}

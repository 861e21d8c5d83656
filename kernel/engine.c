// SPDX-License-Identifier: GPL-2.0-only
/*
 * What moves a stream's sessions on: one piece of work per stream, all on one ordered queue. It
 * alone enables and disables paths, with no lock of ours held; engine_detach() may take the rings
 * away from it at any step.
 */
#include "tbstream.h"

#include "compat/compat.h"

#define ENGINE_GOODBYE (HZ / 10)
#define ENGINE_QUIESCE (2 * HZ)
#define ENGINE_EVENT   MAX_SCHEDULE_TIMEOUT

static struct tbs_session *engine_first(struct tbs_stream *stream)
{
	struct tbs_session *session;

	spin_lock(&stream->lock);
	session = list_first_entry_or_null(&stream->sessions, struct tbs_session, list);
	if (session)
		kref_get(&session->ref);
	spin_unlock(&stream->lock);
	return session;
}

/* Keeps the domain, for path calls. Only where it cannot be on its way out: see the callers. */
static void engine_hold_domain(struct tbs_session *session)
{
	lockdep_assert_held(&tbs_mutex);
	if (session->tb)
		return;
	session->tb = session->xd->tb;
	get_device(&session->tb->dev);
}

static void engine_put_domain(struct tbs_session *session)
{
	if (session->tb)
		put_device(&session->tb->dev);
	session->tb = NULL;
}

static void engine_disable_paths(struct tbs_session *session)
{
	tb_xdomain_disable_paths(session->xd, session->out_hopid, session->tx_hop,
				 session->in_hopid, session->rx_hop);
	session->paths = false;
}

/*
 * The XDomain was unplugged while the paths were being enabled: the core has torn down what it knew
 * of by then, and disables nothing on an unplugged XDomain. So it is told otherwise for a moment,
 * once whoever unplugged it has let go of the domain's lock.
 */
static void engine_disable_late(struct tbs_session *session)
{
	struct tb_xdomain *xd = session->xd;

	if (!READ_ONCE(xd->is_unplugged)) {
		engine_disable_paths(session);
		return;
	}
	mutex_lock(&session->tb->lock);
	mutex_unlock(&session->tb->lock);
	WRITE_ONCE(xd->is_unplugged, false);
	engine_disable_paths(session);
	WRITE_ONCE(xd->is_unplugged, true);
}

static void engine_release(struct tbs_session *session)
{
	lockdep_assert_held(&tbs_mutex);
	ring_stop(&session->tx);
	ring_stop(&session->rx);
	ring_release(&session->tx);
	ring_release(&session->rx);
}

/* The session is over and its rings are gone. */
static long engine_end(struct tbs_session *session)
{
	struct tbs_stream *stream = session->stream;

	if (session->paths && !READ_ONCE(session->xd->is_unplugged))
		engine_disable_paths(session);
	engine_put_domain(session);
	tb_xdomain_put(session->xd);
	session->xd = NULL;
	session_state(session, TBS_DOWN);
	spin_lock(&stream->lock);
	list_del_init(&session->list);
	spin_unlock(&stream->lock);
	session_put(session);
	wake_up_all(&stream->idle);
	return 0;
}

static int engine_rings(struct tbs_session *session)
{
	struct tbs_stream *stream = session->stream;
	struct tb_nhi *nhi = session->xd->tb->nhi;
	int ret;

	session->busy_poll = stream->busy_poll;
	ret = ring_alloc(&session->tx, nhi, stream->ring_size, 0);
	if (ret)
		return ret;
	session->tx_hop = session->tx.hw->hop;
	ret = ring_alloc(&session->rx, nhi, stream->ring_size, session->tx_hop);
	if (ret)
		return ret;
	session->rx_hop = session->rx.hw->hop;
	/* The RX ring is filled before a path leads to it, else the peer gets no credits. */
	ret = ring_start(&session->rx, stream->throttling);
	return ret ?: ring_start(&session->tx, stream->throttling);
}

/* Rings, with tbs_mutex held, so that a peer that goes finds them or they do not find it. */
static int engine_prepare(struct tbs_session *session)
{
	struct tbs_stream *stream = session->stream;
	int ret;

	lockdep_assert_held(&tbs_mutex);
	if (!stream->peer || READ_ONCE(stream->peer->xd->is_unplugged) || !stream->in.got ||
	    !stream->out.got)
		return -EAGAIN;
	session->xd = tb_xdomain_get(stream->peer->xd);
	session->in_hopid = stream->in.got;
	session->out_hopid = stream->out.got;
	ret = engine_rings(session);
	if (ret) {
		engine_release(session);
		return ret;
	}
	engine_hold_domain(session);
	session_state(session, TBS_STARTING);
	return 0;
}

/* Paths are enabled that nobody wants any more. */
static long engine_late(struct tbs_session *session)
{
	/* .remove is still to come: from 7.3 on it does so after the core has let go of the domain,
	 * and looks for unplugged XDomains.
	 */
	if (!session->detached)
		return ENGINE_EVENT;
	engine_disable_late(session);
	session_break(session, -ENXIO);
	return engine_end(session);
}

static long engine_start(struct tbs_session *session)
{
	bool up;
	int ret;

	mutex_lock(&tbs_mutex);
	ret = engine_prepare(session);
	mutex_unlock(&tbs_mutex);
	if (ret == -EAGAIN)
		return ENGINE_EVENT;
	if (ret)
		goto err_end;
	ret = tb_xdomain_enable_paths(session->xd, session->out_hopid, session->tx_hop,
				      session->in_hopid, session->rx_hop);
	mutex_lock(&tbs_mutex);
	session->paths = !ret;
	/* If it is unplugged only after this, the core knows of the paths and tears them down. */
	up = !ret && !session->detached && !READ_ONCE(session->xd->is_unplugged);
	if (up) {
		engine_put_domain(session);
		session_state(session, TBS_UP);
	} else if (ret && !session->detached) {
		engine_release(session);
	}
	mutex_unlock(&tbs_mutex);
	if (!ret)
		return up ? 0 : engine_late(session);
err_end:
	session_break(session, ret);
	return engine_end(session);
}

static void engine_poll(struct tbs_session *session)
{
	mutex_lock(&tbs_mutex);
	if (!session->detached) {
		ring_poll(&session->tx);
		ring_poll(&session->rx);
	}
	mutex_unlock(&tbs_mutex);
}

static bool engine_closes(struct tbs_session *session)
{
	bool closes;

	spin_lock(&session->lock);
	closes = session->closing || session->tx_error || session->peer_closed;
	spin_unlock(&session->lock);
	return closes;
}

static long engine_up(struct tbs_session *session)
{
	long hold;

	if (engine_closes(session)) {
		session_state(session, TBS_CLOSING);
		return 0;
	}
	if (session->tx_open)
		return ENGINE_EVENT;
	hold = closing_hold(session);
	if (hold)
		return hold;
	WRITE_ONCE(session->tx_open, true);
	session_wake(session);
	return ENGINE_EVENT;
}

static void engine_teardown(struct tbs_session *session)
{
	mutex_lock(&tbs_mutex);
	if (!session->detached) {
		engine_hold_domain(session);
		ring_stop(&session->tx);
		ring_stop(&session->rx);
		if (!ring_tx_idle(&session->tx))
			WRITE_ONCE(session->tx_lost, true);
	}
	mutex_unlock(&tbs_mutex);
	/* The rings' numbers stay ours as long as a path leads there. */
	if (session->paths && !session->detached)
		engine_disable_paths(session);
	mutex_lock(&tbs_mutex);
	if (!session->detached)
		engine_release(session);
	mutex_unlock(&tbs_mutex);
	closing_done(session);
}

static long engine_step(struct tbs_session *session)
{
	long left;

	switch (session->state) {
	case TBS_IDLE:
		if (!READ_ONCE(session->users) || session->closing || session->tx_error)
			return engine_end(session);
		return engine_start(session);
	case TBS_STARTING: return engine_late(session);
	case TBS_UP:
		if (session->busy_poll)
			engine_poll(session);
		left = engine_up(session);
		break;
	case TBS_CLOSING:
		if (session->busy_poll)
			engine_poll(session);
		left = closing_step(session);
		if (left)
			break;
		engine_teardown(session);
		return engine_end(session);
	default: return engine_end(session);
	}
	return left && session->busy_poll ? 1 : left;
}

void engine_work(struct work_struct *work)
{
	struct tbs_stream *stream = container_of(work, struct tbs_stream, work.work);
	struct tbs_session *session;
	long left = ENGINE_EVENT;

	while ((session = engine_first(stream))) {
		left = engine_step(session);
		session_put(session);
		if (left)
			break;
	}
	if (!session || left == ENGINE_EVENT || !queue_delayed_work(tbs_wq, &stream->work, left))
		config_put(stream);
}

/* Tells the peer, if that can be had quickly: not behind DATA for which it has no room yet. */
static void engine_goodbye(struct tbs_session *session)
{
	struct tbs_ring *tx = &session->tx;

	if ((session->state != TBS_UP && session->state != TBS_CLOSING) || tx->shut)
		return;
	if (!ring_tx_idle(tx)) {
		WRITE_ONCE(session->tx_lost, true);
		ring_tx_cancel(tx, session->stream->throttling);
	}
	if (!ring_tx_close(tx, TBS_CLOSE_ABORT | TBS_CLOSE_GONE))
		wait_event_timeout(tx->wait, READ_ONCE(tx->shut_done), ENGINE_GOODBYE);
}

/*
 * The peer goes, or the machine to sleep: rings stop now. Sessions that have none yet stay.
 * Called with tbs_mutex held, perhaps the domain's lock too.
 */
void engine_detach(struct tbs_stream *stream)
{
	struct tbs_session *session = engine_first(stream);

	lockdep_assert_held(&tbs_mutex);
	if (!session)
		return;
	if (session->tx.hw) {
		/* Before the ring stops, or a writer would take that for the peer's CLOSE. */
		session_break_tx(session, -ENXIO);
		if (!READ_ONCE(session->xd->is_unplugged)) {
			/* As long as the XDomain is not unplugged the domain stays for now. */
			engine_hold_domain(session);
			engine_goodbye(session);
		}
		engine_release(session);
		session->detached = true;
		if (!ring_tx_idle(&session->tx))
			WRITE_ONCE(session->tx_lost, true);
		session_break(session, -ENXIO);
		if (session->state != TBS_STARTING)
			session_state(session, TBS_DOWN);
	}
	session_put(session);
	session_kick(stream);
}

static bool engine_used(struct tbs_stream *stream)
{
	struct tbs_session *session;
	bool used = false;

	spin_lock(&stream->lock);
	list_for_each_entry(session, &stream->sessions, list)
		used |= session->users > 0;
	spin_unlock(&stream->lock);
	return used;
}

/* Whether a session is there, if only to come to its end. */
bool engine_busy(struct tbs_stream *stream)
{
	return !list_empty_careful(&stream->sessions);
}

static bool engine_settled(struct tbs_stream *stream)
{
	return engine_used(stream) || !engine_busy(stream);
}

/* For who wants to change a stream: waits for a session that ends, not for one that is used. */
int engine_quiesce(struct tbs_stream *stream)
{
	long left;

	WRITE_ONCE(stream->hurry, true);
	session_kick(stream);
	left = wait_event_interruptible_timeout(stream->idle, engine_settled(stream),
						ENGINE_QUIESCE);
	WRITE_ONCE(stream->hurry, false);
	if (left < 0)
		return left;
	return engine_busy(stream) ? -EBUSY : 0;
}

static void engine_break(struct tbs_stream *stream, bool used)
{
	struct tbs_session *session;

	spin_lock(&stream->lock);
	list_for_each_entry(session, &stream->sessions, list) {
		if (!used || session->users)
			session_break(session, -ENXIO);
	}
	spin_unlock(&stream->lock);
	session_kick(stream);
}

/*
 * The stream is removed: who has it open is told so at once. What is still delivered for those who
 * have closed it gets its time, until a fatal signal.
 */
void engine_end_all(struct tbs_stream *stream)
{
	WRITE_ONCE(stream->hurry, true);
	engine_break(stream, true);
	if (!wait_event_killable(stream->idle, !engine_busy(stream)))
		return;
	engine_break(stream, false);
	wait_event(stream->idle, !engine_busy(stream));
}

// SPDX-License-Identifier: GPL-2.0-only
/* /dev/tbstreamX: what open, read, write, poll, fsync and close do. */
#include "tbstream.h"

#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/splice.h>

#include "compat/compat.h"

/* Takes the side of the one reader or writer. */
static int dev_lock(struct tbs_ring *ring, bool nowait)
{
	if (nowait)
		return mutex_trylock(&ring->mutex) ? 0 : -EAGAIN;
	return mutex_lock_interruptible(&ring->mutex) ? -ERESTARTSYS : 0;
}

static bool dev_nowait(const struct kiocb *kiocb)
{
	return kiocb->ki_filp->f_flags & O_NONBLOCK || kiocb->ki_flags & IOCB_NOWAIT;
}

/* Without interrupts whoever waits looks at both rings, again and again. */
static void dev_spin(struct tbs_session *session)
{
	mutex_lock(&tbs_mutex);
	if (session->tx.running)
		ring_poll(&session->tx);
	if (session->rx.running)
		ring_poll(&session->rx);
	mutex_unlock(&tbs_mutex);
	cond_resched();
}

static bool dev_readable(struct tbs_session *session)
{
	return ring_rx_frame(&session->rx) || READ_ONCE(session->rx_error);
}

static bool dev_writable(struct tbs_session *session)
{
	return READ_ONCE(session->tx_error) ||
	       (READ_ONCE(session->tx_open) && ring_tx_room(&session->tx));
}

/* Waits until READY, or a signal. */
static int dev_wait(struct tbs_session *session, struct tbs_ring *ring,
		    bool (*ready)(struct tbs_session *session))
{
	if (!session->busy_poll)
		return wait_event_interruptible(ring->wait, ready(session));
	while (!ready(session)) {
		if (signal_pending(current))
			return -ERESTARTSYS;
		dev_spin(session);
	}
	return 0;
}

/*
 * Copies from the frames that are there. Returns the bytes, or what reading says at the frame that
 * stands first where there are none; CLOSE and a damaged frame stay there for ever.
 */
static ssize_t dev_read_frames(struct tbs_ring *ring, struct iov_iter *to)
{
	struct tbs_frame *frame;
	ssize_t total = 0;

	while (iov_iter_count(to) && (frame = ring_rx_frame(ring))) {
		size_t size = min_t(size_t, iov_iter_count(to), frame->size - frame->offset);
		int verdict = ring_rx_verdict(frame);
		size_t copied;

		if (verdict && total)
			break;
		if (verdict)
			return verdict == -EPIPE ? ring_rx_end(ring, frame) : verdict;
		copied = copy_page_to_iter(frame->page, frame->offset, size, to);
		total += copied;
		ring->bytes += copied;
		frame->offset += copied;
		if (copied < size)
			return total ?: -EFAULT;
		if (frame->offset == frame->size)
			ring_rx_consume(ring);
	}
	return total;
}

static ssize_t dev_read(struct kiocb *kiocb, struct iov_iter *to)
{
	struct tbs_session *session = kiocb->ki_filp->private_data;
	struct tbs_ring *ring = &session->rx;
	bool nowait = dev_nowait(kiocb);
	ssize_t ret;

	if (!iov_iter_count(to))
		return 0;
	ret = dev_lock(ring, nowait);
	if (ret)
		return ret;
	if (!dev_readable(session))
		ret = nowait ? -EAGAIN : dev_wait(session, ring, dev_readable);
	/* Frames first, also where the session has ended since. */
	if (!ret)
		ret = ring_rx_frame(ring) ? dev_read_frames(ring, to) : session->rx_error;
	mutex_unlock(&ring->mutex);
	return ret;
}

/* As pipe_write() does it: the signal only where nothing was written. */
static ssize_t dev_write_error(struct kiocb *kiocb, int error)
{
	if (error == -EPIPE && !(kiocb->ki_flags & COMPAT_IOCB_NOSIGNAL))
		send_sig(SIGPIPE, current, 0);
	return error;
}

/* One frame, or the reason why there can be none. */
static int dev_write_frame(struct tbs_session *session, struct iov_iter *from, bool nowait)
{
	struct tbs_ring *ring = &session->tx;
	int ret = 0;

	if (!dev_writable(session))
		ret = nowait ? -EAGAIN : dev_wait(session, ring, dev_writable);
	if (!ret)
		ret = READ_ONCE(session->tx_error);
	if (ret)
		return ret;
	ret = ring_tx_data(ring, from);
	/* The ring has been shut since: by whom is said in the session. */
	return ret == -EPIPE ? READ_ONCE(session->tx_error) ?: ret : ret;
}

static ssize_t dev_write(struct kiocb *kiocb, struct iov_iter *from)
{
	struct tbs_session *session = kiocb->ki_filp->private_data;
	bool nowait = dev_nowait(kiocb);
	ssize_t total = 0;
	int ret;

	ret = dev_lock(&session->tx, nowait);
	if (ret)
		return ret;
	while (iov_iter_count(from)) {
		ret = dev_write_frame(session, from, nowait);
		if (ret < 0)
			break;
		total += ret;
	}
	mutex_unlock(&session->tx.mutex);
	return total ?: ret < 0 ? dev_write_error(kiocb, ret) : 0;
}

static __poll_t dev_poll(struct file *file, struct poll_table_struct *table)
{
	struct tbs_session *session = file->private_data;
	__poll_t mask = 0;
	int error;

	poll_wait(file, &session->rx.wait, table);
	poll_wait(file, &session->tx.wait, table);
	error = READ_ONCE(session->tx_error);
	if (dev_readable(session))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (error)
		mask |= EPOLLHUP | (error == -EPIPE ? EPOLLRDHUP : EPOLLERR);
	else if (dev_writable(session))
		mask |= EPOLLOUT | EPOLLWRNORM;
	return mask;
}

static int dev_open(struct inode *inode, struct file *file)
{
	struct tbs_stream *stream = container_of(file->private_data, struct tbs_stream, misc);
	struct tbs_session *session;

	/* HopIDs cannot change while it is open. */
	if (READ_ONCE(stream->barred))
		return -EINVAL;
	session = session_open(stream);
	if (IS_ERR(session))
		return PTR_ERR(session);
	file->private_data = session;
	file->f_mode |= FMODE_NOWAIT;
	return stream_open(inode, file);
}

static int dev_flush(struct file *file, fl_owner_t id)
{
	struct tbs_session *session = file->private_data;
	bool last = file_count(file) == 1 && READ_ONCE(session->users) == 1;

	if (!(file->f_mode & FMODE_WRITE) && !last)
		return 0;
	return session_flush(session, last);
}

static int dev_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	return session_flush(file->private_data, false);
}

static int dev_release(struct inode *inode, struct file *file)
{
	session_release(file->private_data);
	return 0;
}

static const struct file_operations dev_fops = {
	.owner = THIS_MODULE,
	.open = dev_open,
	.read_iter = dev_read,
	.write_iter = dev_write,
	.splice_read = compat_splice_read,
	.splice_write = iter_file_splice_write,
	.poll = dev_poll,
	.flush = dev_flush,
	.fsync = dev_fsync,
	.release = dev_release,
	.llseek = compat_no_llseek,
};

int dev_register(struct tbs_stream *stream)
{
	snprintf(stream->node, sizeof(stream->node), "tbstream%d", stream->index);
	stream->misc.name = stream->node;
	stream->misc.minor = MISC_DYNAMIC_MINOR;
	stream->misc.fops = &dev_fops;
	return misc_register(&stream->misc);
}

void dev_unregister(struct tbs_stream *stream)
{
	misc_deregister(&stream->misc);
}

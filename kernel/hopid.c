// SPDX-License-Identifier: GPL-2.0-only
/*
 * HopIDs: what the user wants, what is allocated on the present XDomain, and what the peer is told.
 * A number that cannot be had leaves everything as it was.
 */
#include "tbstream.h"

#include "compat/compat.h"

#define HOPID_MAX      2047 /* 11 bits (USB4 specification, 5.2) */
#define HOPID_AUTO_MAX 15   /* many controllers end there */

struct hopid_side {
	int (*alloc)(struct tb_xdomain *xd, int hopid);
	void (*release)(struct tb_xdomain *xd, int hopid);
};

static const struct hopid_side hopid_in = {tb_xdomain_alloc_in_hopid, tb_xdomain_release_in_hopid};

static const struct hopid_side hopid_out = {tb_xdomain_alloc_out_hopid,
					    tb_xdomain_release_out_hopid};

/* Exactly this number, or -EBUSY; -EINVAL where the link has no such HopID. */
static int hopid_alloc_exact(const struct hopid_side *side, struct tb_xdomain *xd, int wanted)
{
	int got = side->alloc(xd, wanted);

	if (got == wanted || (got < 0 && got != -ENOSPC))
		return got;
	if (got >= 0)
		side->release(xd, got);
	return -EBUSY;
}

/* From above: thunderbolt_net asks for the lowest number on one side and for the same on the other.
 */
static int hopid_alloc(const struct hopid_side *side, struct tb_xdomain *xd, int wanted)
{
	int got = -EINVAL;

	if (wanted > 0)
		return hopid_alloc_exact(side, xd, wanted);
	for (int hopid = HOPID_AUTO_MAX; hopid >= TBS_HOPID_MIN; hopid--) {
		got = hopid_alloc_exact(side, xd, hopid);
		if (got != -EBUSY && got != -EINVAL)
			return got;
	}
	return side->alloc(xd, -1);
}

static void hopid_release(const struct hopid_side *side, struct tbs_stream *stream,
			  struct tbs_hopid *hopid)
{
	if (hopid->got)
		side->release(stream->peer->xd, hopid->got);
	WRITE_ONCE(hopid->got, 0);
}

static void hopid_announce(struct tbs_stream *stream)
{
	struct tb_service *svc = stream->peer->svc;
	int in = stream->in.got, out = stream->out.got;
	int ret;

	if (!stream->announced && (!in || !out))
		return;
	ret = compat_announce(svc, stream->name, stream->announced, in && out ? in : 0,
			      in && out ? out : 0);
	stream->announced = !ret && in && out;
	if (ret == -EEXIST)
		pr_info("tbstream: %s: another peer is told other HopIDs for this name; not announced to %s\n",
			stream->name, dev_name(&svc->dev));
	else if (ret)
		pr_warn("tbstream: %s: cannot be announced to %s: error %d\n", stream->name,
			dev_name(&svc->dev), ret);
}

/* With a peer and no HopIDs nothing could ever come. */
static void hopid_judge(struct tbs_stream *stream)
{
	WRITE_ONCE(stream->barred, !stream->in.got && !stream->out.got);
}

static int hopid_set(const struct hopid_side *side, struct tbs_stream *stream,
		     struct tbs_hopid *hopid, int wanted)
{
	int got = 0;

	lockdep_assert_held(&tbs_mutex);
	if (wanted > HOPID_MAX || (wanted > 0 && wanted < TBS_HOPID_MIN))
		return -EINVAL;
	wanted = max(wanted, -1);
	if (stream->peer) {
		/* "Any" is what there is already. */
		if (hopid->got && (wanted < 0 || wanted == hopid->got))
			return 0;
		if (wanted)
			got = hopid_alloc(side, stream->peer->xd, wanted);
		if (got < 0)
			return got;
		hopid_release(side, stream, hopid);
		WRITE_ONCE(hopid->got, got);
		wanted = got;
		hopid->wanted = wanted;
		hopid_judge(stream);
		hopid_announce(stream);
	}
	hopid->wanted = wanted;
	return 0;
}

int hopid_set_in(struct tbs_stream *stream, int wanted)
{
	return hopid_set(&hopid_in, stream, &stream->in, wanted);
}

int hopid_set_out(struct tbs_stream *stream, int wanted)
{
	return hopid_set(&hopid_out, stream, &stream->out, wanted);
}

/* What the user reads: the number in use, or without a peer the one to be used. */
int hopid_shown(const struct tbs_stream *stream, const struct tbs_hopid *hopid)
{
	return stream->peer ? hopid->got : hopid->wanted;
}

static void hopid_take(const struct hopid_side *side, struct tbs_stream *stream,
		       struct tbs_hopid *hopid, const char *what)
{
	int got;

	if (!hopid->wanted)
		return;
	got = hopid_alloc(side, stream->peer->xd, hopid->wanted);
	if (got < 0) {
		pr_warn("tbstream: %s: %s HopID %d cannot be had on %s: error %d\n", stream->name,
			what, hopid->wanted, dev_name(&stream->peer->svc->dev), got);
		return;
	}
	/* It is kept over replugs, as the peer may have written it down. */
	hopid->wanted = got;
	WRITE_ONCE(hopid->got, got);
}

/* stream->peer has just been set. */
void hopid_attach(struct tbs_stream *stream)
{
	int in, out;

	lockdep_assert_held(&tbs_mutex);
	if (stream->in.wanted <= 0 && stream->out.wanted <= 0 &&
	    compat_lookup(stream->peer->svc, stream->name, &out, &in)) {
		/* Their in is our out. */
		stream->in.wanted = in;
		stream->out.wanted = out;
	}
	hopid_take(&hopid_in, stream, &stream->in, "in");
	hopid_take(&hopid_out, stream, &stream->out, "out");
	hopid_judge(stream);
	hopid_announce(stream);
}

/* stream->peer is about to be cleared. */
void hopid_detach(struct tbs_stream *stream)
{
	lockdep_assert_held(&tbs_mutex);
	hopid_release(&hopid_in, stream, &stream->in);
	hopid_release(&hopid_out, stream, &stream->out);
	WRITE_ONCE(stream->barred, false);
	hopid_announce(stream);
}

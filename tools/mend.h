/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stream that broke: says so, waits for the other side to come again, and sees that this leads
 * somewhere. What is sent again, and from where on, is for send and recv.
 */
#ifndef MEND_H
#define MEND_H

#include "io/link.h"
#include "options.h"

struct mend {
	const struct options *options;
	enum wire_role role;
	uint64_t reached;    /* chunks that were safe when it broke last */
	unsigned int breaks; /* since then, without one more */
};

/* What was on its way: NAME, of which DONE chunks of MAP are safe, once it has BEGUN. */
struct mend_state {
	const char *name;
	bool begun;
	bool stream; /* goes on only while both programs run */
	uint64_t done;
	const struct chunk_map *map;
};

void mend_setup(struct mend *mend, const struct options *options, enum wire_role role);
/*
 * LINK ended by what another stream mends (link_mends): waits for TIMEOUT nanoseconds at most
 * (STOP_NEVER) until the other side is there again. Returns 0, or -errno with a sentence: -EINTR,
 * -ETIMEDOUT, or -EPIPE when it broke too often without one more chunk, which the peer is told.
 */
int mend_link(struct mend *mend, struct link *link, const struct mend_state *state, int64_t timeout,
	      char *ret_why, size_t len);
/* Says that it goes on, at chunk STATE->done. */
void mend_tell(const struct mend *mend, const struct mend_state *state);

#endif

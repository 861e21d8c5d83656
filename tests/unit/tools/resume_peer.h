/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of transfers that go on share: one side is real, the other is played by hand. */
#ifndef RESUME_PEER_H
#define RESUME_PEER_H

#include "../io/link_test.h"

#include <fcntl.h>

#include "mend.h"
#include "ui/msg.h"

static struct options resume_options = {.timeout = LONG_WAIT, .count = 0};

/* The mend of the side that is real. */
static void resume_mend(struct mend *mend, uint8_t role)
{
	msg_setup("test", MSG_QUIET, false);
	resume_options.stream = link_test_address();
	mend_setup(mend, &resume_options, role);
}

/* The next record, which must be of TYPE. */
static struct link_record *resume_expect(struct link_test_end *end, uint8_t type)
{
	struct link_record *record;
	int err = link_get(end->link, stop_deadline(LONG_WAIT), &record);

	if (err) {
		link_why(end->link, end->why, sizeof(end->why));
		print_error("%d where %s was due: %s\n", err, wire_type_name(type), end->why);
	}
	assert_int_equal(err, 0);
	assert_int_equal(record->type, type);
	return record;
}

/* The other side gives up, and says why. */
static void resume_abort(struct link_test_end *end, const char *part)
{
	struct link_record *record;
	int err;

	while ((err = link_get(end->link, stop_deadline(LONG_WAIT), &record)) == 0)
		free(record);
	link_why(end->link, end->why, sizeof(end->why));
	if (err != -ECANCELED || !strstr(end->why, part))
		print_error("%d: '%s' lacks '%s'\n", err, end->why, part);
	assert_int_equal(err, -ECANCELED);
	assert_non_null(strstr(end->why, part));
}

/* Puts a record of TYPE whose payload is LENGTH bytes long, which the caller has written. */
static inline void resume_put(struct link_test_end *end, struct link_record *record, int length)
{
	assert_true(length >= 0);
	record->length = length;
	assert_int_equal(link_put(end->link, record), 0);
}

#endif

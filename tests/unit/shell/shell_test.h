/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of both ends of a shell share: the other end is a socket, and plays by hand. */
#ifndef SHELL_TEST_H
#define SHELL_TEST_H

#include "../io/link_test.h"

#include "codec/wire_shell.h"
#include "shell/shell.h"

/* A link that listens as ROLE, and the socket of a peer that has said HELLO as OTHER. */
static inline int shell_test_by_hand(struct link_test_end *end, uint8_t role, uint8_t other)
{
	struct wire_hello hello = link_test_hello(other);
	uint8_t payload[1024];
	int fd;

	link_test_start(end, role, true);
	fd = link_test_dial();
	link_test_expect(fd, WIRE_TYPE_HELLO, payload);
	link_test_say_hello(fd, &hello, 0);
	link_test_join(end, 0);
	return fd;
}

/* Expects ABORT with a sentence that has PART in it. */
static inline void shell_test_abort(int fd, const char *part)
{
	char sentence[1025];
	uint32_t len = link_test_expect(fd, WIRE_TYPE_ABORT, sentence);

	sentence[len] = '\0';
	if (!strstr(sentence, part))
		print_error("'%s' lacks '%s'\n", sentence, part);
	assert_non_null(strstr(sentence, part));
}

#endif

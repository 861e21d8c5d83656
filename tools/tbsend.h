/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between tbsend.c, which sends, and tbsend_check.c, which looks at the command line first. */
#ifndef TBSEND_H
#define TBSEND_H

#include "options.h"

/* Whether PATH is "-", standard input. */
bool tbsend_is_stream(const char *path);
/*
 * What goes together and what does not; --plain without --stream means standard output. Returns -1
 * to go on, or the exit code, having said why.
 */
int tbsend_check(struct options *options);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between tbsend.c, which sends, tbsend_check.c, which looks at the command line first, and
 * tbsend_used.c and tbsend_time.c, which tell what --used leaves out and what the time went into.
 */
#ifndef TBSEND_H
#define TBSEND_H

#include <stdint.h>

#include <jansson.h>

#include "options.h"
#include "send/send.h"

struct used;

/* Whether PATH is "-", standard input. */
bool tbsend_is_stream(const char *path);
/*
 * What goes together and what does not; --plain without --stream means standard output. Returns -1
 * to go on, or the exit code, having said why.
 */
int tbsend_check(struct options *options);

/* What is left out of the source PATH, which has SIZE bytes, in words or as JSON. */
void tbsend_tell_used(const char *path, const struct used *used, uint64_t size, bool json);

/* Says what limited the transfer of SOURCE (NULL: --raw), called NAME, which took TIME. */
void tbsend_tell_limit(const struct options *options, const char *name, const struct source *source,
		       const struct send_time *time);
/* The same as a JSON object. */
json_t *tbsend_time_json(const struct send_time *time);

#endif

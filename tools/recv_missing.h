/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the sender could not read, as its record tells it. */
#ifndef RECV_MISSING_H
#define RECV_MISSING_H

#include <stdint.h>

#include <jansson.h>

#include "io/link.h"

/*
 * Has MANIFEST, of a disk of SIZE bytes, list what RECORD (UNREADABLE) does, and nothing else.
 * Returns 0, -EBADMSG for a malformed one, or -ENOMEM.
 */
int recv_missing_take(const struct link_record *record, uint64_t size, json_t *manifest);

#endif

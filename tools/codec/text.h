/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The strings of records, of the manifest and of messages: UTF-8 that does nothing to a terminal.
 */
#ifndef CODEC_TEXT_H
#define CODEC_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether LEN bytes at TEXT are UTF-8 (RFC 3629) without control characters, NUL among them. */
bool text_valid(const void *text, size_t len);

/* Copies LEN (at most MOST) valid bytes at TEXT to RET of MOST + 1 and ends them with a NUL. */
bool text_get(const void *text, size_t len, size_t most, char *ret);

/*
 * Writes TEXT, which ends with a NUL or after MOST bytes, to BUF of MOST bytes, and returns the
 * length written. A byte that text_valid would refuse becomes '?'; a character that is cut is
 * left out.
 */
size_t text_put(const char *text, size_t most, void *buf);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pattern: the bytes of a stream, which writer and reader know by their offset. A piece that is
 * lost, doubled or from elsewhere does not fit, and its own offset can be read from it.
 */
#ifndef EXERCISE_PATTERN_H
#define EXERCISE_PATTERN_H

#include <stddef.h>
#include <stdint.h>

/* The bytes from offset on. */
void pattern_fill(uint8_t *data, size_t size, uint64_t offset);

/* Index of the first byte that is wrong; size if none is. */
size_t pattern_check(const uint8_t *data, size_t size, uint64_t offset);

/* The offset that 8 bytes come from, or -1 where they are nowhere near the beginning of one. */
int64_t pattern_find(const uint8_t data[8]);

#endif

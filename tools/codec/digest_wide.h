/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The digests of long inputs by the vectors that newer x86 processors have. They are xxHash's own
 * code and the same digests, two to three times as quick as what runs on any of them.
 */
#ifndef CODEC_DIGEST_WIDE_H
#define CODEC_DIGEST_WIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether this processor can. Nothing below may be called where it cannot. */
bool digest_wide(void);
/* XXH3-128 of LEN bytes at DATA in canonical form, as digest_chunk. */
void digest_wide_chunk(const void *data, size_t len, uint8_t ret[16]);
/* XXH3-64, as digest_stored. */
uint64_t digest_wide_stored(const void *data, size_t len);

#endif

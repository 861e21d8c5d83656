/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The digests of an image, taken over bytes as they stand on the source device or in the image. A
 * 128-bit digest is stored in xxHash's canonical (big-endian) form, as `xxhsum -H2` prints it; a
 * 64-bit hash is a number like any other, and stored little-endian.
 * Source: xxHash specification, https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
 */
#ifndef CODEC_DIGEST_H
#define CODEC_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#define DIGEST_SIZE 16
#define DIGEST_TEXT (2 * DIGEST_SIZE + 1)

struct digest {
	uint8_t bytes[DIGEST_SIZE];
};

/* XXH3-128 of the LEN bytes of an uncompressed chunk at DATA. */
void digest_chunk(const void *data, size_t len, struct digest *ret);

/* XXH3-64 of LEN stored bytes (a zstd frame, or the body of one of our skippable frames). */
uint64_t digest_stored(const void *data, size_t len);

/* Whether A and B are the same digest. */
int digest_equal(const struct digest *a, const struct digest *b);

/* Writes D as DIGEST_TEXT - 1 lower case hexadecimal digits and a NUL. */
void digest_format(const struct digest *d, char ret[DIGEST_TEXT]);

/* Reads 32 hexadecimal digits. Returns 0, or -EINVAL for anything else. */
int digest_parse(const char *text, struct digest *ret);

/*
 * A running XXH3-128: over a whole image's chunk digests (the root), or over a trailer's bytes.
 * xxHash wants its state aligned to 64 bytes, which malloc does not give to an owner of this one,
 * so it is kept as bytes. Assignment copies it.
 */
struct digest_state {
	uint8_t xxh[sizeof(XXH3_state_t)];
};

void digest_start(struct digest_state *state);
void digest_update(struct digest_state *state, const void *data, size_t len);
/* The digest of what was fed so far; the state stays usable. */
void digest_read(const struct digest_state *state, struct digest *ret);

/*
 * The root of an image: XXH3-128 over the chunk digests in order (fed by digest_update), then SIZE
 * as 8 and CHUNK_SIZE as 4 little-endian bytes. STATE itself is left as it was.
 */
void digest_root(const struct digest_state *state, uint64_t size, uint32_t chunk_size,
		 struct digest *ret);

#endif

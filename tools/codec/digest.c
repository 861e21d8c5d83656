// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "codec/bytes.h"
#include "codec/digest.h"
#include "codec/digest_wide.h"

_Static_assert(sizeof(XXH128_canonical_t) == DIGEST_SIZE, "a digest is 128 bits");

static void digest_set(struct digest *ret, XXH128_hash_t hash)
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, hash);
	memcpy(ret->bytes, canonical.digest, DIGEST_SIZE);
}

void digest_chunk(const void *data, size_t len, struct digest *ret)
{
	if (digest_wide())
		digest_wide_chunk(data, len, ret->bytes);
	else
		digest_set(ret, XXH3_128bits(data, len));
}

uint64_t digest_stored(const void *data, size_t len)
{
	return digest_wide() ? digest_wide_stored(data, len) : XXH3_64bits(data, len);
}

int digest_equal(const struct digest *a, const struct digest *b)
{
	return memcmp(a->bytes, b->bytes, DIGEST_SIZE) == 0;
}

void digest_format(const struct digest *d, char ret[DIGEST_TEXT])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		ret[2 * i] = digits[d->bytes[i] >> 4];
		ret[2 * i + 1] = digits[d->bytes[i] & 15];
	}
	ret[2 * DIGEST_SIZE] = '\0';
}

static int digest_nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -EINVAL;
}

int digest_parse(const char *text, struct digest *ret)
{
	struct digest d;

	if (strnlen(text, DIGEST_TEXT) != 2 * DIGEST_SIZE)
		return -EINVAL;
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		int high = digest_nibble(text[2 * i]);
		int low = digest_nibble(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		d.bytes[i] = (uint8_t)(high << 4 | low);
	}
	*ret = d;
	return 0;
}

void digest_start(struct digest_state *state)
{
	XXH3_state_t xxh;

	XXH3_INITSTATE(&xxh);
	XXH3_128bits_reset(&xxh);
	memcpy(state->xxh, &xxh, sizeof(xxh));
}

void digest_update(struct digest_state *state, const void *data, size_t len)
{
	XXH3_state_t xxh;

	if (len == 0)
		return;
	memcpy(&xxh, state->xxh, sizeof(xxh));
	XXH3_128bits_update(&xxh, data, len);
	memcpy(state->xxh, &xxh, sizeof(xxh));
}

void digest_read(const struct digest_state *state, struct digest *ret)
{
	XXH3_state_t xxh;

	memcpy(&xxh, state->xxh, sizeof(xxh));
	digest_set(ret, XXH3_128bits_digest(&xxh));
}

void digest_root(const struct digest_state *state, uint64_t size, uint32_t chunk_size,
		 struct digest *ret)
{
	struct digest_state end = *state;
	uint8_t tail[12];

	bytes_put32(bytes_put64(tail, size), chunk_size);
	digest_update(&end, tail, sizeof(tail));
	digest_read(&end, ret);
}

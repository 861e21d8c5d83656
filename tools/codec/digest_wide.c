// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec/digest_wide.h"

#include <string.h>

#ifdef __x86_64__

#include <immintrin.h>
#include <sys/platform/x86.h>

/* The library is made for any processor; its header is made here for this kind. */
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif
#define XXH_INLINE_ALL
#define XXH_VECTOR XXH_AVX2
#include <xxhash.h>

void digest_wide_chunk(const void *data, size_t len, uint8_t ret[16])
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, len));
	memcpy(ret, canonical.digest, sizeof(canonical.digest));
}

uint64_t digest_wide_stored(const void *data, size_t len)
{
	return XXH3_64bits(data, len);
}

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

bool digest_wide(void)
{
	return CPU_FEATURE_ACTIVE(AVX2);
}

#else

bool digest_wide(void)
{
	return false;
}

void digest_wide_chunk(const void *data, size_t len, uint8_t ret[16])
{
	(void)data;
	(void)len;
	memset(ret, 0, 16);
}

uint64_t digest_wide_stored(const void *data, size_t len)
{
	(void)data;
	(void)len;
	return 0;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Little-endian integers at any address. A put returns the address behind what it wrote. */
#ifndef CODEC_BYTES_H
#define CODEC_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint8_t *bytes_put(uint8_t *p, uint64_t value, size_t width)
{
	for (size_t i = 0; i < width; i++)
		p[i] = (uint8_t)(value >> (8 * i));
	return p + width;
}

static inline uint64_t bytes_get(const uint8_t *p, size_t width)
{
	uint64_t value = 0;

	for (size_t i = 0; i < width; i++)
		value |= (uint64_t)p[i] << (8 * i);
	return value;
}

static inline uint8_t *bytes_put16(uint8_t *p, uint16_t value)
{
	return bytes_put(p, value, 2);
}

static inline uint8_t *bytes_put32(uint8_t *p, uint32_t value)
{
	return bytes_put(p, value, 4);
}

static inline uint8_t *bytes_put64(uint8_t *p, uint64_t value)
{
	return bytes_put(p, value, 8);
}

static inline uint16_t bytes_get16(const uint8_t *p)
{
	return (uint16_t)bytes_get(p, 2);
}

static inline uint32_t bytes_get32(const uint8_t *p)
{
	return (uint32_t)bytes_get(p, 4);
}

static inline uint64_t bytes_get64(const uint8_t *p)
{
	return bytes_get(p, 8);
}

/* Copies LEN bytes of DATA (which may be NULL when LEN is 0). */
static inline uint8_t *bytes_put_all(uint8_t *p, const void *data, size_t len)
{
	if (len)
		memcpy(p, data, len);
	return p + len;
}

#endif

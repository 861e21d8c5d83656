// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdint.h>
#include <string.h>

#include "codec/text.h"

/* The length that the first byte of a character announces, 0 where none begins with it. */
static size_t text_need(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* The length of the harmless character at P (LEN > 0 bytes are there), or 0. */
static size_t text_step(const uint8_t *p, size_t len)
{
	/* No control character (C0 and C1), and nothing that fewer bytes can say. */
	static const uint32_t least[] = {0, 0x20, 0xa0, 0x800, 0x10000};
	size_t need = text_need(p[0]);
	uint32_t point;

	if (need == 0 || need > len)
		return 0;
	point = need == 1 ? p[0] : p[0] & (0x7fu >> need);
	for (size_t i = 1; i < need; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (p[i] & 0x3f);
	}
	if (point < least[need] || point == 0x7f || point > 0x10ffff)
		return 0;
	return point >= 0xd800 && point <= 0xdfff ? 0 : need;
}

bool text_valid(const void *text, size_t len)
{
	const uint8_t *p = text;

	for (size_t at = 0, step; at < len; at += step) {
		step = text_step(p + at, len - at);
		if (step == 0)
			return false;
	}
	return true;
}

bool text_get(const void *text, size_t len, size_t most, char *ret)
{
	if (len > most || !text_valid(text, len))
		return false;
	memcpy(ret, text, len);
	ret[len] = '\0';
	return true;
}

size_t text_put(const char *text, size_t most, void *buf)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t len = strnlen(text, most);
	uint8_t *out = buf;

	for (size_t at = 0; at < len;) {
		size_t step = text_step(p + at, len - at);

		if (step == 0 && len == most && text_need(p[at]) > len - at)
			return at;
		if (step == 0) {
			out[at++] = '?';
			continue;
		}
		memcpy(out + at, p + at, step);
		at += step;
	}
	return len;
}

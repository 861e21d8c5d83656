// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>
#include <time.h>

#include "codec/bytes.h"
#include "files/fat.h"

#define FAT_LONG_UNITS 13u /* of a name, in one entry */
#define FAT_LONG_LAST  0x40u

/* The upper half of code page 437, which short names are in unless someone chose another. */
static const uint16_t name_page[128] = {
	0xc7,	0xfc,	0xe9,	0xe2,	0xe4,	0xe0,	0xe5,	0xe7,	0xea,	0xeb,	0xe8,
	0xef,	0xee,	0xec,	0xc4,	0xc5,	0xc9,	0xe6,	0xc6,	0xf4,	0xf6,	0xf2,
	0xfb,	0xf9,	0xff,	0xd6,	0xdc,	0xa2,	0xa3,	0xa5,	0x20a7, 0x192,	0xe1,
	0xed,	0xf3,	0xfa,	0xf1,	0xd1,	0xaa,	0xba,	0xbf,	0x2310, 0xac,	0xbd,
	0xbc,	0xa1,	0xab,	0xbb,	0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562,
	0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514, 0x2534,
	0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560,
	0x2550, 0x256c, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b,
	0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590, 0x2580, 0x3b1,	0xdf,	0x393,
	0x3c0,	0x3a3,	0x3c3,	0xb5,	0x3c4,	0x3a6,	0x398,	0x3a9,	0x3b4,	0x221e, 0x3c6,
	0x3b5,	0x2229, 0x2261, 0xb1,	0x2265, 0x2264, 0x2320, 0x2321, 0xf7,	0x2248, 0xb0,
	0x2219, 0xb7,	0x221a, 0x207f, 0xb2,	0x25a0, 0xa0};

/* The short name's sum, which every entry of the long one has. */
static uint8_t name_sum(const uint8_t *entry)
{
	uint8_t sum = 0;

	for (int i = 0; i < 11; i++)
		sum = (sum << 7 | sum >> 1) + entry[i];
	return sum;
}

void fat_long_add(struct fat_long *name, const uint8_t *entry)
{
	uint32_t number = entry[0] & (FAT_LONG_LAST - 1);
	uint8_t *at;

	if (entry[0] & FAT_LONG_LAST) {
		*name = (struct fat_long){.next = number, .count = number, .sum = entry[13]};
		memset(name->units, 0xff, sizeof(name->units));
	}
	if (number == 0 || number != name->next || number > FAT_NAME_UNITS / FAT_LONG_UNITS ||
	    entry[13] != name->sum) {
		name->count = 0;
		return;
	}
	at = name->units + (size_t)2 * FAT_LONG_UNITS * (number - 1);
	memcpy(at, entry + 1, 10);
	memcpy(at + 10, entry + 14, 12);
	memcpy(at + 22, entry + 28, 4);
	name->next--;
}

/* Blanks fill the two parts; NT keeps in byte 12 that one of them is written in small letters. */
static size_t name_short(const uint8_t *entry, char *ret)
{
	uint8_t units[2 * 12], *out = units;

	for (int i = 0; i < 11; i++) {
		uint16_t c = i == 0 && entry[0] == 0x05 ? 0xe5 : entry[i];
		int end = i < 8 ? 8 : 11, last = end;

		while (last > i && entry[last - 1] == ' ')
			last--;
		if (last == i) {
			i = end - 1;
			continue;
		}
		if (i == 8)
			out = bytes_put16(out, '.');
		if (c >= 'A' && c <= 'Z' && entry[12] & (i < 8 ? 0x08 : 0x10))
			c += 'a' - 'A';
		out = bytes_put16(out, c < 0x80 ? c : name_page[c - 0x80]);
	}
	return files_utf16(units, (out - units) / 2, ret);
}

size_t fat_name(struct fat_long *name, const uint8_t *entry, char *ret)
{
	bool whole = name->count && name->next == 0 && name->sum == name_sum(entry);
	size_t units = 0;

	while (whole && units < (size_t)FAT_LONG_UNITS * name->count &&
	       bytes_get16(name->units + 2 * units))
		units++;
	name->count = 0;
	return units ? files_utf16(name->units, units, ret) : name_short(entry, ret);
}

struct timespec fat_time(uint16_t date, uint16_t time)
{
	struct tm tm = {
		.tm_year = 80 + (date >> 9),
		.tm_mon = (date >> 5 & 15) - 1,
		.tm_mday = date & 31,
		.tm_hour = time >> 11,
		.tm_min = time >> 5 & 63,
		.tm_sec = 2 * (time & 31),
		.tm_isdst = -1,
	};

	return (struct timespec){.tv_sec = date ? mktime(&tm) : 0};
}

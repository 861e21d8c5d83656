// SPDX-License-Identifier: GPL-2.0-or-later
#include "options_value.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "codec/pack.h"

#define OPTIONS_VALUE_SIZE_MOST (1l << 33) /* of a unit */

int options_value_number(const char *text, long least, long most, long *ret)
{
	char *end;

	errno = 0;
	long n = strtol(text, &end, 10);

	if (errno || end == text || *end || !isdigit((unsigned char)*text) || n < least || n > most)
		return -EINVAL;
	*ret = n;
	return 0;
}

int options_value_size(const char *text, uint64_t *ret)
{
	static const char units[] = "KMG";
	size_t len = strlen(text);
	const char *unit = len ? strchr(units, toupper((unsigned char)text[len - 1])) : NULL;
	char digits[16];
	long n;

	if (unit)
		len--;
	if (len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (options_value_number(digits, 1, OPTIONS_VALUE_SIZE_MOST, &n) < 0)
		return -EINVAL;
	*ret = (uint64_t)n << (unit ? 10 * (unit - units + 1) : 0);
	return 0;
}

int options_value_level(const char *text, int *ret)
{
	long n = strcmp(text, "auto") ? PACK_LEVEL_NONE : PACK_LEVEL_AUTO;

	if (n == PACK_LEVEL_NONE && strcmp(text, "none") &&
	    options_value_number(text, PACK_LEVEL_LEAST, PACK_LEVEL_MOST, &n) < 0)
		return -EINVAL;
	*ret = n;
	return 0;
}

int options_value_uuid(const char *text, char ret[37])
{
	if (strlen(text) != 36)
		return -EINVAL;
	for (int i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return -EINVAL;
		ret[i] = tolower((unsigned char)text[i]);
	}
	ret[36] = '\0';
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ui/limit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int limit_compare(const void *a, const void *b)
{
	const struct limit *left = a, *right = b;

	return (left->time < right->time) - (left->time > right->time);
}

char *limit_text(struct limit *limits, size_t count, char ret[LIMIT_TEXT])
{
	int64_t all = 0;
	size_t len = 0;

	qsort(limits, count, sizeof(*limits), limit_compare);
	for (size_t i = 0; i < count && limits[i].time > 0; i++)
		all += limits[i].time;
	ret[0] = '\0';
	for (size_t i = 0; i < count && limits[i].time > 0; i++) {
		int64_t share = ((__int128)200 * limits[i].time / all + 1) / 2;

		if (share > 0 && len < LIMIT_TEXT)
			len += snprintf(ret + len, LIMIT_TEXT - len, "%s%s %" PRId64 " %%",
					len ? ", " : "", limits[i].name, share);
	}
	return ret;
}

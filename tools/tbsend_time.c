// SPDX-License-Identifier: GPL-2.0-or-later
/* tbsend: what the time went into, which is what limits a transfer, and the level that followed. */
#include <stdio.h>

#include "codec/pack.h"
#include "programs.h"
#include "tbsend.h"

#define TIME_LIMITS 4

/* Without what there is no time of. Returns the number. */
static size_t time_limits(const struct send_time *time, struct limit ret[TIME_LIMITS])
{
	size_t count = 0;

	ret[count++] = (struct limit){"disk", time->disk};
	ret[count++] = (struct limit){"CPU", time->cpu};
	if (time->output) {
		ret[count++] = (struct limit){"output", time->output};
		return count;
	}
	ret[count++] = (struct limit){"cable", time->cable};
	ret[count++] = (struct limit){"target", time->target};
	return count;
}

json_t *tbsend_time_json(const struct send_time *time)
{
	struct limit limits[TIME_LIMITS];
	size_t count = time_limits(time, limits);

	return program_times(limits, count);
}

void tbsend_tell_limit(const struct options *options, const char *name, const struct source *source,
		       const struct send_time *time)
{
	struct limit limits[TIME_LIMITS];
	size_t count = time_limits(time, limits);
	char more[40] = "";
	int level, highest;

	if (options->json)
		return;
	if (options->level == PACK_LEVEL_AUTO && source && source_levels(source, &level, &highest))
		snprintf(more, sizeof(more), highest > 1 ? "; level 1 to %d" : "; level %d",
			 highest);
	program_limit(name, limits, count, more);
}

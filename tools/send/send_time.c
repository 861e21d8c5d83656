// SPDX-License-Identifier: GPL-2.0-or-later
/* What the sender's time went into: its own walk knows the disk and the packers, the receiver the
 * rest. */
#include <sys/param.h>
#include <sys/stat.h>

#include "send/send_internal.h"

void send_time_begin(struct send_clock *clock, const struct source *source)
{
	clock->began = stop_now();
	source_time(source, &clock->before);
}

void send_time_end(struct send_clock *clock, const struct source *source)
{
	struct source_time now;

	source_time(source, &now);
	clock->all += stop_now() - clock->began;
	clock->source.read += now.read - clock->before.read;
	clock->source.pack += now.pack - clock->before.pack;
}

/* Whoever reads or packs is not waiting for the output. */
static int64_t time_output(const struct send_clock *clock, struct send_time *ret)
{
	ret->disk = clock->source.read;
	ret->cpu = clock->source.pack;
	return MAX(clock->all - ret->disk - ret->cpu, 0);
}

/*
 * While the output keeps us waiting the receiver waits too, for what is on the cable, or it does
 * not, and keeps us waiting itself. All other times that it waits it waits for our disk and CPU.
 */
void send_time_records(const struct send_clock *clock, struct link *link, struct send_time *ret)
{
	int64_t output = time_output(clock, ret);
	struct wire_time peer;

	if (!link_time(link, &peer)) {
		ret->output = output;
		return;
	}
	ret->cable = MIN(MAX((int64_t)peer.waited - ret->disk - ret->cpu, 0), output);
	ret->target = output - ret->cable;
}

void send_time_plain(const struct send_clock *clock, int fd, struct send_time *ret)
{
	int64_t output = time_output(clock, ret);
	struct stat st;

	if (fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
		ret->target = output;
	else
		ret->output = output;
}

void send_progress_level(struct progress *progress, const struct source *source)
{
	int level, highest;

	if (source_levels(source, &level, &highest))
		progress_level(progress, level);
}

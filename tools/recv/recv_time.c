// SPDX-License-Identifier: GPL-2.0-or-later
/* What the receiver's time went into, for its own summary and for the sender's: TIME. */
#include <errno.h>
#include <sys/param.h>

#include "recv/recv_internal.h"

void recv_time_begin(struct recv *recv)
{
	recv->clock = (struct recv_clock){
		.began = stop_now(),
		.stored = sink_time(recv->sink),
	};
}

void recv_time_end(struct recv *recv)
{
	struct wire_time *time = &recv->ret->time;
	int64_t all = stop_now() - recv->clock.began;
	int64_t stored = sink_time(recv->sink) - recv->clock.stored;

	time->waited += recv->clock.waited;
	time->stored += stored;
	time->worked += MAX(all - recv->clock.waited - stored, 0);
}

int recv_time_tell(struct recv *recv)
{
	struct link_record *record = link_record_new(WIRE_TYPE_TIME, 64);

	return recv_put(recv, record,
			record ? wire_time_put(&recv->ret->time, record->payload, 64) : -ENOMEM);
}

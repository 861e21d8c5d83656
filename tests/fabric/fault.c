// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "fault.h"
#include "log.h"

static const char *const kind_names[FAULT_KINDS] = {
	[FAULT_DROP] = "drop",		 [FAULT_CORRUPT] = "corrupt", [FAULT_CRC] = "crc",
	[FAULT_DUPLICATE] = "duplicate", [FAULT_DELAY] = "delay",     [FAULT_STALL] = "stall",
	[FAULT_UNPLUG] = "unplug",
};

const char *fault_kind_name(enum fault_kind kind)
{
	return kind_names[kind];
}

enum fault_kind fault_kind_parse(const char *name)
{
	unsigned int kind = 0;

	while (kind < FAULT_KINDS && strcmp(name, kind_names[kind]))
		kind++;
	return (enum fault_kind)kind;
}

void fault_init(struct fault *fault, struct carrier inner, uint64_t seed,
		void (*plug)(void *ctx, unsigned int cable, bool plugged), void (*wake)(void *ctx),
		void *ctx)
{
	*fault = (struct fault){
		.inner = inner, .seed = seed, .plug = plug, .wake = wake, .ctx = ctx};
	for (unsigned int i = 0; i < FABRIC_CABLES_MAX; i++)
		fault->replug[i] = CLOCK_NEVER;
}

int fault_add(struct fault *fault, const struct fault_rule *rule)
{
	if (fault->rule_count == FAULT_RULES_MAX)
		return -ENOSPC;
	fault->rules[fault->rule_count++] = *rule;
	return 0;
}

void fault_clear(struct fault *fault)
{
	fault->rule_count = 0;
	fault->random = (struct fault_random){0};
	for (unsigned int i = 0; i < FABRIC_CABLES_MAX; i++) {
		fault->lanes[i][0].held_until = 0;
		fault->lanes[i][1].held_until = 0;
	}
	fault->wake(fault->ctx);
}

/* splitmix64: every input bit changes half of the output's. */
static uint64_t mix(uint64_t value)
{
	value += UINT64_C(0x9e3779b97f4a7c15);
	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	return value ^ value >> 31;
}

static uint64_t frame_dice(const struct fault *fault, const struct frame *frame, uint64_t number)
{
	return mix(mix(mix(fault->seed) ^ frame->cable << 1 ^ frame->direction) ^ number);
}

static bool rule_matches(const struct fault_rule *rule, const struct fault_lane *lane,
			 const struct frame *frame)
{
	uint64_t number = rule->hop == FAULT_ANY ? lane->seen : lane->seen_hop[frame->hop];

	return rule->taken < rule->count && rule->cable == frame->cable &&
	       (rule->direction == FAULT_ANY || rule->direction == frame->direction) &&
	       (rule->pdf == FAULT_ANY || rule->pdf == frame->eof) &&
	       (rule->hop == FAULT_ANY || rule->hop == frame->hop) &&
	       number >= rule->at[frame->direction];
}

/* What is to happen to a frame: which kind, for how long, and whose counter it adds to. */
struct verdict {
	enum fault_kind kind;
	uint64_t ms;
	uint64_t *taken;
};

static bool judge_random(struct fault *fault, uint64_t dice, struct verdict *ret_verdict)
{
	struct fault_random *random = &fault->random;
	unsigned int kinds = random->kinds, skip;

	if ((uint32_t)dice >= random->threshold || !kinds)
		return false;
	skip = (unsigned int)(dice >> 32) % (unsigned int)__builtin_popcount(kinds);
	while (skip--)
		kinds &= kinds - 1;
	*ret_verdict = (struct verdict){
		.kind = (enum fault_kind)__builtin_ctz(kinds),
		.ms = random->ms,
		.taken = &random->taken,
	};
	return true;
}

static bool judge(struct fault *fault, const struct fault_lane *lane, const struct frame *frame,
		  struct verdict *ret_verdict)
{
	for (unsigned int i = 0; i < fault->rule_count; i++) {
		struct fault_rule *rule = &fault->rules[i];

		if (!rule_matches(rule, lane, frame))
			continue;
		*ret_verdict = (struct verdict){rule->kind, rule->ms, &rule->taken};
		return true;
	}
	return judge_random(fault, frame_dice(fault, frame, lane->seen), ret_verdict);
}

static int carry_corrupt(struct fault *fault, const struct frame *frame, uint64_t dice, bool crc)
{
	uint8_t data[RING_FRAME_MAX];
	struct frame spoilt = *frame;
	uint64_t bit = dice % (frame->length * 8);

	memcpy(data, frame->data, frame->length);
	data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	spoilt.data = data;
	spoilt.crc_error = crc;
	return fault->inner.carry(fault->inner.ctx, &spoilt);
}

static int carry_twice(struct fault *fault, const struct frame *frame)
{
	int ret = fault->inner.carry(fault->inner.ctx, frame);

	if (!ret) /* no room for the second one: it is lost, as it would be on a cable */
		fault->inner.carry(fault->inner.ctx, frame);
	return ret;
}

static int carry_unplug(struct fault *fault, const struct frame *frame, uint64_t ms)
{
	if (ms)
		fault->replug[frame->cable] = fault->now + ms;
	fault->plug(fault->ctx, frame->cable, false);
	return 0;
}

static int hold(struct fault *fault, struct fault_lane *lane, uint64_t ms)
{
	lane->held_until = ms ? fault->now + ms : CLOCK_NEVER;
	lane->was_held = true;
	return -EAGAIN;
}

static int apply(struct fault *fault, struct fault_lane *lane, const struct frame *frame,
		 const struct verdict *verdict)
{
	uint64_t dice = mix(frame_dice(fault, frame, lane->seen));

	switch (verdict->kind) {
	case FAULT_DROP: return 0;
	case FAULT_CORRUPT: return carry_corrupt(fault, frame, dice, false);
	case FAULT_CRC: return carry_corrupt(fault, frame, dice, true);
	case FAULT_DUPLICATE: return carry_twice(fault, frame);
	case FAULT_UNPLUG: return carry_unplug(fault, frame, verdict->ms);
	default: return hold(fault, lane, verdict->ms);
	}
}

static void log_taken(const struct verdict *verdict, const struct fault_lane *lane,
		      const struct frame *frame)
{
	log_event("fault: %s cable=%u dir=%s frame=%llu pdf=%u hop=%u", kind_names[verdict->kind],
		  frame->cable, frame->direction ? "ba" : "ab", (unsigned long long)lane->seen,
		  frame->eof, frame->hop);
}

static int fault_carry(void *ctx, const struct frame *frame)
{
	struct fault *fault = ctx;
	struct fault_lane *lane = &fault->lanes[frame->cable][frame->direction];
	struct verdict verdict;
	bool holding;
	int ret;

	if (lane->held_until > fault->now)
		return -EAGAIN;
	if (lane->was_held || frame->hop >= PATH_HOPS_MAX || !judge(fault, lane, frame, &verdict)) {
		ret = fault->inner.carry(fault->inner.ctx, frame);
	} else {
		ret = apply(fault, lane, frame, &verdict);
		holding = lane->was_held;
		if (!ret || holding) {
			++*verdict.taken;
			log_taken(&verdict, lane, frame);
		}
	}
	if (!ret) {
		lane->was_held = false;
		lane->seen++;
		lane->seen_hop[frame->hop % PATH_HOPS_MAX]++;
	}
	return ret;
}

struct carrier fault_carrier(struct fault *fault)
{
	return (struct carrier){.carry = fault_carry, .ctx = fault};
}

uint64_t fault_tick(struct fault *fault, uint64_t now)
{
	uint64_t next = CLOCK_NEVER;

	fault->now = now;
	for (unsigned int i = 0; i < FABRIC_CABLES_MAX; i++) {
		if (fault->replug[i] <= now) {
			fault->replug[i] = CLOCK_NEVER;
			fault->plug(fault->ctx, i, true);
		}
		next = clock_earlier(next, fault->replug[i]);
		for (unsigned int direction = 0; direction < 2; direction++) {
			struct fault_lane *lane = &fault->lanes[i][direction];

			if (lane->held_until && lane->held_until <= now) {
				lane->held_until = 0;
				fault->wake(fault->ctx);
			}
			if (lane->held_until)
				next = clock_earlier(next, lane->held_until);
		}
	}
	return next;
}

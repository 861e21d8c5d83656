// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "control_fault.h"

/* at=N counts from the start, at=+N from the next frame. */
static bool parse_at(struct control *control, const char *text, struct fault_rule *rule)
{
	const bool relative = *text == '+';
	uint64_t number;

	if (!command_number(text + relative, &number))
		return false;
	for (unsigned int i = 0; i < 2; i++) {
		const struct fault_lane *lane = &control->fault->lanes[rule->cable][i];
		uint64_t base = rule->hop == FAULT_ANY ? lane->seen : lane->seen_hop[rule->hop];

		if (__builtin_add_overflow(number, relative ? base : 0, &rule->at[i]))
			return false;
	}
	return true;
}

static const char *direction_name(unsigned int direction)
{
	static const char *const names[] = {"ab", "ba"};

	return direction == FAULT_ANY ? "any" : names[direction];
}

static bool parse_direction(const char *text, unsigned int *ret_direction)
{
	if (!strcmp(text, "ab"))
		*ret_direction = 0;
	else if (!strcmp(text, "ba"))
		*ret_direction = 1;
	else if (!strcmp(text, "any"))
		*ret_direction = FAULT_ANY;
	else
		return false;
	return true;
}

static bool parse_rule_field(struct control *control, char *field, struct fault_rule *rule,
			     const char **ret_at)
{
	const char *name = strsep(&field, "=");

	if (!field)
		return false;
	if (!strcmp(name, "cable"))
		return command_index(field, control->fabric->cable_count, &rule->cable);
	if (!strcmp(name, "dir"))
		return parse_direction(field, &rule->direction);
	if (!strcmp(name, "pdf"))
		return command_index(field, 16, &rule->pdf);
	if (!strcmp(name, "hop"))
		return command_index(field, PATH_HOPS_MAX, &rule->hop);
	if (!strcmp(name, "count"))
		return command_number(field, &rule->count);
	if (!strcmp(name, "ms"))
		return command_number(field, &rule->ms);
	if (strcmp(name, "at"))
		return false;
	*ret_at = field; /* its meaning depends on the other fields */
	return true;
}

void control_fault_add(struct control *control, char *args, struct command_answer *answer)
{
	struct fault_rule rule = {
		.direction = FAULT_ANY, .pdf = FAULT_ANY, .hop = FAULT_ANY, .count = 1};
	const char *at = "+0", *kind = strsep(&args, " ");
	char *field;

	if (!control->fabric->cable_count) {
		command_refuse(answer, "There is no cable.");
		return;
	}
	rule.kind = kind ? fault_kind_parse(kind) : FAULT_KINDS;
	if (rule.kind == FAULT_KINDS) {
		command_refuse(
			answer,
			"There is no fault %s: drop, corrupt, crc, duplicate, delay, stall or "
			"unplug.",
			kind ? kind : "named");
		return;
	}
	while ((field = strsep(&args, " "))) {
		if (*field && !parse_rule_field(control, field, &rule, &at)) {
			command_refuse(answer,
				       "%s does not fit: cable=N dir=ab|ba|any pdf=P hop=H at=N|+N "
				       "count=C ms=M.",
				       field);
			return;
		}
	}
	if (rule.kind == FAULT_DELAY && !rule.ms)
		command_refuse(answer, "A delay needs ms=M, or take a stall.");
	else if (!parse_at(control, at, &rule))
		command_refuse(answer, "at=%s is not a frame's number, N or +N from now.", at);
	else if (fault_add(control->fault, &rule))
		command_refuse(answer, "There are %u faults already: clear them.", FAULT_RULES_MAX);
	else
		command_say(answer, " %u", control->fault->rule_count);
}

static bool parse_kinds(char *list, unsigned int *ret_kinds)
{
	const char *name;

	*ret_kinds = 0;
	while ((name = strsep(&list, ","))) {
		enum fault_kind kind = fault_kind_parse(name);

		if (kind == FAULT_KINDS)
			return false;
		*ret_kinds |= 1u << kind;
	}
	return true;
}

static bool parse_rate(const char *text, uint32_t *ret_threshold)
{
	char *end;
	double rate = strtod(text, &end);

	if (end == text || *end || !(rate >= 0 && rate <= 1))
		return false;
	*ret_threshold = (uint32_t)(rate * UINT32_MAX);
	return true;
}

static bool parse_random_field(char *field, struct fault_random *random)
{
	const char *name = strsep(&field, "=");

	if (!field)
		return false;
	if (!strcmp(name, "rate"))
		return parse_rate(field, &random->threshold);
	if (!strcmp(name, "kinds"))
		return parse_kinds(field, &random->kinds);
	return !strcmp(name, "ms") && command_number(field, &random->ms);
}

void control_fault_random(struct control *control, char *args, struct command_answer *answer)
{
	struct fault_random random = {.ms = 100};
	char *field;

	while ((field = strsep(&args, " "))) {
		if (*field && !parse_random_field(field, &random)) {
			command_refuse(answer, "%s does not fit: rate=0..1 kinds=KIND,... ms=M.",
				       field);
			return;
		}
	}
	if (!random.threshold != !random.kinds) {
		command_refuse(answer, "Random faults need both rate=R and kinds=KIND,...");
		return;
	}
	control->fault->random = random;
}

static void say_range(struct command_answer *answer, const char *name, unsigned int value)
{
	if (value != FAULT_ANY)
		command_say(answer, ",%s=%u", name, value);
}

void control_fault_list(struct control *control, char *args, struct command_answer *answer)
{
	const struct fault *fault = control->fault;

	(void)args;
	for (unsigned int i = 0; i < fault->rule_count; i++) {
		const struct fault_rule *rule = &fault->rules[i];

		command_say(answer, " %u,%s,cable=%u,dir=%s", i + 1, fault_kind_name(rule->kind),
			    rule->cable, direction_name(rule->direction));
		say_range(answer, "pdf", rule->pdf);
		say_range(answer, "hop", rule->hop);
		command_say(answer, ",at=%llu,count=%llu,ms=%llu,taken=%llu",
			    (unsigned long long)rule->at[rule->direction == 1],
			    (unsigned long long)rule->count, (unsigned long long)rule->ms,
			    (unsigned long long)rule->taken);
	}
	if (fault->random.threshold)
		command_say(answer, " random,rate=%.9f,taken=%llu",
			    (double)fault->random.threshold / UINT32_MAX,
			    (unsigned long long)fault->random.taken);
}

void control_fault_clear(struct control *control, char *args, struct command_answer *answer)
{
	(void)args;
	(void)answer;
	fault_clear(control->fault);
}

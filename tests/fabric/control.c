// SPDX-License-Identifier: GPL-2.0-or-later
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "control.h"

struct answer {
	char *text;
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void say(struct answer *answer, const char *format, ...)
{
	const size_t room = CONTROL_REPLY_MAX - answer->len;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(answer->text + answer->len, room, format, args);
	va_end(args);
	answer->len += len < 0 ? 0 : (size_t)len < room ? (size_t)len : room - 1;
}

/* Starts over with a refusal. */
#define refuse(answer, ...)                  \
	do {                                 \
		(answer)->len = 0;           \
		say(answer, "error " __VA_ARGS__); \
	} while (0)

static bool parse_number(const char *text, uint64_t *ret_number)
{
	unsigned long long number;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || *end)
		return false;
	*ret_number = number;
	return true;
}

static bool parse_small(const char *text, unsigned int limit, unsigned int *ret_number)
{
	uint64_t number;

	if (!parse_number(text, &number) || number >= limit)
		return false;
	*ret_number = (unsigned int)number;
	return true;
}

static const char *cable_state(const struct cable *cable)
{
	if (cable->linked)
		return "linked";
	if (!cable->plugged)
		return "unplugged";
	return cable->trained == CLOCK_NEVER ? "down" : "training";
}

static void run_status(struct control *control, char *args, struct answer *answer)
{
	const struct fabric *fabric = control->fabric;

	(void)args;
	for (unsigned int i = 0; i < fabric->host_count; i++) {
		const struct host *host = &fabric->hosts[i];
		uint64_t id = htobe64(htole64(host->router.unique_id));

		say(answer, " host=%s,%s,%08x-%04x-%04x-ffff-ffffffffffff", host->name,
		    host->powered ? "on" : "off", (uint32_t)(id >> 32), (uint32_t)(id >> 16) & 0xffff,
		    (uint32_t)id & 0xffff);
	}
	for (unsigned int i = 0; i < fabric->cable_count; i++) {
		const struct cable *cable = &fabric->cables[i];

		say(answer, " cable=%u,%s:%s,%s", i, cable->end[0].host->name,
		    cable->end[1].host->name, cable_state(cable));
	}
}

static void run_counters(struct control *control, char *args, struct answer *answer)
{
	const struct fabric *fabric = control->fabric;

	(void)args;
	for (unsigned int i = 0; i < fabric->cable_count; i++) {
		for (unsigned int direction = 0; direction < 2; direction++) {
			const struct cable_count *count = &fabric->cables[i].count[direction];

			say(answer, " cable=%u,%s,seen=%llu,frames=%llu,bytes=%llu,dropped=%llu", i,
			    direction ? "ba" : "ab",
			    (unsigned long long)control->fault->lanes[i][direction].seen,
			    (unsigned long long)count->frames, (unsigned long long)count->bytes,
			    (unsigned long long)count->dropped);
		}
	}
}

static void plug(struct control *control, const char *args, struct answer *answer, bool plugged)
{
	unsigned int cable;

	if (!parse_small(args, control->fabric->cable_count, &cable))
		refuse(answer, "There is no cable %s: give a number from 0.", args ? args : "named");
	else
		fabric_plug(control->fabric, cable, plugged);
}

static void run_plug(struct control *control, char *args, struct answer *answer)
{
	plug(control, args, answer, true);
}

static void run_unplug(struct control *control, char *args, struct answer *answer)
{
	plug(control, args, answer, false);
}

/* at=N counts from the start, at=+N from the next frame. */
static bool parse_at(struct control *control, const char *text, struct fault_rule *rule)
{
	const bool relative = *text == '+';
	uint64_t number;

	if (!parse_number(text + relative, &number))
		return false;
	for (unsigned int i = 0; i < 2; i++) {
		const struct fault_lane *lane = &control->fault->lanes[rule->cable][i];
		uint64_t base = rule->hop == FAULT_ANY ? lane->seen : lane->seen_hop[rule->hop];

		if (__builtin_add_overflow(number, relative ? base : 0, &rule->at[i]))
			return false;
	}
	return true;
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
		return parse_small(field, control->fabric->cable_count, &rule->cable);
	if (!strcmp(name, "dir"))
		return parse_direction(field, &rule->direction);
	if (!strcmp(name, "pdf"))
		return parse_small(field, 16, &rule->pdf);
	if (!strcmp(name, "hop"))
		return parse_small(field, PATH_HOPS_MAX, &rule->hop);
	if (!strcmp(name, "count"))
		return parse_number(field, &rule->count);
	if (!strcmp(name, "ms"))
		return parse_number(field, &rule->ms);
	if (strcmp(name, "at"))
		return false;
	*ret_at = field; /* its meaning depends on the other fields */
	return true;
}

static void run_fault_add(struct control *control, char *args, struct answer *answer)
{
	struct fault_rule rule = {
		.direction = FAULT_ANY, .pdf = FAULT_ANY, .hop = FAULT_ANY, .count = 1
	};
	const char *at = "+0", *kind = strsep(&args, " ");
	char *field;

	if (!control->fabric->cable_count) {
		refuse(answer, "There is no cable.");
		return;
	}
	rule.kind = kind ? fault_kind_parse(kind) : FAULT_KINDS;
	if (rule.kind == FAULT_KINDS) {
		refuse(answer, "There is no fault %s: drop, corrupt, crc, duplicate, delay, stall or "
			       "unplug.", kind ? kind : "named");
		return;
	}
	while ((field = strsep(&args, " "))) {
		if (*field && !parse_rule_field(control, field, &rule, &at)) {
			refuse(answer, "%s does not fit: cable=N dir=ab|ba|any pdf=P hop=H at=N|+N "
				       "count=C ms=M.", field);
			return;
		}
	}
	if (rule.kind == FAULT_DELAY && !rule.ms)
		refuse(answer, "A delay needs ms=M, or take a stall.");
	else if (!parse_at(control, at, &rule))
		refuse(answer, "at=%s is not a frame's number, N or +N from now.", at);
	else if (fault_add(control->fault, &rule))
		refuse(answer, "There are %u faults already: clear them.", FAULT_RULES_MAX);
	else
		say(answer, " %u", control->fault->rule_count);
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

static void run_fault_random(struct control *control, char *args, struct answer *answer)
{
	struct fault_random random = { .ms = 100 };
	char *field;

	while ((field = strsep(&args, " "))) {
		const char *name = strsep(&field, "=");
		bool valid = !field ? !*name :
			     !strcmp(name, "rate") ? parse_rate(field, &random.threshold) :
			     !strcmp(name, "kinds") ? parse_kinds(field, &random.kinds) :
			     !strcmp(name, "ms")    ? parse_number(field, &random.ms) :
						      false;

		if (!valid) {
			refuse(answer, "%s does not fit: rate=0..1 kinds=KIND,... ms=M.", name);
			return;
		}
	}
	if (!random.threshold != !random.kinds) {
		refuse(answer, "Random faults need both rate=R and kinds=KIND,...");
		return;
	}
	control->fault->random = random;
}

static void say_range(struct answer *answer, const char *name, unsigned int value)
{
	if (value != FAULT_ANY)
		say(answer, ",%s=%u", name, value);
}

static void run_fault_list(struct control *control, char *args, struct answer *answer)
{
	const struct fault *fault = control->fault;

	(void)args;
	for (unsigned int i = 0; i < fault->rule_count; i++) {
		const struct fault_rule *rule = &fault->rules[i];

		say(answer, " %u,%s,cable=%u,dir=%s", i + 1, fault_kind_name(rule->kind), rule->cable,
		    rule->direction == FAULT_ANY ? "any" : rule->direction ? "ba" : "ab");
		say_range(answer, "pdf", rule->pdf);
		say_range(answer, "hop", rule->hop);
		say(answer, ",at=%llu,count=%llu,ms=%llu,taken=%llu",
		    (unsigned long long)rule->at[rule->direction == 1],
		    (unsigned long long)rule->count, (unsigned long long)rule->ms,
		    (unsigned long long)rule->taken);
	}
	if (fault->random.threshold)
		say(answer, " random,rate=%.9f,taken=%llu",
		    (double)fault->random.threshold / UINT32_MAX,
		    (unsigned long long)fault->random.taken);
}

static void run_fault_clear(struct control *control, char *args, struct answer *answer)
{
	(void)args;
	(void)answer;
	fault_clear(control->fault);
}

static const struct command {
	const char *name;
	const char *synopsis;
	void (*run)(struct control *control, char *args, struct answer *answer);
} commands[] = {
	{ "status", "", run_status },
	{ "counters", "", run_counters },
	{ "plug", " CABLE", run_plug },
	{ "unplug", " CABLE", run_unplug },
	{ "fault add", " KIND [cable=N] [dir=ab|ba|any] [pdf=P] [hop=H] [at=N|+N] [count=C] [ms=M]",
	  run_fault_add },
	{ "fault random", " rate=R kinds=KIND,... [ms=M]", run_fault_random },
	{ "fault list", "", run_fault_list },
	{ "fault clear", "", run_fault_clear },
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

void control_execute(struct control *control, char *line, char reply[CONTROL_REPLY_MAX])
{
	struct answer answer = { .text = reply };

	say(&answer, "ok");
	for (size_t i = 0; i < COMMANDS; i++) {
		size_t len = strlen(commands[i].name);
		char *args = line + len;

		if (strncmp(line, commands[i].name, len) || (*args && *args != ' '))
			continue;
		commands[i].run(control, *args ? args + 1 : NULL, &answer);
		return;
	}
	if (strcmp(line, "help")) {
		refuse(&answer, "There is no command \"%.64s\": try help.", line);
		return;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		say(&answer, "%s %s%s", i ? " |" : "", commands[i].name, commands[i].synopsis);
}

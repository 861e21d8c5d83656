// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "clock.h"
#include "command.h"
#include "control.h"
#include "control_fault.h"

static const char *cable_state(const struct cable *cable)
{
	if (cable->linked)
		return "linked";
	if (!cable->plugged)
		return "unplugged";
	return cable->trained == CLOCK_NEVER ? "down" : "training";
}

static void run_status(struct control *control, char *args, struct command_answer *answer)
{
	const struct fabric *fabric = control->fabric;

	(void)args;
	for (unsigned int i = 0; i < fabric->host_count; i++) {
		const struct host *host = &fabric->hosts[i];
		uint64_t id = __builtin_bswap64(host->router.unique_id);

		command_say(answer, " host=%s,%s,%08x-%04x-%04x-ffff-ffffffffffff", host->name,
			    host->powered ? "on" : "off", (uint32_t)(id >> 32),
			    (uint32_t)(id >> 16) & 0xffff, (uint32_t)id & 0xffff);
	}
	for (unsigned int i = 0; i < fabric->cable_count; i++) {
		const struct cable *cable = &fabric->cables[i];

		command_say(answer, " cable=%u,%s:%s,%s", i, cable->end[0].host->name,
			    cable->end[1].host->name, cable_state(cable));
	}
}

static void run_counters(struct control *control, char *args, struct command_answer *answer)
{
	const struct fabric *fabric = control->fabric;

	(void)args;
	for (unsigned int i = 0; i < fabric->cable_count; i++) {
		for (unsigned int direction = 0; direction < 2; direction++) {
			const struct cable_count *count = &fabric->cables[i].count[direction];

			command_say(answer,
				    " cable=%u,%s,seen=%llu,frames=%llu,bytes=%llu,dropped=%llu", i,
				    direction ? "ba" : "ab",
				    (unsigned long long)control->fault->lanes[i][direction].seen,
				    (unsigned long long)count->frames,
				    (unsigned long long)count->bytes,
				    (unsigned long long)count->dropped);
		}
	}
}

static void plug(struct control *control, const char *args, struct command_answer *answer,
		 bool plugged)
{
	unsigned int cable;

	if (!command_index(args, control->fabric->cable_count, &cable))
		command_refuse(answer, "There is no cable %s: give a number from 0.",
			       args ? args : "named");
	else
		fabric_plug(control->fabric, cable, plugged);
}

static void run_plug(struct control *control, char *args, struct command_answer *answer)
{
	plug(control, args, answer, true);
}

static void run_unplug(struct control *control, char *args, struct command_answer *answer)
{
	plug(control, args, answer, false);
}

static const struct command {
	const char *name;
	const char *synopsis;
	void (*run)(struct control *control, char *args, struct command_answer *answer);
} commands[] = {
	{"status", "", run_status},
	{"counters", "", run_counters},
	{"plug", " CABLE", run_plug},
	{"unplug", " CABLE", run_unplug},
	{"fault add", " KIND [cable=N] [dir=ab|ba|any] [pdf=P] [hop=H] [at=N|+N] [count=C] [ms=M]",
	 control_fault_add},
	{"fault random", " rate=R kinds=KIND,... [ms=M]", control_fault_random},
	{"fault list", "", control_fault_list},
	{"fault clear", "", control_fault_clear},
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

void control_execute(struct control *control, char *line, char reply[COMMAND_ANSWER_MAX])
{
	struct command_answer answer = {.text = reply};

	command_say(&answer, "ok");
	for (size_t i = 0; i < COMMANDS; i++) {
		size_t len = strlen(commands[i].name);
		char *args = line + len;

		if (strncmp(line, commands[i].name, len) || (*args && *args != ' '))
			continue;
		commands[i].run(control, *args ? args + 1 : NULL, &answer);
		return;
	}
	if (strcmp(line, "help")) {
		command_refuse(&answer, "There is no command \"%.64s\": try help.", line);
		return;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		command_say(&answer, "%s %s%s", i ? " |" : "", commands[i].name,
			    commands[i].synopsis);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "step.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint64_t step_number(const struct step *step, int argument)
{
	static const char units[] = "KMG";
	const char *text = step_text(step, argument);
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	if (end != text && *end && strchr(units, *end)) {
		value <<= 10 * (strchr(units, *end) - units + 1);
		end++;
	}
	if (end == text || *end)
		report_usage(step->synopsis);
	return value;
}

uint64_t step_number_or(const struct step *step, int argument, uint64_t value)
{
	return step->args[argument] ? step_number(step, argument) : value;
}

const char *step_text(const struct step *step, int argument)
{
	if (!step->args[argument])
		report_usage(step->synopsis);
	return step->args[argument];
}

void step_result(struct step *step, int64_t value)
{
	step->result.value = value;
	step->result.error = value < 0 ? errno : 0;
}

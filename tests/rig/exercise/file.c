// SPDX-License-Identifier: GPL-2.0-or-later
#include "file.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "step.h"

#define PLACES 8

static struct file places[PLACES] = {[0 ... PLACES - 1] = {.fd = -1}};

struct file *file_place(uint64_t number)
{
	return number < PLACES ? &places[number] : NULL;
}

struct flag {
	const char *name;
	int value;
};

static const struct flag open_flags[] = {
	{"r", O_RDONLY},
	{"w", O_WRONLY},
	{"rw", O_RDWR},
	{"nonblock", O_NONBLOCK},
	{"create", O_CREAT | O_TRUNC},
	{NULL, 0},
};

static const struct flag poll_flags[] = {
	{"IN", POLLIN},	  {"OUT", POLLOUT},   {"RDHUP", POLLRDHUP}, {"HUP", POLLHUP},
	{"ERR", POLLERR}, {"NVAL", POLLNVAL}, {"none", 0},	    {NULL, 0},
};

/* The flags of a list with commas. */
static int flags_parse(const struct step *step, int argument, const struct flag *flags)
{
	char text[64], *rest = text, *name;
	int value = 0;

	snprintf(text, sizeof(text), "%s", step_text(step, argument));
	while ((name = strsep(&rest, ","))) {
		const struct flag *flag = flags;

		while (flag->name && strcasecmp(flag->name, name))
			flag++;
		if (!flag->name)
			report_usage(step->synopsis);
		value |= flag->value;
	}
	return value;
}

void file_open(struct step *step)
{
	struct file *file = step->context->file;

	if (file->fd >= 0)
		report_usage("a close before this place is opened again");
	*file = (struct file){
		.fd = open(step_text(step, 0), flags_parse(step, 1, open_flags) | O_CLOEXEC, 0644)};
	step_result(step, file->fd < 0 ? -1 : 0);
}

void file_close(struct step *step)
{
	struct file *file = step->context->file;

	step_result(step, close(file->fd));
	file->fd = -1;
}

void file_fsync(struct step *step)
{
	step_result(step, fsync(step->context->file->fd));
}

void file_pattern(struct step *step)
{
	struct file *file = step->context->file;

	file->written = file->read = step_number(step, 0);
}

void file_poll(struct step *step)
{
	static __thread char names[64];
	struct pollfd fd = {
		.fd = step->context->file->fd,
		.events = (short)flags_parse(step, 0, poll_flags),
	};

	step_result(step, poll(&fd, 1, (int)step_number(step, 1)));
	names[0] = '\0';
	for (const struct flag *flag = poll_flags; flag->name; flag++)
		if (fd.revents & flag->value)
			sprintf(names + strlen(names), "%s%s", names[0] ? "|" : "", flag->name);
	step->result.text = names[0] ? names : "none";
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "step.h"

void path_put(struct step *step)
{
	const char *text = step_text(step, 1);
	int fd = open(step_text(step, 0), O_WRONLY | O_CLOEXEC);

	step_result(step, fd < 0 ? -1 : write(fd, text, strlen(text)));
	if (fd >= 0)
		close(fd);
}

void path_mkdir(struct step *step)
{
	step_result(step, mkdir(step_text(step, 0), 0755));
}

void path_rmdir(struct step *step)
{
	step_result(step, rmdir(step_text(step, 0)));
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "pass.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "limit.h"
#include "step.h"

#define CHUNK 65536

static ssize_t splice_some(int from, int to, uint64_t left)
{
	return splice(from, NULL, to, NULL, left < CHUNK ? (size_t)left : CHUNK, SPLICE_F_MOVE);
}

static ssize_t sendfile_some(int from, int to, uint64_t left)
{
	return sendfile(to, from, NULL, left < CHUNK ? (size_t)left : CHUNK);
}

/* By way of a pipe: what went in has to come out again. */
static ssize_t pipe_piece(int from, int to, uint64_t left,
			  ssize_t (*some)(int from, int to, uint64_t left))
{
	int ends[2];
	ssize_t count, out = 0;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	count = some(from, ends[1], left);
	close(ends[1]);
	while (count > 0 && out < count) {
		ssize_t passed = splice_some(ends[0], to, (uint64_t)(count - out));

		if (passed <= 0)
			count = out ?: passed;
		else
			out += passed;
	}
	close(ends[0]);
	return count;
}

static ssize_t splice_piece(int from, int to, uint64_t left)
{
	return pipe_piece(from, to, left, splice_some);
}

static ssize_t sendfile_piece(int from, int to, uint64_t left)
{
	return pipe_piece(from, to, left, sendfile_some);
}

static void pass_run(struct step *step, int from, int to,
		     ssize_t (*piece)(int from, int to, uint64_t left))
{
	uint64_t wanted = step_number(step, 1), done = 0;
	ssize_t count = 1;

	while (done < wanted && count > 0) {
		count = piece(from, to, wanted - done);
		if (count > 0)
			done += (uint64_t)count;
		if (limit_over()) {
			errno = EINTR;
			count = -1;
		}
	}
	step->result.error = count < 0 ? errno : 0;
	step->result.value = (int64_t)done;
}

static int path_open(struct step *step, int flags)
{
	int fd = open(step_text(step, 0), flags | O_CLOEXEC, 0644);

	if (fd < 0)
		step_result(step, -1);
	return fd;
}

static void pass_from(struct step *step, ssize_t (*piece)(int from, int to, uint64_t left))
{
	int fd = path_open(step, O_RDONLY);

	if (fd < 0)
		return;
	pass_run(step, fd, step->context->file->fd, piece);
	close(fd);
}

void pass_sendfile_from(struct step *step)
{
	pass_from(step, sendfile_some);
}

void pass_splice_from(struct step *step)
{
	pass_from(step, splice_piece);
}

static void pass_to(struct step *step, ssize_t (*piece)(int from, int to, uint64_t left))
{
	int fd = path_open(step, O_WRONLY | O_CREAT | O_TRUNC);

	if (fd < 0)
		return;
	pass_run(step, step->context->file->fd, fd, piece);
	close(fd);
}

void pass_sendfile_to(struct step *step)
{
	pass_to(step, sendfile_piece);
}

void pass_splice_to(struct step *step)
{
	pass_to(step, splice_piece);
}

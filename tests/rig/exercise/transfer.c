// SPDX-License-Identifier: GPL-2.0-or-later
#include "transfer.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "limit.h"
#include "pattern.h"
#include "slow.h"
#include "step.h"

#define CHUNK	(256u << 10)
#define FULL_MS 200

struct transfer {
	struct file *file;
	uint8_t *buffer;
	size_t chunk;
	uint64_t done;
	unsigned int calls;
	unsigned int shorts;
	double longest;
	int64_t wrong; /* -1 */
	int64_t from;
	int error;
	bool eof;
};

static struct transfer transfer_start(const struct step *step, uint64_t chunk)
{
	struct transfer transfer = {
		.file = step->context->file,
		.buffer = malloc(chunk ?: 1),
		.chunk = chunk,
		.wrong = -1,
		.from = -1,
	};

	if (!transfer.buffer)
		report_usage("less memory");
	return transfer;
}

static void transfer_count(struct transfer *transfer, ssize_t count, double since)
{
	double ms = report_clock() - since;

	transfer->calls++;
	if (ms > transfer->longest)
		transfer->longest = ms;
	if (count < 0)
		transfer->error = errno;
	else
		transfer->done += (uint64_t)count;
}

/* False where it can not go on. */
static bool write_once(struct transfer *transfer, size_t size)
{
	struct file *file = transfer->file;
	double since;
	ssize_t count;

	pattern_fill(transfer->buffer, size, file->written);
	since = report_clock();
	count = write(file->fd, transfer->buffer, size);
	transfer_count(transfer, count, since);
	if (count < 0)
		return false;
	file->written += (uint64_t)count;
	transfer->shorts += (size_t)count < size;
	return true;
}

static void read_check(struct transfer *transfer, size_t size)
{
	struct file *file = transfer->file;
	size_t good = pattern_check(transfer->buffer, size, file->read);

	if (good < size && transfer->wrong < 0) {
		transfer->wrong = (int64_t)(file->read + good);
		if (size - good >= 8)
			transfer->from = pattern_find(transfer->buffer + good);
	}
	file->read += size;
}

static bool read_once(struct transfer *transfer, size_t size)
{
	double since = report_clock();
	ssize_t count = read(transfer->file->fd, transfer->buffer, size);

	transfer_count(transfer, count, since);
	transfer->eof = !count;
	if (count > 0)
		read_check(transfer, (size_t)count);
	return count > 0;
}

/* Calls one of the two until all that is wanted is done, or the step's limit is over. */
static void transfer_run(struct transfer *transfer, uint64_t wanted,
			 bool (*once)(struct transfer *transfer, size_t size))
{
	while (transfer->done < wanted) {
		uint64_t left = wanted - transfer->done;

		bool more = once(transfer, left < transfer->chunk ? (size_t)left : transfer->chunk);

		/* Whatever the call returned, it was the limit's signal that woke it. */
		if (limit_over())
			transfer->error = EINTR;
		if (!more || transfer->error)
			return;
	}
}

static void transfer_end(struct step *step, struct transfer *transfer)
{
	struct result *result = &step->result;

	result->value = (int64_t)transfer->done;
	result->error = transfer->error;
	result_add(result, " calls=%u longest=%.1f", transfer->calls, transfer->longest);
	free(transfer->buffer);
}

static void write_end(struct step *step, struct transfer *transfer)
{
	transfer_end(step, transfer);
	result_add(&step->result, " short=%u", transfer->shorts);
}

static void read_end(struct step *step, struct transfer *transfer)
{
	transfer_end(step, transfer);
	result_add(&step->result, " wrong=%lld from=%lld end=%s", (long long)transfer->wrong,
		   (long long)transfer->from,
		   transfer->error ? "error"
		   : transfer->eof ? "eof"
				   : "enough");
}

void transfer_write(struct step *step)
{
	struct transfer transfer = transfer_start(step, step_number_or(step, 1, CHUNK));

	transfer_run(&transfer, step_number(step, 0), write_once);
	write_end(step, &transfer);
}

void transfer_writeonce(struct step *step)
{
	struct transfer transfer = transfer_start(step, step_number(step, 0));

	write_once(&transfer, transfer.chunk);
	write_end(step, &transfer);
}

/* Frames that have been accepted may still be on their way to the peer's ring, and make room. */
static bool fill_once(struct transfer *transfer, size_t size)
{
	struct pollfd room = {.fd = transfer->file->fd, .events = POLLOUT};

	if (write_once(transfer, size))
		return true;
	if (transfer->error != EAGAIN)
		return false;
	transfer->error = 0;
	return poll(&room, 1, FULL_MS) == 1;
}

void transfer_fill(struct step *step)
{
	struct transfer transfer = transfer_start(step, step_number_or(step, 0, CHUNK));

	transfer_run(&transfer, UINT64_MAX, fill_once);
	write_end(step, &transfer);
}

void transfer_pump(struct step *step)
{
	struct transfer transfer = transfer_start(step, step_number_or(step, 0, CHUNK));
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char word;

	while (!limit_over() && poll(&input, 1, 0) <= 0)
		if (!write_once(&transfer, transfer.chunk))
			break;
	if (input.revents && read(STDIN_FILENO, &word, 1) < 0)
		transfer.error = errno;
	write_end(step, &transfer);
}

void transfer_read(struct step *step)
{
	struct transfer transfer = transfer_start(step, step_number_or(step, 1, CHUNK));

	transfer_run(&transfer, step_number(step, 0), read_once);
	read_end(step, &transfer);
}

void transfer_readonce(struct step *step)
{
	struct transfer transfer = transfer_start(step, step_number(step, 0));

	read_once(&transfer, transfer.chunk);
	read_end(step, &transfer);
}

void transfer_drain(struct step *step)
{
	struct transfer transfer = transfer_start(step, step_number_or(step, 0, CHUNK));

	transfer_run(&transfer, UINT64_MAX, read_once);
	read_end(step, &transfer);
}

/* The call in the midst of which a page of the buffer is waited for. */
static ssize_t slow_call(struct step *step, bool writes)
{
	struct file *file = step->context->file;
	uint8_t content[SLOW_SIZE];
	uint8_t *page;
	ssize_t count;

	pattern_fill(content, sizeof(content), file->written);
	page = slow_page(content, (long)step_number(step, 0));
	if (!page)
		return -1;
	count = writes ? write(file->fd, page, SLOW_SIZE) : read(file->fd, page, SLOW_SIZE);
	if (count > 0 && !writes && pattern_check(page, (size_t)count, file->read) < (size_t)count)
		result_add(&step->result, " wrong=%lld", (long long)file->read);
	if (count > 0)
		*(writes ? &file->written : &file->read) += (uint64_t)count;
	slow_free(page);
	return count;
}

void transfer_slowwrite(struct step *step)
{
	step_result(step, slow_call(step, true));
}

void transfer_slowread(struct step *step)
{
	step_result(step, slow_call(step, false));
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * XFS's log, a ring of records: Linux, fs/xfs/libxfs/xfs_log_format.h and, how its end is found,
 * fs/xfs/xfs_log_recover.c. Every sector of it begins with the number of the round in which it was
 * written, but a record's header, where that is the second word. After an unmount the last record
 * is one that says nothing else.
 */
#include "used/used_xfs.h"

#include <errno.h>
#include <string.h>

#define LOG_SECTOR 512u
#define LOG_MAGIC  0xfeedbabeu
#define LOG_HEADER                                                                    \
	32768u /* bytes of a record for each sector of header; XLOG_HEADER_CYCLE_SIZE \
		*/
#define LOG_SIZE_MOST (256u << 10) /* XLOG_MAX_RECORD_BSIZE */
#define LOG_UNMOUNT   0x20u	   /* xlog_op_header.oh_flags: XLOG_UNMOUNT_TRANS */
#define LOG_BACK_MOST (LOG_SIZE_MOST / LOG_SECTOR + LOG_SIZE_MOST / LOG_HEADER)

struct xfs_log {
	const struct xfs *xfs;
	uint64_t start; /* bytes */
	uint32_t sectors;
	uint8_t buf[LOG_SECTOR];
};

static int log_doubt(const struct xfs_log *log, const char *doubt)
{
	return used_doubt(doubt, log->xfs->ret_doubt);
}

static int log_read(struct xfs_log *log, uint32_t sector)
{
	return used_get(log->xfs->area, log->start + (uint64_t)sector * LOG_SECTOR, log->buf,
			LOG_SECTOR, log->xfs->ret_doubt);
}

/* The round in which SECTOR was written; 0: never. */
static int log_round(struct xfs_log *log, uint32_t sector, uint32_t *ret)
{
	int r = log_read(log, sector);

	if (r == 0)
		*ret = xfs_get32(log->buf + (xfs_get32(log->buf) == LOG_MAGIC ? 4 : 0));
	return r;
}

/* The first sector that is not of the first one's round, where the next record goes; or 0. */
static int log_find_head(struct xfs_log *log, uint32_t *ret)
{
	uint32_t first = 0, round = 0, low = 0, high = log->sectors - 1;
	int r = log_round(log, 0, &first);

	if (r == 0 && first == 0)
		return log_doubt(log, "its log is empty");
	if (r == 0)
		r = log_round(log, high, &round);
	if (r < 0)
		return r;
	*ret = 0;
	if (round == first)
		return 0;
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		r = log_round(log, middle, &round);
		if (r < 0)
			return r;
		if (round == first)
			low = middle;
		else
			high = middle;
	}
	*ret = high;
	return 0;
}

/* The header of the record before HEAD is in the buffer then. */
static int log_find_last(struct xfs_log *log, uint32_t head, uint32_t *ret_back)
{
	for (uint32_t back = 1; back <= LOG_BACK_MOST && back <= log->sectors; back++) {
		int r = log_read(log, (head + log->sectors - back) % log->sectors);

		if (r < 0)
			return r;
		if (xfs_get32(log->buf) == LOG_MAGIC) {
			*ret_back = back;
			return 0;
		}
	}
	return log_doubt(log, "its log is damaged");
}

/* The header in the buffer, BACK sectors before HEAD: whether its record ends there and is alone.
 */
static int log_check_last(struct xfs_log *log, uint32_t head, uint32_t back)
{
	uint32_t version = xfs_get32(log->buf + 8), len = xfs_get32(log->buf + 12);
	uint32_t operations = xfs_get32(log->buf + 40), size = xfs_get32(log->buf + 320);
	uint32_t headers = 1;

	if ((version & ~3u) || memcmp(log->buf + 304, log->xfs->log_id, 16) != 0 ||
	    len > LOG_SIZE_MOST || size > LOG_SIZE_MOST)
		return log_doubt(log, "its log is damaged");
	if (version & 2 && size > LOG_HEADER)
		headers = (size + LOG_HEADER - 1) / LOG_HEADER;
	if (operations != 1 || back != headers + (len + LOG_SECTOR - 1) / LOG_SECTOR)
		return log_doubt(log, "it was not unmounted");
	int r = log_read(log, (head + log->sectors - back + headers) % log->sectors);

	if (r == 0 && !(log->buf[9] & LOG_UNMOUNT))
		r = log_doubt(log, "it was not unmounted");
	return r;
}

int xfs_log_check(const struct xfs *xfs)
{
	struct xfs_log log = {
		.xfs = xfs,
		.start = xfs_offset(xfs, xfs->log),
	};
	uint64_t sectors = (uint64_t)xfs->log_blocks * xfs->block / LOG_SECTOR;
	uint32_t head = 0, back = 0;

	if (sectors < 2 * LOG_BACK_MOST || sectors > INT32_MAX)
		return log_doubt(&log, "its log has a length that it cannot have");
	log.sectors = sectors;
	int r = log_find_head(&log, &head);

	if (r == 0)
		r = log_find_last(&log, head, &back);
	return r < 0 ? r : log_check_last(&log, head, back);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether Windows has finished with an NTFS volume. A Windows that hibernates, or was shut down
 * with "fast startup", has it mounted still, and knows of changes that are not there. Names and
 * offsets are those of Linux, fs/ntfs3/ntfs.h and fslog.c; of hiberfil.sys that of ntfs-3g.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "codec/bytes.h"
#include "used/used_ntfs.h"

#define VOLUME_CHKDSK	  0x8000u /* of the flags the one that says nothing about the state */
#define LOG_PAGE_LEAST	  512u
#define LOG_PAGE_MOST	  65536u
#define LOG_NO_CLIENT	  0xffffu
#define LOG_VOLUME_CLEAN  0x0002u /* RESTART_SINGLE_PAGE_IO: Windows has unmounted it */
#define INDEX_BLOCK_MOST  65536u
#define INDEX_BLOCKS_MOST 65536u /* of a root folder: hundreds of thousands of files */
#define INDEX_HEADER	  16u
#define INDEX_LAST	  0x0002u
#define FILE_NAME	  66u /* where the name begins in ATTR_FILE_NAME */
#define HIBERFIL	  "hiberfil.sys"

static int state_check_flags(struct ntfs *ntfs)
{
	int r = ntfs_open(ntfs, PROBE_NTFS_VOLUME, NTFS_ATTR_VOLUME);

	if (r < 0)
		return r;
	if (!ntfs->attr.resident || ntfs->attr.size < 12)
		return ntfs_doubt(ntfs, "one of its own files is damaged");
	const uint8_t *value = ntfs->attr.at + bytes_get16(ntfs->attr.at + 20);

	if (bytes_get16(value + 10) & ~VOLUME_CHKDSK)
		return ntfs_doubt(ntfs, "it is marked as one to be checked");
	return 0;
}

/* A restart page of the log: its number of changes, and whether nobody was using it. */
struct state_restart {
	uint64_t lsn;
	uint32_t page; /* bytes */
	bool there, clean;
};

/* PAGE is the page's first sector: all that is looked at stands before the fixups. */
static struct state_restart state_restart(const uint8_t page[LOG_PAGE_LEAST])
{
	struct state_restart restart = {.page = bytes_get32(page + 16)};
	unsigned int at = bytes_get16(page + 24);

	if (memcmp(page, "RSTR", 4) != 0 || at < 30 || at > LOG_PAGE_LEAST - 48)
		return restart;
	restart.there = true;
	restart.lsn = bytes_get64(page + at);
	restart.clean = bytes_get16(page + at + 12) == LOG_NO_CLIENT ||
			bytes_get16(page + at + 14) & LOG_VOLUME_CLEAN;
	return restart;
}

/* Of two restart pages the one with more changes counts; a log of ones alone was never used. */
static int state_check_log(struct ntfs *ntfs)
{
	uint8_t page[2][LOG_PAGE_LEAST];
	int r = ntfs_open(ntfs, PROBE_NTFS_LOG, NTFS_ATTR_DATA);

	if (r == 0)
		r = ntfs_read(ntfs, 0, page[0], LOG_PAGE_LEAST);
	if (r < 0)
		return r;
	memset(page[1], 0xff, LOG_PAGE_LEAST);
	if (memcmp(page[0], page[1], LOG_PAGE_LEAST) == 0)
		return 0;
	struct state_restart restart = state_restart(page[0]), other;

	if (!restart.there || restart.page < LOG_PAGE_LEAST || restart.page > LOG_PAGE_MOST)
		return ntfs_doubt(ntfs, "its log is damaged");
	r = ntfs_read(ntfs, restart.page, page[1], LOG_PAGE_LEAST);
	if (r < 0)
		return r;
	other = state_restart(page[1]);
	if (other.there && other.lsn > restart.lsn)
		restart = other;
	return restart.clean ? 0 : ntfs_doubt(ntfs, "it was not unmounted");
}

static bool entry_is_hiberfil(const uint8_t *name, unsigned int len)
{
	char text[sizeof(HIBERFIL)];

	if (len != strlen(HIBERFIL))
		return false;
	for (unsigned int i = 0; i < len; i++) {
		if (name[2 * i + 1] != 0)
			return false;
		text[i] = (char)name[2 * i];
	}
	text[len] = '\0';
	return strcasecmp(text, HIBERFIL) == 0;
}

/*
 * The SIZE bytes at HEADER are an INDEX_HDR and its entries. *RET becomes the number of
 * hiberfil.sys, where it is one of them.
 */
static int state_find_entry(const struct ntfs *ntfs, const uint8_t *header, uint32_t size,
			    uint64_t *ret)
{
	uint32_t at = bytes_get32(header), end = bytes_get32(header + 4), len;

	if (size < INDEX_HEADER || end > size)
		return ntfs_doubt(ntfs, "its root folder is damaged");
	for (; at <= end && end - at >= 16; at += len) {
		const uint8_t *entry = header + at;

		len = bytes_get16(entry + 8);
		if (len < 16 || len > end - at)
			break;
		if (bytes_get16(entry + 12) & INDEX_LAST)
			return 0;
		if (len < 16 + FILE_NAME || 16 + FILE_NAME + 2u * entry[16 + 64] > len)
			break;
		if (entry_is_hiberfil(entry + 16 + FILE_NAME, entry[16 + 64]))
			*ret = bytes_get64(entry) & 0xffffffffffff;
	}
	return ntfs_doubt(ntfs, "its root folder is damaged");
}

/* All blocks of the root folder beside its record: of $INDEX_ALLOCATION. */
static int state_find_blocks(struct ntfs *ntfs, uint32_t size, uint64_t *ret)
{
	static const uint32_t header = 24;
	uint8_t block[INDEX_BLOCK_MOST];
	int r = 0;

	if (size < PROBE_NTFS_SECTOR || size > sizeof(block) || size % PROBE_NTFS_SECTOR ||
	    ntfs->attr.size / size > INDEX_BLOCKS_MOST)
		return ntfs_doubt(ntfs, "its root folder is damaged, or too large");
	for (uint64_t at = 0; r == 0 && at < ntfs->attr.size; at += size) {
		r = ntfs_read(ntfs, at, block, size);
		if (r == 0 && (memcmp(block, "INDX", 4) != 0 || !probe_ntfs_fix(block, size)))
			r = ntfs_doubt(ntfs, "its root folder is damaged");
		if (r == 0)
			r = state_find_entry(ntfs, block + header, size - header, ret);
	}
	return r;
}

/* *RET: the number of hiberfil.sys, or 0. */
static int state_find_hiberfil(struct ntfs *ntfs, uint64_t *ret)
{
	int r = ntfs_open(ntfs, PROBE_NTFS_ROOT, NTFS_ATTR_ROOT);

	if (r < 0)
		return r;
	if (!ntfs->attr.resident || ntfs->attr.size < 2 * INDEX_HEADER)
		return ntfs_doubt(ntfs, "its root folder is damaged");
	const uint8_t *root = ntfs->attr.at + bytes_get16(ntfs->attr.at + 20);
	uint32_t size = bytes_get32(root + 8);

	*ret = 0;
	r = state_find_entry(ntfs, root + INDEX_HEADER, (uint32_t)ntfs->attr.size - INDEX_HEADER,
			     ret);
	if (r < 0 || *ret ||
	    !probe_ntfs_find(&ntfs->volume, ntfs->record, NTFS_ATTR_ALLOCATION, &ntfs->attr))
		return r;
	return state_find_blocks(ntfs, size, ret);
}

/* The record of file NUMBER, wherever the MFT has it. */
static int state_read_record(struct ntfs *ntfs, uint64_t number, uint8_t *record)
{
	int r = ntfs_open(ntfs, PROBE_NTFS_MFT, NTFS_ATTR_DATA);

	if (r == 0 && number >= ntfs->attr.size / ntfs->volume.record)
		r = ntfs_doubt(ntfs, "its root folder is damaged");
	if (r == 0)
		r = ntfs_read(ntfs, number * ntfs->volume.record, record, ntfs->volume.record);
	if (r == 0 && !probe_ntfs_check(&ntfs->volume, number, record))
		r = ntfs_doubt(ntfs, "its file hiberfil.sys is damaged");
	return r;
}

/* A Windows that woke up leaves zeros there, or "wake". */
static int state_check_hiberfil(struct ntfs *ntfs, uint64_t number)
{
	static const uint8_t zeros[4];
	uint8_t record[PROBE_NTFS_RECORD], start[4];
	int r = state_read_record(ntfs, number, record);

	if (r < 0)
		return r;
	memcpy(ntfs->record, record, sizeof(record));
	if (!probe_ntfs_find(&ntfs->volume, ntfs->record, NTFS_ATTR_DATA, &ntfs->attr))
		return ntfs_doubt(ntfs, "its file hiberfil.sys is damaged or in many pieces");
	if (ntfs->attr.resident)
		return ntfs->attr.size == 0 ? 0 : ntfs_doubt(ntfs, "a Windows may sleep in it");
	r = ntfs_read(ntfs, 0, start, sizeof(start));
	if (r == 0 && memcmp(start, zeros, sizeof(start)) != 0 &&
	    strncasecmp((const char *)start, "wake", sizeof(start)) != 0)
		r = ntfs_doubt(ntfs, "a Windows sleeps in it, by hibernation or \"fast startup\"");
	return r;
}

int ntfs_check_state(struct ntfs *ntfs)
{
	uint64_t hiberfil;
	int r = state_check_flags(ntfs);

	if (r == 0)
		r = state_check_log(ntfs);
	if (r == 0)
		r = state_find_hiberfil(ntfs, &hiberfil);
	if (r < 0 || hiberfil == 0)
		return r;
	return state_check_hiberfil(ntfs, hiberfil);
}

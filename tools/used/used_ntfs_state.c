// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether NTFS was put down for good. The log: Linux, fs/ntfs3/fslog.c (restart_hdr, restart_area);
 * names: ntfs.h, ATTR_FILE_NAME; a Windows that sleeps: PO_MEMORY_IMAGE; shadow copies: libvshadow,
 * "Volume Shadow Snapshot (VSS) format".
 */
#include "used/used_ntfs.h"

#include <errno.h>
#include <string.h>
#include <sys/param.h>

#include "codec/bytes.h"

#define VOLUME_DIRTY	0x0001u
#define VOLUME_UPGRADE	0x0004u
#define VOLUME_CHECKING 0x4000u

#define LOG_MOST      (UINT64_C(1) << 32)
#define LOG_CLEAN     0x0002u
#define LOG_NO_CLIENT 0xffffu

#define NAME_LEN  64u /* of a $FILE_NAME: characters, and where they are */
#define NAME_TEXT 66u

#define SHADOWS_AT 0x1e00u

int ntfs_check_volume(struct ntfs *ntfs)
{
	uint8_t record[NTFS_RECORD_MOST], info[12];
	struct probe_ntfs_attr attr;
	int r = ntfs_read_record(ntfs, NTFS_VOLUME, record);

	if (r == 0)
		r = ntfs_find(ntfs, record, NTFS_ATTR_INFO, "", &attr);
	if (r == 0)
		r = ntfs_read(ntfs, &attr, 0, info, sizeof(info));
	if (r < 0)
		return r;
	if (info[8] != 3 && !(info[8] == 1 && info[9] == 2))
		return ntfs_doubt(ntfs, "its version is not known");
	if (bytes_get16(info + 10) & (VOLUME_DIRTY | VOLUME_UPGRADE | VOLUME_CHECKING))
		return ntfs_doubt(ntfs, "it is marked as damaged, or was not unmounted");
	return 0;
}

/* mkntfs and ntfs-3g leave a log of nothing but 0xff. */
static int log_check_empty(struct ntfs *ntfs, const struct probe_ntfs_attr *log)
{
	for (uint64_t at = 0; at < log->size; at += NTFS_PART) {
		size_t len = MIN(NTFS_PART, log->size - at);
		int r = ntfs_read(ntfs, log, at, ntfs->part, len);

		if (r < 0)
			return r;
		if (ntfs->part[0] != 0xff || memcmp(ntfs->part, ntfs->part + 1, len - 1) != 0)
			return ntfs_doubt(ntfs, "its log is damaged");
	}
	return 0;
}

/* PAGE is fixed. */
static bool page_is_known(const uint8_t *page, uint32_t size)
{
	uint32_t at = bytes_get16(page + 24);

	return bytes_get32(page + 16) == size && at % 8 == 0 && at >= 30 && at <= NTFS_SECTOR - 48;
}

/* A Windows that keeps something in its memory leaves version 2.0, and 1.1 when it is down. */
static bool page_is_clean(const uint8_t *page)
{
	const uint8_t *area = page + bytes_get16(page + 24);

	return bytes_get16(page + 26) == 1 && bytes_get16(page + 28) == 1 &&
	       (bytes_get16(area + 12) == LOG_NO_CLIENT || bytes_get16(area + 14) & LOG_CLEAN);
}

/* It begins with two pages, of which the one that was written last counts. */
int ntfs_check_log(struct ntfs *ntfs)
{
	uint8_t record[NTFS_RECORD_MOST], *page = ntfs->part;
	struct probe_ntfs_attr log;
	uint64_t written[2];
	bool clean[2];
	int r = ntfs_read_record(ntfs, NTFS_LOG, record);

	if (r == 0)
		r = ntfs_find(ntfs, record, NTFS_ATTR_DATA, "", &log);
	if (r == 0 && (log.size > LOG_MOST || log.size < (uint64_t)2 * NTFS_RECORD_MOST))
		r = ntfs_doubt(ntfs, "its log is damaged");
	if (r == 0)
		r = ntfs_read(ntfs, &log, 0, page, NTFS_RECORD_MOST);
	if (r < 0)
		return r;
	if (page[0] == 0xff)
		return log_check_empty(ntfs, &log);
	for (int i = 0; i < 2; i++) {
		r = ntfs_read(ntfs, &log, i * NTFS_RECORD_MOST, page, NTFS_RECORD_MOST);
		if (r < 0)
			return r;
		if (memcmp(page, "RSTR", 4) != 0 || !probe_ntfs_fix(page, NTFS_RECORD_MOST) ||
		    !page_is_known(page, NTFS_RECORD_MOST))
			return ntfs_doubt(ntfs, "its log is damaged");
		written[i] = bytes_get64(page + bytes_get16(page + 24));
		clean[i] = page_is_clean(page);
	}
	if ((written[0] >= written[1] && !clean[0]) || (written[1] >= written[0] && !clean[1]))
		return ntfs_doubt(ntfs, "it was not unmounted, or Windows is to start fast");
	return 0;
}

static bool head_is_zero(const uint8_t *head, size_t len)
{
	return head[0] == 0 && memcmp(head, head + 1, len - 1) == 0;
}

static bool name_is_sleep(const struct probe_ntfs_attr *name)
{
	static const char sleep[] = "hiberfil.sys";
	uint32_t len = sizeof(sleep) - 1;

	if (!name->resident || name->size < NAME_TEXT + 2 * len || name->value[NAME_LEN] != len ||
	    (bytes_get64(name->value) & NTFS_NUMBER) != NTFS_ROOT)
		return false;
	for (uint32_t i = 0; i < len; i++) {
		uint16_t c = bytes_get16(name->value + NAME_TEXT + 2 * (size_t)i);

		if (c != sleep[i] && (sleep[i] == '.' || c != sleep[i] - 'a' + 'A'))
			return false;
	}
	return true;
}

/* It is what Windows writes its memory to when it sleeps, or shuts down to start fast. */
int ntfs_check_name(const struct ntfs *ntfs, const uint8_t *record,
		    const struct probe_ntfs_attr *name)
{
	struct probe_ntfs_attr data;
	uint8_t head[4096] = {0};

	if (!name_is_sleep(name))
		return 0;
	if (!ntfs_is_whole(ntfs, record) ||
	    probe_ntfs_find(&ntfs->disk, record, NTFS_ATTR_DATA, "", &data) <= 0 ||
	    data.size < sizeof(head))
		return ntfs_doubt(ntfs, "a Windows may sleep in it");
	int r = ntfs_read(ntfs, &data, 0, head, MIN(data.valid, sizeof(head)));

	if (r < 0)
		return r;
	/* It has woken up, or never slept. */
	if (memcmp(head, "wake", 4) != 0 && memcmp(head, "WAKE", 4) != 0 &&
	    !head_is_zero(head, sizeof(head)))
		return ntfs_doubt(ntfs, "a Windows sleeps in it, or was shut down to start fast");
	return 0;
}

/* A copy has what a file was before where it was, though that is free now. */
int ntfs_check_shadows(struct ntfs *ntfs)
{
	static const uint8_t id[16] = {0x6b, 0x87, 0x08, 0x38, 0x76, 0xc1, 0x48, 0x4e,
				       0xb7, 0xae, 0x04, 0x04, 0x6e, 0x6c, 0xc7, 0x52};
	uint8_t head[56];
	int r = used_get(ntfs->area, SHADOWS_AT, head, sizeof(head), ntfs->ret_doubt);

	if (r == 0 && memcmp(head, id, sizeof(id)) == 0 && bytes_get64(head + 48) != 0)
		r = ntfs_doubt(ntfs, "it has shadow copies");
	return r;
}

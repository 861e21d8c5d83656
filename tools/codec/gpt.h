/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A GPT (UEFI Specification 2.10 section 5.3) on a disk of another size than it was made for: its
 * backup belongs into the disk's last sectors. libfdisk and sfdisk do this too, but no Debian has
 * libfdisk.a for our static program, sfdisk would bring its libraries into the rescue image, and
 * both refuse a disk that is smaller than the table says. Pure: all of it happens on bytes.
 */
#ifndef CODEC_GPT_H
#define CODEC_GPT_H

#include <stddef.h>
#include <stdint.h>

#define GPT_SECTOR_LEAST 512u
#define GPT_ARRAY_MOST	 (1u << 20) /* bytes of entries: 8192 partitions, 128 being usual */
#define GPT_BACKUP_MOST	 (GPT_ARRAY_MOST + 65536u)

/* A primary GPT whose checksums are right. Sectors are counted from 0. */
struct gpt {
	uint32_t sector;      /* bytes */
	uint64_t array;	      /* first sector of the entries */
	uint32_t array_size;  /* bytes */
	uint64_t backup;      /* sector of the backup's header: the last one of the disk it was made
				 for */
	uint64_t first, last; /* sectors that partitions may use */
	uint64_t end;	      /* the first sector behind all partitions; 0 without any */
};

/*
 * Reads the primary GPT out of HEAD, the first LEN bytes of a disk with sectors of SECTOR bytes (0:
 * unknown, 512 and 4096 are tried). Returns 0; -ENOMSG when there is none, -EBADMSG when it is
 * damaged or strange.
 */
int gpt_read(const uint8_t *head, size_t len, uint32_t sector, struct gpt *ret);

/* Bytes at the end of a disk that the backup takes. */
uint64_t gpt_backup_size(const struct gpt *gpt);

/*
 * Makes the GPT in HEAD (gpt_read gave GPT for it) one of a disk of SIZE bytes: changes its header
 * and the size in the protective MBR, both in the first two sectors, and writes the
 * gpt_backup_size bytes of the backup to RET_BACKUP, which belong at RET_OFFSET. Returns 0, or
 * -ENOSPC, nothing changed, where a partition would not be within the disk.
 */
int gpt_move(const struct gpt *gpt, uint8_t *head, uint64_t size, uint8_t *ret_backup,
	     uint64_t *ret_offset);

#endif

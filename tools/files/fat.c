// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * FAT12, FAT16 and FAT32: EFI system partitions and sticks. A file's id is the place of its entry
 * on the device; the root has none, and is 0, where the boot sector stands.
 */
#include "files/fat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "codec/bytes.h"

#define FAT_READONLY 0x01
#define FAT_LABEL    0x08
#define FAT_FOLDER   0x10
#define FAT_LONG     0x0f

static int fat_damaged(struct files *files, const char *what)
{
	return files_fail(files, -EBADMSG, "the FAT file system is damaged: %s", what);
}

/* Where everything is. The number of clusters alone tells how wide the FAT's entries are. */
static int fat_layout(struct files *files, const uint8_t *boot)
{
	struct fat *fat = files->fs;
	uint32_t sector = bytes_get16(boot + 11), reserved = bytes_get16(boot + 14);
	uint64_t table = bytes_get16(boot + 22) ? bytes_get16(boot + 22) : bytes_get32(boot + 36);
	uint64_t total = bytes_get16(boot + 19) ? bytes_get16(boot + 19) : bytes_get32(boot + 32);
	uint64_t root = ((uint64_t)bytes_get16(boot + 17) * FAT_ENTRY + sector - 1) / sector;
	uint64_t before = reserved + boot[16] * table + root;

	if (!table || before >= total)
		return fat_damaged(files, "its first sector makes no sense");
	fat->cluster = boot[13] * sector;
	fat->clusters = (total - before) / boot[13];
	fat->bits = fat->clusters < 4085 ? 12 : fat->clusters < 65525 ? 16 : 32;
	fat->table = (uint64_t)reserved * sector;
	fat->root = (reserved + boot[16] * table) * sector;
	fat->root_size = root * sector;
	fat->data = before * sector;
	if (fat->bits == 32) {
		fat->root_size = 0;
		fat->root_cluster = bytes_get32(boot + 44);
	}
	if (fat->clusters > 0x0ffffff5 || table * sector < (fat->clusters + 2ull) * fat->bits / 8)
		return fat_damaged(files, "its table is too small");
	snprintf(files->kind, sizeof(files->kind), "FAT%u", fat->bits);
	return 0;
}

static int fat_open(struct files *files)
{
	uint8_t boot[512];
	int r;

	files->fs = calloc(1, sizeof(struct fat));
	if (!files->fs)
		return -ENOMEM;
	r = view_device_read(files->device, boot, sizeof(boot), 0);
	return r < 0 ? r : fat_layout(files, boot);
}

static void fat_close(struct files *files)
{
	free(files->fs);
}

static int fat_load(struct files *files, uint64_t id, struct fat_entry *ret)
{
	struct fat *fat = files->fs;

	*ret = (struct fat_entry){.first = fat->root_cluster, .folder = true};
	if (id == 0)
		return 0;
	int r = view_device_read(files->device, ret->raw, sizeof(ret->raw), id);

	if (r < 0)
		return r;
	ret->first = bytes_get16(ret->raw + 26);
	if (fat->bits == 32)
		ret->first |= (uint32_t)bytes_get16(ret->raw + 20) << 16;
	ret->folder = ret->raw[11] & FAT_FOLDER;
	ret->size = ret->folder ? 0 : bytes_get32(ret->raw + 28);
	return 0;
}

static int fat_stat(struct files *files, uint64_t id, struct files_stat *ret)
{
	struct fat_entry entry;
	int r = fat_load(files, id, &entry);

	if (r < 0)
		return r;
	*ret = (struct files_stat){
		.mode = entry.folder		       ? S_IFDIR | 0755
			: entry.raw[11] & FAT_READONLY ? S_IFREG | 0444
						       : S_IFREG | 0644,
		.links = 1,
		.size = entry.size,
		.mtime = fat_time(bytes_get16(entry.raw + 24), bytes_get16(entry.raw + 22)),
		.atime = fat_time(bytes_get16(entry.raw + 18), 0),
	};
	return 0;
}

/* The entries in LEN bytes at BUF, which stand at PLACE. Returns 1 behind the last one, 0 to go on.
 */
static int list_block(struct files_list *list, struct fat_long *name, const uint8_t *buf,
		      uint32_t len, uint64_t place)
{
	char text[FILES_NAME_MOST];

	for (uint32_t at = 0; at < len; at += FAT_ENTRY) {
		const uint8_t *entry = buf + at;
		int r;

		if (entry[0] == 0)
			return 1;
		if (entry[0] == 0xe5) {
			name->count = 0;
		} else if ((entry[11] & 0x3f) == FAT_LONG) {
			fat_long_add(name, entry);
		} else if (entry[11] & FAT_LABEL) {
			name->count = 0;
		} else {
			size_t n = fat_name(name, entry, text);

			r = files_list_add(list, place + at, text, n,
					   entry[11] & FAT_FOLDER ? S_IFDIR : S_IFREG);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int fat_list(struct files *files, uint64_t id, struct files_list *list)
{
	struct fat *fat = files->fs;
	struct fat_long name = {0};
	struct fat_entry folder;
	int r = fat_load(files, id, &folder);

	if (r < 0)
		return r;
	bool fixed = id == 0 && fat->root_size;
	uint32_t piece = fixed ? fat->root_size : fat->cluster;
	uint8_t *buf = malloc(piece);

	if (!buf)
		return -ENOMEM;
	for (uint32_t i = 0; r == 0 && (uint64_t)i * piece < FAT_FOLDER_MOST; i++) {
		uint64_t place = fat->root;
		uint32_t cluster;

		r = fixed ? i == 0 : fat_chain(files, folder.first, i, &cluster);
		if (r <= 0)
			break;
		if (!fixed)
			place = fat_place(fat, cluster);
		r = view_device_read(files->device, buf, piece, place);
		if (r == 0)
			r = list_block(list, &name, buf, piece, place);
	}
	free(buf);
	return r < 0 ? r : 0;
}

static int fat_read(struct files *files, uint64_t id, void *buf, uint32_t len, uint64_t offset)
{
	struct fat *fat = files->fs;
	struct fat_entry entry;
	uint8_t *out = buf;
	int r = fat_load(files, id, &entry);

	if (r < 0)
		return r;
	while (len) {
		uint32_t cluster, inside = offset % fat->cluster, piece = fat->cluster - inside;

		r = fat_chain(files, entry.first, offset / fat->cluster, &cluster);
		if (r == 0)
			r = fat_damaged(files, "a file ends before its size");
		if (r < 0)
			return r;
		if (piece > len)
			piece = len;
		r = view_device_read(files->device, out, piece, fat_place(fat, cluster) + inside);
		if (r < 0)
			return r;
		out += piece;
		offset += piece;
		len -= piece;
	}
	return 0;
}

const struct files_ops files_fat = {
	.caseless = true,
	.open = fat_open,
	.close = fat_close,
	.stat = fat_stat,
	.list = fat_list,
	.read = fat_read,
};

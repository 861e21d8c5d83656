// SPDX-License-Identifier: GPL-2.0-or-later
/* NTFS, by libntfs-3g, whose log is not wanted and whose writes cannot happen. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "codec/bytes.h"
#include "files/files_kinds.h"
#include "files/ntfs_device.h"

#define NTFS_REPARSE_MOST 16384u /* bytes: what Windows allows */
#define NTFS_TAG_LINK	  0xa000000cu
#define NTFS_TAG_JUNCTION 0xa0000003u
#define NTFS_TAG_DEDUP	  0x80000013u
#define NTFS_TAG_COMPACT  0x80000017u /* compressed by Windows itself, elsewhere */
#define NTFS_RECALL	  0x00440000u /* attributes: the data is in some cloud */

struct ntfs {
	ntfs_volume *volume;
	uint64_t id; /* of node; 0: none */
	ntfs_inode *node;
	ntfs_attr *data;
};

static void ntfs_forget(struct ntfs *ntfs)
{
	if (ntfs->data)
		ntfs_attr_close(ntfs->data);
	if (ntfs->node)
		ntfs_inode_close(ntfs->node);
	ntfs->data = NULL;
	ntfs->node = NULL;
	ntfs->id = 0;
}

static int ntfs_load(struct files *files, uint64_t id)
{
	struct ntfs *ntfs = files->fs;

	if (ntfs->node && ntfs->id == id)
		return 0;
	ntfs_forget(ntfs);
	ntfs->node = ntfs_inode_open(ntfs->volume, id);
	if (!ntfs->node)
		return errno == ENOMEM ? -ENOMEM : -EBADMSG;
	ntfs->id = id;
	return 0;
}

static int ntfs_open(struct files *files)
{
	struct ntfs *ntfs = calloc(1, sizeof(*ntfs));
	struct ntfs_device *device;

	if (!ntfs)
		return -ENOMEM;
	files->fs = ntfs;
	files->root = FILE_root;
	ntfs_log_set_handler(ntfs_log_handler_null);
	device = ntfs_device_new(files->device);
	if (!device)
		return -ENOMEM;
	ntfs->volume = ntfs_device_mount(device, NTFS_MNT_RDONLY | NTFS_MNT_FORENSIC);
	if (!ntfs->volume) {
		ntfs_device_free(device);
		return -EBADMSG;
	}
	if (ntfs->volume->flags & VOLUME_IS_DIRTY)
		snprintf(files->note, sizeof(files->note),
			 "it was not unmounted: its last changes may be missing or torn");
	return 0;
}

static void ntfs_close(struct files *files)
{
	struct ntfs *ntfs = files->fs;

	ntfs_forget(ntfs);
	if (ntfs->volume)
		ntfs_umount(ntfs->volume, TRUE);
	free(ntfs);
}

/* The reparse data of the node that is loaded, at most NTFS_REPARSE_MOST bytes. Returns its length,
 * 0 without one. */
static int ntfs_reparse(struct ntfs *ntfs, uint8_t *buf)
{
	if (!(ntfs->node->flags & FILE_ATTR_REPARSE_POINT))
		return 0;
	int len = ntfs_get_ntfs_reparse_data(ntfs->node, (char *)buf, NTFS_REPARSE_MOST);

	return len < 8 || len > (int)NTFS_REPARSE_MOST ? 0 : len;
}

static uint32_t ntfs_tag(struct ntfs *ntfs)
{
	uint8_t buf[NTFS_REPARSE_MOST];

	return ntfs_reparse(ntfs, buf) ? bytes_get32(buf) : 0;
}

static int ntfs_stat(struct files *files, uint64_t id, struct files_stat *ret)
{
	struct ntfs *ntfs = files->fs;
	int r = ntfs_load(files, id);

	if (r < 0)
		return r;
	const ntfs_inode *node = ntfs->node;
	uint32_t tag = ntfs_tag(ntfs);

	*ret = (struct files_stat){
		.links = le16_to_cpu(node->mrec->link_count),
		.mtime = ntfs2timespec(node->last_data_change_time),
		.atime = ntfs2timespec(node->last_access_time),
	};
	if (tag == NTFS_TAG_LINK || tag == NTFS_TAG_JUNCTION)
		ret->mode = S_IFLNK | 0777;
	else if (node->mrec->flags & MFT_RECORD_IS_DIRECTORY)
		ret->mode = S_IFDIR | 0755;
	else
		ret->mode = S_IFREG | (node->flags & FILE_ATTR_READONLY ? 0444 : 0644);
	if (S_ISREG(ret->mode))
		ret->size = node->data_size < 0 ? UINT64_MAX : (uint64_t)node->data_size;
	return 0;
}

struct ntfs_listing {
	struct files_list *list;
	int r;
};

static int ntfs_each(void *arg, const ntfschar *name, const int len, const int type, const s64 pos,
		     const MFT_REF ref, const unsigned int kind)
{
	struct ntfs_listing *listing = arg;
	char text[3 * 256];

	(void)pos;
	/* Every long name has a short one for DOS beside it; the first files are the system's own.
	 */
	if (type == FILE_NAME_DOS || MREF(ref) < FILE_first_user || len < 0 || len > 255)
		return 0;
	size_t n = files_utf16((const uint8_t *)name, len, text);

	/* A junction looks like a folder here: only the file itself tells. */
	listing->r = files_list_add(listing->list, ref, text, n, kind == NTFS_DT_REG ? S_IFREG : 0);
	return listing->r;
}

static int ntfs_list(struct files *files, uint64_t id, struct files_list *list)
{
	struct ntfs_listing listing = {.list = list};
	struct ntfs *ntfs = files->fs;
	s64 pos = 0;
	int r = ntfs_load(files, id);

	if (r < 0)
		return r;
	if (ntfs_readdir(ntfs->node, &pos, &listing, ntfs_each) < 0)
		return listing.r < 0 ? listing.r : -EBADMSG;
	return listing.r;
}

/* Data that is not where files have theirs. */
static int ntfs_readable(struct files *files)
{
	struct ntfs *ntfs = files->fs;
	uint32_t tag = ntfs_tag(ntfs);

	if (tag == NTFS_TAG_COMPACT)
		return files_fail(
			files, -EOPNOTSUPP,
			"Windows has compressed it (CompactOS), which this program cannot "
			"read");
	if (tag == NTFS_TAG_DEDUP)
		return files_fail(files, -EOPNOTSUPP,
				  "Windows has deduplicated it, which this program cannot read");
	if (tag && le32_to_cpu(ntfs->node->flags) & NTFS_RECALL)
		return files_fail(files, -EOPNOTSUPP,
				  "its data was not on the disk, but with a cloud service");
	if (ntfs->node->flags & FILE_ATTR_ENCRYPTED)
		return files_fail(files, -EOPNOTSUPP,
				  "it is encrypted (EFS), and its key is not in the image");
	return 0;
}

static int ntfs_read(struct files *files, uint64_t id, void *buf, uint32_t len, uint64_t offset)
{
	struct ntfs *ntfs = files->fs;
	uint8_t *out = buf;
	int r = ntfs_load(files, id);

	if (r < 0)
		return r;
	if (!ntfs->data) {
		r = ntfs_readable(files);
		if (r < 0)
			return r;
		ntfs->data = ntfs_attr_open(ntfs->node, AT_DATA, AT_UNNAMED, 0);
		if (!ntfs->data)
			return -EBADMSG;
	}
	for (uint32_t done = 0; done < len;) {
		s64 n = ntfs_attr_pread(ntfs->data, offset + done, len - done, out + done);

		if (n <= 0)
			return -EBADMSG;
		done += n;
	}
	return 0;
}

/*
 * A symlink's or a junction's target, which stands in UTF-16 behind a header that says where:
 * "..\file" becomes "../file", and "\??\C:\folder" becomes "/folder", on the same file system.
 */
static int ntfs_readlink(struct files *files, uint64_t id, char *buf, size_t len)
{
	uint8_t raw[NTFS_REPARSE_MOST];
	char text[3 * NTFS_REPARSE_MOST / 2], *target = text;
	struct ntfs *ntfs = files->fs;
	int r = ntfs_load(files, id);

	if (r < 0)
		return r;
	int raw_len = ntfs_reparse(ntfs, raw);
	uint32_t tag = raw_len ? bytes_get32(raw) : 0;
	int names = tag == NTFS_TAG_LINK ? 20 : 16;

	if (tag != NTFS_TAG_LINK && tag != NTFS_TAG_JUNCTION)
		return -EINVAL;
	if (raw_len < names)
		return -EBADMSG;
	uint32_t at = bytes_get16(raw + 8), size = bytes_get16(raw + 10);

	if (at + size > (uint32_t)(raw_len - names))
		return -EBADMSG;
	text[files_utf16(raw + names + at, size / 2, text)] = '\0';
	for (char *p = text; *p; p++)
		*p = *p == '\\' ? '/' : *p;
	if (!strncmp(target,
		     "/?"
		     "?/",
		     4))
		target += 4;
	if (*target && target[1] == ':')
		target += 2;
	if (strlen(target) > len)
		return -EBADMSG;
	memcpy(buf, target, strlen(target));
	return strlen(target);
}

const struct files_ops files_ntfs = {
	.caseless = true,
	.open = ntfs_open,
	.close = ntfs_close,
	.stat = ntfs_stat,
	.list = ntfs_list,
	.read = ntfs_read,
	.readlink = ntfs_readlink,
};

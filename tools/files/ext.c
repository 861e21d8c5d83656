// SPDX-License-Identifier: GPL-2.0-or-later
/* ext2, ext3 and ext4. */
#include "files/ext.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int ext_error(struct files *files, errcode_t error)
{
	if (error == 0)
		return 0;
	if (error == EXT2_ET_NO_MEMORY || error == ENOMEM)
		return -ENOMEM;
	if (error == EXT2_ET_UNSUPP_FEATURE || error == EXT2_ET_RO_UNSUPP_FEATURE)
		return files_fail(files, -EOPNOTSUPP,
				  "the %s file system has features that this program does not know",
				  files->kind);
	return files_fail(files, -EBADMSG, "the %s file system is damaged: %s", files->kind,
			  error_message(error));
}

static void ext_forget(struct ext *ext)
{
	if (ext->extents)
		ext2fs_extent_free(ext->extents);
	ext->extents = NULL;
	ext->number = 0;
	ext->mapped_count = 0;
}

/* Looks at inode ID, unless it is the last one. */
static int ext_load(struct files *files, uint64_t id)
{
	struct ext *ext = files->fs;
	errcode_t error;

	if (id && id == ext->number)
		return 0;
	ext_forget(ext);
	if (id == 0 || id > ext->fs->super->s_inodes_count)
		return files_fail(files, -EBADMSG,
				  "the %s file system is damaged: inode %" PRIu64 " does not exist",
				  files->kind, id);
	memset(&ext->inode, 0, sizeof(ext->inode));
	error = ext2fs_read_inode_full(ext->fs, id, ext_inode(ext), sizeof(ext->inode));
	if (error)
		return ext_error(files, error);
	ext->number = id;
	return 0;
}

static int ext_read_device(void *from, uint64_t offset, void *buf, size_t len)
{
	return view_device_read(from, buf, len, offset);
}

static int ext_open(struct files *files)
{
	struct ext *ext = calloc(1, sizeof(*ext));
	errcode_t error;

	if (!ext)
		return -ENOMEM;
	initialize_ext2_error_table();
	files->fs = ext;
	files->root = EXT2_ROOT_INO;
	ext->io = (struct ext_io){.read = ext_read_device, .from = files->device};
	error = ext_io_open(&ext->io, &ext->fs);
	if (error)
		return ext_error(files, error);
	if (!ext2fs_has_feature_extents(ext->fs->super))
		snprintf(files->kind, sizeof(files->kind),
			 ext2fs_has_feature_journal(ext->fs->super) ? "ext3" : "ext2");
	if (ext2fs_has_feature_journal_needs_recovery(ext->fs->super))
		snprintf(files->note, sizeof(files->note),
			 "it was not unmounted: what its journal alone holds, of its last seconds, "
			 "is not seen");
	return 0;
}

static void ext_close(struct files *files)
{
	struct ext *ext = files->fs;

	ext_forget(ext);
	if (ext->fs)
		ext2fs_free(ext->fs);
	free(ext);
}

/* The extra field has two more bits of seconds, and nanoseconds. */
static struct timespec ext_time(uint32_t seconds, uint32_t extra, bool extended)
{
	struct timespec time = {.tv_sec = (int32_t)seconds};

	if (extended) {
		time.tv_sec += (int64_t)(extra & 3) << 32;
		time.tv_nsec = extra >> 2 < 1000000000 ? extra >> 2 : 0;
	}
	return time;
}

static int ext_stat(struct files *files, uint64_t id, struct files_stat *ret)
{
	struct ext *ext = files->fs;
	int r = ext_load(files, id);

	if (r < 0)
		return r;
	const struct ext2_inode_large *inode = &ext->inode;
	bool large = ext->fs->super->s_inode_size > EXT2_GOOD_OLD_INODE_SIZE;
	uint64_t size = EXT2_I_SIZE(ext_inode(ext)), blocks = size / ext->fs->blocksize;

	if (S_ISREG(inode->i_mode) && blocks > UINT32_MAX)
		return files_fail(files, -EBADMSG, "the %s file system is damaged: an absurd size",
				  files->kind);
	*ret = (struct files_stat){
		.mode = inode->i_mode,
		.owned = true,
		.uid = inode_uid(*inode),
		.gid = inode_gid(*inode),
		.links = inode->i_links_count,
		.size = size,
		.mtime = ext_time(inode->i_mtime, inode->i_mtime_extra,
				  large && inode->i_extra_isize >= 12),
		.atime = ext_time(inode->i_atime, inode->i_atime_extra,
				  large && inode->i_extra_isize >= 16),
	};
	return 0;
}

struct ext_listing {
	struct files_list *list;
	int r;
};

static int ext_each(ext2_ino_t folder, int entry, struct ext2_dir_entry *dirent, int offset,
		    int blocksize, char *buf, void *arg)
{
	static const uint32_t types[] = {0,	  S_IFREG, S_IFDIR,  S_IFCHR,
					 S_IFBLK, S_IFIFO, S_IFSOCK, S_IFLNK};
	int type = ext2fs_dirent_file_type(dirent);
	struct ext_listing *listing = arg;

	(void)folder, (void)entry, (void)offset, (void)blocksize, (void)buf;
	if (dirent->inode == 0)
		return 0;
	listing->r = files_list_add(listing->list, dirent->inode, dirent->name,
				    ext2fs_dirent_name_len(dirent), type < 8 ? types[type] : 0);
	return listing->r < 0 ? DIRENT_ABORT : 0;
}

static int ext_encrypted(struct files *files)
{
	return files_fail(files, -EOPNOTSUPP, "it is encrypted, and its key is not in the image");
}

static int ext_list(struct files *files, uint64_t id, struct files_list *list)
{
	struct ext_listing listing = {.list = list};
	struct ext *ext = files->fs;
	errcode_t error;
	int r = ext_load(files, id);

	if (r < 0)
		return r;
	if (ext->inode.i_flags & EXT4_ENCRYPT_FL)
		return ext_encrypted(files);
	error = ext2fs_dir_iterate2(ext->fs, id, 0, NULL, ext_each, &listing);
	return listing.r < 0 ? listing.r : ext_error(files, error);
}

/* Small files, folders and symlinks can stand in the inode itself. */
static int ext_inline(struct files *files, void *buf, uint32_t len, uint64_t offset)
{
	struct ext *ext = files->fs;
	size_t size = 0;
	errcode_t error = ext2fs_inline_data_size(ext->fs, ext->number, &size);
	uint8_t *data;

	if (error)
		return ext_error(files, error);
	if (size > ext->fs->blocksize)
		return -EBADMSG;
	/* The library copies the inode's own part whole, whatever the size. */
	data = calloc(1, size + EXT4_MIN_INLINE_DATA_SIZE);
	if (!data)
		return -ENOMEM;
	error = ext2fs_inline_data_get(ext->fs, ext->number, ext_inode(ext), data, &size);
	memset(buf, 0, len);
	if (!error && offset < size)
		memcpy(buf, data + offset, len < size - offset ? len : size - offset);
	free(data);
	return ext_error(files, error);
}

static int ext_read(struct files *files, uint64_t id, void *buf, uint32_t len, uint64_t offset)
{
	struct ext *ext = files->fs;
	uint8_t *out = buf;
	int r = ext_load(files, id);

	if (r == 0 && ext->inode.i_flags & EXT4_ENCRYPT_FL)
		r = ext_encrypted(files);
	if (r < 0)
		return r;
	if (ext->inode.i_flags & EXT4_INLINE_DATA_FL)
		return ext_inline(files, buf, len, offset);
	while (r == 0 && len) {
		uint32_t blocksize = ext->fs->blocksize, inside = offset % blocksize, piece = len;
		uint64_t to, count;

		r = ext_map(files, offset / blocksize, &to, &count);
		if (r < 0)
			break;
		if (piece > count * blocksize - inside)
			piece = count * blocksize - inside;
		if (to == 0)
			memset(out, 0, piece);
		else if (to >= ext2fs_blocks_count(ext->fs->super))
			r = -ERANGE;
		else
			r = view_device_read(files->device, out, piece, to * blocksize + inside);
		out += piece;
		offset += piece;
		len -= piece;
	}
	return r;
}

static int ext_hole(struct files *files, uint64_t id, uint64_t offset, uint64_t *ret)
{
	struct ext *ext = files->fs;
	uint64_t to, count, len = 0;
	int r = ext_load(files, id);

	if (r < 0 || ext->inode.i_flags & (EXT4_INLINE_DATA_FL | EXT4_ENCRYPT_FL))
		return r;
	uint32_t blocksize = ext->fs->blocksize;

	r = ext_map(files, offset / blocksize, &to, &count);
	if (r == 0 && to == 0)
		len = count * blocksize - offset % blocksize;
	*ret = len;
	return r;
}

static int ext_readlink(struct files *files, uint64_t id, char *buf, size_t len)
{
	struct ext *ext = files->fs;
	int r = ext_load(files, id);

	if (r < 0)
		return r;
	uint64_t size = EXT2_I_SIZE(ext_inode(ext));

	if (!S_ISLNK(ext->inode.i_mode))
		return -EINVAL;
	if (size > len)
		return -EBADMSG;
	if (!ext2fs_is_fast_symlink(ext_inode(ext)) || ext->inode.i_flags & EXT4_ENCRYPT_FL)
		r = ext_read(files, id, buf, size, 0);
	else if (size > sizeof(ext->inode.i_block))
		r = -EBADMSG;
	else
		memcpy(buf, ext->inode.i_block, size);
	return r < 0 ? r : (int)size;
}

const struct files_ops files_ext = {
	.open = ext_open,
	.close = ext_close,
	.stat = ext_stat,
	.list = ext_list,
	.read = ext_read,
	.hole = ext_hole,
	.readlink = ext_readlink,
};

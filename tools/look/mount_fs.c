// SPDX-License-Identifier: GPL-2.0-or-later
#include "look/mount.h"

#include <stddef.h>
#include <string.h>

/*
 * A file system that was in use has a journal that would be written back, which a read-only device
 * refuses: it is mounted as it stands. XFS refuses a second one of the same UUID, and the first can
 * be this machine's own.
 */
static const struct mount_fs mount_fs_table[] = {
	{"ext2", "ext2", "ro", true},
	{"ext3", "ext3", "ro,noload", true},
	{"ext4", "ext4", "ro,noload", true},
	{"xfs", "xfs", "ro,norecovery,nouuid", false},
	{"btrfs", "btrfs", "ro,rescue=nologreplay", false},
	{"f2fs", "f2fs", "ro,norecovery", false},
	{"nilfs2", "nilfs2", "ro,norecovery", false},
	{"vfat", "vfat", "ro", false},
	{"exfat", "exfat", "ro", false},
	{"ntfs", "ntfs3,ntfs", "ro", false},
	{"hfsplus", "hfsplus", "ro", false},
	{"iso9660", "iso9660", "ro", false},
	{"udf", "udf", "ro", false},
	{"squashfs", "squashfs", "ro", false},
	{"erofs", "erofs", "ro", false},
};

const struct mount_fs *mount_fs_find(const char *blkid)
{
	for (size_t i = 0; i < sizeof(mount_fs_table) / sizeof(mount_fs_table[0]); i++)
		if (!strcmp(mount_fs_table[i].blkid, blkid))
			return &mount_fs_table[i];
	return NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libntfs-3g over a view_device. */
#ifndef FILES_NTFS_DEVICE_H
#define FILES_NTFS_DEVICE_H

/* Its headers take these for granted. */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <ntfs-3g/types.h>
#include <ntfs-3g/attrib.h>
#include <ntfs-3g/device.h>
#include <ntfs-3g/dir.h>
#include <ntfs-3g/inode.h>
#include <ntfs-3g/logging.h>
#include <ntfs-3g/ntfstime.h>
#include <ntfs-3g/reparse.h>
#include <ntfs-3g/volume.h>

#include "io/view_device.h"

/* Makes what ntfs_device_mount wants; DEVICE has to outlive it. NULL: no memory. */
struct ntfs_device *ntfs_device_new(struct view_device *device);

#endif

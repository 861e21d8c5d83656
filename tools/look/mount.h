/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of `tbstream mount`: tbstream_mount.c and tbstream_umount.c (the commands),
 * mount_choose.c (which part of the image), mount_fs.c (how a file system is mounted),
 * mount_serve.c (the programs that do it), mount_run.c (the folder that tells of it, and its end).
 *
 *     image -- nbdkit with our plugin -- nbdfuse -- RUN/disk/nbd, a file -- loop device -- DIR
 */
#ifndef MOUNT_H
#define MOUNT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

/* The part of the device to mount. */
struct mount_choice {
	uint64_t number;       /* of the partition; 0: the whole device */
	uint64_t from, length; /* bytes, inside the device */
	const char *fs, *name; /* the file system's type and label; borrowed from the manifest */
};

/*
 * Chooses the partition NUMBER, or with 0 the only one, or the only file system, of a device of
 * SIZE bytes. Returns 0, or -EINVAL after saying why not, with a list where there are several.
 */
int mount_choose(const json_t *manifest, const char *image, uint64_t size, uint64_t number,
		 struct mount_choice *ret);

/* How a type of file system is mounted. */
struct mount_fs {
	const char *blkid;   /* its name with libblkid */
	const char *kernel;  /* with mount(8) */
	const char *options; /* so that nothing is written, not even its journal */
	bool fuse;	     /* fuse2fs can do it for a user */
};

/* NULL: not at all. */
const struct mount_fs *mount_fs_find(const char *blkid);

/* One mount, as its folder below /run/tbstream or $XDG_RUNTIME_DIR/tbstream tells of it. */
struct mount_run {
	char folder[PATH_MAX]; /* "": none was made */
	char dir[PATH_MAX];    /* where it is mounted; absolute */
	char why[1024];	       /* after a failure */
	int log;      /* what the server says; who runs holds its lock, so do we till then */
	pid_t server; /* our child, or 0 */
};

/* Paths of the programs that are needed. */
struct mount_programs {
	char nbdkit[PATH_MAX], nbdfuse[PATH_MAX], mount[PATH_MAX], umount[PATH_MAX];
};

/* Whether something is mounted at PATH. */
bool mount_is_there(const char *path);

/*
 * Makes the folder of a mount of IMAGE at DIR, both absolute. Returns 0, or -errno with a sentence
 * in why.
 */
int mount_run_new(const char *dir, const char *image, struct mount_run *ret);
/* Finds the mount at DIR. Returns as mount_run_new; -ENOENT: there is none of ours. */
int mount_run_find(const char *dir, struct mount_run *ret);
/*
 * Undoes as much as there is of a mount, also after a signal. Returns 0, or as mount_run_new; what
 * is left then can be tried again.
 */
int mount_run_end(struct mount_run *run, const struct mount_programs *programs);
/* Lets go of what RUN holds in this process; the mount stays. */
void mount_run_clear(struct mount_run *run);
/* Notes why, and returns ERROR. */
__attribute__((format(printf, 3, 4))) int mount_fail(struct mount_run *run, int error,
						     const char *format, ...);

/*
 * Finds what serves and mounts FS, or with NULL only what ends it. Returns 0, or -ENOENT after
 * saying what is missing.
 */
int mount_programs_find(const struct mount_fs *fs, struct mount_programs *ret);
/* Serves CHOICE of IMAGE (absolute) as RUN/disk/nbd. Returns as mount_run_new. */
int mount_serve(struct mount_run *run, const struct mount_programs *programs, const char *image,
		const struct mount_choice *choice);
/* Mounts that file, which holds FS. Returns as mount_run_new. */
int mount_attach(struct mount_run *run, const struct mount_programs *programs,
		 const struct mount_fs *fs);
/* Unmounts PATH; once more for PATIENCE nanoseconds where it is in use. Returns as mount_run_new.
 */
int mount_detach(struct mount_run *run, const struct mount_programs *programs, const char *path,
		 int64_t patience);

#endif

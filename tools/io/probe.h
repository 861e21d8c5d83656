/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is on a disk and what it is: libblkid, sysfs and udev's database, as JSON for HEAD and the
 * manifest (docs/image-format.md lists the keys), and as lines for people. A disk's strings are
 * anybody's: all that comes from here is UTF-8, a control character is a question mark.
 */
#ifndef IO_PROBE_H
#define IO_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "io/disk.h"

/* The disk's identity (HEAD's JSON). Returns 0 and a new reference, or -errno. */
int probe_identity(const struct disk *disk, json_t **ret);
/*
 * The manifest as far as the source knows it: identity, host, partition table, file systems. What
 * cannot be found out is left out, and partitions beyond 256 are. Returns 0 and a new reference, or
 * -errno.
 */
int probe_manifest(const struct disk *disk, json_t **ret);

/*
 * The same of what comes from PATH and is a stream: nothing of it is looked at. Its identity is its
 * key "source".
 */
int probe_stream(const char *path, json_t **ret);

/*
 * A short summary of what is on DISK ("GPT: EFI vfat, root ext4"; "ext4 home"; "" when nothing is
 * recognised). Returns 1 when something is there, 0 when libblkid knows nothing, or -errno.
 */
int probe_contents(const struct disk *disk, char *ret, size_t len);

struct probe_disk {
	char path[64];
	dev_t device;
	char model[96], serial[96], wwn[192], transport[16]; /* "" where unknown */
	char contents[160];
	uint64_t size;				  /* bytes */
	bool mounted, readonly, removable, inuse; /* inuse: swap, dm, md */
};

/*
 * The whole disks of this machine (no partitions, loop, ram, zram, dm, md or optical ones), sorted
 * by path. Returns 0, an array (free) and its length, or -errno.
 */
int probe_list(struct probe_disk **ret, size_t *ret_count);

enum probe_proof_kind {
	PROBE_PROOF_SERIAL,
	PROBE_PROOF_WWN,
	PROBE_PROOF_SIZE, /* in bytes: neither of the others is there, long enough, and its own */
	PROBE_PROOF_NONE, /* a file: its name is enough */
};

/* What somebody has to know who means this disk and no other. A partition has its disk's. */
struct probe_proof {
	enum probe_proof_kind kind;
	char model[96], serial[96]; /* "" where unknown */
	char text[192];		    /* the serial number, the WWN or the size */
	size_t least;		    /* so many of its last characters are this disk's alone */
};

/* Finds it, by a look at all disks of this machine. Returns 0 or -errno. */
int probe_proof_find(const struct disk *disk, struct probe_proof *ret);
/* The same for a disk, its facts in OWN, among the COUNT at DISKS, of which it may be one. */
void probe_proof_choose(const struct probe_disk *own, const struct probe_disk *disks, size_t count,
			struct probe_proof *ret);
/* Whether ANSWER is the end of the text, at least PROOF->least characters. */
bool probe_proof_holds(const struct probe_proof *proof, const char *answer);

/*
 * Whether the file LIST, a specification a line as rd.tbstream.exclude takes it, names the disk
 * that DISK is or is a part of. In the rescue image the hooks keep it there; elsewhere it does not
 * exist, and excludes nothing.
 */
#define PROBE_EXCLUDE "/run/tbstream/param/exclude"
bool probe_excluded(const struct disk *disk, const char *list);

/* This machine's DMI name ("LENOVO 20XW"), and serial number; "" where unknown. */
void probe_machine(char *ret_model, size_t model_len, char *ret_serial, size_t serial_len);

#endif

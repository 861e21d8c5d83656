/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options of tbsend, tbrecv and tbstream: one table gives the parser, the help and the list
 * that the man pages are held against.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "io/stream.h"
#include "ui/progress.h"

enum options_program {
	OPTIONS_SEND = 1,
	OPTIONS_RECV = 2,
	OPTIONS_STATUS = 4,
	OPTIONS_DISKS = 8,
	OPTIONS_VERIFY = 16,
	OPTIONS_INFO = 32,
	OPTIONS_LS = 64,
	OPTIONS_CP = 128,
	OPTIONS_MOUNT = 256,
	OPTIONS_UMOUNT = 512,
	OPTIONS_SHELL = 1024,
};

struct options {
	struct stream_address stream;
	bool stream_given;
	char peer[37];
	int64_t timeout;      /* nanoseconds; STOP_NEVER */
	int level;	      /* PACK_LEVEL_*, AUTO among them, */
	int level_most;	      /* which memory_plan lets go so far */
	unsigned int threads; /* 0: not given; memory_plan says how many */
	uint64_t memory;      /* bytes; 0: not given */
	size_t keep;	      /* bytes that a stream may keep; 0: what suits the machine */
	unsigned int records; /* that may wait in a link; 0: as many as it takes (memory.h) */
	bool plain, raw, decompress, force, insecure, json, tsv, quiet, verbose;
	bool fit, ask_fit, verify, discard;
	bool resume, restart, recheck;
	bool rescue, used, dry_run;
	int retries;		 /* -1: not given */
	const char *mapfile;	 /* NULL: not given */
	int partition;		 /* 0: not given */
	bool recursive, details; /* details: -l of ls */
	bool serve;
	const char *output, *confirm;
	enum progress_mode progress;
	char **arguments; /* what follows the options */
	int count;
};

enum { OPTIONS_OK = 0, OPTIONS_DONE = 1, OPTIONS_USAGE = -1 };

/*
 * Reads the command line of PROGRAM (argv[0] is its name). Returns OPTIONS_OK; OPTIONS_DONE when
 * --help or --version was answered; OPTIONS_USAGE when something is wrong, which was said on
 * stderr.
 */
int options_parse(enum options_program program, int argc, char **argv, struct options *ret);

#endif

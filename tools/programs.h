/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The programs that the one static file holds, and what tbsend and tbrecv have in common. */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <stdint.h>

#include <jansson.h>

#include "codec/wire.h"
#include "options.h"
#include "ui/limit.h"

/* Exit codes. */
enum { EXIT_VERIFIED = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_UNREADABLE = 3 };

/* Each takes argv from its own name on and returns an exit code. */
int tbsend_main(int argc, char **argv);
int tbrecv_main(int argc, char **argv);
int tbstream_main(int argc, char **argv);
int tbstream_status(int argc, char **argv);
int tbstream_disks(int argc, char **argv);
int tbstream_verify(int argc, char **argv);
int tbstream_info(int argc, char **argv);
int tbstream_ls(int argc, char **argv);
int tbstream_cp(int argc, char **argv);
int tbstream_mount(int argc, char **argv);
int tbstream_umount(int argc, char **argv);
int tbstream_shell(int argc, char **argv);

/*
 * Sets up messages and signals and reads the options. Returns -1 to go on, or the exit code to end
 * with.
 */
int program_start(enum options_program program, int argc, char **argv, struct options *ret);
/* The options as the stream wants them; LISTEN for sockets. The deadline runs from now. */
void program_stream_options(const struct options *options, bool listen, struct stream_options *ret);
/* This side's HELLO. TRANSFER_ID may be NULL. */
void program_hello(const struct options *options, enum wire_role role, const uint8_t *transfer_id,
		   struct wire_hello *ret);
/* Prints OBJECT as one JSON line on standard error, and drops the reference. */
void program_json(json_t *object);
/* Prints OBJECT as JSON on standard output, INDENT spaces deep (0: a line), and drops it. */
void program_json_out(json_t *object, size_t indent);
/* TEXT as a JSON string without control characters, which may come from anywhere. */
json_t *program_json_text(const char *text);
/* The times of the COUNT LIMITS, milliseconds, under their names in small letters. */
json_t *program_times(const struct limit *limits, size_t count);
/* Says what limited the transfer of NAME, by the COUNT LIMITS, and MORE behind it. Sorts them. */
void program_limit(const char *name, struct limit *limits, size_t count, const char *more);
/* Seconds since START (stop_now) as "0:07" or "1:02:03". Returns RET. */
char *program_elapsed(int64_t start, char ret[24]);

#endif

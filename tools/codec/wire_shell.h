/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The records of a shell over the cable, between the same header and HELLO as those of a transfer:
 *
 *   keeper (attaches)                        rescued machine (serves)
 *   HELLO  ------------------------------->  <----------------------------------  HELLO
 *   SHELL  ------------------------------->
 *          <------------------------------------------------------------------  TAKEN 0
 *   BYTES, WINDOW, TAKEN ----------------->  <----------------------  BYTES, TAKEN ...
 *          <--------------------------------------------------------------------- EXIT
 *   BYE    ------------------------------->
 *
 * Puts and gets are as in wire.h.
 */
#ifndef CODEC_WIRE_SHELL_H
#define CODEC_WIRE_SHELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_BYTES_MOST	 8192u	/* in one BYTES */
#define WIRE_BYTES_AHEAD 65536u /* that were sent and that TAKEN does not count yet */
#define WIRE_TERM_MOST	 32	/* characters of a terminal's name */

/* The size of a terminal in characters; 0: not known. */
struct wire_window {
	uint16_t rows, columns;
};
int wire_window_put(const struct wire_window *window, void *buf, size_t capacity);
int wire_window_get(const void *payload, size_t len, struct wire_window *ret);

/* SHELL: starts one. Without a terminal its input and output are pipes, and the rest says nothing.
 */
struct wire_shell {
	bool terminal;
	struct wire_window window;
	char term[WIRE_TERM_MOST + 1]; /* its name, of [A-Za-z0-9._+-]; "" where it has none */
};
int wire_shell_put(const struct wire_shell *shell, void *buf, size_t capacity);
int wire_shell_get(const void *payload, size_t len, struct wire_shell *ret);

/* BYTES is nothing but LEN bytes. None: the input has ended, which only who attaches says. */
bool wire_bytes_valid(size_t len);

/* TAKEN: so many bytes of all BYTES that came have gone where they belong. */
int wire_taken_put(uint64_t bytes, void *buf, size_t capacity);
int wire_taken_get(const void *payload, size_t len, uint64_t *ret);

/* EXIT: the shell ended with this code, 0 to 255. */
int wire_exit_put(uint32_t code, void *buf, size_t capacity);
int wire_exit_get(const void *payload, size_t len, uint32_t *ret);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The terminal that somebody sits at: every key comes through as it is, until it is put back. */
#ifndef SHELL_TERMINAL_H
#define SHELL_TERMINAL_H

#include <stdbool.h>

#include "codec/wire_shell.h"

/*
 * Makes the terminal FD raw, and has it put back also by signals that end the program. Returns 0 or
 * -errno. One at a time.
 */
int terminal_raw(int fd);
/* Somebody who stopped us may have changed it: raw again. */
void terminal_again(void);
/* Puts it back. Harmless where nothing was changed. */
void terminal_restore(void);
/* Its size now; zeros where it has none. */
void terminal_window(int fd, struct wire_window *ret);

#endif

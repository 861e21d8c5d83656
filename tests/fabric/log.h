/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log: the events that a test waits for, a line each. */
#ifndef LOG_H
#define LOG_H

#include <stdio.h>

/* Where lines go; nowhere before this is called, and with NULL. The stream stays the caller's. */
void log_to(FILE *stream);

__attribute__((format(printf, 1, 2))) void log_event(const char *format, ...);

#endif

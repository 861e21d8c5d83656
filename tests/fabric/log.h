/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log: the events that a test waits for, one line each on standard error. */
#ifndef LOG_H
#define LOG_H

__attribute__((format(printf, 1, 2))) void log_event(const char *format, ...);

#endif

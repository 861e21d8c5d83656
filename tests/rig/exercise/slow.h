/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slow: memory that is not there when it is first touched, and comes only after a while. */
#ifndef EXERCISE_SLOW_H
#define EXERCISE_SLOW_H

#include <stdint.h>

#define SLOW_SIZE 4096

/* A page with that content; the first who touches it, the kernel included, waits for ms. One at a
 * time. NULL: errno. */
uint8_t *slow_page(const uint8_t content[SLOW_SIZE], long ms);
void slow_free(uint8_t *page);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HOSTILE_H
#define HOSTILE_H

/* Its own HopIDs. */
#define HOSTILE_IN  12
#define HOSTILE_OUT 13

/* properties.c: what the other host is told of this one. */
int properties_offer(void);
void properties_withdraw(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines on stderr, each in one write(2), and the status line that stands below them on a terminal
 * and is drawn over. One lock keeps them apart whichever thread prints.
 */
#ifndef UI_LINE_H
#define UI_LINE_H

#include <stddef.h>

/*
 * From now on every printed line also goes to the end of the file at PATH, which is made where it
 * is missing; NULL, or one that cannot be opened: to none.
 */
void line_log(const char *path);

/* TEXT and a newline; a status line makes room and is gone until it is drawn again. */
void line_print(const char *text);

/* Draws TEXT, which must fit into line_width(), over the status line. */
void line_draw(const char *text);

/* Takes the status line away. */
void line_clear(void);

/* Columns of the terminal on stderr that a line can use without wrapping. */
size_t line_width(void);

#endif

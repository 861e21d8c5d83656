/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of text, its columns as wide as their widest cell. What is put into the cells may come
 * from a disk or a peer: no control character gets through. A column in which nothing stands is
 * left out.
 */
#ifndef UI_TABLE_H
#define UI_TABLE_H

#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MOST 16

struct table;

/* Makes one of COLUMNS columns, of which the first RIGHT are aligned to the right. NULL: no memory.
 */
struct table *table_new(size_t columns, size_t right);
/* The next cell, row by row; the first row is the heading, which makes no column appear. Copies
 * TEXT, cut where it is longer than any name. */
void table_add(struct table *table, const char *text);
/* Prints the rows to OUT, each behind INDENT blanks, and frees the table. NULL is fine. */
void table_print(struct table *table, FILE *out, int indent);

#endif

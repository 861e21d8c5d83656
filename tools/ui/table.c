// SPDX-License-Identifier: GPL-2.0-or-later
#include "ui/table.h"

#include <stdlib.h>
#include <string.h>

#include "codec/text.h"

/* Bytes: a cell of a hostile length would make every row as long. */
#define TABLE_CELL_MOST 256u

struct table {
	size_t columns, right;
	size_t widths[TABLE_COLUMNS_MOST]; /* columns of the terminal; 0: nothing stands there */
	size_t count, room;		   /* cells */
	char **cells;
};

struct table *table_new(size_t columns, size_t right)
{
	struct table *table = calloc(1, sizeof(*table));

	if (table) {
		table->columns = columns < TABLE_COLUMNS_MOST ? columns : TABLE_COLUMNS_MOST;
		table->right = right;
	}
	return table;
}

static size_t width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

void table_add(struct table *table, const char *text)
{
	size_t len = strnlen(text, TABLE_CELL_MOST);

	if (!table)
		return;
	if (table->count == table->room) {
		size_t room = table->room ? 2 * table->room : 64;
		char **more = realloc(table->cells, room * sizeof(*more));

		if (!more)
			return;
		table->cells = more;
		table->room = room;
	}
	char *cell = malloc(len + 1);

	if (!cell)
		return;
	cell[text_put(text, len, cell)] = '\0';
	table->cells[table->count] = cell;
	/* The heading counts once something stands below it. */
	if (table->count >= table->columns && *cell) {
		size_t column = table->count % table->columns;
		size_t least = width(table->cells[column]), own = width(cell);

		own = own > least ? own : least;
		if (own > table->widths[column])
			table->widths[column] = own;
	}
	table->count++;
}

/* One row; blanks before a cell are printed only when something follows, so that no line ends in
 * them. */
static void print_row(const struct table *table, char *const *cells, FILE *out, int indent)
{
	size_t blanks = indent;

	for (size_t i = 0; i < table->columns; i++) {
		size_t pad = table->widths[i] - (table->widths[i] ? width(cells[i]) : 0);

		if (!table->widths[i])
			continue;
		if (i < table->right)
			blanks += pad;
		if (*cells[i]) {
			fprintf(out, "%*s%s", (int)blanks, "", cells[i]);
			blanks = 0;
		}
		blanks += 2 + (i < table->right ? 0 : pad);
	}
	fputc('\n', out);
}

void table_print(struct table *table, FILE *out, int indent)
{
	if (!table)
		return;
	for (size_t at = 0; at + table->columns <= table->count; at += table->columns)
		print_row(table, table->cells + at, out, indent);
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

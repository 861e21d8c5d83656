// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A mapfile, which anybody may have written: lines of numbers as C has them and a status. Source:
 * GNU ddrescue's manual, chapter "Mapfile structure".
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/param.h>

#include "codec/rescue_map.h"

struct map_text {
	const char *at, *end; /* of the line */
};

static bool text_blank(const struct map_text *text)
{
	return *text->at == ' ' || *text->at == '\t' || *text->at == '\r';
}

/* A word's first byte is at *ret. Returns its length, 0 at the line's end or a comment. */
static size_t text_word(struct map_text *text, const char **ret)
{
	while (text->at < text->end && text_blank(text))
		text->at++;
	*ret = text->at;
	if (text->at < text->end && *text->at == '#')
		return 0;
	while (text->at < text->end && !text_blank(text))
		text->at++;
	return text->at - *ret;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* 4096, 0x1000 or 010000. */
static bool text_number(struct map_text *text, uint64_t *ret)
{
	const char *word;
	size_t len = text_word(text, &word), i = 0;
	uint64_t value = 0;
	int base = 10;

	if (len > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X')) {
		base = 16;
		i = 2;
	} else if (len > 1 && word[0] == '0') {
		base = 8;
		i = 1;
	}
	if (len == 0)
		return false;
	for (; i < len; i++) {
		int digit = digit_value(word[i]);

		if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return false;
	}
	*ret = value;
	return true;
}

/* One of CHARACTERS, alone. */
static bool text_character(struct map_text *text, const char *characters, char *ret)
{
	const char *word;

	if (text_word(text, &word) != 1 || !*word || !strchr(characters, *word))
		return false;
	*ret = *word;
	return true;
}

/* Whether there is nothing more. Takes nothing. */
static bool text_ends(const struct map_text *text)
{
	struct map_text rest = *text;
	const char *word;

	return text_word(&rest, &word) == 0;
}

/* The status line: a position, a status, a pass, which old versions leave out. */
static bool text_status(struct map_text *text)
{
	uint64_t number;
	char status;

	return text_number(text, &number) && text_character(text, "?*/-FG+", &status) &&
	       (text_ends(text) || (text_number(text, &number) && text_ends(text)));
}

struct map_reader {
	struct rescue_map *map;
	uint32_t align;
	bool started; /* a block was read */
	uint64_t due; /* where the next one has to start */
};

static int reader_block(struct map_reader *reader, struct map_text *text)
{
	uint64_t start, len, end;
	char status;

	if (!text_number(text, &start) || !text_number(text, &len) ||
	    !text_character(text, RESCUE_MISSING "+", &status) || !text_ends(text) ||
	    (reader->started && start != reader->due))
		return -EBADMSG;
	reader->started = true;
	if (__builtin_add_overflow(start, len, &end) || end > rescue_map_size(reader->map))
		return -ERANGE;
	reader->due = end;
	if (status == RESCUE_UNTRIED || status == RESCUE_FINISHED)
		return 0;
	/* Here nothing may be merged: what lies between is not read yet. */
	if (rescue_map_count(reader->map) + 2 > RESCUE_BLOCKS_MOST)
		return -EFBIG;
	/* Sizes are below 2^63: rounding up does not wrap. */
	end = MIN(roundup(end, reader->align), rescue_map_size(reader->map));
	start -= start % reader->align;
	return len ? rescue_map_set(reader->map, start, end - start, (enum rescue_status)status)
		   : 0;
}

int rescue_map_parse(struct rescue_map *map, const char *text, size_t len, uint32_t align,
		     unsigned int *ret_line)
{
	struct map_reader reader = {.map = map, .align = align};
	const char *end = text + len;
	bool status_there = false;
	int r = 0;

	*ret_line = 0;
	while (r == 0 && text < end) {
		const char *newline = memchr(text, '\n', end - text);
		struct map_text line = {text, newline ? newline : end};

		text = newline ? newline + 1 : end;
		++*ret_line;
		if (text_ends(&line))
			continue;
		if (status_there)
			r = reader_block(&reader, &line);
		else if (!text_status(&line))
			r = -EBADMSG;
		status_there = true;
	}
	return r == 0 && !status_there ? -EBADMSG : r;
}

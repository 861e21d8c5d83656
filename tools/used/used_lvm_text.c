// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * LVM's metadata are sections and values: NAME { ... }, NAME = 1, NAME = "text", NAME = ["a", 1].
 * A comment goes from # to the line's end.
 */
#include "used/used_lvm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#define LVM_DEPTH_MOST 8	  /* real ones have 5 */
#define LVM_NODES_MOST (1u << 17) /* 9 MiB of memory */

struct reader {
	const char *at, *end;
	struct lvm_text text;
};

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("_-.+/", c));
}

/* The next character that means something, or 0 at the end. */
static char reader_peek(struct reader *reader)
{
	bool comment = false;

	for (; reader->at < reader->end; reader->at++) {
		char c = *reader->at;

		if (c == '#')
			comment = true;
		else if (c == '\n')
			comment = false;
		if (!comment && c != ' ' && c != '\t' && c != '\n' && c != '\r')
			return c;
	}
	return '\0';
}

static bool reader_take(struct reader *reader, char c)
{
	if (c == '\0' || reader_peek(reader) != c)
		return false;
	reader->at++;
	return true;
}

static int node_new(struct reader *reader, uint32_t *ret)
{
	struct lvm_text *text = &reader->text;

	if (text->count == LVM_NODES_MOST)
		return -EUCLEAN;
	if (text->count == text->room) {
		uint32_t room = MAX(text->room * 2, 256);
		struct lvm_node *nodes = reallocarray(text->nodes, room, sizeof(*nodes));

		if (!nodes)
			return -ENOMEM;
		text->nodes = nodes;
		text->room = room;
	}
	text->nodes[text->count] = (struct lvm_node){.key = ""};
	*ret = text->count++;
	return 0;
}

static int value_string(struct reader *reader, struct lvm_node *node)
{
	reader->at++;
	node->kind = LVM_STRING;
	node->text = reader->at;
	while (reader->at < reader->end && *reader->at != '"')
		reader->at += *reader->at == '\\' && reader->end - reader->at > 1 ? 2 : 1;
	if (reader->at >= reader->end)
		return -EUCLEAN;
	node->len = reader->at++ - node->text;
	return 0;
}

/* What has a point or a sign is taken for a number that nothing is compared with. */
static int value_number(struct reader *reader, struct lvm_node *node)
{
	bool whole = true;

	node->kind = LVM_NUMBER;
	if (!is_word(*reader->at))
		return -EUCLEAN;
	for (; reader->at < reader->end && is_word(*reader->at); reader->at++) {
		char c = *reader->at;

		whole &= c >= '0' && c <= '9' && node->number <= UINT64_MAX / 16;
		if (whole)
			node->number = node->number * 10 + (c - '0');
	}
	if (!whole)
		node->number = UINT64_MAX;
	return 0;
}

/* A string or a number to a new node, *RET. */
static int value_read(struct reader *reader, uint32_t *ret)
{
	char c = reader_peek(reader);
	int r = c ? node_new(reader, ret) : -EUCLEAN;

	if (r < 0)
		return r;
	struct lvm_node *node = &reader->text.nodes[*ret];

	return c == '"' ? value_string(reader, node) : value_number(reader, node);
}

/* Behind "[". */
static int list_read(struct reader *reader, uint32_t list)
{
	uint32_t last = 0;

	reader->text.nodes[list].kind = LVM_LIST;
	while (!reader_take(reader, ']')) {
		uint32_t node;
		int r = last && !reader_take(reader, ',') ? -EUCLEAN : value_read(reader, &node);

		if (r < 0)
			return r;
		if (last)
			reader->text.nodes[last].next = node;
		else
			reader->text.nodes[list].first = node;
		last = node;
	}
	return 0;
}

static int section_read(struct reader *reader, uint32_t section, int depth);

/* NAME and what belongs to it, to a new node, *RET. */
static int entry_read(struct reader *reader, int depth, uint32_t *ret)
{
	uint32_t value;
	int r = node_new(reader, ret);

	if (r < 0)
		return r;
	const char *key = reader->at;

	while (reader->at < reader->end && is_word(*reader->at))
		reader->at++;
	reader->text.nodes[*ret].key = key;
	reader->text.nodes[*ret].key_len = reader->at - key;
	if (reader->at == key)
		return -EUCLEAN;
	if (reader_take(reader, '{'))
		return section_read(reader, *ret, depth + 1);
	if (!reader_take(reader, '='))
		return -EUCLEAN;
	if (reader_take(reader, '['))
		return list_read(reader, *ret);
	r = value_read(reader, &value);
	if (r < 0)
		return r;
	/* It was only made to be read to. */
	reader->text.nodes[value].key = key;
	reader->text.nodes[value].key_len = reader->text.nodes[*ret].key_len;
	reader->text.nodes[*ret] = reader->text.nodes[value];
	reader->text.count--;
	return 0;
}

/* All of a section, behind its "{"; of the whole text without one, to its end. */
static int section_read(struct reader *reader, uint32_t section, int depth)
{
	uint32_t last = 0, node;

	reader->text.nodes[section].kind = LVM_SECTION;
	if (depth > LVM_DEPTH_MOST)
		return -EUCLEAN;
	for (;;) {
		char c = reader_peek(reader);

		if (c == '}' && depth) {
			reader->at++;
			return 0;
		}
		if (c == '\0')
			return depth ? -EUCLEAN : 0;
		int r = entry_read(reader, depth, &node);

		if (r < 0)
			return r;
		if (last)
			reader->text.nodes[last].next = node;
		else
			reader->text.nodes[section].first = node;
		last = node;
	}
}

int lvm_text_parse(const char *text, size_t len, struct lvm_text *ret)
{
	struct reader reader = {.at = text, .end = text + strnlen(text, len)};
	uint32_t root;
	int r = node_new(&reader, &root);

	if (r == 0)
		r = section_read(&reader, root, 0);
	if (r < 0) {
		lvm_text_clear(&reader.text);
		return r;
	}
	*ret = reader.text;
	return 0;
}

void lvm_text_clear(struct lvm_text *text)
{
	free(text->nodes);
	*text = (struct lvm_text){0};
}

uint32_t lvm_text_find(const struct lvm_text *text, uint32_t in, const char *key,
		       enum lvm_kind kind)
{
	size_t len = strlen(key);

	for (uint32_t i = text->nodes[in].first; i; i = text->nodes[i].next) {
		const struct lvm_node *node = &text->nodes[i];

		if (node->key_len == len && memcmp(node->key, key, len) == 0)
			return node->kind == kind ? i : 0;
	}
	return 0;
}

bool lvm_text_number(const struct lvm_text *text, uint32_t in, const char *key, uint64_t *ret)
{
	uint32_t node = lvm_text_find(text, in, key, LVM_NUMBER);

	if (!node || text->nodes[node].number == UINT64_MAX)
		return false;
	*ret = text->nodes[node].number;
	return true;
}

bool lvm_text_within(const struct lvm_text *text, uint32_t in, const char *key,
		     const char *const *known)
{
	uint32_t list = lvm_text_find(text, in, key, LVM_LIST);

	for (uint32_t i = list ? text->nodes[list].first : 0; i; i = text->nodes[i].next) {
		const struct lvm_node *node = &text->nodes[i];
		const char *const *name = known;

		while (*name && (node->kind != LVM_STRING || strlen(*name) != node->len ||
				 memcmp(*name, node->text, node->len) != 0))
			name++;
		if (!*name)
			return false;
	}
	return true;
}

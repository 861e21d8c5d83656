/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of LVM's metadata, as used_lvm.c needs it: used_lvm_text.c. */
#ifndef USED_USED_LVM_H
#define USED_USED_LVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lvm_kind { LVM_SECTION, LVM_LIST, LVM_STRING, LVM_NUMBER };

/* Node 0 is the section that all is in; as a child or as what follows it is none. */
struct lvm_node {
	const char *key; /* "" in a list */
	size_t key_len;
	enum lvm_kind kind;
	const char *text; /* of a string, with its escapes */
	size_t len;
	uint64_t number;
	uint32_t first, next; /* its first child, and what follows in the same section or list */
};

struct lvm_text {
	struct lvm_node *nodes;
	uint32_t count, room;
};

/*
 * Reads LEN bytes at TEXT, to which the nodes point. Returns 0 (lvm_text_clear), -EUCLEAN where it
 * is no such text, or is too much of it, or -ENOMEM.
 */
int lvm_text_parse(const char *text, size_t len, struct lvm_text *ret);
void lvm_text_clear(struct lvm_text *text);
/* The child of node IN that is called KEY and of KIND; 0 where there is none. */
uint32_t lvm_text_find(const struct lvm_text *text, uint32_t in, const char *key,
		       enum lvm_kind kind);
/* The number that is called KEY in node IN. */
bool lvm_text_number(const struct lvm_text *text, uint32_t in, const char *key, uint64_t *ret);
/* Whether all strings of the list KEY in node IN, which need not exist, are among those of KNOWN,
 * which ends with NULL. */
bool lvm_text_within(const struct lvm_text *text, uint32_t in, const char *key,
		     const char *const *known);

#endif

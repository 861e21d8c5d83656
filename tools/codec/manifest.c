// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "codec/manifest.h"

/* What a character outside of strings, or the quote before one, costs: see MANIFEST_COST_MOST. */
static size_t manifest_cost(char c)
{
	switch (c) {
	case ',': return 1;
	case ':':
	case '"': return 2;
	case '[': return 4;
	case '{': return 8;
	default: return 0;
	}
}

/* jansson recurses and takes memory for every value: what TEXT can make it do is counted first. */
static bool manifest_bounded(const char *text, size_t len)
{
	size_t depth = 0, cost = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
			continue;
		}
		if (c == '"')
			quoted = true;
		else if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth-- == 0)
			return false;
		cost += manifest_cost(c);
		if (depth > MANIFEST_DEPTH_MOST || cost > MANIFEST_COST_MOST)
			return false;
	}
	return true;
}

int manifest_parse(const char *text, size_t len, json_t **ret)
{
	json_error_t error;
	json_t *manifest;

	if (len > IMAGE_MANIFEST_MOST || !manifest_bounded(text, len))
		return -EBADMSG;
	manifest = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (!manifest)
		return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EBADMSG;
	if (!json_is_object(manifest)) {
		json_decref(manifest);
		return -EBADMSG;
	}
	*ret = manifest;
	return 0;
}

int manifest_format(const json_t *manifest, char **ret, size_t *ret_len)
{
	char *text = json_dumps(manifest, JSON_COMPACT);

	if (!text)
		return -ENOMEM;
	*ret = text;
	*ret_len = strlen(text);
	return 0;
}

/* The keys of END as an object, or NULL. The transfer id is written as a digest is. */
static json_t *manifest_end_object(const struct manifest_end *end)
{
	char transfer[DIGEST_TEXT], root[DIGEST_TEXT];
	const struct image_head *head = end->head;
	struct digest id;

	_Static_assert(sizeof(head->transfer_id) == DIGEST_SIZE, "as long as a digest");
	memcpy(id.bytes, head->transfer_id, DIGEST_SIZE);
	digest_format(&id, transfer);
	digest_format(&end->root, root);
	return json_pack("{s:i, s:s, s:I, s:I, s:I, s:I, s:s, s:I, s:I}", "format",
			 MANIFEST_VERSION, "transfer", transfer, "size", (json_int_t)end->size,
			 "chunk_size", (json_int_t)head->map.chunk_size, "chunks",
			 (json_int_t)end->chunks, "frames", (json_int_t)end->frames, "root", root,
			 "created", (json_int_t)head->created, "finished",
			 (json_int_t)end->finished);
}

int manifest_finish(json_t *manifest, const struct manifest_end *end)
{
	json_t *facts = manifest_end_object(end);
	int err;

	if (!facts)
		return -ENOMEM;
	err = json_object_update(manifest, facts);
	json_decref(facts);
	return err ? -ENOMEM : 0;
}

int manifest_check(const json_t *manifest, const struct manifest_end *expected)
{
	json_t *finished = json_object_get(manifest, "finished");
	json_t *facts = manifest_end_object(expected);
	int err = 0;

	if (!facts)
		return -ENOMEM;
	if (!json_is_integer(finished) || json_integer_value(finished) < 0)
		err = -EBADMSG;
	json_object_del(facts, "finished");
	for (void *at = json_object_iter(facts); at; at = json_object_iter_next(facts, at)) {
		json_t *said = json_object_get(manifest, json_object_iter_key(at));

		if (!json_equal(said, json_object_iter_value(at)))
			err = -EBADMSG;
	}
	json_decref(facts);
	return err;
}

const char *manifest_string(const json_t *manifest, const char *key)
{
	const char *value;

	for (;;) {
		size_t len = strcspn(key, ".");

		manifest = json_object_getn(manifest, key, len);
		if (key[len] == '\0')
			break;
		key += len + 1;
	}
	value = json_string_value(manifest);
	return value ? value : "";
}

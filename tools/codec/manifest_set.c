// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec/manifest_set.h"

#include <errno.h>
#include <string.h>

static bool set_number(const json_t *object, const char *key, json_int_t least, json_int_t most,
		       unsigned int *ret)
{
	const json_t *value = json_object_get(object, key);
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < least || number > most)
		return false;
	*ret = number;
	return true;
}

int manifest_set_get(const json_t *manifest, const uint8_t *head_id, struct manifest_set *ret)
{
	const json_t *object = json_object_get(manifest, "set");
	struct manifest_set set = {.index = 1, .count = 1};
	char text[DIGEST_TEXT];

	if (!object) {
		memcpy(set.id.bytes, head_id, DIGEST_SIZE);
		*ret = set;
		return 0;
	}
	const char *id = json_string_value(json_object_get(object, "id"));

	if (!id || digest_parse(id, &set.id) < 0 ||
	    !set_number(object, "count", 2, MANIFEST_SET_MOST, &set.count) ||
	    !set_number(object, "index", 1, set.count, &set.index))
		return -EBADMSG;
	digest_format(&set.id, text);
	if (strcmp(text, id) != 0 ||
	    (set.index == 1) != !memcmp(set.id.bytes, head_id, DIGEST_SIZE))
		return -EBADMSG;
	*ret = set;
	return 0;
}

int manifest_set_put(json_t *manifest, const struct manifest_set *set)
{
	char id[DIGEST_TEXT];

	json_object_del(manifest, "set");
	if (set->count == 1)
		return 0;
	digest_format(&set->id, id);
	json_t *object = json_pack("{s:s, s:i, s:i}", "id", id, "index", (int)set->index, "count",
				   (int)set->count);

	return json_object_set_new(manifest, "set", object) ? -ENOMEM : 0;
}

bool manifest_set_follows(const struct manifest_set *a, const struct manifest_set *b)
{
	if (!a)
		return b->index == 1;
	return b->index == a->index + 1 && b->count == a->count && digest_equal(&a->id, &b->id);
}

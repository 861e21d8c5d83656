// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec/manifest_identity.h"

#include <string.h>

#include "codec/manifest.h"

static bool identity_known(const json_t *identity)
{
	return strcmp(manifest_string(identity, "kind"), "partition") != 0 &&
	       (manifest_string(identity, "serial")[0] || manifest_string(identity, "wwn")[0]);
}

static bool identity_equal(json_t *a, json_t *b)
{
	if (identity_known(a) && identity_known(b)) {
		json_object_del(a, "path");
		json_object_del(b, "path");
	}
	return json_equal(a, b);
}

bool manifest_identity_same(const struct image_head *a, const struct image_head *b)
{
	json_t *one = NULL, *other = NULL;
	bool same = a->map.size == b->map.size && a->map.chunk_size == b->map.chunk_size &&
		    a->logical_sector == b->logical_sector &&
		    a->physical_sector == b->physical_sector &&
		    manifest_parse(a->identity, a->identity_len, &one) == 0 &&
		    manifest_parse(b->identity, b->identity_len, &other) == 0 &&
		    identity_equal(one, other);

	json_decref(one);
	json_decref(other);
	return same;
}

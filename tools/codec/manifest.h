/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The facts about an image as JSON: the disk's identity (in HEAD and in OFFER) and the manifest (in
 * OFFER as far as it is known, and whole in the trailer). docs/image-format.md lists the keys.
 * jansson allocates; nothing here does I/O.
 */
#ifndef CODEC_MANIFEST_H
#define CODEC_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "codec/chunk.h"
#include "codec/digest.h"
#include "codec/image.h"

/*
 * How deep a manifest can nest, and what it can cost: of the memory that jansson takes 64 bytes are
 * counted as one, so that a hostile manifest takes 64 MiB at most, and its strings' length.
 */
#define MANIFEST_DEPTH_MOST 16
#define MANIFEST_COST_MOST  (1u << 20)
#define MANIFEST_VERSION    1 /* its key "format" */

/*
 * Reads LEN bytes of JSON at TEXT: one object, no duplicate keys, nothing behind it, strings of
 * valid UTF-8, at most IMAGE_MANIFEST_MOST bytes. Its strings may hold control characters, so
 * whoever shows them takes care of that. Returns 0 and a new reference, -EBADMSG or -ENOMEM.
 */
int manifest_parse(const char *text, size_t len, json_t **ret);

/* MANIFEST as compact JSON, keys as they were inserted. Returns 0 (free *ret) or -ENOMEM. */
int manifest_format(const json_t *manifest, char **ret, size_t *ret_len);

/*
 * What only the end of a transfer knows, added to the manifest that came with OFFER: format
 * version, transfer id, size, chunk size, number of chunks and of frames, root, created, finished
 * (seconds).
 */
struct manifest_end {
	const struct image_head *head;
	uint64_t size; /* of the device, bytes */
	uint64_t chunks;
	uint64_t frames; /* all frames of the image before the seek table, skippable ones counted */
	struct digest root;
	uint64_t finished; /* seconds since 1970, UTC */
};
/* Sets these keys of the object MANIFEST. Returns 0 or -ENOMEM. */
int manifest_finish(json_t *manifest, const struct manifest_end *end);

/*
 * Whether MANIFEST says what manifest_finish would have written for EXPECTED, whose finished is not
 * looked at: a time has to stand there, any will do. Returns 0, -EBADMSG or -ENOMEM.
 */
int manifest_check(const json_t *manifest, const struct manifest_end *expected);

/* A string of MANIFEST at the path KEY ("source.model"), or "" where there is none. Never NULL. */
const char *manifest_string(const json_t *manifest, const char *key);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/* The last question before a disk is overwritten. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/chunk.h"
#include "codec/text.h"
#include "io/disk.h"
#include "io/probe.h"
#include "sink/sink_disk.h"
#include "ui/msg.h"

#define BLANK_LENGTH (1u << 20) /* bytes at either end that an empty disk has as zeros */

/* Whether the LEN bytes at OFFSET are all zeros: 1, 0 or -errno. */
static int ask_blank(const struct disk *disk, uint64_t offset, size_t len)
{
	void *buf = malloc(len ? len : 1);
	int r = buf ? disk_read(disk, offset, buf, len) : -ENOMEM;

	if (r == 0)
		r = chunk_is_zero(buf, len);
	free(buf);
	return r;
}

/* Something that nobody knows stands at one of the ends: an encrypted disk looks so. */
static int ask_unknown(const struct disk *disk)
{
	size_t len = disk->size < BLANK_LENGTH ? disk->size : BLANK_LENGTH;
	int r = ask_blank(disk, 0, len);

	if (r == 1)
		r = ask_blank(disk, disk->size - len, len);
	return r < 0 ? r : !r;
}

/* What it is, and what is on it now: 1 and a sentence, 0 when it is empty, or -errno. */
static int ask_describe(const struct sink *sink, const struct probe_proof *proof, char *ret,
			size_t len)
{
	char contents[256] = "";
	char size[24];
	int r = probe_contents(sink->disk, contents, sizeof(contents));

	if (r == 0) {
		r = ask_unknown(sink->disk);
		snprintf(contents, sizeof(contents), "data of an unknown kind");
	}
	if (r < 0)
		return r;
	snprintf(ret, len, "%s (%s%s%s%s%s%s) holds %s", sink->name, proof->model,
		 proof->model[0] ? ", " : "", proof->serial[0] ? "serial number " : "",
		 proof->serial, proof->serial[0] ? ", " : "", msg_size(sink->disk->size, size),
		 r ? contents : "nothing that is known");
	return r;
}

/* What will be written, in the words of whoever sends it. */
static void ask_origin(const struct sink *sink, const json_t *manifest, char *ret, size_t len)
{
	const json_t *source = json_object_get(manifest, "source");
	const char *path = json_string_value(json_object_get(source, "path"));
	const char *model = json_string_value(json_object_get(source, "model"));
	const char *host =
		json_string_value(json_object_get(json_object_get(manifest, "host"), "name"));
	char text[512], size[24];

	snprintf(text, sizeof(text), "%s%s%s (%s)%s%s", path ? path : "a disk",
		 model && *model ? ", " : "", model ? model : "",
		 msg_size(sink->head.map.size, size), host ? " of " : "", host ? host : "");
	/* The peer's words: nothing of them may steer a terminal. */
	ret[text_put(text, len - 1, ret)] = '\0';
}

static void ask_what(const struct probe_proof *proof, char *ret, size_t len)
{
	if (proof->kind == PROBE_PROOF_NONE)
		snprintf(ret, len, "yes");
	else if (proof->kind == PROBE_PROOF_SIZE)
		snprintf(ret, len, "its size in bytes, %s", proof->text);
	else if (proof->kind == PROBE_PROOF_WWN)
		snprintf(ret, len, "the last %zu characters of its world wide name, %s",
			 proof->least, proof->text);
	else
		snprintf(ret, len, "the last %zu characters of its serial number", proof->least);
}

static bool ask_answered(const struct probe_proof *proof, const char *answer)
{
	return proof->kind == PROBE_PROOF_NONE ? strcasecmp(answer, "yes") == 0
					       : probe_proof_holds(proof, answer);
}

static int ask_user(struct sink *sink, const struct probe_proof *proof, const char *now,
		    const char *from)
{
	char what[288], question[1664], answer[256];

	ask_what(proof, what, sizeof(what));
	snprintf(question, sizeof(question),
		 "%s.\nAll of it will be overwritten with %s.\nTo go on, type %s: ", now, from,
		 what);
	int r = sink->options.ask ? sink->options.ask(question, answer, sizeof(answer)) : -ENOTTY;
	if (r == -EINTR)
		return r;
	if (r < 0)
		return sink_fail(sink, -EEXIST,
				 "%s, and nobody can be asked: give %s--force to overwrite it", now,
				 proof->kind == PROBE_PROOF_SERIAL ? "--confirm=SERIAL or " : "");
	return ask_answered(proof, answer)
		       ? 0
		       : sink_fail(sink, -ECANCELED, "%s is left as it is: the answer was not %s",
				   sink->name, what);
}

static int ask_confirmed(struct sink *sink, const struct probe_proof *proof)
{
	const char *confirm = sink->options.confirm;

	if (proof->kind != PROBE_PROOF_SERIAL)
		return sink_fail(sink, -EPERM,
				 "%s cannot be confirmed by a serial number: it has none of 4 "
				 "characters or more that no other disk has",
				 sink->name);
	if (!probe_proof_holds(proof, confirm))
		return sink_fail(sink, -EPERM,
				 "%s is not confirmed by the serial number '%s': it must be the "
				 "last %zu or more characters of the serial number of this disk "
				 "and of no other",
				 sink->name, confirm, proof->least);
	return 0;
}

int sink_disk_permission(struct sink *sink, const json_t *manifest)
{
	char now[768], from[512];
	struct probe_proof proof;
	int r;

	if (sink->options.force)
		return 0;
	r = probe_proof_find(sink->disk, &proof);
	if (r == 0 && sink->options.confirm)
		return ask_confirmed(sink, &proof);
	if (r == 0)
		r = ask_describe(sink, &proof, now, sizeof(now));
	if (r < 0)
		return sink_fail(sink, r, "%s cannot be examined: %s", sink->name, strerror(-r));
	if (r == 0)
		return 0;
	ask_origin(sink, manifest, from, sizeof(from));
	return ask_user(sink, &proof, now, from);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What tells a disk from all others, for the question before it is overwritten. */
#include "io/probe.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/disk_sysfs.h"
#include "io/probe_facts.h"

#define PROOF_LEAST 4 /* characters: fewer are typed by chance */

static bool text_ends(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

struct others {
	const struct probe_disk *disks;
	size_t count;
	dev_t own;
};

/* FIELD is where struct probe_disk has the text. Whether another disk's ends in END too. */
static bool others_end(const struct others *others, size_t field, const char *end)
{
	for (size_t i = 0; i < others->count; i++) {
		if (others->disks[i].device != others->own &&
		    text_ends((const char *)&others->disks[i] + field, end))
			return true;
	}
	return false;
}

/* How many of TEXT's last characters no other disk has: PROOF_LEAST or more; 0 when all do not do.
 */
static size_t text_least(const struct others *others, size_t field, const char *text)
{
	size_t len = strlen(text);

	for (size_t n = PROOF_LEAST; n <= len; n++) {
		if (!others_end(others, field, text + len - n))
			return n;
	}
	return 0;
}

void probe_proof_choose(const struct probe_disk *own, const struct probe_disk *disks, size_t count,
			struct probe_proof *ret)
{
	const struct others others = {.disks = disks, .count = count, .own = own->device};
	struct probe_proof proof = {.kind = PROBE_PROOF_SERIAL};

	snprintf(proof.model, sizeof(proof.model), "%s", own->model);
	snprintf(proof.serial, sizeof(proof.serial), "%s", own->serial);
	snprintf(proof.text, sizeof(proof.text), "%s", own->serial);
	proof.least = text_least(&others, offsetof(struct probe_disk, serial), own->serial);
	if (!proof.least) {
		proof.kind = PROBE_PROOF_WWN;
		snprintf(proof.text, sizeof(proof.text), "%s", own->wwn);
		proof.least = text_least(&others, offsetof(struct probe_disk, wwn), own->wwn);
	}
	if (!proof.least) {
		proof.kind = PROBE_PROOF_SIZE;
		proof.least = snprintf(proof.text, sizeof(proof.text), "%" PRIu64, own->size);
	}
	*ret = proof;
}

int probe_proof_find(const struct disk *disk, struct probe_proof *ret)
{
	struct probe_disk own = {.size = disk->size}, *disks;
	struct probe_facts facts;
	struct stat st;
	size_t count;
	int err;

	if (!disk->block) {
		*ret = (struct probe_proof){.kind = PROBE_PROOF_NONE};
		return 0;
	}
	if (fstat(disk->fd, &st) < 0)
		return -errno;
	err = probe_facts_find(st.st_rdev, &facts);
	if (!err)
		err = probe_list(&disks, &count);
	if (err)
		return err;
	own.device = disk_sysfs_whole(st.st_rdev);
	snprintf(own.model, sizeof(own.model), "%s", facts.model);
	snprintf(own.serial, sizeof(own.serial), "%s", facts.serial);
	snprintf(own.wwn, sizeof(own.wwn), "%s", facts.wwn);
	probe_proof_choose(&own, disks, count, ret);
	free(disks);
	return 0;
}

bool probe_proof_holds(const struct probe_proof *proof, const char *answer)
{
	return strlen(answer) >= proof->least && text_ends(proof->text, answer);
}

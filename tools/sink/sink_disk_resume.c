// SPDX-License-Identifier: GPL-2.0-or-later
/* A restore that another process began: what its journal says, held against the disk. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/random.h>

#include "codec/manifest_identity.h"
#include "io/journal.h"
#include "io/stop.h"
#include "io/target.h"
#include "sink/sink_disk.h"
#include "ui/msg.h"

#define RESUME_LAST   16u /* chunks that were written last, which are compared */
#define RESUME_RANDOM 64u /* and others */

static const char *resume_anew(const struct sink *sink)
{
	return sink->options.resume ? "give --restart instead of --resume to begin anew"
				    : "give --restart to begin anew";
}

/* There is nothing to go on with. */
static int resume_nothing(struct sink *sink)
{
	if (!sink->options.resume)
		return 0;
	return sink_fail(sink, -ENODATA,
			 "nothing is known of a restore onto %s that broke off, which a restart of "
			 "the machine forgets: leave out --resume to begin anew",
			 sink->name);
}

/* Whether an earlier run began the same: sets the chunks that are there. */
static int resume_read(struct sink *sink)
{
	struct image_head head;
	uint64_t count;
	int r = journal_read(sink->journal, &head, &count);

	if (r == -ENODATA)
		return resume_nothing(sink);
	if (r < 0)
		return sink_fail(sink, r,
				 "what is known of an earlier restore onto %s is damaged: %s",
				 sink->name, resume_anew(sink));
	if (!manifest_identity_same(&head, &sink->head))
		return sink_fail(
			sink, -EEXIST,
			"a restore of another disk onto %s broke off: send that one, or %s",
			sink->name, resume_anew(sink));
	sink->chunks = count;
	sink->stored = chunk_bytes(&sink->head.map, count);
	return 0;
}

/* The target is overwritten from its beginning on: what an earlier run knew of it holds no more. */
static void resume_forget(struct sink *sink)
{
	struct journal *journal = NULL;

	if (journal_open(sink->disk, true, &journal) == 0)
		journal_close(journal);
}

/* Something is not as it was: with --force that does not matter. */
static int resume_refused(struct sink *sink, int error)
{
	if (!sink->options.force || (error != -EEXIST && error != -EBADMSG && error != -ESTALE))
		return error;
	msg_note("beginning anew, for --force is given: %s", sink->why);
	sink->chunks = sink->stored = 0;
	return journal_start(sink->journal, &sink->head);
}

int sink_disk_resume_open(struct sink *sink)
{
	/* Bytes of --plain begin at the beginning; a smaller target has not all of the chunks. */
	if (!sink->options.resumes || sink->size != sink->head.map.size) {
		resume_forget(sink);
		return resume_nothing(sink);
	}
	int r = journal_open(sink->disk, sink->options.restart, &sink->journal);

	if (r == -EWOULDBLOCK)
		return sink_fail(sink, -EBUSY,
				 "%s is being restored onto by another tbrecv: wait for it",
				 sink->name);
	if (r < 0) {
		msg_debug("%s: no other run can go on with this restore: %s", sink->name,
			  strerror(-r));
		return resume_nothing(sink);
	}
	r = resume_read(sink);
	if (r == 0 && !sink->chunks)
		r = journal_start(sink->journal, &sink->head);
	return resume_refused(sink, r);
}

/* One chunk out of each of so many parts, in order. */
static int resume_choose(uint64_t count, uint64_t chosen[RESUME_RANDOM])
{
	if (getrandom(chosen, RESUME_RANDOM * sizeof(*chosen), 0) < 0)
		return -errno;
	for (uint64_t i = 0; i < RESUME_RANDOM; i++) {
		uint64_t from = count * i / RESUME_RANDOM;
		uint64_t to = MAX(count * (i + 1) / RESUME_RANDOM, from + 1);

		chosen[i] = from + chosen[i] % (to - from);
	}
	return 0;
}

/* Whether the target has chunk INDEX as ENTRY says: 0, -ESTALE or another -errno. */
static int resume_compare(const struct sink *sink, uint64_t index, const struct image_entry *entry,
			  uint8_t *content)
{
	uint32_t len = chunk_length(&sink->head.map, index);
	struct digest digest;
	int r = target_read(sink->target, chunk_offset(&sink->head.map, index), content, len);

	if (r < 0)
		return r;
	digest_chunk(content, len, &digest);
	return digest_equal(&digest, &entry->digest) ? 0 : -ESTALE;
}

/* The digest is one of those that the target is held against at the end. */
static int resume_keep(struct sink *sink, uint64_t index, const struct image_entry *entry)
{
	uint32_t len = chunk_length(&sink->head.map, index);
	const struct sink_chunk chunk = {.entry = entry, .length = len};

	return sink_disk_digest(sink, index, &chunk, len);
}

/* Chunk INDEX of COUNT: looks at it, where it is AMONG the chosen ones. */
static int resume_look(struct sink *sink, uint64_t index, bool among, uint8_t *content)
{
	struct image_entry entry = {0};
	int r = journal_get(sink->journal, index, &entry);
	bool slot = entry.flags & IMAGE_ENTRY_SLOT;

	if (r == 0 && (among || slot || sink->options.recheck))
		r = resume_compare(sink, index, &entry, content);
	/* One that came again may have been written and not been noted: it comes once more. */
	if (r == -ESTALE && slot && index) {
		sink->chunks = index;
		return 0;
	}
	if (r == 0)
		r = resume_keep(sink, index, &entry);
	if (r == -ESTALE)
		return sink_fail(
			sink, r, "%s has changed at byte %llu since its restore broke off: %s",
			sink->name, (unsigned long long)chunk_offset(&sink->head.map, index),
			resume_anew(sink));
	return r < 0 ? sink_fail(sink, r, "%s cannot be compared at byte %llu: %s; %s", sink->name,
				 (unsigned long long)chunk_offset(&sink->head.map, index),
				 strerror(-r), resume_anew(sink))
		     : 0;
}

int sink_disk_resume_check(struct sink *sink)
{
	uint8_t *content = aligned_alloc(DISK_ALIGN, CHUNK_SIZE_MOST);
	uint64_t chosen[RESUME_RANDOM];
	unsigned int at = 0;

	if (!content)
		return -ENOMEM;
	msg_note("looking whether %s is as it was left", sink->name);
	int r = resume_choose(sink->chunks, chosen);
	for (uint64_t i = 0; r == 0 && i < sink->chunks; i++) {
		bool among = i == 0 || i + RESUME_LAST >= sink->chunks;

		for (; at < RESUME_RANDOM && chosen[at] <= i; at++)
			among |= chosen[at] == i;
		r = stop_signal() ? -EINTR : resume_look(sink, i, among, content);
	}
	free(content);
	sink->stored = chunk_bytes(&sink->head.map, sink->chunks);
	return resume_refused(sink, r);
}

int sink_disk_resume_changed(struct sink *sink)
{
	return resume_refused(
		sink, sink_fail(sink, -ESTALE,
				"%s has been written to at its beginning or end since its restore "
				"broke off: %s",
				sink->name, resume_anew(sink)));
}

/* Without the journal the restore is as good, but nobody can go on with it. */
static void resume_failed(struct sink *sink, int r)
{
	if (r < 0 && !sink->journal_failed)
		msg_warn("%s: no other run can go on with this restore, what is known of it cannot "
			 "be kept: %s",
			 sink->name, strerror(-r));
	sink->journal_failed |= r < 0;
}

void sink_disk_resume_put(struct sink *sink, uint64_t index, const struct image_entry *entry)
{
	if (sink->journal && !sink->journal_failed)
		resume_failed(sink, journal_put(sink->journal, index, entry));
}

void sink_disk_resume_mark(struct sink *sink)
{
	if (sink->journal && !sink->journal_failed)
		resume_failed(sink, journal_mark(sink->journal, sink->chunks));
}

int sink_disk_resume_entries(struct sink *sink, uint64_t first, uint32_t count,
			     struct image_entry *ret)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < count; i++)
		r = journal_get(sink->journal, first + i, &ret[i]);
	return r;
}

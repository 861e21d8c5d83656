// SPDX-License-Identifier: GPL-2.0-or-later
/* An image on a disk of another size: whether it goes there, and where its GPT's backup goes. */
#include <errno.h>
#include <string.h>
#include <sys/param.h>

#include "codec/gpt.h"
#include "codec/manifest.h"
#include "codec/manifest_table.h"
#include "io/disk.h"
#include "io/target.h"
#include "sink/sink_disk.h"
#include "ui/msg.h"

#define FIT_BACKUP 16384u /* bytes of a GPT's 128 entries; a sector for the header comes to it */
#define FIT_SECTOR 512u	  /* of a file that does not say */

static const json_t *fit_table(const json_t *manifest)
{
	return json_object_get(manifest, "table");
}

static bool fit_table_is(const json_t *manifest, const char *type)
{
	return !strcmp(manifest_string(manifest, "table.type"), type);
}

/* The sector size that the partition table counts in; 0 where nothing says. */
static uint32_t fit_sector(const struct sink *sink, const struct disk *disk)
{
	return disk->block ? disk->logical_sector : sink->head.logical_sector;
}

/* Where the last partition ends, as the offer says. Returns 0, or -ENOMSG where it does not. */
static int fit_used(const json_t *manifest, uint64_t *ret)
{
	struct manifest_partition part;
	uint64_t used = 0;

	if (!json_is_array(json_object_get(fit_table(manifest), "partitions")))
		return -ENOMSG;
	for (size_t i = 0; i < manifest_partition_count(manifest); i++) {
		if (!manifest_partition_get(manifest, i, &part))
			return -ENOMSG;
		used = MAX(used, part.start + part.size);
	}
	*ret = used;
	return 0;
}

/* Sizes that a person can compare: the unit may round the difference away. */
static char *fit_size(uint64_t bytes, char ret[64])
{
	char size[24];

	snprintf(ret, 64, "%s (%llu bytes)", msg_size(bytes, size), (unsigned long long)bytes);
	return ret;
}

static int fit_refuse(struct sink *sink)
{
	uint64_t size = sink->head.map.size;
	char here[24], there[24];

	return sink_fail(sink, -ENOSPC,
			 "%s holds %s, the image needs %s (%llu bytes more): choose a larger disk",
			 sink->name, msg_size(sink->disk->size, here), msg_size(size, there),
			 (unsigned long long)(size - sink->disk->size));
}

/*
 * Asks whether to fit; USED: where the last partition ends, if that matters. Returns 0, with the
 * answer in the options, or -EINTR.
 */
static int fit_ask(struct sink *sink, uint64_t used)
{
	char question[512], ends[64] = "", whole[24], size[24], answer[8] = "";

	if (sink->options.fit || !sink->options.ask_fit || !sink->options.ask)
		return 0;
	if (used)
		snprintf(ends, sizeof(ends), ", its last partition ends at %s",
			 msg_size(used, size));
	msg_size(sink->head.map.size, whole);
	msg_size(sink->disk->size, size);
	snprintf(question, sizeof(question),
		 "The image has %s%s; %s has %s. Type f to fit it (--fit), or only Enter: ", whole,
		 ends, sink->name, size);
	int r = sink->options.ask(question, answer, sizeof(answer));

	sink->options.fit = !strcasecmp(answer, "f");
	return r == -EINTR ? r : 0;
}

/* The image is larger than the disk. Its partitions may not be. */
static int fit_smaller(struct sink *sink, const json_t *manifest)
{
	uint64_t used, need, size = sink->disk->size;
	uint32_t sector = fit_sector(sink, sink->disk);
	char whole[24], end[64], here[64];

	if ((!sink->gpt && !fit_table_is(manifest, "dos")) || fit_used(manifest, &used) < 0)
		return fit_refuse(sink);
	need = used + (sink->gpt ? FIT_BACKUP + (sector ? sector : FIT_SECTOR) : 0);
	msg_size(sink->head.map.size, whole);
	fit_size(used, end);
	fit_size(size, here);
	if (need > size)
		return sink_fail(sink, -ENOSPC,
				 "%s holds %s, the image needs more: it is of %s, and its last "
				 "partition ends at %s%s. Choose a larger disk",
				 sink->name, here, whole, end,
				 sink->gpt ? ", which the backup of the partition table follows"
					   : "");
	int r = fit_ask(sink, used);

	if (r < 0)
		return r;
	if (!sink->options.fit)
		return sink_fail(sink, -ENOSPC,
				 "%s holds %s, the image needs %s, but its last partition ends at "
				 "%s: give --fit to leave out the free space behind it, or choose "
				 "a larger disk",
				 sink->name, here, whole, end);
	sink->size = size;
	return 0;
}

/* A partition table counts in sectors: with others it means other places. */
static int fit_sectors(struct sink *sink, const json_t *manifest)
{
	uint32_t here = sink->disk->logical_sector, there = sink->head.logical_sector;

	if (!fit_table(manifest) || !here || !there || here == there)
		return 0;
	if (!sink->options.force)
		return sink_fail(
			sink, -EINVAL,
			"%s has sectors of %u bytes, the image's disk had %u: its "
			"partitions would not be found there. Choose another disk, or give "
			"--force",
			sink->name, here, there);
	msg_warn("%s has sectors of %u bytes, the image's disk had %u: its partitions will not be "
		 "found there",
		 sink->name, here, there);
	return 0;
}

int sink_disk_fits(struct sink *sink, const json_t *manifest)
{
	if (chunk_map_open(&sink->head.map))
		return sink_fail(sink, -EINVAL,
				 "what comes is a stream, and its length is not known before its "
				 "end, so nobody can say whether %s takes it: receive it into a "
				 "file first, `tbrecv -o image.zst`",
				 sink->name);
	sink->size = sink->head.map.size;
	sink->gpt = fit_table_is(manifest, "gpt");
	int r = 0;

	if (sink->size > sink->disk->size)
		r = fit_smaller(sink, manifest);
	else if (sink->size < sink->disk->size && sink->gpt)
		r = fit_ask(sink, 0);
	return r < 0 ? r : fit_sectors(sink, manifest);
}

/* The first byte of [FROM, TO), of CONTENT from OFFSET on, that is not zero; TO without one. */
static uint64_t fit_data(uint64_t from, uint64_t to, uint64_t offset, const uint8_t *content)
{
	if (from >= to || chunk_is_zero(content + (from - offset), to - from))
		return MAX(from, to);
	while (!content[from - offset])
		from++;
	return from;
}

/* What stands where no partition is, is nobody's; whoever knows better must hear of it. */
static void fit_left_out(struct sink *sink, uint64_t at, uint64_t end)
{
	if (at >= end || sink->left_out)
		return;
	sink->left_out = true;
	msg_warn("the image has data at byte %llu, behind its last partition: %s has no room for "
		 "what stands there, and it is left out",
		 (unsigned long long)at, sink->name);
}

int sink_disk_drop(struct sink *sink, uint64_t offset, const uint8_t *content, uint32_t len)
{
	uint64_t end = offset + len, size = sink->size;
	uint64_t limit = size, old = end, old_end = end;
	struct gpt gpt;

	/* A GPT's backup will stand in the last sectors of the disk. */
	if (sink->size == sink->head.map.size || end <= size - MIN(size, GPT_BACKUP_MOST))
		return 0;
	if (sink->gpt) {
		int r = target_gpt(sink->target, sink->head.logical_sector, &gpt);

		if (r < 0)
			return sink_fail(sink, r,
					 "the image's GPT is damaged, and only a sound one can be "
					 "made to fit %s: choose a disk of the image's size",
					 sink->name);
		uint64_t backup = gpt_backup_size(&gpt);

		if (backup > size || gpt.end > (size - backup) / gpt.sector)
			return sink_fail(sink, -ENOSPC,
					 "the image's last partition ends at byte %llu, not where "
					 "the sender said, and %s has no room for it: choose a "
					 "larger disk",
					 (unsigned long long)(gpt.end * gpt.sector), sink->name);
		limit = size - backup;
		old_end = (gpt.backup + 1) * gpt.sector;
		old = old_end - backup;
	}
	fit_left_out(sink, fit_data(MAX(offset, limit), MIN(end, old), offset, content),
		     MIN(end, old));
	fit_left_out(sink, fit_data(MAX(MAX(offset, limit), old_end), end, offset, content), end);
	return 0;
}

/* GPT: what target_gpt says of the one that came. */
static void fit_note_larger(struct sink *sink, uint64_t more, int gpt)
{
	char size[24];

	msg_size(more, size);
	if (gpt == 0)
		snprintf(sink->note, sizeof(sink->note),
			 "%s is larger than the image, by %s, and the backup of its GPT is not at "
			 "its end: `sgdisk -e %s` moves it there, as --fit would have done",
			 sink->name, size, sink->name);
	else
		snprintf(sink->note, sizeof(sink->note),
			 "%s is larger than the image, by %s that nothing uses yet%s", sink->name,
			 size,
			 gpt == -EBADMSG ? ", and its GPT is damaged, as the image's is: it was "
					   "left as it is"
					 : "");
}

/* The GPT is now one of the whole disk, and on the medium. */
static int fit_move(struct sink *sink, const struct gpt *gpt)
{
	int r = target_move_gpt(sink->target, gpt);

	if (r < 0)
		return sink_fail(sink, r,
				 "%s is complete, but the backup of its GPT cannot be moved to its "
				 "end: %s",
				 sink->name, strerror(-r));
	r = sink->options.verify ? target_check_gpt(sink->target) : 0;
	if (r == -EBADMSG)
		return sink_fail(
			sink, -EIO,
			"%s does not give back the GPT that was written to it: the disk or "
			"what it hangs on is failing, do not use it",
			sink->name);
	if (r < 0)
		return sink_fail(sink, r, "the GPT of %s cannot be read back: %s", sink->name,
				 strerror(-r));
	snprintf(sink->note, sizeof(sink->note),
		 "the GPT of %s fits its size now: its backup is at its end", sink->name);
	return 0;
}

int sink_disk_fit(struct sink *sink)
{
	const struct disk *disk = target_disk(sink->target);
	uint64_t image = sink->head.map.size;
	struct gpt gpt;

	if (disk->size == image)
		return 0;
	int r = target_gpt(sink->target, sink->head.logical_sector, &gpt);
	if (r == 0 && sink->options.fit)
		return fit_move(sink, &gpt);
	if (disk->size > image)
		fit_note_larger(sink, disk->size - image, r);
	else if (sink->gpt)
		return sink_fail(sink, r,
				 "%s is complete, but its GPT is damaged or not there, and cannot "
				 "be made to fit it",
				 sink->name);
	return 0;
}

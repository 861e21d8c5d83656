// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/bytes.h"
#include "codec/manifest.h"
#include "codec/pack.h"
#include "io/out.h"
#include "io/probe.h"
#include "io/target.h"

#define JOURNAL_RUN   "/run"
#define JOURNAL_MAGIC "TBSJ\1\0\0"

/* Where what stands in the file. */
#define JOURNAL_MARK	32u	/* bytes at its beginning: magic, chunks, length of HEAD, check */
#define JOURNAL_HEAD	4096u	/* HEAD */
#define JOURNAL_ENDS	131072u /* the ends, and behind them the entries */
#define JOURNAL_ENTRIES (JOURNAL_ENDS + 2 * TARGET_KEPT)

struct journal {
	int fd;
	char path[384];
	bool is_volatile, held;
	uint8_t *ends;
	uint32_t head_len;
	uint8_t head[JOURNAL_ENDS - JOURNAL_HEAD];
};

/* The folder, which is made. */
static int journal_folder(char *ret, size_t len, bool *ret_volatile)
{
	const char *state = getenv("XDG_STATE_HOME");

	*ret_volatile = !state || state[0] != '/';
	if (*ret_volatile)
		state = JOURNAL_RUN;
	if (snprintf(ret, len, "%s/tbstream", state) >= (int)len)
		return -ENAMETOOLONG;
	if ((mkdir(state, 0700) && errno != EEXIST) || (mkdir(ret, 0700) && errno != EEXIST))
		return -errno;
	return 0;
}

/* Where DISK is, for one that has nothing else that tells it from others. */
static int journal_place(const struct disk *disk, char *ret, size_t len)
{
	struct statx st;

	if (statx(disk->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &st))
		return -errno;
	if (disk->block)
		snprintf(ret, len, "%u:%u", st.stx_rdev_major, st.stx_rdev_minor);
	else
		snprintf(ret, len, "%u:%u %llu %lld.%u", st.stx_dev_major, st.stx_dev_minor,
			 (unsigned long long)st.stx_ino, (long long)st.stx_btime.tv_sec,
			 st.stx_btime.tv_nsec);
	return 0;
}

/* The digest of what tells DISK from all others. */
static int journal_identity(const struct disk *disk, struct digest *ret)
{
	json_t *identity = NULL;
	char place[128] = "";
	char *text = NULL;
	size_t len;
	int r = probe_identity(disk, &identity);

	if (r < 0)
		return r;
	json_object_set_new(identity, "size", json_integer(disk->size));
	/* What is known by its serial number may come back under another name. */
	bool known = disk->block && manifest_string(identity, "serial")[0] &&
		     strcmp(manifest_string(identity, "kind"), "partition") != 0;
	if (!known)
		r = journal_place(disk, place, sizeof(place));
	json_object_set_new(identity, "path", json_string(place));
	if (r == 0)
		r = manifest_format(identity, &text, &len);
	if (r == 0)
		digest_chunk(text, len, ret);
	free(text);
	json_decref(identity);
	return r;
}

static int journal_name(struct journal *journal, const struct disk *disk)
{
	char folder[320], text[DIGEST_TEXT];
	struct digest digest;
	int r = journal_folder(folder, sizeof(folder), &journal->is_volatile);

	if (r == 0)
		r = journal_identity(disk, &digest);
	if (r < 0)
		return r;
	digest_format(&digest, text);
	snprintf(journal->path, sizeof(journal->path), "%s/restore-%s", folder, text);
	return 0;
}

static int journal_write(const struct journal *journal, const void *buf, size_t len, uint64_t at)
{
	return out_write_at(journal->fd, buf, len, at);
}

static int journal_bytes(const struct journal *journal, void *buf, size_t len, uint64_t at)
{
	ssize_t n = out_read_at(journal->fd, buf, len, at);

	if (n < 0)
		return n;
	return (size_t)n == len ? 0 : -EBADMSG;
}

static int journal_prepare(struct journal *journal, bool anew)
{
	journal->fd = open(journal->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (journal->fd < 0 || flock(journal->fd, LOCK_EX | LOCK_NB) ||
	    (anew && ftruncate(journal->fd, 0)))
		return -errno;
	journal->held = true;
	/* Where there is no room, writing to the memory would be the end of us. */
	int r = posix_fallocate(journal->fd, 0, JOURNAL_ENTRIES);
	if (r)
		return -r;
	journal->ends = mmap(NULL, 2 * TARGET_KEPT, PROT_READ | PROT_WRITE, MAP_SHARED, journal->fd,
			     JOURNAL_ENDS);
	if (journal->ends != MAP_FAILED)
		return 0;
	journal->ends = NULL;
	return -errno;
}

int journal_open(const struct disk *disk, bool anew, struct journal **ret)
{
	struct journal *journal = calloc(1, sizeof(*journal));

	if (!journal)
		return -ENOMEM;
	journal->fd = -1;
	int r = journal_name(journal, disk);
	if (r == 0)
		r = journal_prepare(journal, anew);
	if (r < 0) {
		journal_close(journal);
		return r;
	}
	*ret = journal;
	return 0;
}

/* No chunk is there, and nothing that cannot be read either. */
static bool journal_empty(const struct journal *journal)
{
	uint8_t buf[JOURNAL_MARK];

	return journal_bytes(journal, buf, sizeof(buf), 0) == 0 && !bytes_get64(buf + 8);
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	if (journal->ends)
		munmap(journal->ends, 2 * TARGET_KEPT);
	if (journal->held && journal_empty(journal))
		unlink(journal->path);
	if (journal->fd >= 0)
		close(journal->fd);
	free(journal);
}

void journal_drop(struct journal *journal)
{
	if (journal && journal->held)
		unlink(journal->path);
	/* By now it may be another's. */
	if (journal)
		journal->held = false;
}

bool journal_volatile(const struct journal *journal)
{
	return journal->is_volatile;
}

static void journal_encode(const struct journal *journal, uint64_t count, uint8_t *buf)
{
	uint8_t *p = bytes_put_all(buf, JOURNAL_MAGIC, 8);

	p = bytes_put64(p, count);
	p = bytes_put64(p, journal->head_len);
	bytes_put64(p, digest_stored(buf, JOURNAL_MARK - 8));
}

int journal_mark(struct journal *journal, uint64_t count)
{
	uint8_t buf[JOURNAL_MARK];
	/* On a disk the entries come before what speaks of them. */
	int r = out_sync(journal->fd);

	journal_encode(journal, count, buf);
	return r < 0 ? r : journal_write(journal, buf, sizeof(buf), 0);
}

int journal_read(struct journal *journal, struct image_head *ret_head, uint64_t *ret_count)
{
	uint8_t buf[JOURNAL_MARK], same[JOURNAL_MARK];
	int r = journal_bytes(journal, buf, sizeof(buf), 0);

	if (r == 0 && chunk_is_zero(buf, sizeof(buf)))
		return -ENODATA;
	uint64_t count = bytes_get64(buf + 8), len = bytes_get64(buf + 16);
	if (r == 0 && len > sizeof(journal->head))
		r = -EBADMSG;
	if (r < 0)
		return r;
	journal->head_len = len;
	journal_encode(journal, count, same);
	r = memcmp(buf, same, sizeof(buf)) ? -EBADMSG : 0;
	if (r == 0)
		r = journal_bytes(journal, journal->head, len, JOURNAL_HEAD);
	if (r == 0)
		r = image_head_get(journal->head, len, ret_head);
	if (r == 0 && count > chunk_count(&ret_head->map))
		r = -EBADMSG;
	*ret_count = count;
	return r == 0 && !count ? -ENODATA : r;
}

int journal_start(struct journal *journal, const struct image_head *head)
{
	static const uint8_t none[JOURNAL_MARK];
	/* Whatever was there speaks of nothing from now on. */
	int r = journal_write(journal, none, sizeof(none), 0);
	int len = image_head_put(head, journal->head, sizeof(journal->head));

	if (r == 0 && ftruncate(journal->fd, JOURNAL_ENTRIES))
		r = -errno;
	memset(journal->ends, 0, 2 * TARGET_KEPT);
	if (r == 0 && len < 0)
		r = len;
	journal->head_len = len;
	if (r == 0)
		r = journal_write(journal, journal->head, len, JOURNAL_HEAD);
	return r < 0 ? r : journal_mark(journal, 0);
}

uint8_t *journal_ends(struct journal *journal)
{
	return journal->ends;
}

/* So that an entry which a power cut lost is none. */
static uint64_t journal_check(uint64_t index, const struct image_entry *entry)
{
	uint8_t buf[DIGEST_SIZE + 12];
	uint8_t *p = bytes_put_all(buf, entry->digest.bytes, DIGEST_SIZE);

	bytes_put32(bytes_put64(p, index), entry->flags);
	return digest_stored(buf, sizeof(buf));
}

int journal_put(struct journal *journal, uint64_t index, const struct image_entry *entry)
{
	const struct image_entry kept = {
		.digest = entry->digest,
		.stored_size = PACK_FRAME_LEAST,
		.stored_hash = journal_check(index, entry),
		.flags = entry->flags,
	};
	uint8_t raw[IMAGE_ENTRY];

	image_entry_put(&kept, raw);
	return journal_write(journal, raw, sizeof(raw), JOURNAL_ENTRIES + index * IMAGE_ENTRY);
}

int journal_get(struct journal *journal, uint64_t index, struct image_entry *ret)
{
	uint8_t raw[IMAGE_ENTRY];
	int r = journal_bytes(journal, raw, sizeof(raw), JOURNAL_ENTRIES + index * IMAGE_ENTRY);

	if (r == 0)
		r = image_entry_get(raw, ret);
	if (r == 0 && ret->stored_hash != journal_check(index, ret))
		r = -EBADMSG;
	return r;
}

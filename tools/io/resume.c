// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/resume.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "codec/pack.h"
#include "io/out.h"
#include "io/resume_internal.h"
#include "io/spool.h"

#define RESUME_SAMPLES 64u

/* What one look at the chain needs. */
struct resume_look {
	struct chain *chain;
	const struct resume_options *options;
	struct spool *spool;
	uint64_t *samples; /* chunks */
	unsigned int sample_count;
	uint8_t *frame;
	size_t room;  /* at it, bytes: a small image takes little memory */
	bool all;     /* frames are checked */
	bool sampled; /* the damaged one was among the samples */
	uint64_t end; /* of what is kept, bytes */
};

/* Reads LEN bytes to look->frame. */
static int look_read(struct resume_look *look, uint64_t at, size_t len)
{
	if (len > look->room) {
		uint8_t *more = realloc(look->frame, len);

		if (!more)
			return -ENOMEM;
		look->frame = more;
		look->room = len;
	}
	ssize_t n = out_read_at(look->chain->fd, look->frame, len, at);

	if (n < 0)
		return n;
	return (size_t)n == len ? 0 : -EBADMSG;
}

/* Whether a PAD of LEN bytes, and nothing in it, is at PAD. */
static bool look_is_pad(const uint8_t *pad, size_t len)
{
	uint8_t header[IMAGE_FRAME_HEADER + IMAGE_TAG];

	return image_pad_header_put(len, header) == 0 && !memcmp(pad, header, sizeof(header)) &&
	       chunk_is_zero(pad + sizeof(header), len - sizeof(header));
}

/*
 * Whether one frame, and no other, of LEN content bytes stands there, and is ENTRY's, with what
 * belongs to it: ROOM bytes in all.
 */
static int look_frame(struct resume_look *look, uint64_t at, const struct image_entry *entry,
		      uint64_t room, uint32_t len)
{
	size_t stored = entry->stored_size;
	int r = look_read(look, at, room);

	if (r < 0)
		return r;
	if (pack_check(look->frame, stored, len) < 0 ||
	    digest_stored(look->frame, stored) != entry->stored_hash ||
	    (room > stored && !look_is_pad(look->frame + stored, room - stored)))
		return -EBADMSG;
	return 0;
}

static bool look_is_sample(const struct resume_look *look, uint64_t chunk)
{
	for (unsigned int i = 0; i < look->sample_count; i++)
		if (look->samples[i] == chunk)
			return true;
	return false;
}

/* Whether what stands before a CHECKPOINT is what it speaks of, as far as it is looked at. */
static int look_frames(struct resume_look *look, const struct chain_link *link, bool check)
{
	const struct load_head *front = look->chain->front;
	uint64_t at = link->start;

	for (uint32_t i = 0; i < link->count; i++) {
		uint64_t chunk = link->first + i;
		bool sample = look_is_sample(look, chunk);
		struct image_entry entry;
		uint64_t room = 0;
		int r = image_entry_get(link->entries + (size_t)i * IMAGE_ENTRY, &entry);

		if (r == 0)
			r = chain_room(&front->head.map, chunk, &entry, &room);
		/* What may have been written over is always looked at. */
		if (r == 0 && (check || sample || chunk == 0 || entry.flags & IMAGE_ENTRY_SLOT))
			r = look_frame(look, at, &entry, room,
				       chunk_length(&front->head.map, chunk));
		if (r < 0) {
			look->sampled = sample && !check;
			return r;
		}
		at += room + (chunk ? 0 : front->head_len);
	}
	return 0;
}

static int look_keep(struct resume_look *look, uint64_t index, const struct chain_link *link)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < link->count; i++) {
		struct image_entry entry;

		r = image_entry_get(link->entries + (size_t)i * IMAGE_ENTRY, &entry);
		if (r == 0)
			r = spool_add(look->spool, &entry);
	}
	look->end = look->chain->marks[index] + image_checkpoint_size(link->count);
	return r;
}

/* Keeps all up to the CHECKPOINT before which something is damaged, which is no failure. */
static int look_chain(struct resume_look *look, uint64_t window)
{
	for (uint64_t i = 0; i < look->chain->count; i++) {
		struct chain_link link;
		int r = chain_read(look->chain, i, &link);

		if (r == 0)
			r = look_frames(look, &link, look->all || look->chain->marks[i] >= window);
		/* The chain was right when it was followed, but a file can change. */
		if (r == -EBADMSG)
			return 0;
		if (r == 0)
			r = look_keep(look, i, &link);
		if (r < 0)
			return r;
		if (look->options->looked)
			look->options->looked(look->options->arg, look->end, look->chain->size);
	}
	return 0;
}

/* Chance must be none that whoever wrote the file could foresee. */
static int look_choose(struct resume_look *look, uint64_t chunks)
{
	size_t len = look->sample_count * sizeof(*look->samples);

	if (getrandom(look->samples, len, 0) != (ssize_t)len)
		return -EIO;
	for (unsigned int i = 0; i < look->sample_count; i++)
		look->samples[i] %= chunks;
	return 0;
}

static uint64_t chain_chunks_all(const struct chain *chain)
{
	uint64_t chunks = chunk_count(&chain->front->head.map), most = chain->count * chain->gap;

	return chunks < most ? chunks : most;
}

/* A damaged sample says that there is more of it: then everything is looked at. */
static int resume_look(struct chain *chain, const struct resume_limits *limits,
		       struct resume_look *look)
{
	uint64_t window = chain->size > limits->window ? chain->size - limits->window : 0;
	int r = look_choose(look, chain_chunks_all(chain));

	look->all = look->options->recheck;
	while (r == 0) {
		spool_free(look->spool);
		look->spool = NULL;
		look->end = 0;
		look->sampled = false;
		r = spool_new(chain->fd, &look->spool);
		if (r == 0)
			r = look_chain(look, window);
		if (!look->sampled)
			break;
		look->all = true;
	}
	return r;
}

/* What the chain leads to, that can be kept of it. */
static int resume_keep(struct chain *chain, const struct resume_options *options,
		       const struct resume_limits *limits, struct resume *resume)
{
	struct resume_look look = {
		.chain = chain, .options = options, .sample_count = limits->samples};
	int r = -ENOMEM;

	look.samples = calloc(limits->samples, sizeof(*look.samples));
	if (look.samples)
		r = resume_look(chain, limits, &look);
	resume->spool = look.spool;
	resume->end = look.end;
	if (r == 0)
		resume->lost = chain_chunks_all(chain) - spool_count(look.spool);
	free(look.samples);
	free(look.frame);
	return r;
}

static int resume_chain(int fd, uint64_t size, const struct load_head *front,
			const struct resume_options *options, const struct resume_limits *limits,
			struct resume *resume, char *why, size_t len)
{
	struct chain chain;
	int r = chain_find(fd, size, front, limits->window, &chain);

	if (r == 0 && chain.count)
		r = resume_keep(&chain, options, limits, resume);
	else if (r == 0)
		r = spool_new(fd, &resume->spool);
	chain_clear(&chain);
	if (r == -E2BIG) {
		snprintf(why, len, "it holds too many false CHECKPOINTs");
		return -EBADMSG;
	}
	/* Nothing to keep is right of a file only that is too short for a CHECKPOINT. */
	if (r == 0 && !resume->end && (resume->lost || size > chain_gap_most(&front->head))) {
		snprintf(why, len, "it is damaged, and nothing of it can be kept");
		return -EBADMSG;
	}
	return r;
}

/* The first frame and HEAD. */
static int resume_front(int fd, uint64_t size, struct load_head *ret, char *why, size_t len)
{
	struct load_reader reader;

	if (size == 0) {
		snprintf(why, len, "it is empty");
		return -ENODATA;
	}
	load_reader_init_at(&reader, fd, 0);
	int r = load_head_read(&reader, ret, why, len);
	load_reader_clear(&reader);
	if (r < 0 || !chunk_map_open(&ret->head.map))
		return r;
	free(ret->identity);
	snprintf(why, len, "it is of a stream, which nobody can send from its midst on");
	return -EOPNOTSUPP;
}

/* The bytes of the longest trailer that an image of CHUNKS can have. */
static uint64_t resume_trailer_most(uint64_t chunks)
{
	return IMAGE_TABLE_HEADER + chunks * IMAGE_ENTRY + IMAGE_MANIFEST_HEADER +
	       IMAGE_MANIFEST_MOST + IMAGE_SUM_FRAME + image_seek_size(IMAGE_FRAMES_BESIDE) +
	       3 * chunks * IMAGE_SEEK_ENTRY;
}

/* The window is twice as long as it has to be, so that the last CHECKPOINT may be damaged. */
static struct resume_limits resume_limits(const struct image_head *head)
{
	return (struct resume_limits){
		.window = 2 * chain_gap_most(head) + resume_trailer_most(chunk_count(&head->map)),
		.samples = RESUME_SAMPLES,
	};
}

int resume_open_limited(int fd, const struct resume_options *options,
			const struct resume_limits *limits, struct resume *ret, char *why,
			size_t len)
{
	static const struct resume_options none;
	struct load_head front = {0};
	struct resume resume = {0};
	struct stat st;

	why[0] = '\0';
	int r = fstat(fd, &st) ? -errno : S_ISREG(st.st_mode) ? 0 : -ESPIPE;
	if (r == 0)
		r = resume_front(fd, st.st_size, &front, why, len);
	if (r == 0) {
		struct resume_limits chosen = limits ? *limits : resume_limits(&front.head);

		resume.head = front.head;
		resume.identity = front.identity;
		r = resume_chain(fd, st.st_size, &front, options ? options : &none, &chosen,
				 &resume, why, len);
	}
	if (r == 0) {
		*ret = resume;
		return 0;
	}
	resume_clear(&resume);
	if (!why[0])
		snprintf(why, len, "reading it failed: %s", strerror(-r));
	return r;
}

int resume_open(int fd, const struct resume_options *options, struct resume *ret, char *why,
		size_t len)
{
	return resume_open_limited(fd, options, NULL, ret, why, len);
}

void resume_clear(struct resume *resume)
{
	spool_free(resume->spool);
	free(resume->identity);
	*resume = (struct resume){0};
}

uint64_t resume_chunks(const struct resume *resume)
{
	return spool_count(resume->spool);
}

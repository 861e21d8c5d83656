// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads INPUT as an image that was cut. What is kept of it has to be what a walk from the front
 * finds there, frame by frame. Its hashes are made right first, for a fuzzer finds none.
 */
#include <errno.h>

#include "io_fuzz.h"

#include "io/load_head.h"
#include "io/resume.h"
#include "io/spool.h"

#define FUZZ_FRAMES	4096u
#define FUZZ_ENTRY_HASH 16 /* its place in an entry */

/* A frame of the walk from the front. */
struct fuzz_frame {
	uint64_t at;
	size_t len;
};

/*
 * Walks the SIZE bytes of FD up to where no frame begins, or to END: the data frames, and at each
 * CHECKPOINT those since the last one are given to SEE.
 */
static unsigned int fuzz_walk(int fd, uint64_t end, struct fuzz_frame *frames,
			      void (*see)(void *arg, uint64_t at, size_t len,
					  const struct fuzz_frame *since, unsigned int count),
			      void *arg)
{
	unsigned int count = 0, since = 0;
	struct load_reader reader;
	struct image_frame frame = {0};
	const uint8_t *at;
	size_t len;
	int r = 0;

	load_reader_init_at(&reader, fd, 0);
	while (r == 0 && reader.offset < end && count < FUZZ_FRAMES) {
		r = load_reader_peek(&reader, IMAGE_FRAME_HEADER + IMAGE_TAG, &at);
		if (r < 0)
			break;
		int kind = image_frame_get(at, IMAGE_FRAME_HEADER + IMAGE_TAG, &frame);

		len = IMAGE_FRAME_HEADER + (size_t)frame.size;
		if (kind == -ENOMSG) {
			r = load_reader_frame(&reader, &at, &len);
			if (r == 0)
				frames[count++] = (struct fuzz_frame){reader.offset, len};
		} else if (kind < 0 || len > LOAD_READER_MOST) {
			break;
		}
		if (r == 0)
			r = load_reader_peek(&reader, len, &at);
		if (r < 0)
			break;
		if (kind == 0 && frame.magic == IMAGE_MAGIC && frame.kind == IMAGE_CHECKPOINT) {
			if (see)
				see(arg, reader.offset, len, frames + since, count - since);
			since = count;
		}
		load_reader_take(&reader, len);
	}
	load_reader_clear(&reader);
	return count;
}

/* The hashes of the frames before a CHECKPOINT, in its entries. */
static void fuzz_seal_entries(void *arg, uint64_t at, size_t len, const struct fuzz_frame *since,
			      unsigned int count)
{
	uint8_t *data = arg, *entry = data + at + image_checkpoint_size(0) - 8;

	for (unsigned int i = 0; i < count && (i + 1) * IMAGE_ENTRY <= len; i++) {
		uint64_t hash = digest_stored(data + since[i].at, since[i].len);

		if ((size_t)(entry - data) + IMAGE_ENTRY > at + len)
			break;
		for (int byte = 0; byte < 8; byte++)
			entry[FUZZ_ENTRY_HASH + byte] = (uint8_t)(hash >> (8 * byte));
		entry += IMAGE_ENTRY;
	}
}

static void fuzz_resume(int fd, uint64_t size)
{
	static struct fuzz_frame frames[FUZZ_FRAMES];
	struct resume resume;
	char why[256];
	int r = resume_open(fd, NULL, &resume, why, sizeof(why));

	if (r < 0) {
		fuzz_require(why[0]);
		return;
	}
	uint64_t chunks = resume_chunks(&resume);

	fuzz_require(resume.end <= size && !resume.end == !chunks);
	fuzz_require(chunks <= chunk_count(&resume.head.map));
	if (chunks < FUZZ_FRAMES)
		fuzz_require(fuzz_walk(fd, resume.end, frames, NULL, NULL) == chunks);
	for (uint64_t i = 0; i < chunks && i < FUZZ_FRAMES; i++) {
		uint8_t raw[IMAGE_ENTRY];
		struct image_entry entry;

		fuzz_require(spool_read(resume.spool, i, 1, raw) == 0);
		fuzz_require(image_entry_get(raw, &entry) == 0);
		if (chunks < FUZZ_FRAMES)
			fuzz_require(entry.stored_size == frames[i].len);
	}
	resume_clear(&resume);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_frame frames[FUZZ_FRAMES];
	uint8_t *copy = calloc(1, size ? size : 1);

	fuzz_require(copy != NULL);
	if (size)
		memcpy(copy, data, size);
	fuzz_resume(fuzz_file(copy, size), size);
	fuzz_walk(fuzz_file(copy, size), size, frames, fuzz_seal_entries, copy);
	fuzz_seal_frames(copy, size);
	fuzz_resume(fuzz_file(copy, size), size);
	free(copy);
	return 0;
}

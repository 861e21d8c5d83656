// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/redo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/pack.h"
#include "io/load_head.h"
#include "io/out.h"

/* A frame in its slot, and the longest CHECKPOINT behind it: nobody writes a longer one. */
#define REDO_MOST (2 * PACK_FRAME_MOST + IMAGE_CHECKPOINT_MOST * IMAGE_ENTRY)

/* The parts have their places, on the medium. Then the file ends at END again. */
static int redo_apply(int fd, uint64_t base, uint64_t end, const struct image_redo *redo)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < redo->count; i++)
		r = out_write_at(fd, redo->parts[i].bytes, redo->parts[i].len,
				 base + redo->parts[i].at);
	if (r == 0)
		r = out_sync(fd);
	if (r < 0)
		return r;
	return ftruncate(fd, base + end) ? -errno : 0;
}

int redo_write(int fd, uint64_t base, uint64_t end, const struct image_redo *redo)
{
	size_t len = image_redo_size(redo);
	struct image_redo written;
	uint8_t *buf = malloc(len);

	if (!buf)
		return -ENOMEM;
	int r = image_redo_put(redo, buf, len);
	if (r >= 0)
		r = image_redo_get(buf, len, end, &written);
	if (r == 0)
		r = out_write_at(fd, buf, len, base + end);
	if (r == 0)
		r = out_sync(fd);
	if (r >= 0)
		r = redo_apply(fd, base, end, &written);
	free(buf);
	return r;
}

/* Whether the image in the file is the one that REDO is of: in an image there may be others. */
static int redo_is_of(int fd, const struct image_redo *redo)
{
	struct load_reader reader;
	struct load_head front;
	char why[256];

	load_reader_init_at(&reader, fd, 0);
	int r = load_head_read(&reader, &front, why, sizeof(why));
	load_reader_clear(&reader);
	/* What is no image has nothing to be finished; resume_open says so. */
	if (r < 0)
		return r == -ENOMSG || r == -ENODATA || r == -EBADMSG || r == -EPROTONOSUPPORT ? 0
											       : r;
	free(front.identity);
	return !memcmp(front.head.transfer_id, redo->transfer_id, sizeof(redo->transfer_id));
}

static int redo_finish_read(int fd, uint64_t end, uint8_t *buf, size_t len)
{
	struct image_redo redo;
	ssize_t n = out_read_at(fd, buf, len, end);

	if (n < 0)
		return n;
	/* It was cut itself: then nothing was written over yet. */
	if ((size_t)n != len || image_redo_get(buf, len, end, &redo) < 0)
		return 0;
	int r = redo_is_of(fd, &redo);
	if (r <= 0)
		return r;
	r = redo_apply(fd, 0, end, &redo);
	return r < 0 ? r : 1;
}

int redo_finish(int fd)
{
	uint8_t footer[IMAGE_REDO_FOOTER];
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	uint64_t size = st.st_size;
	if (!S_ISREG(st.st_mode) || size < sizeof(footer))
		return 0;
	ssize_t n = out_read_at(fd, footer, sizeof(footer), size - sizeof(footer));
	if (n < 0)
		return n;
	uint64_t len = image_redo_length(footer);
	if ((size_t)n != sizeof(footer) || len > size || len > REDO_MOST)
		return 0;
	uint8_t *buf = malloc(len + 1);
	if (!buf)
		return -ENOMEM;
	int r = redo_finish_read(fd, size - len, buf, len);
	free(buf);
	return r;
}

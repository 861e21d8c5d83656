// SPDX-License-Identifier: GPL-2.0-or-later
/* A view begins: the two ends of the file, before the trailer is read as a whole. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/view_internal.h"

/* The first frame and HEAD. A trailer of ours at the end tells a damaged image from another file.
 */
static int view_open_front(struct view *view, bool trailer)
{
	struct load_reader reader;

	load_reader_init_at(&reader, view->fd, 0);
	int r = load_head_read(&reader, &view->front, view->why, sizeof(view->why));
	load_reader_clear(&reader);
	view->begun = r == 0;
	if (r == -ENOMSG && trailer)
		return view_fail(view, -EBADMSG,
				 "its first frame or HEAD is damaged, though it ends as an image");
	return r;
}

static int view_open_file(struct view *view)
{
	struct stat st;

	if (fstat(view->fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -ESPIPE;
	view->size = st.st_size;
	int found = trailer_find(view->fd, view->size, &view->trailer);
	if (found < 0 && found != -ENOMSG && found != -EBADMSG)
		return found;
	int r = view_open_front(view, found != -ENOMSG);
	if (r < 0)
		return r;
	if (found == -ENOMSG)
		return view_fail(view, -ENODATA, "it has no trailer: it is not complete");
	if (found == -EBADMSG)
		return view_fail(view, -EBADMSG, "its trailer is damaged: its sizes cannot be");
	if (!chunk_map_open(&view->front.head.map) &&
	    view->trailer.sum.entries != chunk_count(&view->front.head.map))
		return view_fail(view, -EBADMSG,
				 "its trailer tells of %" PRIu64 " chunks, its HEAD of %" PRIu64,
				 view->trailer.sum.entries, chunk_count(&view->front.head.map));
	return view_read_trailer(view);
}

int view_open(int fd, struct view **ret)
{
	struct view *view = calloc(1, sizeof(*view));

	if (!view)
		return -ENOMEM;
	view->fd = fd;
	int r = view_open_file(view);
	if (r == -ENOMEM) {
		view_close(view);
		return r;
	}
	if (r < 0 && !view->why[0])
		view_fail(view, r, "reading it failed: %s", strerror(-r));
	*ret = view;
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing over what stands in an unfinished image, so that after a kill or a power cut either the
 * old or the new is there as a whole: what was acknowledged once must not be torn by what should
 * replace it.
 */
#ifndef IO_REDO_H
#define IO_REDO_H

#include <stdint.h>

#include "codec/image_redo.h"

/*
 * Writes REDO's parts, all before END, into the image that begins at BASE of the file FD and ends
 * at END (both bytes): first, as a REDO, behind the end, where it is synced; then where they
 * belong; when that is synced, the REDO goes. Returns 0 or -errno; a failure leaves what
 * redo_finish makes whole.
 */
int redo_write(int fd, uint64_t base, uint64_t end, const struct image_redo *redo);
/*
 * Has the image in the file FD be as redo_write would have left it, where that was cut short.
 * Returns 1 when something was written, 0 when nothing had to be, or -errno.
 */
int redo_finish(int fd);

#endif

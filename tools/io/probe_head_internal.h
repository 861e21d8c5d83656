/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between probe_head.c and the file systems that it knows. */
#ifndef IO_PROBE_HEAD_INTERNAL_H
#define IO_PROBE_HEAD_INTERNAL_H

#include "io/probe_area.h"

/* The readers: the byte that is the journal's head, which may lie anywhere; false without one. */
bool probe_head_ext(const struct probe_area *area, uint64_t *ret);
bool probe_head_xfs(const struct probe_area *area, uint64_t *ret);

#endif

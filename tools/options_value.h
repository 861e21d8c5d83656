/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands behind an option. All return 0 or -EINVAL. */
#ifndef OPTIONS_VALUE_H
#define OPTIONS_VALUE_H

#include <stdint.h>

/* A whole number of LEAST..MOST. */
int options_value_number(const char *text, long least, long most, long *ret);
/* A size in bytes, or with K, M or G behind it. */
int options_value_size(const char *text, uint64_t *ret);
/* PACK_LEVEL_*, "none", or "auto": PACK_LEVEL_AUTO. */
int options_value_level(const char *text, int *ret);
/* A UUID, in small letters. */
int options_value_uuid(const char *text, char ret[37]);

#endif

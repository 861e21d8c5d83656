// SPDX-License-Identifier: GPL-2.0-or-later
#include "look/place.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Reads PART from TEXT on, which a colon or the end follows. False when it is none. */
static bool split_part(const char *text, struct place *ret)
{
	size_t len = strcspn(text, ":");
	uint64_t number = 0;

	for (size_t i = 0; i < len && isdigit((unsigned char)text[i]); i++) {
		number = 10 * number + (text[i] - '0');
		if (i + 1 == len && len < 10)
			ret->part = PLACE_PARTITION;
	}
	if (len == 0 || (len == 4 && strncmp(text, "disk", 4) == 0))
		ret->part = PLACE_DISK;
	if (ret->part == PLACE_NONE)
		return false;
	ret->number = number;
	ret->path = text[len] && text[len + 1] ? text + len + 1 : "/";
	return true;
}

/* Takes the first LEN bytes of TEXT for the image. */
static int split_take(const char *text, size_t len, const struct place *place, struct place *ret)
{
	*ret = *place;
	ret->image = strndup(text, len);
	return ret->image ? 0 : -ENOMEM;
}

int place_split(const char *text, bool (*exists)(const char *path), struct place *ret)
{
	struct place whole = {.path = "/"}, guess = whole;
	size_t guess_len = 0, wrong_len = 0;

	if (exists(text))
		return split_take(text, strlen(text), &whole, ret);
	for (const char *colon = strchr(text, ':'); colon; colon = strchr(colon + 1, ':')) {
		size_t len = colon - text;
		struct place place = whole;
		bool good = split_part(colon + 1, &place), there;

		if (split_take(text, len, &place, ret) < 0)
			return -ENOMEM;
		there = exists(ret->image);
		if (good && there)
			return 0;
		place_clear(ret);
		if (there && !wrong_len)
			wrong_len = len;
		if (good && !guess_len) {
			guess = place;
			guess_len = len;
		}
	}
	if (wrong_len)
		return split_take(text, wrong_len, &whole, ret) < 0 ? -ENOMEM : -EINVAL;
	return split_take(text, guess_len ? guess_len : strlen(text), &guess, ret);
}

void place_clear(struct place *place)
{
	free(place->image);
	place->image = NULL;
}

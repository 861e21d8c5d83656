// SPDX-License-Identifier: GPL-2.0-or-later
#include "shell/keys.h"

#define KEYS_ESCAPE 0x1d /* Ctrl-] */
#define KEYS_LEAVE  '.'

size_t keys_pass(struct keys *keys, const uint8_t *in, size_t len, uint8_t *out, bool *ret_detach)
{
	size_t n = 0;

	*ret_detach = false;
	for (size_t i = 0; i < len; i++) {
		bool held = keys->held;

		keys->held = !held && in[i] == KEYS_ESCAPE;
		if (keys->held)
			continue;
		if (held && in[i] == KEYS_LEAVE) {
			*ret_detach = true;
			break;
		}
		if (held && in[i] != KEYS_ESCAPE)
			out[n++] = KEYS_ESCAPE;
		out[n++] = in[i];
	}
	return n;
}

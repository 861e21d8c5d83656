/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys that are for us and not for the shell: Ctrl-] and then a full stop leave it. Not ssh's
 * Enter ~ ., which would end the ssh that somebody came to this machine by. Pure.
 */
#ifndef SHELL_KEYS_H
#define SHELL_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEYS_DETACH "Ctrl-] and then ."

struct keys {
	bool held; /* a Ctrl-] waits for what follows */
};

/*
 * Copies the LEN bytes of IN that are for the shell to OUT, which has room for LEN + 1, and returns
 * how many. Ctrl-] twice is one for the shell, before any other key it is for the shell with it.
 * RET_DETACH: the user leaves, and what follows is for nobody.
 */
size_t keys_pass(struct keys *keys, const uint8_t *in, size_t len, uint8_t *out, bool *ret_detach);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec/wire_shell.h"

#include <errno.h>
#include <string.h>

#include "codec/bytes.h"

#define WIRE_WINDOW	    4
#define WIRE_SHELL	    8 /* what precedes the terminal's name in SHELL */
#define WIRE_TAKEN	    8
#define WIRE_EXIT	    4
#define WIRE_EXIT_MOST	    255
#define WIRE_SHELL_TERMINAL 1u /* the flag of SHELL */

int wire_window_put(const struct wire_window *window, void *buf, size_t capacity)
{
	if (capacity < WIRE_WINDOW)
		return -ENOBUFS;
	bytes_put16(bytes_put16(buf, window->rows), window->columns);
	return WIRE_WINDOW;
}

int wire_window_get(const void *payload, size_t len, struct wire_window *ret)
{
	const uint8_t *p = payload;

	if (len != WIRE_WINDOW)
		return -EBADMSG;
	*ret = (struct wire_window){.rows = bytes_get16(p), .columns = bytes_get16(p + 2)};
	return 0;
}

/* It becomes part of an environment. */
static bool wire_term_valid(const char *term, size_t len)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._+-";

	for (size_t i = 0; i < len; i++)
		if (!term[i] || !strchr(allowed, term[i]))
			return false;
	return len <= WIRE_TERM_MOST;
}

int wire_shell_put(const struct wire_shell *shell, void *buf, size_t capacity)
{
	size_t len = strnlen(shell->term, sizeof(shell->term));
	uint8_t *p = buf;

	if (!wire_term_valid(shell->term, len))
		return -EINVAL;
	if (capacity < WIRE_SHELL + len)
		return -ENOBUFS;
	p = bytes_put32(p, shell->terminal ? WIRE_SHELL_TERMINAL : 0);
	p += wire_window_put(&shell->window, p, WIRE_WINDOW);
	bytes_put_all(p, shell->term, len);
	return WIRE_SHELL + (int)len;
}

int wire_shell_get(const void *payload, size_t len, struct wire_shell *ret)
{
	const uint8_t *p = payload;
	struct wire_shell shell = {0};

	if (len < WIRE_SHELL || bytes_get32(p) & ~WIRE_SHELL_TERMINAL)
		return -EBADMSG;
	if (!wire_term_valid((const char *)p + WIRE_SHELL, len - WIRE_SHELL))
		return -EBADMSG;
	shell.terminal = p[0] & WIRE_SHELL_TERMINAL;
	wire_window_get(p + WIRE_SHELL - WIRE_WINDOW, WIRE_WINDOW, &shell.window);
	memcpy(shell.term, p + WIRE_SHELL, len - WIRE_SHELL);
	*ret = shell;
	return 0;
}

bool wire_bytes_valid(size_t len)
{
	return len <= WIRE_BYTES_MOST;
}

int wire_taken_put(uint64_t bytes, void *buf, size_t capacity)
{
	if (capacity < WIRE_TAKEN)
		return -ENOBUFS;
	bytes_put64(buf, bytes);
	return WIRE_TAKEN;
}

int wire_taken_get(const void *payload, size_t len, uint64_t *ret)
{
	if (len != WIRE_TAKEN)
		return -EBADMSG;
	*ret = bytes_get64(payload);
	return 0;
}

int wire_exit_put(uint32_t code, void *buf, size_t capacity)
{
	if (code > WIRE_EXIT_MOST)
		return -EINVAL;
	if (capacity < WIRE_EXIT)
		return -ENOBUFS;
	bytes_put32(buf, code);
	return WIRE_EXIT;
}

int wire_exit_get(const void *payload, size_t len, uint32_t *ret)
{
	uint32_t code;

	if (len != WIRE_EXIT)
		return -EBADMSG;
	code = bytes_get32(payload);
	if (code > WIRE_EXIT_MOST)
		return -EBADMSG;
	*ret = code;
	return 0;
}

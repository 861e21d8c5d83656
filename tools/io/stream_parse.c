// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/pair.h"

#define STREAM_NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

static int stream_parse_name(const char *text, struct stream_address *ret, char *ret_why,
			     size_t len)
{
	size_t letters = strspn(text, STREAM_NAME_LETTERS);

	ret->kind = STREAM_PAIRED;
	if (text[letters]) {
		snprintf(ret_why, len,
			 "'%s' is no stream: a name has letters, digits, '.', '_' and "
			 "'-'; a path begins with /, a socket with unix: or tcp:",
			 text);
	} else if (letters > PAIR_NAME_MOST) {
		snprintf(ret_why, len, "the stream name '%s' has %zu characters: %d are the most",
			 text, letters, PAIR_NAME_MOST);
	} else if (!letters || strcmp(text, ".") == 0 || strcmp(text, "..") == 0) {
		snprintf(ret_why, len, "'%s' cannot be a stream's name: choose a word like backup",
			 text);
	} else {
		memcpy(ret->name, text, letters + 1);
		return 0;
	}
	return -EINVAL;
}

static int stream_parse_path(const char *path, enum stream_kind kind, struct stream_address *ret,
			     char *ret_why, size_t len)
{
	size_t length = strlen(path);

	ret->kind = kind;
	if (!length) {
		snprintf(ret_why, len, "unix: needs the path of a socket: unix:/run/backup");
	} else if (length >= sizeof(ret->path)) {
		snprintf(ret_why, len, "the path '%s' is too long: %zu bytes are the most", path,
			 sizeof(ret->path) - 1);
	} else {
		memcpy(ret->path, path, length + 1);
		return 0;
	}
	return -EINVAL;
}

/* A decimal number from 1 to 65535 and nothing else. */
static bool stream_port_valid(const char *port)
{
	size_t digits = strspn(port, "0123456789");
	long value = strtol(port, NULL, 10);

	return digits && digits <= 5 && !port[digits] && value >= 1 && value <= 65535;
}

static int stream_parse_tcp(const char *text, struct stream_address *ret, char *ret_why, size_t len)
{
	const char *colon = strrchr(text, ':');
	const char *host = text, *host_end = colon;

	ret->kind = STREAM_TCP;
	if (colon && text[0] == '[') {
		host = text + 1;
		host_end = colon > host ? colon - 1 : host;
		if (*host_end != ']')
			colon = NULL;
	} else if (colon && memchr(text, ':', colon - text)) {
		snprintf(ret_why, len,
			 "tcp:%s is ambiguous: put the address in brackets, "
			 "tcp:[ADDRESS]:PORT",
			 text);
		return -EINVAL;
	}
	if (!colon || host_end == host) {
		snprintf(ret_why, len, "tcp:%s is not tcp:ADDRESS:PORT or tcp:[ADDRESS]:PORT",
			 text);
	} else if ((size_t)(host_end - host) >= sizeof(ret->host)) {
		snprintf(ret_why, len, "the address in tcp:%s is too long", text);
	} else if (!stream_port_valid(colon + 1)) {
		snprintf(ret_why, len, "'%s' is no port: give a number from 1 to 65535", colon + 1);
	} else {
		memcpy(ret->host, host, host_end - host);
		strcpy(ret->port, colon + 1);
		return 0;
	}
	return -EINVAL;
}

int stream_parse(const char *text, struct stream_address *ret, char *ret_why, size_t len)
{
	struct stream_address address = {0};
	int err = 0;

	if (strcmp(text, "-") == 0)
		address.kind = STREAM_STDIO;
	else if (text[0] == '/')
		err = stream_parse_path(text, STREAM_DEVICE, &address, ret_why, len);
	else if (strncmp(text, "unix:", 5) == 0)
		err = stream_parse_path(text + 5, STREAM_UNIX, &address, ret_why, len);
	else if (strncmp(text, "tcp:", 4) == 0)
		err = stream_parse_tcp(text + 4, &address, ret_why, len);
	else
		err = stream_parse_name(text, &address, ret_why, len);
	if (!err)
		*ret = address;
	return err;
}

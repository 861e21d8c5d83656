// SPDX-License-Identifier: GPL-2.0-or-later
/* The records that open a transfer: HELLO, OFFER, ACCEPT. */
#include <errno.h>
#include <string.h>

#include "codec/bytes.h"
#include "codec/wire.h"
#include "codec/text.h"

#define WIRE_HOST     (sizeof(((struct wire_hello *)0)->host) - 1)
#define WIRE_PROGRAM  (sizeof(((struct wire_hello *)0)->program) - 1)
#define WIRE_RESERVED 128 /* bytes of HELLO for a later version: zeros here, unread */
#define WIRE_ACCEPT   24  /* what precedes the digests in ACCEPT */
/* Bits of its second byte. */
#define WIRE_ACCEPT_FILLS 1
#define WIRE_ACCEPT_FLAGS 2

/* ACCEPT's status. */
enum { WIRE_ACCEPTED = 0, WIRE_REFUSED = 1, WIRE_ACCEPTED_MORE = 2 };

_Static_assert(8 + 16 + WIRE_STREAM_MOST + WIRE_HOST + WIRE_PROGRAM + WIRE_RESERVED == WIRE_HELLO,
	       "the fields fill HELLO");

static bool wire_hello_valid(const struct wire_hello *hello)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";

	if (hello->role < WIRE_SENDER || hello->role > WIRE_SERVER)
		return false;
	if (hello->version_least < 1 || hello->version_most < hello->version_least)
		return false;
	if (strnlen(hello->stream, sizeof(hello->stream)) > WIRE_STREAM_MOST)
		return false;
	return hello->stream[strspn(hello->stream, allowed)] == '\0';
}

int wire_hello_put(const struct wire_hello *hello, void *buf, size_t capacity)
{
	uint8_t *p = buf;

	if (!wire_hello_valid(hello))
		return -EINVAL;
	if (capacity < WIRE_HELLO)
		return -ENOBUFS;
	memset(p, 0, WIRE_HELLO);
	*p++ = hello->role;
	*p++ = hello->version_least;
	*p++ = hello->version_most;
	*p++ = 0;
	p = bytes_put32(p, hello->capabilities);
	p = bytes_put_all(p, hello->transfer_id, sizeof(hello->transfer_id));
	bytes_put_all(p, hello->stream, strlen(hello->stream));
	p += WIRE_STREAM_MOST;
	text_put(hello->host, WIRE_HOST, p);
	p += WIRE_HOST;
	text_put(hello->program, WIRE_PROGRAM, p);
	return WIRE_HELLO;
}

/* A string in a field of SIZE bytes that it need not fill; zeros do. */
static bool wire_hello_string(const uint8_t *field, size_t size, char *ret)
{
	size_t len = strnlen((const char *)field, size);

	for (size_t i = len; i < size; i++) {
		if (field[i])
			return false;
	}
	return text_get(field, len, size, ret);
}

int wire_hello_get(const void *payload, size_t len, struct wire_hello *ret)
{
	const uint8_t *p = payload;
	struct wire_hello hello = {0};

	if (len != WIRE_HELLO)
		return -EBADMSG;
	hello.role = p[0];
	hello.version_least = p[1];
	hello.version_most = p[2];
	hello.capabilities = bytes_get32(p + 4);
	p += 8;
	memcpy(hello.transfer_id, p, sizeof(hello.transfer_id));
	p += sizeof(hello.transfer_id);
	if (!wire_hello_string(p, WIRE_STREAM_MOST, hello.stream))
		return -EBADMSG;
	p += WIRE_STREAM_MOST;
	if (!wire_hello_string(p, WIRE_HOST, hello.host))
		return -EBADMSG;
	p += WIRE_HOST;
	if (!wire_hello_string(p, WIRE_PROGRAM, hello.program) || !wire_hello_valid(&hello))
		return -EBADMSG;
	*ret = hello;
	return 0;
}

int wire_offer_put(const struct wire_offer *offer, void *buf, size_t capacity)
{
	uint8_t *p = buf;
	int head;

	if (offer->manifest_len < 2 || offer->manifest_len > WIRE_MANIFEST_MOST)
		return -EINVAL;
	head = image_head_put(&offer->head, p, capacity);
	if (head < 0)
		return head;
	if (capacity - (size_t)head < offer->manifest_len)
		return -ENOBUFS;
	bytes_put_all(p + head, offer->manifest, offer->manifest_len);
	return head + (int)offer->manifest_len;
}

int wire_offer_get(const void *payload, size_t len, struct wire_offer *ret)
{
	const uint8_t *p = payload;
	struct image_frame frame;
	struct wire_offer offer;
	size_t head;
	int err = image_frame_get(p, len, &frame);

	if (err)
		return err == -EPROTONOSUPPORT ? err : -EBADMSG;
	if (frame.size > len - IMAGE_FRAME_HEADER)
		return -EBADMSG;
	head = IMAGE_FRAME_HEADER + (size_t)frame.size;
	err = image_head_get(p, head, &offer.head);
	if (err)
		return err;
	if (len - head < 2 || len - head > WIRE_MANIFEST_MOST)
		return -EBADMSG;
	offer.manifest = (const char *)p + head;
	offer.manifest_len = (uint32_t)(len - head);
	*ret = offer;
	return 0;
}

static bool wire_accept_valid(const struct wire_accept *accept)
{
	if (accept->refused != (accept->sentence[0] != '\0'))
		return false;
	if (accept->refused)
		return !accept->more;
	if (accept->more && !accept->have)
		return false;
	if (accept->first > CHUNK_COUNT_MOST || accept->have > WIRE_HAVE_MOST)
		return false;
	return accept->have <= accept->first && accept->have_first <= accept->first - accept->have;
}

int wire_accept_put(const struct wire_accept *accept, void *buf, size_t capacity)
{
	size_t digests = (size_t)accept->have * DIGEST_SIZE;
	const uint8_t *flags = accept->have ? accept->flags : NULL;
	size_t rest = digests + (flags ? accept->have : 0);
	uint8_t *p = buf;

	if (!wire_accept_valid(accept))
		return -EINVAL;
	if (accept->refused)
		rest = strnlen(accept->sentence, WIRE_SENTENCE_MOST);
	if (capacity < WIRE_ACCEPT + rest)
		return -ENOBUFS;
	memset(p, 0, WIRE_ACCEPT);
	if (accept->refused) {
		p[0] = WIRE_REFUSED;
		rest = text_put(accept->sentence, WIRE_SENTENCE_MOST, p + WIRE_ACCEPT);
		return (int)(WIRE_ACCEPT + rest);
	}
	p[0] = accept->more ? WIRE_ACCEPTED_MORE : WIRE_ACCEPTED;
	p[1] = (accept->fills ? WIRE_ACCEPT_FILLS : 0) | (flags ? WIRE_ACCEPT_FLAGS : 0);
	bytes_put32(p + 4, accept->have);
	bytes_put64(p + 8, accept->first);
	bytes_put64(p + 16, accept->have_first);
	bytes_put_all(p + WIRE_ACCEPT, accept->digests, digests);
	if (flags)
		bytes_put_all(p + WIRE_ACCEPT + digests, flags, accept->have);
	return (int)(WIRE_ACCEPT + rest);
}

/* Digests of LEN bytes, with flags behind them or without. */
static bool wire_accept_fits(struct wire_accept *accept, size_t len, bool flags)
{
	size_t digests = (size_t)accept->have * DIGEST_SIZE;

	if (len != digests + (flags ? accept->have : 0) || (flags && !accept->have))
		return false;
	if (!flags)
		return true;
	accept->flags = accept->digests + digests;
	for (uint32_t i = 0; i < accept->have; i++)
		if (accept->flags[i] & ~WIRE_HAVE_FLAGS)
			return false;
	return true;
}

int wire_accept_get(const void *payload, size_t len, struct wire_accept *ret)
{
	const uint8_t *p = payload;
	struct wire_accept accept = {0};

	if (len < WIRE_ACCEPT || p[0] > WIRE_ACCEPTED_MORE ||
	    p[1] & ~(WIRE_ACCEPT_FILLS | WIRE_ACCEPT_FLAGS) || p[2] || p[3])
		return -EBADMSG;
	len -= WIRE_ACCEPT;
	accept.refused = p[0] == WIRE_REFUSED;
	accept.more = p[0] == WIRE_ACCEPTED_MORE;
	accept.fills = p[1] & WIRE_ACCEPT_FILLS;
	accept.have = bytes_get32(p + 4);
	accept.first = bytes_get64(p + 8);
	accept.have_first = bytes_get64(p + 16);
	accept.digests = p + WIRE_ACCEPT;
	if (accept.refused) {
		if (p[1] || accept.have || accept.first || accept.have_first)
			return -EBADMSG;
		if (!text_get(accept.digests, len, WIRE_SENTENCE_MOST, accept.sentence))
			return -EBADMSG;
	}
	if (!wire_accept_valid(&accept))
		return -EBADMSG;
	if (!accept.refused && !wire_accept_fits(&accept, len, p[1] & WIRE_ACCEPT_FLAGS))
		return -EBADMSG;
	*ret = accept;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The records that close a transfer: END, RESULT, ABORT. */
#include <errno.h>
#include <string.h>

#include "codec/bytes.h"
#include "codec/wire.h"
#include "codec/text.h"

#define WIRE_END    32
#define WIRE_RESULT 32 /* what precedes the sentence in RESULT */

static bool wire_end_valid(const struct wire_end *end)
{
	if (end->chunks < 1 || end->chunks > CHUNK_COUNT_MOST)
		return false;
	return end->size <= end->chunks * CHUNK_SIZE_MOST;
}

int wire_end_put(const struct wire_end *end, void *buf, size_t capacity)
{
	uint8_t *p = buf;

	if (!wire_end_valid(end))
		return -EINVAL;
	if (capacity < WIRE_END)
		return -ENOBUFS;
	p = bytes_put64(p, end->chunks);
	p = bytes_put64(p, end->size);
	bytes_put_all(p, end->root.bytes, DIGEST_SIZE);
	return WIRE_END;
}

int wire_end_get(const void *payload, size_t len, struct wire_end *ret)
{
	const uint8_t *p = payload;
	struct wire_end end;

	if (len != WIRE_END)
		return -EBADMSG;
	end.chunks = bytes_get64(p);
	end.size = bytes_get64(p + 8);
	memcpy(end.root.bytes, p + 16, DIGEST_SIZE);
	if (!wire_end_valid(&end))
		return -EBADMSG;
	*ret = end;
	return 0;
}

static bool wire_result_valid(const struct wire_result *result)
{
	if (result->status > WIRE_STATUS_FAILED)
		return false;
	return result->status != WIRE_STATUS_FAILED || result->sentence[0] != '\0';
}

int wire_result_put(const struct wire_result *result, void *buf, size_t capacity)
{
	uint8_t *p = buf;

	if (!wire_result_valid(result))
		return -EINVAL;
	if (capacity < WIRE_RESULT + strnlen(result->sentence, WIRE_SENTENCE_MOST))
		return -ENOBUFS;
	p = bytes_put64(p, result->status);
	p = bytes_put64(p, result->stored);
	p = bytes_put_all(p, result->root.bytes, DIGEST_SIZE);
	return WIRE_RESULT + (int)text_put(result->sentence, WIRE_SENTENCE_MOST, p);
}

int wire_result_get(const void *payload, size_t len, struct wire_result *ret)
{
	const uint8_t *p = payload;
	struct wire_result result;

	if (len < WIRE_RESULT || bytes_get64(p) > UINT8_MAX)
		return -EBADMSG;
	result.status = p[0];
	result.stored = bytes_get64(p + 8);
	memcpy(result.root.bytes, p + 16, DIGEST_SIZE);
	if (!text_get(p + WIRE_RESULT, len - WIRE_RESULT, WIRE_SENTENCE_MOST, result.sentence))
		return -EBADMSG;
	if (!wire_result_valid(&result))
		return -EBADMSG;
	*ret = result;
	return 0;
}

int wire_abort_put(const char *sentence, void *buf, size_t capacity)
{
	size_t len = strnlen(sentence, WIRE_SENTENCE_MOST);

	if (len == 0)
		return -EINVAL;
	if (capacity < len)
		return -ENOBUFS;
	return (int)text_put(sentence, WIRE_SENTENCE_MOST, buf);
}

int wire_abort_get(const void *payload, size_t len, char ret_sentence[WIRE_SENTENCE_MOST + 1])
{
	if (len == 0 || !text_get(payload, len, WIRE_SENTENCE_MOST, ret_sentence))
		return -EBADMSG;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads INPUT as a peer's bytes: looks for a header, reads it, reads its payload by the type. What
 * was understood is written again and has to be the same payload.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/wire.h"
#include "codec/wire_shell.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_same(int put, const uint8_t *buf, const uint8_t *payload, size_t len)
{
	if (put < 0 || (size_t)put != len || memcmp(buf, payload, len) != 0)
		abort();
}

static void fuzz_open(uint8_t type, const uint8_t *payload, size_t len, uint8_t *buf)
{
	struct wire_hello hello, again;
	struct wire_offer offer;
	struct wire_accept accept;

	if (type == WIRE_TYPE_HELLO && wire_hello_get(payload, len, &hello) == 0) {
		/* What HELLO reserves for later versions is not kept. */
		if (wire_hello_put(&hello, buf, len) != WIRE_HELLO ||
		    wire_hello_get(buf, len, &again) != 0 ||
		    memcmp(&hello, &again, sizeof(hello)) != 0)
			abort();
	}
	if (type == WIRE_TYPE_OFFER && wire_offer_get(payload, len, &offer) == 0)
		fuzz_same(wire_offer_put(&offer, buf, len), buf, payload, len);
	if (type == WIRE_TYPE_ACCEPT && wire_accept_get(payload, len, &accept) == 0)
		fuzz_same(wire_accept_put(&accept, buf, len), buf, payload, len);
}

static void fuzz_flow(uint8_t type, const uint8_t *payload, size_t len, uint8_t *buf)
{
	struct wire_data data;
	struct wire_zero zero;
	struct wire_ack ack;
	struct wire_time time;

	if (type == WIRE_TYPE_DATA && wire_data_get(payload, len, &data) == 0) {
		fuzz_same(wire_data_put(&data, buf), buf, payload, WIRE_DATA);
		pack_check(data.frame, data.entry.stored_size, 4096);
	}
	if (type == WIRE_TYPE_ZERO && wire_zero_get(payload, len, &zero) == 0)
		fuzz_same(wire_zero_put(&zero, buf, len), buf, payload, len);
	if ((type == WIRE_TYPE_ACK || type == WIRE_TYPE_KEEPALIVE) &&
	    wire_ack_get(payload, len, &ack) == 0)
		fuzz_same(wire_ack_put(&ack, buf, len), buf, payload, len);
	if (type == WIRE_TYPE_TIME && wire_time_get(payload, len, &time) == 0)
		fuzz_same(wire_time_put(&time, buf, len), buf, payload, len);
}

static void fuzz_unreadable(uint8_t type, const uint8_t *payload, size_t len, uint8_t *buf)
{
	struct wire_range *ranges;
	uint32_t count;

	if (type != WIRE_TYPE_UNREADABLE || wire_unreadable_get(payload, len, &count) != 0)
		return;
	ranges = calloc(count + 1, sizeof(*ranges));
	if (!ranges)
		abort();
	for (uint32_t i = 0; i < count; i++)
		wire_unreadable_range(payload, i, &ranges[i]);
	fuzz_same(wire_unreadable_put(ranges, count, buf, len), buf, payload, len);
	free(ranges);
}

static void fuzz_close(uint8_t type, const uint8_t *payload, size_t len, uint8_t *buf)
{
	struct wire_end end;
	struct wire_result result;
	char sentence[WIRE_SENTENCE_MOST + 1];

	if (type == WIRE_TYPE_END && wire_end_get(payload, len, &end) == 0)
		fuzz_same(wire_end_put(&end, buf, len), buf, payload, len);
	if (type == WIRE_TYPE_RESULT && wire_result_get(payload, len, &result) == 0)
		fuzz_same(wire_result_put(&result, buf, len), buf, payload, len);
	if (type == WIRE_TYPE_ABORT && wire_abort_get(payload, len, sentence) == 0)
		fuzz_same(wire_abort_put(sentence, buf, len), buf, payload, len);
}

static void fuzz_shell(uint8_t type, const uint8_t *payload, size_t len, uint8_t *buf)
{
	struct wire_shell shell;
	struct wire_window window;
	uint64_t taken;
	uint32_t code;

	if (type == WIRE_TYPE_SHELL && wire_shell_get(payload, len, &shell) == 0)
		fuzz_same(wire_shell_put(&shell, buf, len), buf, payload, len);
	if (type == WIRE_TYPE_WINDOW && wire_window_get(payload, len, &window) == 0)
		fuzz_same(wire_window_put(&window, buf, len), buf, payload, len);
	if (type == WIRE_TYPE_TAKEN && wire_taken_get(payload, len, &taken) == 0)
		fuzz_same(wire_taken_put(taken, buf, len), buf, payload, len);
	if (type == WIRE_TYPE_EXIT && wire_exit_get(payload, len, &code) == 0)
		fuzz_same(wire_exit_put(code, buf, len), buf, payload, len);
}

/*
 * A fuzzer finds no CRC, so a record counts whose CRC or hash is wrong; that these are looked at is
 * for the unit tests to show.
 */
static void fuzz_header(const uint8_t *record, struct wire_header *ret)
{
	uint8_t sealed[WIRE_HEADER];
	uint32_t crc = wire_crc32c(record, WIRE_HEADER - 4);

	memcpy(sealed, record, WIRE_HEADER);
	for (int i = 0; i < 4; i++)
		sealed[WIRE_HEADER - 4 + i] = (uint8_t)(crc >> (8 * i));
	memset(ret, 0, sizeof(*ret));
	wire_header_get(record, ret);
	if (wire_header_get(sealed, ret) != 0)
		ret->type = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (;;) {
		size_t skip = wire_header_find(data, size);
		struct wire_header header;
		uint8_t *payload, *buf;
		size_t len;

		if (skip > size)
			abort();
		data += skip;
		size -= skip;
		if (size < WIRE_HEADER)
			return 0;
		fuzz_header(data, &header);
		data += WIRE_HEADER;
		size -= WIRE_HEADER;
		len = header.length < size ? header.length : size;
		payload = malloc(len ? len : 1); /* its own: what lies behind is not to be read */
		buf = malloc(len + WIRE_DATA);
		if (!payload || !buf)
			abort();
		memcpy(payload, data, len);
		fuzz_open(header.type, payload, len, buf);
		fuzz_flow(header.type, payload, len, buf);
		fuzz_close(header.type, payload, len, buf);
		fuzz_unreadable(header.type, payload, len, buf);
		fuzz_shell(header.type, payload, len, buf);
		free(buf);
		free(payload);
		data += len;
		size -= len;
	}
}

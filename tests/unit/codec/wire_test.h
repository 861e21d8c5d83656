/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the unit tests of the records share. */
#ifndef WIRE_TEST_H
#define WIRE_TEST_H

#include "codec_test.h"

#include "codec/wire.h"

/* A wire_*_get for a record of some kind; checks that nothing is given back with an error. */
typedef int wire_test_get(const uint8_t *payload, size_t len);

#define WIRE_TEST_GET(name)                                       \
	static int get_##name(const uint8_t *payload, size_t len) \
	{                                                         \
		struct wire_##name out;                           \
		int err;                                          \
                                                                  \
		test_unset(&out, sizeof(out));                    \
		err = wire_##name##_get(payload, len, &out);      \
		if (err)                                          \
			test_assert_unset(&out, sizeof(out));     \
		return err;                                       \
	}

/* The payload of the golden record NAME, whose header is right and of TYPE; free() it. */
static inline uint8_t *wire_test_payload(const char *name, uint8_t type, size_t *ret_len)
{
	char path[64];
	struct wire_header header;
	uint8_t *record, *payload;
	size_t len;

	snprintf(path, sizeof(path), "records/%s.bin", name);
	record = test_golden(path, &len);
	assert_true(len >= WIRE_HEADER);
	assert_int_equal(wire_header_get(record, &header), 0);
	assert_int_equal(header.version, WIRE_VERSION);
	assert_int_equal(header.type, type);
	assert_int_equal(header.flags, 0);
	assert_int_equal(header.length, len - WIRE_HEADER);
	*ret_len = header.length;
	payload = test_copy(record + WIRE_HEADER, *ret_len);
	assert_int_equal(wire_payload_hash(payload, *ret_len), header.payload_hash);
	free(record);
	return payload;
}

/* Every length below LEN is refused, read no further than it goes. */
static inline void wire_test_truncated(wire_test_get *get, const uint8_t *payload, size_t len)
{
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *part = test_copy(payload, cut);

		if (get(part, cut) != -EBADMSG)
			fail_msg("cut to %zu of %zu bytes it was taken", cut, len);
		free(part);
	}
}

/* PAYLOAD with WIDTH bytes at OFFSET set to VALUE is refused. */
static inline void wire_test_field(wire_test_get *get, const uint8_t *payload, size_t len,
				   size_t offset, size_t width, uint64_t value)
{
	uint8_t *changed = test_copy(payload, len);

	for (size_t i = 0; i < width && offset + i < len; i++)
		changed[offset + i] = (uint8_t)(value >> (8 * i));
	if (get(changed, len) != -EBADMSG)
		fail_msg("with %llu at byte %zu it was taken", (unsigned long long)value, offset);
	free(changed);
}

/* One byte more than there should be is refused. */
static inline void wire_test_longer(wire_test_get *get, const uint8_t *payload, size_t len)
{
	uint8_t *longer = malloc(len + 1);

	assert_non_null(longer);
	memcpy(longer, payload, len);
	longer[len] = 0;
	assert_int_equal(get(longer, len + 1), -EBADMSG);
	free(longer);
}

/* What a put returned is the golden PAYLOAD, to the byte. */
static inline void wire_test_same(int put, const uint8_t *buf, const uint8_t *payload, size_t len)
{
	assert_int_equal(put, len);
	assert_memory_equal(buf, payload, len);
}

#endif

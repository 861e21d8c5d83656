// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "ctl.h"

#define CRC32C_POLY UINT32_C(0x82f63b78) /* reflected */

#define HEADER_WORDS  2u
#define ADDRESS_WORD  2u
#define ADDRESS_WORDS 3u
#define ROUTE_HIGH    UINT32_C(0x3fffff)

uint32_t ctl_crc32c(const void *data, size_t len)
{
	static uint32_t table[256];
	const uint8_t *byte = data;
	uint32_t crc = ~UINT32_C(0);

	if (!table[1]) {
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t entry = i;

			for (int bit = 0; bit < 8; bit++)
				entry = entry >> 1 ^ (entry & 1 ? CRC32C_POLY : 0);
			table[i] = entry;
		}
	}
	while (len--)
		crc = crc >> 8 ^ table[(crc ^ *byte++) & 0xff];
	return crc;
}

int ctl_parse(unsigned int type, const uint8_t *frame, size_t len, struct ctl_packet *ret_packet)
{
	uint32_t words[CTL_WORDS_MAX + 1];
	size_t count = len / 4;

	if (len % 4 || count < HEADER_WORDS + 1 || count > CTL_WORDS_MAX + 1)
		return -EMSGSIZE;
	memcpy(words, frame, len);
	if (ntohl(words[count - 1]) != ~ctl_crc32c(words, len - 4))
		return -EBADMSG;

	ret_packet->type = (enum ctl_type)type;
	ret_packet->count = (unsigned int)count - 1;
	for (size_t i = 0; i < count - 1; i++)
		ret_packet->words[i] = ntohl(words[i]);
	return 0;
}

size_t ctl_build(const struct ctl_packet *packet, uint8_t frame[CTL_FRAME_MAX])
{
	const size_t len = packet->count * 4;
	uint32_t word;

	for (unsigned int i = 0; i < packet->count; i++) {
		word = htonl(packet->words[i]);
		memcpy(frame + 4 * i, &word, 4);
	}
	word = htonl(~ctl_crc32c(frame, len));
	memcpy(frame + len, &word, 4);
	return len + 4;
}

uint64_t ctl_route(const struct ctl_packet *packet)
{
	return (uint64_t)(packet->words[0] & ROUTE_HIGH) << 32 | packet->words[1];
}

bool ctl_parse_request(const struct ctl_packet *packet, struct ctl_request *ret_request)
{
	unsigned int length, count = ADDRESS_WORDS;
	uint32_t address;

	if (packet->count < ADDRESS_WORDS)
		return false;
	address = packet->words[ADDRESS_WORD];
	length = address >> 13 & 0x3f;
	if (packet->type == CTL_WRITE)
		count += length;
	if (!length || length > CTL_DATA_MAX || packet->count != count)
		return false;

	*ret_request = (struct ctl_request){
		.route = ctl_route(packet),
		.space = (enum ctl_space)(address >> 25 & 3),
		.adapter = address >> 19 & 0x3f,
		.offset = address & 0x1fff,
		.length = length,
		.sequence = address >> 27 & 3,
	};
	return true;
}

const uint32_t *ctl_request_data(const struct ctl_packet *packet)
{
	return &packet->words[ADDRESS_WORDS];
}

bool ctl_parse_plug_ack(const struct ctl_packet *packet, unsigned int *ret_adapter,
			enum ctl_plug *ret_plug)
{
	uint32_t word;

	if (packet->type != CTL_ERROR || packet->count != HEADER_WORDS + 1)
		return false;
	word = packet->words[HEADER_WORDS];
	if ((word & 0xff) != CTL_ERROR_ACK_PLUG || word >> 30 < CTL_PLUG)
		return false;
	*ret_adapter = word >> 8 & 0x3f;
	*ret_plug = (enum ctl_plug)(word >> 30);
	return true;
}

static void make_header(struct ctl_packet *packet, enum ctl_type type, uint64_t route)
{
	packet->type = type;
	packet->words[0] = CTL_REPLY_BIT | ((uint32_t)(route >> 32) & ROUTE_HIGH);
	packet->words[1] = (uint32_t)route;
	packet->count = HEADER_WORDS;
}

void ctl_make_reply(struct ctl_packet *packet, const struct ctl_request *request,
		    unsigned int adapter, const uint32_t *data)
{
	make_header(packet, data ? CTL_READ : CTL_WRITE, request->route);
	packet->words[packet->count++] = request->offset | request->length << 13 | adapter << 19 |
					 (uint32_t)request->space << 25 | request->sequence << 27;
	if (data) {
		memcpy(&packet->words[packet->count], data, request->length * 4);
		packet->count += request->length;
	}
}

void ctl_make_error(struct ctl_packet *packet, uint64_t route, unsigned int adapter,
		    enum ctl_error error)
{
	make_header(packet, CTL_ERROR, route);
	packet->words[packet->count++] = (uint32_t)error | adapter << 8;
}

void ctl_make_reset_reply(struct ctl_packet *packet, uint64_t route)
{
	make_header(packet, CTL_RESET, route);
}

void ctl_make_plug_event(struct ctl_packet *packet, unsigned int adapter, enum ctl_plug plug)
{
	make_header(packet, CTL_EVENT, 0);
	packet->words[packet->count++] = adapter | (plug == CTL_UNPLUG ? CTL_EVENT_GONE : 0);
}

void ctl_forward_xdomain(struct ctl_packet *packet, unsigned int adapter)
{
	packet->words[0] = CTL_REPLY_BIT;
	packet->words[1] = adapter;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ctl: control packets, the frames of ring 0 (USB4 spec, "Control Packet Protocol"; kernel
 * drivers/thunderbolt/tb_msgs.h and ctl.c). Pure: no I/O, no state.
 *
 * On the wire a packet is big-endian words followed by a big-endian ~CRC32C over them; its type
 * travels as the frame's end-of-frame PDF. Words 0 and 1 are the route string, bit 31 of word 0 is
 * set in everything that is sent to the host. Word 2 of a request is the address: offset 12:0,
 * length 18:13, adapter 24:19, space 26:25, sequence number 28:27.
 */
#ifndef CTL_H
#define CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CTL_FRAME_MAX  256u /* bytes, CRC included */
#define CTL_WORDS_MAX  (CTL_FRAME_MAX / 4 - 1)
#define CTL_DATA_MAX   60u /* words in one read or write */
#define CTL_REPLY_BIT  (UINT32_C(1) << 31)
#define CTL_EVENT_GONE (UINT32_C(1) << 31)

enum ctl_type {
	CTL_READ = 1,
	CTL_WRITE = 2,
	CTL_ERROR = 3,
	CTL_NOTIFY_ACK = 4,
	CTL_EVENT = 5,
	CTL_XDOMAIN_REQUEST = 6,
	CTL_XDOMAIN_RESPONSE = 7,
	CTL_RESET = 9,
};

enum ctl_space {
	CTL_SPACE_PATH = 0,
	CTL_SPACE_ADAPTER = 1,
	CTL_SPACE_ROUTER = 2,
	CTL_SPACE_COUNTERS = 3,
};

enum ctl_error {
	CTL_ERROR_NOT_CONNECTED = 0,
	CTL_ERROR_INVALID_SPACE = 2,
	CTL_ERROR_NO_SUCH_ADAPTER = 4,
	CTL_ERROR_ACK_PLUG = 7,
	CTL_ERROR_LOOP = 8, /* also what another host's router answers to an enumeration */
};

/* The two top bits of an acknowledged plug event. */
enum ctl_plug {
	CTL_PLUG = 2,
	CTL_UNPLUG = 3,
};

/* A packet in host order, without its CRC. */
struct ctl_packet {
	enum ctl_type type;
	uint32_t words[CTL_WORDS_MAX];
	unsigned int count;
};

/* What a read or write request asks for. */
struct ctl_request {
	uint64_t route;
	enum ctl_space space;
	unsigned int adapter;
	unsigned int offset; /* words */
	unsigned int length; /* words */
	unsigned int sequence;
};

/* Castagnoli's CRC (reflected, initial value ~0, not inverted at the end). */
uint32_t ctl_crc32c(const void *data, size_t len);

/* A frame of ring 0 as a packet. -EMSGSIZE, -EBADMSG (wrong CRC). */
int ctl_parse(unsigned int type, const uint8_t *frame, size_t len, struct ctl_packet *ret_packet);

/* Writes the packet as a frame; returns its length in bytes. */
size_t ctl_build(const struct ctl_packet *packet, uint8_t frame[CTL_FRAME_MAX]);

uint64_t ctl_route(const struct ctl_packet *packet);

/* The address of a read or write request; false if the packet is cut, its length is not the one it
 * names, or exceeds CTL_DATA_MAX. */
bool ctl_parse_request(const struct ctl_packet *packet, struct ctl_request *ret_request);

/* The data words of a write request that ctl_parse_request() accepted. */
const uint32_t *ctl_request_data(const struct ctl_packet *packet);

/* The acknowledgement of a plug event; false if the packet is another one. */
bool ctl_parse_plug_ack(const struct ctl_packet *packet, unsigned int *ret_adapter,
			enum ctl_plug *ret_plug);

/* Replies. adapter is the number to show in the address word; data has request->length words, NULL
 * answers a write. */
void ctl_make_reply(struct ctl_packet *packet, const struct ctl_request *request,
		    unsigned int adapter, const uint32_t *data);
void ctl_make_error(struct ctl_packet *packet, uint64_t route, unsigned int adapter,
		    enum ctl_error error);
void ctl_make_reset_reply(struct ctl_packet *packet, uint64_t route);
void ctl_make_plug_event(struct ctl_packet *packet, unsigned int adapter, enum ctl_plug plug);

/* An XDomain packet as it leaves the cable: the route becomes the receiver's own adapter, the
 * payload stays. */
void ctl_forward_xdomain(struct ctl_packet *packet, unsigned int adapter);

#endif

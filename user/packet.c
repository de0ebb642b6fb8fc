// SPDX-License-Identifier: GPL-2.0
/* RFC 791, 8200, 9293: headers as they are on the wire. */
#include <string.h>

#include "options.h"
#include "packet.h"

enum {
	COOKED = 16,
	IPV4 = 20,
	IPV6 = 40,
	TCP = 20,
	PROTOCOL = 6,
	HOPS = 64,
	DONT_FRAGMENT = 0x40,
	TO_US = 0,		/* the cooked header's packet types */
	BY_US = 4,
	ARPHRD_NONE = 0xfffe,
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_IPV6 = 0x86dd,
};

static void put16(uint8_t *to, uint32_t value)
{
	to[0] = value >> 8;
	to[1] = value;
}

static void put32(uint8_t *to, uint32_t value)
{
	put16(to, value >> 16);
	put16(to + 2, value);
}

/* RFC 1071; `sum` is what was added up before. */
static uint32_t add_up(uint32_t sum, const uint8_t *byte, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		sum += i & 1 ? byte[i] : byte[i] << 8;
	return sum;
}

static uint16_t checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static size_t put_cooked(const struct tcphs_packet_ends *e, uint8_t *out)
{
	memset(out, 0, COOKED);
	put16(out, e->sent ? BY_US : TO_US);
	put16(out + 2, ARPHRD_NONE);
	put16(out + 14, e->inet6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4);
	return COOKED;
}

static size_t put_ipv4(const struct tcphs_packet_ends *e, uint64_t rest, uint8_t *out)
{
	uint64_t total = IPV4 + rest;

	memset(out, 0, IPV4);
	out[0] = 4 << 4 | IPV4 / 4;
	put16(out + 2, total > UINT16_MAX ? 0 : total);
	out[6] = DONT_FRAGMENT;
	out[8] = HOPS;
	out[9] = PROTOCOL;
	memcpy(out + 12, e->from, 4);
	memcpy(out + 16, e->to, 4);
	put16(out + 10, checksum(add_up(0, out, IPV4)));
	return IPV4;
}

static size_t put_ipv6(const struct tcphs_packet_ends *e, uint64_t rest, uint8_t *out)
{
	memset(out, 0, IPV6);
	out[0] = 6 << 4;
	put16(out + 4, rest > UINT16_MAX ? 0 : rest);
	out[6] = PROTOCOL;
	out[7] = HOPS;
	memcpy(out + 8, e->from, 16);
	memcpy(out + 24, e->to, 16);
	return IPV6;
}

size_t tcphs_packet_make(const struct tcphs_packet_ends *e,
			 const struct tcphs_segment *s, uint8_t out[TCPHS_PACKET_MAX])
{
	size_t header = tcphs_options_header(s), address = e->inet6 ? 16 : 4, ip;
	uint32_t sum;
	uint8_t *tcp;

	/* A damaged record may say less; it is shown as it is. */
	if (header < TCP)
		header = TCP;
	ip = put_cooked(e, out);
	ip += e->inet6 ? put_ipv6(e, header + (uint64_t)s->len, out + ip) :
			 put_ipv4(e, header + (uint64_t)s->len, out + ip);
	tcp = out + ip;
	put16(tcp, e->from_port);
	put16(tcp + 2, e->to_port);
	put32(tcp + 4, s->seq);
	put32(tcp + 8, s->ack);
	tcp[12] = s->offset;
	tcp[13] = s->flags;
	put16(tcp + 14, s->win);
	put16(tcp + 16, 0);
	put16(tcp + 18, s->urg);
	memcpy(tcp + TCP, s->options, header - TCP);
	if (s->len)
		return ip + header;
	sum = add_up(PROTOCOL + header, e->from, address);
	sum = add_up(sum, e->to, address);
	put16(tcp + 16, checksum(add_up(sum, tcp, header)));
	return ip + header;
}

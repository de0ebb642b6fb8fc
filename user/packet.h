/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_PACKET_H
#define TCPHS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs.h>

/* Where a segment came from and went to; IPv4 is in the first 4 bytes. */
struct tcphs_packet_ends {
	const uint8_t *from;
	const uint8_t *to;
	uint16_t from_port;
	uint16_t to_port;
	bool inet6;
	bool sent;		/* seen when it was sent, else when it came */
};

enum { TCPHS_PACKET_MAX = 16 + 40 + 60 };

/*
 * "Linux cooked" (LINKTYPE_LINUX_SLL), IP and TCP header of a recorded segment,
 * into `out`. Returns their length; s->len bytes of payload, which nobody
 * recorded, follow in the original. The cooked header tells the direction and
 * has no addresses. What the record has of the TCP header is there bit by bit. Of IP it has only the
 * addresses: the hop limit is 64, the rest 0. The checksum of a segment with
 * payload cannot be known and is 0; so is the length of one above 64 KiB.
 */
size_t tcphs_packet_make(const struct tcphs_packet_ends *e,
			 const struct tcphs_segment *s, uint8_t out[TCPHS_PACKET_MAX]);

#endif

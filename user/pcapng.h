/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_PCAPNG_H
#define TCPHS_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

/*
 * Blocks of a pcapng file (draft-ietf-opsawg-pcapng), in this machine's byte
 * order, as the format allows. Each function appends one block. Pure.
 */
struct tcphs_pcapng {
	uint8_t *data;		/* to be freed */
	size_t used;
	size_t room;
};

/* Text longer than an option can hold is cut. */
enum { TCPHS_PCAPNG_TEXT_MAX = 65535 };

/* Section header; NULL leaves a text out. */
void tcphs_pcapng_section(struct tcphs_pcapng *p, const char *os,
			  const char *application, const char *comment);

/*
 * An interface whose packets have a "Linux cooked" header, as `tcpdump -i any`
 * makes them; times in ns. (libpcap refuses a file with several interfaces of
 * raw IP.)
 */
void tcphs_pcapng_interface(struct tcphs_pcapng *p, const char *name,
			    const char *description, const char *os);

enum tcphs_pcapng_way {
	TCPHS_PCAPNG_INBOUND = 1,	/* epb_flags */
	TCPHS_PCAPNG_OUTBOUND = 2,
};

struct tcphs_pcapng_packet {
	uint32_t interface;	/* from 0, in the order of their blocks */
	enum tcphs_pcapng_way way;
	uint64_t time;		/* ns since 1970 */
	const uint8_t *data;
	uint32_t captured;	/* bytes in data */
	uint32_t original;	/* bytes that there were */
	const char *const *comments;
	size_t ncomments;
};

void tcphs_pcapng_packet(struct tcphs_pcapng *p, const struct tcphs_pcapng_packet *k);

#endif
